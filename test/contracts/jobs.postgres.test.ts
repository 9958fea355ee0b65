import { vi } from 'vitest';
import { asService } from '#adapters/persistence/postgres/database-roles.ts';
import { openPostgres } from '#adapters/persistence/postgres/open-database.ts';
import { run, withPostgres } from '../support/postgres.ts';
import { jobsContract } from './jobs.contract.ts';
import { jobsIn } from './jobs-in-database.ts';
import { countingIds } from './store-words.ts';

vi.setConfig({ testTimeout: 60_000 });

await withPostgres('jobs on PostgreSQL', (url) => {
  let migrated: Promise<void> | undefined;
  const migrate = async (): Promise<void> => {
    const database = await openPostgres({ url, ids: countingIds });
    await database.migrate();
    await database.close();
  };
  jobsContract('pg-boss on PostgreSQL', {
    shared: true,
    async open() {
      migrated ??= migrate();
      await migrated;
      return jobsIn({ kind: 'server', url, options: asService }, (statement) => run(url, statement));
    },
  });
});
