// Jobs of a single process that keeps nothing: for the in-memory store, and for tests that turn the clock.

import type { Job, JobData, JobRunner } from '#application/ports/jobs.ts';
import type { Clock, Log } from '#application/ports/system.ts';
import { periodOf, tooManyTries } from '../runs.ts';

interface Waiting {
  readonly job: string;
  readonly data: JobData;
  readonly key: string;
  readonly attempt: number;
  readonly dueAt: number;
}

export interface MemoryJobsParts {
  readonly clock: Clock;
  readonly log: Log;
  /** How often it looks for what is due; undefined: only when `tick` or `drain` is called. */
  readonly lookMilliseconds?: number | undefined;
}

/** Seconds until the next try: doubling from one, at most five minutes. */
const backoff = (attempt: number): number => Math.min(2 ** (attempt - 1), 300);

export class MemoryJobs implements JobRunner {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #lookMilliseconds: number | undefined;
  readonly #jobs = new Map<string, Job>();
  readonly #begun = new Map<string, number>();
  readonly #stopping = new AbortController();
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> = Promise.resolve();

  constructor({ clock, log, lookMilliseconds }: MemoryJobsParts) {
    this.#clock = clock;
    this.#log = log;
    this.#lookMilliseconds = lookMilliseconds;
  }

  async enqueue(job: string, data: JobData, key = ''): Promise<boolean> {
    if (!this.#jobs.has(job)) throw new Error(`there is no job ${job}`);
    const isWaiting = this.#waiting.some((one) => one.job === job && one.key === key && one.attempt === 1);
    if (isWaiting) return false;
    this.#waiting.push({ job, data, key, attempt: 1, dueAt: this.#clock.now().getTime() });
    if (this.#timer) void this.drain();
    return true;
  }

  async start(jobs: readonly Job[], { work }: { readonly work: boolean }): Promise<void> {
    for (const job of jobs) this.#jobs.set(job.name, job);
    if (this.#lookMilliseconds === undefined || !work) return;
    this.#timer = setInterval(() => void this.tick(), this.#lookMilliseconds);
    void this.tick();
  }

  async stop(seconds: number): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#stopping.abort();
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const impatience = setTimeout(resolve, seconds * 1000);
    await Promise.race([this.#working, late]);
    clearTimeout(impatience);
  }

  /** Runs what is due by the clock: what was enqueued, and every schedule whose period has begun. */
  async tick(): Promise<void> {
    const now = this.#clock.now();
    for (const { name, everySeconds } of this.#jobs.values()) {
      if (everySeconds === undefined) continue;
      const period = periodOf(now, everySeconds);
      if (this.#begun.get(name) === period) continue;
      this.#begun.set(name, period);
      await this.enqueue(name, {});
    }
    await this.drain();
  }

  /** Runs what was enqueued and is due by the clock, one after another; resolves when nothing is. */
  drain(): Promise<void> {
    this.#working = this.#working.then(() => this.#workThrough());
    return this.#working;
  }

  async #workThrough(): Promise<void> {
    for (;;) {
      const now = this.#clock.now().getTime();
      const next = this.#waiting.find(({ dueAt }) => dueAt <= now);
      if (!next || this.#stopping.signal.aborted) return;
      this.#waiting = this.#waiting.filter((one) => one !== next);
      await this.#run(next);
    }
  }

  async #run({ job: name, data, key, attempt }: Waiting): Promise<void> {
    const job = this.#jobs.get(name);
    if (!job) return;
    const late = new AbortController();
    const { promise: timedOut, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      late.abort();
      reject(new Error(`took longer than ${job.timeoutSeconds} s`));
    }, job.timeoutSeconds * 1000);
    try {
      const signal = AbortSignal.any([this.#stopping.signal, late.signal]);
      await Promise.race([job.run({ data, attempt, signal }), timedOut]);
    } catch (fault) {
      if (tooManyTries(job, attempt, this.#log, fault)) return;
      const dueAt = this.#clock.now().getTime() + backoff(attempt) * 1000;
      this.#waiting.push({ job: name, data, key, attempt: attempt + 1, dueAt });
    } finally {
      clearTimeout(timer);
    }
  }
}
