// Reconciliations of directories: how far each has come, and what the provider listed meanwhile.

import { Migration } from '@mikro-orm/migrations';
import { keptApart } from './isolation.ts';

const statements = [
  `create table reconciliations (
    organization_id text primary key,
    id text not null,
    state text not null,
    asked_by jsonb not null,
    unasked boolean not null,
    started_at timestamptz(3) not null,
    finished_at timestamptz(3),
    as_of timestamptz(3),
    directories jsonb not null,
    progress jsonb not null,
    plan jsonb,
    settled integer not null,
    holder text,
    due_at timestamptz(3) not null,
    attempts integer not null,
    note text
  )`,
  `create index reconciliations_due on reconciliations (due_at) where state in ('reading', 'applying')`,
  ...keptApart('reconciliations', { across: ['select'] }),

  // The event is json, not jsonb: what a directory calls people may hold a character (U+0000) that jsonb refuses.
  `create table reconciliation_items (
    organization_id text not null,
    kind text collate "C" not null,
    key text collate "C" not null,
    directory_id text not null,
    active boolean not null,
    address text,
    turn smallint,
    event json,
    primary key (organization_id, kind, key)
  )`,
  `create index reconciliation_items_turn on reconciliation_items (organization_id, turn, kind, key) where turn is not null`,
  `create index reconciliation_items_address on reconciliation_items (organization_id, address) where address is not null`,
  ...keptApart('reconciliation_items', { organization: ['select', 'insert', 'update', 'delete'], across: [] }),
];

export class Migration0005Reconciliations extends Migration {
  override up(): void {
    for (const statement of statements) this.addSql(statement);
  }
}
