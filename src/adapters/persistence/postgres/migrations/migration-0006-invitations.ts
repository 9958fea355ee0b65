// Invitations: one pending at most for each address in an organization.

import { Migration } from '@mikro-orm/migrations';
import { keptApart } from './isolation.ts';

const statements = [
  `create table invitations (
    id text collate "C" primary key,
    organization_id text not null,
    email text not null,
    role text not null,
    status text not null,
    invited_by text not null,
    asked_at timestamptz(3) not null,
    sent_at timestamptz(3),
    expires_at timestamptz(3) not null,
    accepted_by text,
    provider text,
    provider_id text,
    created_at timestamptz(3) not null,
    version integer not null
  )`,
  `create unique index invitations_one_pending on invitations (organization_id, email) where status = 'pending'`,
  `create index invitations_address on invitations (organization_id, email, id)`,
  `create index invitations_inviter on invitations (organization_id, invited_by) where status = 'pending'`,
  `create index invitations_page on invitations (organization_id, id)`,
  ...keptApart('invitations'),

  // The address of a directory's person as we compare it: in a column, since beside a policy only plain comparisons use an index.
  `alter table directory_users add column address text generated always as (lower(btrim(email))) stored`,
  `create index directory_users_address on directory_users (organization_id, address)`,
];

export class Migration0006Invitations extends Migration {
  override up(): void {
    for (const statement of statements) this.addSql(statement);
  }
}
