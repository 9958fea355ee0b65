// How a migration makes a table keep organizations apart. Released migrations stand on these words: add a word, never change one.

import { databaseRoles } from '../database-roles.ts';

const { service, organization, across, lookup } = databaseRoles;

type Privilege = 'select' | 'insert' | 'update' | 'delete';
export type Privileges = readonly Privilege[];

const keep: Privileges = ['select', 'insert', 'update'];

const grant = (table: string, role: string, privileges: Privileges): string[] =>
  privileges.length === 0 ? [] : [`grant ${privileges.join(', ')} on ${table} to ${role}`];

/** The organization that the transaction has set. Unset it is null or empty, and equals nothing. */
export const currentOrganization = `current_setting('app.organization', true)`;
/** The transaction has said why it reaches across. */
const namedCrossing = `coalesce(current_setting('app.across', true), '') <> ''`;

export interface OrganizationTable {
  /** Where the organization stands; `organization_id` unless told. */
  readonly column?: string;
  /** A value of the column that stands for no organization, which every organization may see; SQL. */
  readonly none?: string;
  /** What an organization may do to its own rows. Unless told: select, insert, update. */
  readonly organization?: Privileges;
  /** What a named crossing may do to all rows. Unless told: select, insert, update. */
  readonly across?: Privileges;
}

/**
 * For every table with an organization: row-level security, forced on the owner too, and its two policies. It stands beside
 * `create table`. Mind that the database asks the policy before any condition that might leak what it sees: only plain
 * comparisons of columns still use an index beside it, not `lower(…)`, `->>` or `like`. Keep such a value in a column.
 */
export const keptApart = (table: string, how: OrganizationTable = {}): string[] => {
  const own = `${how.column ?? 'organization_id'} = ${currentOrganization}`;
  const visible = how.none === undefined ? own : `${own} or ${how.none}`;
  return [
    `alter table ${table} enable row level security`,
    `alter table ${table} force row level security`,
    `create policy own_organization on ${table} to ${organization} using (${visible}) with check (${visible})`,
    `create policy named_crossing on ${table} to ${across} using (${namedCrossing}) with check (${namedCrossing})`,
    ...grant(table, organization, how.organization ?? keep),
    ...grant(table, across, how.across ?? keep),
  ];
};

/** For a table that belongs to no organization. The catalogue test wants the reason: test/adapters/persistence/isolation-words.ts. */
export const shared = (
  table: string,
  may: { readonly organization?: Privileges; readonly across?: Privileges },
): string[] => [...grant(table, organization, may.organization ?? []), ...grant(table, across, may.across ?? [])];

/** Lets the lookups read a table with an organization; they are narrow by what they ask. */
export const lookedUp = (table: string): string[] => [
  `create policy lookup on ${table} for select to ${lookup} using (true)`,
  ...grant(table, lookup, ['select']),
];

export interface Lookup {
  readonly name: string;
  /** Such as `user_id text, limit integer`; the query names them `$1`, `$2`. */
  readonly parameters: string;
  /** Gives one column of jsonb. */
  readonly query: string;
}

/**
 * A question that is asked before an organization is known, or of all of them: one function in the schema `lookup`, narrow by what
 * it asks, one round trip, callable outside a transaction. SECURITY DEFINER: it reads with the eyes of the role that owns it,
 * whoever asks; so its search path is pinned, and nobody but the service may ask.
 */
export const asLookup = ({ name, parameters, query }: Lookup): string[] => [
  `set local role ${lookup}`,
  `create function lookup.${name}(${parameters}) returns setof jsonb
    language sql stable strict security definer set search_path = public, pg_temp
    as $lookup$ ${query} $lookup$`,
  `revoke all on function lookup.${name} from public`,
  `grant execute on function lookup.${name} to ${service}`,
  'reset role',
];
