// Jobs in the database, by pg-boss (https://pgboss.io): every node enqueues, the nodes that work take turns, and a lost run is taken up again.

import {
  type ConstructorOptions,
  fromPglite,
  type JobWithMetadata,
  type PGliteLike,
  PgBoss,
  type QueueOptions,
} from 'pg-boss';
import type { Job, JobData, JobRunner } from '#application/ports/jobs.ts';
import type { Log } from '#application/ports/system.ts';
import { trouble } from '#application/reactions/trouble.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { lookMilliseconds, tooManyTries } from '../runs.ts';

export type JobsDatabase =
  /** `options`: what each connection begins with, in the words of libpq. */
  | { readonly kind: 'server'; readonly url: string; readonly options: string }
  | { readonly kind: 'embedded'; readonly pglite: PGliteLike };

export interface PgBossParts {
  readonly database: JobsDatabase;
  readonly log: Log;
  /** Seconds between two looks for what other nodes enqueued; 2 unless told, at least 0.5. */
  readonly pollSeconds?: number;
}

/** Where pg-boss' tables are. A migration made them: nothing here needs the right to make any. */
const schema = 'pgboss';
const connections = 3;
const connectMilliseconds = 5_000;
const statementMilliseconds = 15_000;
/** A run whose process gives no sign of life for so long is lost; 10 is the least that pg-boss allows. */
const heartbeatSeconds = 10;
/** How often a node looks for lost runs. */
const superviseSeconds = 5;
const longestBackoffSeconds = 300;
const hour = 3600;

/** Its tables keep their shape: it makes, changes and rebuilds nothing. */
const asItIs: ConstructorOptions = {
  schema,
  migrate: false,
  createSchema: false,
  schedule: false,
  reindex: false,
  persistWarnings: false,
  persistQueueStats: false,
  superviseIntervalSeconds: superviseSeconds,
  monitorIntervalSeconds: superviseSeconds,
  maintenanceIntervalSeconds: hour,
};

const connected = (database: JobsDatabase): ConstructorOptions =>
  database.kind === 'embedded'
    ? { backend: 'pglite', db: fromPglite(database.pglite) }
    : {
        connectionString: database.url,
        max: connections,
        connectionTimeoutMillis: connectMilliseconds,
        options: `${database.options} -c statement_timeout=${statementMilliseconds}`,
        application_name: 'hatidata-identity jobs',
      };

const queueOf = ({ timeoutSeconds, retries, everySeconds }: Job): QueueOptions => ({
  expireInSeconds: timeoutSeconds,
  heartbeatSeconds,
  retryLimit: retries,
  retryDelay: 1,
  retryBackoff: true,
  retryDelayMax: longestBackoffSeconds,
  // What is done is kept for those who look into it, a scheduled run at least until the next: it stands for its period.
  deleteAfterSeconds: everySeconds === undefined ? 7 * 24 * hour : Math.max(2 * everySeconds, hour),
});

export const pgBossJobs = ({ database, log, pollSeconds = 2 }: PgBossParts): JobRunner => {
  const stopping = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  const known = new Set<string>();
  let boss: PgBoss | undefined;

  /** One outage, in however many ways it shows. */
  const outage = trouble(log, {
    begins: 'the jobs cannot be reached in the database; trying until they can',
    ends: 'the jobs are reached in the database again',
  });
  const away = (fault: unknown): void => outage.is(fault, 'away');

  const asked = async <T>(what: Promise<T>): Promise<T> => {
    try {
      const answer = await what;
      outage.over();
      return answer;
    } catch (fault) {
      away(fault);
      throw new Refusal('storage.unavailable');
    }
  };

  const send = (job: string, data: JobData, options: { singletonKey?: string; singletonSeconds?: number }) => {
    if (!boss || !known.has(job)) throw new Error(`there is no job ${job}`);
    return asked(boss.send(job, data, options));
  };

  const run = async (job: Job, [run]: JobWithMetadata<JobData>[]): Promise<void> => {
    if (!run) return;
    const attempt = run.retryCount + 1;
    try {
      await job.run({
        data: run.data ?? {},
        attempt,
        signal: AbortSignal.any([run.signal, stopping.signal]),
      });
      if (stopping.signal.aborted) throw new Error('the process stopped');
    } catch (fault) {
      // A run that a stop cut off is no trouble: whoever works next takes it up.
      if (!stopping.signal.aborted) tooManyTries(job, attempt, log, fault);
      throw fault;
    }
  };

  /** One run for each period, whichever node sends it first: the period is part of a unique key. */
  const keepSchedule = (name: string, everySeconds: number, worker: string): void => {
    const look = async (): Promise<void> => {
      const sent = await send(name, {}, { singletonSeconds: everySeconds }).catch(() => null);
      if (sent !== null) boss?.notifyWorker(worker);
    };
    timers.push(setInterval(look, lookMilliseconds(everySeconds)));
    void look();
  };

  return {
    enqueue: async (job, data, key) => (await send(job, data, key === undefined ? {} : { singletonKey: key })) !== null,
    async start(jobs, { work }) {
      const opened = new PgBoss({ ...asItIs, ...connected(database), supervise: work });
      opened.on('error', away);
      await asked(opened.start());
      boss = opened;
      for (const job of jobs) {
        const queue = queueOf(job);
        await asked(opened.createQueue(job.name, { ...queue, policy: 'stately' }));
        await asked(opened.updateQueue(job.name, queue));
        known.add(job.name);
        if (!work) continue;
        const options = { pollingIntervalSeconds: pollSeconds, includeMetadata: true } as const;
        const worker = await asked(
          opened.work<JobData, void, typeof options>(job.name, options, (runs) => run(job, runs)),
        );
        if (job.everySeconds !== undefined) keepSchedule(job.name, job.everySeconds, worker);
      }
    },
    async stop(seconds) {
      for (const timer of timers) clearInterval(timer);
      stopping.abort();
      await boss?.stop({ graceful: true, timeout: seconds * 1000 });
    },
  };
};
