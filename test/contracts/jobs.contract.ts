// What every kind of jobs keeps: each run happens, in turn, again when it failed, and once for each period.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Job, JobRun, JobRunner } from '#application/ports/jobs.ts';
import type { Log } from '#application/ports/system.ts';

export interface JobsKind {
  /** An empty place for jobs. Nodes are opened on it, and told of by the log. */
  open(): Promise<JobsPlace>;
  /** Whether several nodes share it. */
  readonly shared: boolean;
}

export interface JobsPlace {
  node(log: Log): JobRunner;
  /** Lets time pass until this holds; a fault when it never does. */
  until(holds: () => boolean): Promise<void>;
  /** Lets as many seconds pass. */
  pass(seconds: number): Promise<void>;
  close(): Promise<void>;
}

/** A run that waits until it is told how to end. */
interface Held {
  readonly run: JobRun;
  readonly finish: () => void;
  readonly fail: () => void;
}

export const jobsContract = (name: string, kind: JobsKind): void => {
  describe(`jobs: ${name}`, () => {
    let place: JobsPlace;
    let nodes: JobRunner[];
    let said: { level: string; message: string; facts: Readonly<Record<string, unknown>> }[];
    const note =
      (level: string) =>
      (message: string, facts = {}): void =>
        void said.push({ level, message, facts });
    const log: Log = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') };

    beforeEach(async () => {
      place = await kind.open();
      nodes = [];
      said = [];
    });
    afterEach(async () => {
      const stopping = nodes.map((one) => one.stop(1));
      await place.pass(1);
      await Promise.all(stopping);
      await place.close();
    });

    const node = async (jobs: readonly Job[], work = true): Promise<JobRunner> => {
      const started = place.node(log);
      nodes.push(started);
      await started.start(jobs, { work });
      return started;
    };
    const job = (run: Job['run'], more: Partial<Job> = {}): Job => ({
      name: 'count-sheep',
      timeoutSeconds: 60,
      retries: 3,
      run,
      ...more,
    });
    /** A job whose runs are held until the test lets them go. */
    const holding = (more: Partial<Job> = {}): { held: Held[]; job: Job } => {
      const held: Held[] = [];
      const hold = (run: JobRun): Promise<void> =>
        new Promise((finish, reject) => {
          held.push({ run, finish, fail: () => reject(new Error('let go with a fault')) });
        });
      return { held, job: job(hold, more) };
    };

    it('runs what was enqueued, once, with what it was given', async () => {
      const runs: JobRun[] = [];
      const jobs = await node([job(async (run) => void runs.push(run))]);
      expect(await jobs.enqueue('count-sheep', { flock: 'north', sheep: 3, black: null })).toBe(true);
      await place.until(() => runs.length > 0);
      await place.pass(1);
      expect(runs).toEqual([expect.objectContaining({ data: { flock: 'north', sheep: 3, black: null }, attempt: 1 })]);
    });

    it('holds an unknown job for a fault', async () => {
      const jobs = await node([job(async () => {})]);
      await expect(jobs.enqueue('count-goats', {})).rejects.toThrow('count-goats');
    });

    it('keeps one run for each key while it has not begun', async () => {
      const { held, job: slow } = holding();
      const jobs = await node([slow]);
      await jobs.enqueue('count-sheep', { first: true }, 'north');
      await place.until(() => held.length === 1);
      expect(await jobs.enqueue('count-sheep', { second: true }, 'north')).toBe(true);
      expect(await jobs.enqueue('count-sheep', { third: true }, 'north')).toBe(false);
      expect(await jobs.enqueue('count-sheep', { other: true }, 'south')).toBe(true);
      held[0]?.finish();
      await place.until(() => held.length === 2);
      held[1]?.finish();
      await place.until(() => held.length === 3);
      held[2]?.finish();
      expect(held.flatMap(({ run }) => Object.keys(run.data)).toSorted()).toEqual(['first', 'other', 'second']);
    });

    it('never runs two of one job and key at once', async () => {
      const { held, job: slow } = holding();
      const jobs = await node([slow]);
      if (kind.shared) await node([slow]);
      await jobs.enqueue('count-sheep', {}, 'north');
      await place.until(() => held.length === 1);
      await jobs.enqueue('count-sheep', {}, 'north');
      await place.pass(3);
      expect(held).toHaveLength(1);
      held[0]?.finish();
      await place.until(() => held.length === 2);
      held[1]?.finish();
    });

    it('tries again what failed, and says so', async () => {
      const attempts: number[] = [];
      const jobs = await node([
        job(async ({ attempt }) => {
          attempts.push(attempt);
          if (attempt < 3) throw new Error('a sheep jumped away');
        }),
      ]);
      await jobs.enqueue('count-sheep', {});
      await place.until(() => attempts.length === 3);
      expect(attempts).toEqual([1, 2, 3]);
      expect(said.map(({ level }) => level)).toEqual(['warn', 'warn']);
      expect(said[0]?.facts['fault']).toEqual(new Error('a sheep jumped away'));
    });

    it('gives up after the retries, with an error in the log', async () => {
      const attempts: number[] = [];
      const jobs = await node([
        job(
          async ({ attempt }) => {
            attempts.push(attempt);
            throw new Error('no sheep');
          },
          { retries: 1 },
        ),
      ]);
      await jobs.enqueue('count-sheep', {});
      await place.until(() => said.some(({ level }) => level === 'error'));
      await place.pass(4);
      expect(attempts).toEqual([1, 2]);
      expect(said.at(-1)?.facts).toMatchObject({ job: 'count-sheep', attempt: 2 });
    });

    it('runs on after a job that was given up', async () => {
      const runs: unknown[] = [];
      const jobs = await node([
        job(
          async ({ data }) => {
            runs.push(data['good']);
            if (data['good'] !== true) throw new Error('poison');
          },
          { retries: 0 },
        ),
      ]);
      await jobs.enqueue('count-sheep', { good: false }, 'bad');
      await jobs.enqueue('count-sheep', { good: true }, 'good');
      await place.until(() => runs.includes(true));
      await place.until(() => runs.includes(false));
    });

    it('counts a run that takes longer than it may as failed, and tells it so', async () => {
      const signals: AbortSignal[] = [];
      const jobs = await node([
        job(
          async ({ signal, attempt }) => {
            signals.push(signal);
            if (attempt === 1)
              await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
          },
          { timeoutSeconds: 1 },
        ),
      ]);
      await jobs.enqueue('count-sheep', {});
      await place.until(() => signals.length === 2);
      expect(signals[0]?.aborted).toBe(true);
    });

    it('runs a scheduled job once in each period, from the start on', async () => {
      let runs = 0;
      const count = async (): Promise<void> => {
        runs += 1;
      };
      const scheduled = job(count, { everySeconds: 2 });
      const began = Date.now();
      await node([scheduled]);
      if (kind.shared) await node([scheduled]);
      await place.until(() => runs === 1);
      await place.until(() => runs === 3);
      const periods = Math.ceil((Date.now() - began) / 2000) + 1;
      expect(runs).toBeLessThanOrEqual(periods);
      await place.pass(6);
      expect(runs).toBeLessThanOrEqual(Math.ceil((Date.now() - began) / 2000) + 1);
    });

    it('takes up nothing more once it stops, and waits for the run in hand', async () => {
      const { held, job: slow } = holding();
      const jobs = await node([slow]);
      await jobs.enqueue('count-sheep', {}, 'one');
      await jobs.enqueue('count-sheep', {}, 'two');
      await place.until(() => held.length === 1);
      let stopped = false;
      const stopping = jobs.stop(10).then(() => {
        stopped = true;
      });
      await place.pass(0.3);
      expect(held[0]?.run.signal.aborted).toBe(true);
      expect(stopped).toBe(false);
      held[0]?.finish();
      await stopping;
      expect(held).toHaveLength(1);
    });

    it('stops in time over a run that does not end', async () => {
      const { held, job: slow } = holding();
      const jobs = await node([slow]);
      await jobs.enqueue('count-sheep', {});
      await place.until(() => held.length === 1);
      let stopped = false;
      const stopping = jobs.stop(1).then(() => {
        stopped = true;
      });
      await place.pass(5);
      expect(stopped).toBe(true);
      await stopping;
      held[0]?.finish();
    });

    if (!kind.shared) return;

    it('lets a node that does no work enqueue for one that does', async () => {
      const workers: string[] = [];
      const asked = await node([job(async () => void workers.push('the asker'))], false);
      await asked.enqueue('count-sheep', {});
      await place.pass(1);
      expect(workers).toEqual([]);
      await node([job(async () => void workers.push('the worker'))]);
      await place.until(() => workers.length > 0);
      expect(workers).toEqual(['the worker']);
    });

    it('takes up on another node what a stopped one did not finish', async () => {
      const { held, job: slow } = holding();
      const first = await node([slow]);
      await first.enqueue('count-sheep', { flock: 'north' });
      await place.until(() => held.length === 1);
      const stopping = first.stop(10);
      held[0]?.finish();
      await stopping;
      await node([slow]);
      await place.until(() => held.length === 2);
      expect(held[1]?.run).toMatchObject({ data: { flock: 'north' }, attempt: 2 });
      held[1]?.finish();
    });
  });
};
