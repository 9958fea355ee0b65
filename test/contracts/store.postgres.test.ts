import { MikroORM } from '@mikro-orm/postgresql';
import { asService } from '#adapters/persistence/postgres/database-roles.ts';
import { openPostgres } from '#adapters/persistence/postgres/open-database.ts';
import { rows } from '#adapters/persistence/postgres/rows/rows.ts';
import { withPostgres } from '../support/postgres.ts';
import { isolationContract } from './isolation.contract.ts';
import { readModelsContract } from './read-models.contract.ts';
import { reconciliationsContract } from './reconciliations.contract.ts';
import { storeContract } from './store.contract.ts';
import { countingIds, type StoreKind } from './store-words.ts';

await withPostgres('the store on PostgreSQL', (url) => {
  const onServer: StoreKind = {
    async open(ids) {
      const database = await openPostgres({ url, ids });
      await database.migrate();
      return database;
    },
    parallel: true,
    keeps: true,
  };
  storeContract('PostgreSQL', onServer);
  readModelsContract('PostgreSQL', onServer);
  reconciliationsContract('PostgreSQL', onServer);
  isolationContract('PostgreSQL', async () => {
    await (await onServer.open(countingIds)).close();
    const pool = { min: 0, max: 1 };
    const driverOptions = { options: asService };
    const orm = await MikroORM.init({ clientUrl: url, entities: rows, pool, driverOptions, ensureDatabase: false });
    return { fork: () => orm.em.fork(), close: () => orm.close(true) };
  });
});
