// Every migration, in the order of running. A migration that has been released is never changed; a new one is added below it.

import { Migration0001FirstTables } from './migration-0001-first-tables.ts';
import { Migration0002ConnectionTests } from './migration-0002-connection-tests.ts';
import { Migration0003OrganizationsApart } from './migration-0003-organizations-apart.ts';
import { Migration0004Jobs } from './migration-0004-jobs.ts';
import { Migration0005Reconciliations } from './migration-0005-reconciliations.ts';
import { Migration0006Invitations } from './migration-0006-invitations.ts';
import { Migration0007IdempotencyKeys } from './migration-0007-idempotency-keys.ts';

export const migrations = [
  { name: '0001-first-tables', class: Migration0001FirstTables },
  { name: '0002-connection-tests', class: Migration0002ConnectionTests },
  { name: '0003-organizations-apart', class: Migration0003OrganizationsApart },
  { name: '0004-jobs', class: Migration0004Jobs },
  { name: '0005-reconciliations', class: Migration0005Reconciliations },
  { name: '0006-invitations', class: Migration0006Invitations },
  { name: '0007-idempotency-keys', class: Migration0007IdempotencyKeys },
];
