// Where jobs are kept: in the same database as everything else, by pg-boss; in memory where that is.

import { MemoryJobs } from '#adapters/jobs/memory/memory-jobs.ts';
import { pgBossJobs } from '#adapters/jobs/pg-boss/pg-boss-jobs.ts';
import { asService } from '#adapters/persistence/postgres/database-roles.ts';
import type { JobRunner } from '#application/ports/jobs.ts';
import type { Clock, Log } from '#application/ports/system.ts';
import type { DatabaseConfig } from '#bootstrap/config.ts';
import type { OpenPersistence } from '#bootstrap/open-persistence.ts';

const lookMilliseconds = 1000;

export const openJobs = (
  config: DatabaseConfig,
  { pglite }: Pick<OpenPersistence, 'pglite'>,
  clock: Clock,
  log: Log,
): JobRunner => {
  if (config.kind === 'postgres')
    return pgBossJobs({ database: { kind: 'server', url: config.url, options: asService }, log });
  if (pglite !== undefined) return pgBossJobs({ database: { kind: 'embedded', pglite }, log });
  return new MemoryJobs({ clock, log, lookMilliseconds });
};
