// The tables in which pg-boss keeps jobs, in a schema of their own, and the index by which the inbox is worked lane by lane.

import { readFileSync } from 'node:fs';
import { Migration } from '@mikro-orm/migrations';
import { databaseRoles } from '../database-roles.ts';

/**
 * Frozen, not asked of the package: a released migration must not change with it. When a newer pg-boss has another schema, add a
 * migration with its `getMigrationPlans`; test/adapters/jobs/pg-boss-tables.test.ts tells when that is due.
 */
const plans = new URL('pg-boss-46.sql', import.meta.url);

const statements = [
  // Every connection of the service has this role; jobs are the service's own errands and name organizations by id alone.
  `grant usage on schema pgboss to ${databaseRoles.service}`,
  `grant select, insert, update, delete on all tables in schema pgboss to ${databaseRoles.service}`,

  `create index inbox_lanes on inbox ((provider || ' ' || coalesce(organization_ref, '')) collate "C", occurred_at, id)
    where status in ('stored', 'waiting')`,
  `drop index inbox_open`,
  `create index inbox_page on inbox (organization_id, id)`,
  // What an event said is forgotten after a while; that it was heard is kept, so that it is not heard twice.
  `alter table inbox alter column payload drop not null, add column settled_at timestamptz(3)`,
  `create index inbox_remembered on inbox (received_at) where status in ('applied', 'ignored') and payload is not null`,
  `create index api_keys_expiry on api_keys (expires_at) where status = 'active' and expires_at is not null`,
];

export class Migration0004Jobs extends Migration {
  override up(): void {
    for (const statement of readFileSync(plans, 'utf8').split(/^----$/m)) this.addSql(statement.trim());
    for (const statement of statements) this.addSql(statement);
  }
}
