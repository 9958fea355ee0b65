import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MikroORM } from '@mikro-orm/pglite';
import { afterAll } from 'vitest';
import { becomeService } from '#adapters/persistence/postgres/database-roles.ts';
import { openPglite } from '#adapters/persistence/postgres/open-database.ts';
import { rows } from '#adapters/persistence/postgres/rows/rows.ts';
import { isolationContract } from './isolation.contract.ts';
import { readModelsContract } from './read-models.contract.ts';
import { reconciliationsContract } from './reconciliations.contract.ts';
import { storeContract } from './store.contract.ts';
import { countingIds, type StoreKind } from './store-words.ts';

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
reconciliationsContract('PGlite', inFolder);
isolationContract('PGlite', async () => {
  await (await inFolder.open(countingIds)).close();
  const orm = await MikroORM.init({ dbName: join(folder, 'data'), entities: rows, ensureDatabase: false });
  await orm.em.fork().execute(becomeService);
  return { fork: () => orm.em.fork(), close: () => orm.close(true) };
});
