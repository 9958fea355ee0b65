// Jobs over tables that the migrations made, emptied for each test; time passes as it does.

import { setTimeout as sleep } from 'node:timers/promises';
import { type JobsDatabase, pgBossJobs } from '#adapters/jobs/pg-boss/pg-boss-jobs.ts';
import type { JobsPlace } from './jobs.contract.ts';

/** Far more than anything here takes, on a busy machine too. */
const patienceMilliseconds = 30_000;

/** @param run one statement as the owner of the tables */
export const jobsIn = async (
  database: JobsDatabase,
  run: (statement: string) => Promise<unknown>,
): Promise<JobsPlace> => {
  await run('delete from pgboss.job');
  await run('delete from pgboss.queue');
  return {
    node: (log) => pgBossJobs({ database, log, pollSeconds: 0.5 }),
    async until(holds) {
      for (const began = Date.now(); !holds(); await sleep(20)) {
        if (Date.now() - began > patienceMilliseconds) throw new Error('it never came to be');
      }
    },
    pass: async (seconds) => void (await sleep(seconds * 1000)),
    close: async () => {},
  };
};
