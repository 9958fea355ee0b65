// The tables that a migration froze are the ones that this version of pg-boss wants.

import { readFile } from 'node:fs/promises';
import { getConstructionPlans } from 'pg-boss';
import { expect, it } from 'vitest';

const frozen = new URL('../../../src/adapters/persistence/postgres/migrations/pg-boss-46.sql', import.meta.url);

const squeezed = (sql: string): string => sql.replaceAll(/[\s;]+/g, ' ').trim();

it('are what pg-boss would make: after an update that changes them, a migration with its getMigrationPlans is due', async () => {
  const ours = squeezed((await readFile(frozen, 'utf8')).replace(/^--.*$/m, '').replaceAll(/^----$/gm, ''));
  const theirs = squeezed(getConstructionPlans());
  // Theirs opens a transaction with a lock of its own; ours runs in the one of the migration.
  expect(theirs).toContain(ours);
  expect(theirs.replace(ours, '').length).toBeLessThan(500);
});
