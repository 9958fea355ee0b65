import { afterAll, vi } from 'vitest';
import { openPglite } from '#adapters/persistence/postgres/open-database.ts';
import { jobsContract } from './jobs.contract.ts';
import { jobsIn } from './jobs-in-database.ts';
import { countingIds } from './store-words.ts';

vi.setConfig({ testTimeout: 60_000 });

const database = await openPglite({ dataDir: undefined, ids: countingIds });
await database.migrate();
afterAll(() => database.close());
const { pglite } = database;

jobsContract('pg-boss on PGlite', {
  shared: false,
  open: () => jobsIn({ kind: 'embedded', pglite }, (statement) => pglite.exec(statement)),
});
