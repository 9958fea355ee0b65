// What was asked for under an Idempotency-Key, and what was answered. An organization only answers; claims are made across.

import { Migration } from '@mikro-orm/migrations';
import { keptApart } from './isolation.ts';

const statements = [
  `create table idempotency_keys (
    id text collate "C" primary key,
    organization_id text,
    holder text not null,
    fingerprint text not null,
    held_until timestamptz(3) not null,
    forget_at timestamptz(3) not null,
    answer text
  )`,
  `create index idempotency_keys_forget on idempotency_keys (forget_at)`,
  ...keptApart('idempotency_keys', {
    organization: ['select', 'update'],
    across: ['select', 'insert', 'update', 'delete'],
  }),
];

export class Migration0007IdempotencyKeys extends Migration {
  override up(): void {
    for (const statement of statements) this.addSql(statement);
  }
}
