import { openPostgres } from '#adapters/persistence/postgres/open-database.ts';
import { withPostgres } from '../support/postgres.ts';
import { readModelsContract } from './read-models.contract.ts';
import { storeContract } from './store.contract.ts';
import type { StoreKind } from './store-words.ts';

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
});
