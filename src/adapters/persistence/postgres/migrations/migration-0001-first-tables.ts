// The first tables. Texts that are compared for order are `collate "C"`, so pages come alike in every locale.

import { Migration } from '@mikro-orm/migrations';

const statements = [
  `create table organizations (
    id text collate "C" primary key,
    name text not null,
    slug text not null,
    status text not null,
    domains jsonb not null,
    provider text,
    provider_id text,
    ownerless boolean not null,
    session_policy jsonb not null,
    provisioning_policy jsonb not null,
    created_at timestamptz(3) not null,
    version integer not null
  )`,
  `create unique index organizations_slug on organizations (slug)`,
  `create unique index organizations_provider on organizations (provider, provider_id)`,
  `create table verified_domains (name text primary key, organization_id text not null)`,
  `create index verified_domains_organization on verified_domains (organization_id)`,

  `create table users (
    id text collate "C" primary key,
    email text not null,
    name text,
    status text not null,
    identities jsonb not null,
    search_text text not null,
    as_of timestamptz(3) not null,
    created_at timestamptz(3) not null,
    version integer not null
  )`,
  `create index users_email on users (email) where status <> 'deleted'`,
  `create table user_identities (
    provider text not null,
    subject text not null,
    user_id text not null,
    primary key (provider, subject)
  )`,
  `create index user_identities_user on user_identities (user_id)`,

  `create table memberships (
    id text collate "C" primary key,
    organization_id text not null,
    user_id text not null,
    role text not null,
    status text not null,
    managed_by text not null,
    as_of timestamptz(3) not null,
    created_at timestamptz(3) not null,
    version integer not null
  )`,
  `create unique index memberships_one_active on memberships (organization_id, user_id) where status = 'active'`,
  `create unique index memberships_one_owner on memberships (organization_id) where status = 'active' and role = 'owner'`,
  `create index memberships_user_here on memberships (organization_id, user_id, id)`,
  `create index memberships_page on memberships (organization_id, id)`,
  `create index memberships_role on memberships (organization_id, role) where status = 'active'`,
  `create index memberships_user on memberships (user_id) where status = 'active'`,

  `create table sessions (
    id text collate "C" primary key,
    user_id text not null,
    organization_id text,
    provider text not null,
    provider_session text not null,
    reference_digest text not null,
    method text not null,
    remembered boolean not null,
    idle_seconds integer not null,
    started_at timestamptz(3) not null,
    authenticated_at timestamptz(3) not null,
    last_seen_at timestamptz(3) not null,
    absolute_expires_at timestamptz(3) not null,
    status text not null,
    ended_at timestamptz(3),
    end_reason text,
    ip text,
    user_agent text,
    impersonator jsonb,
    version integer not null
  )`,
  `create unique index sessions_reference on sessions (reference_digest)`,
  `create unique index sessions_one_active on sessions (provider, provider_session) where status = 'active'`,
  `create index sessions_provider on sessions (provider, provider_session, id)`,
  `create index sessions_user on sessions (user_id, id) where status = 'active'`,
  `create index sessions_organization on sessions (organization_id, id) where status = 'active'`,

  `create table agents (
    id text collate "C" primary key,
    organization_id text not null,
    name text not null,
    description text,
    status text not null,
    responsible text,
    created_at timestamptz(3) not null,
    version integer not null
  )`,
  `create unique index agents_name on agents (organization_id, name) where status <> 'deleted'`,
  `create index agents_page on agents (organization_id, id)`,

  `create table api_keys (
    id text collate "C" primary key,
    organization_id text not null,
    agent_id text not null,
    name text not null,
    mode text not null,
    scopes jsonb not null,
    digest text not null,
    prefix text not null,
    last_four text not null,
    ip_allowlist jsonb not null,
    status text not null,
    expires_at timestamptz(3),
    last_used_at timestamptz(3),
    created_by jsonb not null,
    created_at timestamptz(3) not null,
    revoked_at timestamptz(3),
    version integer not null
  )`,
  `create unique index api_keys_digest on api_keys (digest)`,
  `create index api_keys_page on api_keys (organization_id, id)`,
  `create index api_keys_agent on api_keys (organization_id, agent_id, id)`,
  `create index api_keys_maker on api_keys (organization_id, (created_by->>'id')) where status = 'active'`,
  `create index api_keys_prefix on api_keys (organization_id, prefix, id)`,

  `create table directories (
    organization_id text not null,
    id text collate "C" not null,
    name text not null,
    type text not null,
    connected_at timestamptz(3),
    disconnected_at timestamptz(3),
    heard_order bigint generated always as identity,
    primary key (organization_id, id)
  )`,
  `create index directories_first_heard on directories (id, heard_order)`,
  `create table directory_users (
    organization_id text not null,
    id text collate "C" not null,
    directory_id text not null,
    idp_id text,
    email text,
    name text,
    state text not null,
    described_at timestamptz(3) not null,
    described_by text not null,
    created_at timestamptz(3),
    deleted_at timestamptz(3),
    user_id text,
    primary key (organization_id, id)
  )`,
  `create index directory_users_directory on directory_users (organization_id, directory_id)`,
  `create index directory_users_user on directory_users (organization_id, user_id)`,
  `create index directory_users_idp on directory_users (organization_id, directory_id, idp_id)`,
  `create table directory_groups (
    organization_id text not null,
    id text collate "C" not null,
    directory_id text not null,
    name text not null,
    sort_name text collate "C" not null,
    described_at timestamptz(3) not null,
    described_by text not null,
    created_at timestamptz(3),
    deleted_at timestamptz(3),
    primary key (organization_id, id)
  )`,
  `create index directory_groups_page on directory_groups (organization_id, sort_name, id)`,
  `create table directory_group_links (
    organization_id text not null,
    group_id text collate "C" not null,
    directory_user_id text collate "C" not null,
    directory_id text not null,
    present boolean not null,
    said_at timestamptz(3) not null,
    said_by text not null,
    primary key (organization_id, group_id, directory_user_id)
  )`,
  `create index directory_group_links_user on directory_group_links (organization_id, directory_user_id)`,

  `create table role_mappings (organization_id text primary key, mappings jsonb not null)`,
  `create table connections (
    organization_id text not null,
    id text not null,
    name text not null,
    type text not null,
    state text not null,
    as_of timestamptz(3) not null,
    primary key (organization_id, id)
  )`,

  // The payload is json, not jsonb: it is kept as it was said, and jsonb refuses a character (U+0000) that JSON allows.
  `create table inbox (
    id text collate "C" primary key,
    provider text not null,
    external_id text not null,
    name text not null,
    organization_ref text,
    organization_id text,
    occurred_at timestamptz(3) not null,
    received_at timestamptz(3) not null,
    payload json not null,
    status text not null,
    attempts integer not null,
    due_at timestamptz(3) not null,
    note text
  )`,
  `create unique index inbox_external on inbox (provider, external_id)`,
  `create index inbox_open on inbox (occurred_at, id) where status in ('stored', 'waiting')`,
  `create index inbox_waiting on inbox (id) where status = 'waiting'`,
  `create table feed_cursors (provider text primary key, event_id text not null)`,

  `create table outbox (
    id text collate "C" primary key,
    effect jsonb not null,
    attempts integer not null,
    due_at timestamptz(3) not null,
    note text
  )`,
  `create index outbox_due on outbox (due_at, id)`,

  `create table audit_entries (
    id text collate "C" primary key,
    organization_id text not null,
    sequence bigint not null,
    at timestamptz(3) not null,
    actor_kind text not null,
    actor_id text,
    actor_impersonator text,
    action text not null,
    target_kind text not null,
    target_id text,
    via text not null,
    ip text,
    user_agent text,
    request_id text,
    before jsonb,
    after jsonb,
    outcome text not null,
    previous_hash text not null,
    hash text not null
  )`,
  `create unique index audit_entries_sequence on audit_entries (organization_id, sequence)`,
  `create index audit_entries_actor on audit_entries (organization_id, actor_id, sequence)`,
  `create index audit_entries_action on audit_entries (organization_id, action, sequence)`,
  `create index audit_entries_target on audit_entries (organization_id, target_id, sequence)`,
  `create index audit_entries_at on audit_entries (organization_id, at)`,
  `create table audit_heads (organization_id text primary key, sequence bigint not null, hash text not null)`,

  `create table spent_sign_ins (state_digest text primary key, until timestamptz(3) not null)`,
  `create index spent_sign_ins_until on spent_sign_ins (until)`,
];

export class Migration0001FirstTables extends Migration {
  override up(): void {
    for (const statement of statements) this.addSql(statement);
  }
}
