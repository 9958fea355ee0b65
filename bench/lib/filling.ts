// Fills a migrated database with as many organizations, people, sessions and audit entries as asked; by SQL, past the service.

import { ask, tell } from './databases.ts';

export interface Size {
  readonly organizations: number;
  readonly sessions: number;
  readonly auditEntries: number;
}

/** One organization has a tenth of everything; the others share the rest evenly. */
export const share = 10;
export const peopleIn = ({ sessions }: Size): number => sessions / 2;

/** Ids in their real length and shape; their numbers are in order, as those of UUIDv7 are. */
const id = (prefix: string, number: string): string => `'${prefix}_0' || lpad((${number})::text, 25, '0')`;
export const idOf = (prefix: string, number: number): string => `${prefix}_0${String(number).padStart(25, '0')}`;

/** The reference in the cookie of session `number`. */
export const referenceOf = (number: number): string => `s${String(number).padStart(42, '0')}`;

const actions = `array['membership.granted', 'membership.role_changed', 'session.started', 'session.ended',
  'directory_user.provisioned', 'directory_user.updated', 'api_key.issued', 'agent.created', 'connection.tested', 'sign_in.refused']`;

/** Which organization the `number`th of `all` things belongs to. */
const organizationOf = (number: string, all: number, organizations: number): string =>
  `case when ${number} < ${all / share} then 0 else 1 + (${number} - ${all / share}) % ${organizations - 1} end`;

const statements = (size: Size): readonly string[] => {
  const { organizations, sessions, auditEntries } = size;
  const people = peopleIn(size);
  const theirs = organizationOf('n', people, organizations);
  return [
    `insert into organizations (id, name, slug, status, domains, provider, provider_id, ownerless, session_policy,
      provisioning_policy, created_at, version)
    select ${id('org', 'n')}, 'Organization ' || n, 'organization-' || n, 'active', '[]', 'workos', 'org_filled_' || n, false,
      '{"idleSeconds":43200,"rememberedSeconds":2592000,"absoluteSeconds":2592000}',
      '{"defaultRole":"analyst","gateGroupId":null,"justInTime":false}', now(), 1
    from generate_series(0, ${organizations - 1}) n`,
    `insert into users (id, email, name, status, identities, search_text, as_of, created_at, version)
    select ${id('user', 'n')}, 'p' || n || '@filled.test', 'Person ' || n, 'active',
      json_build_array(json_build_object('provider', 'workos', 'subject', 'user_filled_' || n)),
      'person ' || n || ' p' || n || '@filled.test', now(), now(), 1
    from generate_series(0, ${people - 1}) n`,
    // The first person of each organization owns it.
    `insert into memberships (id, organization_id, user_id, role, status, managed_by, as_of, created_at, version)
    select ${id('mem', 'n')}, ${id('org', theirs)}, ${id('user', 'n')},
      case when n = 0 or n between ${people / share} and ${people / share + organizations - 2} then 'owner' else 'analyst' end,
      'active', 'directory', now(), now(), 1
    from generate_series(0, ${people - 1}) n`,
    // Signed in a moment ago, and for an hour to come: the provider need not be asked whether they still are.
    `insert into sessions (id, user_id, organization_id, provider, provider_session, reference_digest, method, remembered,
      idle_seconds, started_at, authenticated_at, last_seen_at, absolute_expires_at, status, ip, user_agent, version)
    select ${id('sess', 's')}, ${id('user', 'n')}, ${id('org', theirs)}, 'workos', 'session_filled_' || s,
      encode(sha256(convert_to('s' || lpad(s::text, 42, '0'), 'UTF8')), 'hex'), 'sso', false, 43200,
      now() + interval '1 hour', now(), now(), now() + interval '30 days', 'active', '192.0.2.1', 'bench', 1
    from (select s, s % ${people} as n from generate_series(0, ${sessions - 1}) s) as numbered`,
    `insert into audit_entries (id, organization_id, sequence, at, actor_kind, actor_id, action, target_kind, target_id, via, ip,
      user_agent, request_id, before, after, outcome, previous_hash, hash)
    select ${id('aud', 'n')}, ${id('org', organizationOf('n', auditEntries, organizations))},
      case when n < ${auditEntries / share} then n + 1 else 1 + (n - ${auditEntries / share}) / ${organizations - 1} end,
      now() - interval '365 days' + make_interval(secs => n * 31536000.0 / ${auditEntries}), 'user',
      ${id('user', `(n * 7919) % ${people}`)}, (${actions})[1 + (n * 31 + n / 11) % 10], 'member',
      ${id('mem', `(n * 104729) % ${people}`)}, 'http', '192.0.2.1', 'Mozilla/5.0 (bench)', ${id('req', 'n')},
      '{"role":"viewer"}', '{"role":"analyst"}', 'done', md5(n::text) || md5(n::text), md5((n + 1)::text) || md5((n + 1)::text)
    from generate_series(0::bigint, ${auditEntries - 1}) n`,
  ];
};

const tables = ['organizations', 'users', 'memberships', 'sessions', 'audit_entries'];

/** Indexes are made once the rows are there, and the tables are not logged: only how long the filling takes depends on it. */
export const fill = async (url: string, size: Size): Promise<void> => {
  const names = tables.map((table) => `'${table}'`).join(', ');
  const indexes = await ask<{ name: string; definition: string; constraint: string | null; table: string }>(
    url,
    `select i.indexname as name, i.indexdef as definition, c.conname as constraint, i.tablename as table
    from pg_indexes i left join pg_constraint c on c.conname = i.indexname and c.contype = 'p'
    where i.schemaname = 'public' and i.tablename in (${names})`,
  );
  const setting = [
    `set statement_timeout = 0`,
    `set synchronous_commit = off`,
    `set maintenance_work_mem = '1GB'`,
    `set work_mem = '256MB'`,
  ];
  const dropping = indexes.map(({ name, constraint, table }) =>
    constraint ? `alter table ${table} drop constraint ${constraint}` : `drop index ${name}`,
  );
  const making = indexes.flatMap(({ name, definition, constraint, table }) => [
    definition,
    ...(constraint ? [`alter table ${table} add constraint ${constraint} primary key using index ${name}`] : []),
  ]);
  await tell(
    url,
    ...setting,
    ...tables.map((table) => `alter table ${table} set unlogged`),
    ...dropping,
    ...statements(size),
    ...making,
    ...tables.map((table) => `vacuum (analyze) ${table}`),
  );
};
