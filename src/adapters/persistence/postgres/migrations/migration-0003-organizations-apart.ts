// Organizations are kept apart by the database: roles that own nothing, forced row-level security, narrow lookups, an append-only trail.

import { Migration } from '@mikro-orm/migrations';
import { databaseRoles } from '../database-roles.ts';
import { asLookup, keptApart, lookedUp, shared } from './isolation.ts';
import { firstLookups } from './lookups.ts';

const { service, organization, across, lookup } = databaseRoles;

/**
 * Roles belong to the whole server: databases beside this one may make the same ones at the same moment, and no lock of one
 * database is known to another. So: look, make, and let whoever was faster win.
 */
const role = (name: string): string => `do $$ begin
  if not exists (select from pg_catalog.pg_roles where rolname = '${name}') then
    create role ${name} nologin noinherit nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
  end if;
exception when duplicate_object or unique_violation then null;
end $$`;

const member = (name: string, of: string): string => `do $$ begin
  if not exists (
    select from pg_catalog.pg_auth_members
    where roleid = '${of}'::regrole and member = '${name}'::regrole
  ) then
    grant ${of} to ${name};
  end if;
exception when duplicate_object or unique_violation then null;
end $$`;

/** A superuser may take every role; another maker of the tables has to be let. */
const makerMayBe = (name: string, tolerated: string): string => `do $$ begin
  if not pg_catalog.pg_has_role(current_user, '${name}', 'usage') then
    execute format('grant %I to %I', '${name}', current_user);
  end if;
exception when ${tolerated} then null;
end $$`;

const keep = ['select', 'insert', 'update'] as const;

const statements = [
  ...Object.values(databaseRoles).map(role),
  // `service` inherits nothing from these two: it has to take one of them, and then says what for.
  member(service, organization),
  member(service, across),

  ...keptApart('organizations', { column: 'id' }),
  ...keptApart('verified_domains', {
    organization: ['select', 'insert', 'delete'],
    across: ['select', 'insert', 'delete'],
  }),
  ...keptApart('memberships'),
  ...keptApart('sessions'),
  ...keptApart('agents'),
  ...keptApart('api_keys'),
  ...keptApart('directories'),
  ...keptApart('directory_users'),
  ...keptApart('directory_groups'),
  ...keptApart('directory_group_links'),
  ...keptApart('role_mappings'),
  ...keptApart('connections'),
  // Whose an event is, is found out when it is applied, in a transaction of that organization.
  ...keptApart('inbox', { none: 'organization_id is null', organization: ['select', 'update'] }),
  // Append-only: nobody who speaks for the service may change or remove an entry.
  ...keptApart('audit_entries', { organization: ['select', 'insert'], across: ['insert'] }),
  ...keptApart('audit_heads', { none: `organization_id = '-'` }),
  // What happens to a person is told in the trail of no organization: written from everywhere, read from nowhere.
  `create policy of_no_organization on audit_entries for insert to ${organization}
    with check (organization_id = '-')`,

  ...shared('users', { organization: keep, across: keep }),
  ...shared('user_identities', { organization: ['select', 'insert'], across: ['select', 'insert'] }),
  ...shared('outbox', { organization: ['insert'], across: ['select', 'insert', 'update', 'delete'] }),
  ...shared('feed_cursors', { across: keep }),
  ...shared('spent_sign_ins', { across: ['select', 'insert', 'update', 'delete'] }),
  // So that a node which may not migrate can see that somebody did.
  `grant select on migrations to ${service}`,

  // Who made a key was found by an index over `->>`, which is of no use beside a policy.
  `alter table api_keys add column made_by text generated always as (created_by->>'id') stored`,
  'drop index api_keys_maker',
  `create index api_keys_maker on api_keys (organization_id, made_by) where status = 'active'`,

  ...['organizations', 'verified_domains', 'memberships', 'sessions', 'agents', 'api_keys'].flatMap(lookedUp),
  `grant select on users to ${lookup}`,
  // It makes what the lookup role owns; and with one login for everything it is also the one that serves, if it may be.
  makerMayBe(lookup, 'duplicate_object or unique_violation'),
  makerMayBe(service, 'duplicate_object or unique_violation or insufficient_privilege'),
  `create schema lookup authorization ${lookup}`,
  `grant usage on schema lookup to ${service}`,
  ...firstLookups.flatMap(asLookup),
];

export class Migration0003OrganizationsApart extends Migration {
  override up(): void {
    for (const statement of statements) this.addSql(statement);
  }
}
