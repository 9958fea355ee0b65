import { openPostgres } from '#adapters/persistence/postgres/open-database.ts';
import { withPostgres } from '../support/postgres.ts';
import { storeContract } from './store.contract.ts';

await withPostgres('the store on PostgreSQL', (url) =>
  storeContract('PostgreSQL', {
    async open(ids) {
      const database = await openPostgres({ url, ids });
      await database.migrate();
      return database;
    },
    parallel: true,
    keeps: true,
  }),
);
