// Every migration, in the order of running. A migration that has been released is never changed; a new one is added below it.

import { Migration0001FirstTables } from './migration-0001-first-tables.ts';

export const migrations = [{ name: '0001-first-tables', class: Migration0001FirstTables }];
