// Every migration, in the order of running. A migration that has been released is never changed; a new one is added below it.

import { Migration0001FirstTables } from './migration-0001-first-tables.ts';
import { Migration0002ConnectionTests } from './migration-0002-connection-tests.ts';
import { Migration0003OrganizationsApart } from './migration-0003-organizations-apart.ts';

export const migrations = [
  { name: '0001-first-tables', class: Migration0001FirstTables },
  { name: '0002-connection-tests', class: Migration0002ConnectionTests },
  { name: '0003-organizations-apart', class: Migration0003OrganizationsApart },
];
