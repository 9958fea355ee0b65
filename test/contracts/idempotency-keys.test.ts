import { memoryReadModels } from '#adapters/persistence/memory/memory-read-models.ts';
import { MemoryStore } from '#adapters/persistence/memory/memory-store.ts';
import { openPglite, openPostgres } from '#adapters/persistence/postgres/open-database.ts';
import { withPostgres } from '../support/postgres.ts';
import { idempotencyKeysContract } from './idempotency-keys.contract.ts';

idempotencyKeysContract('the memory store', {
  async open(ids) {
    const store = new MemoryStore(ids);
    return { store, readModels: memoryReadModels(store), close: async () => {} };
  },
  parallel: true,
  keeps: false,
});

idempotencyKeysContract('PGlite', {
  async open(ids) {
    const database = await openPglite({ dataDir: undefined, ids });
    await database.migrate();
    return database;
  },
  parallel: false,
  keeps: false,
});

await withPostgres('idempotency keys on PostgreSQL', (url) =>
  idempotencyKeysContract('PostgreSQL', {
    async open(ids) {
      const database = await openPostgres({ url, ids });
      await database.migrate();
      return database;
    },
    parallel: true,
    keeps: true,
  }),
);
