import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { openPglite } from '#adapters/persistence/postgres/open-database.ts';
import { readModelsContract } from './read-models.contract.ts';
import { storeContract } from './store.contract.ts';
import type { StoreKind } from './store-words.ts';

const folder = await mkdtemp(join(tmpdir(), 'identity-pglite-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

const inFolder: StoreKind = {
  async open(ids) {
    const database = await openPglite({ dataDir: join(folder, 'data'), ids });
    await database.migrate();
    return database;
  },
  parallel: false,
  keeps: true,
};

storeContract('PGlite', inFolder);
readModelsContract('PGlite', inFolder);
