// Works through what is due, one round after another, whenever it is woken: the inbox and the outbox both run on this.

import type { Log } from '#application/ports/system.ts';
import { trouble } from '#application/reactions/trouble.ts';

export interface Worker {
  /** There may be something to do. Returns at once. */
  wake(): void;
  /** Works until nothing is due; resolves then. */
  drain(): Promise<void>;
  /** Takes up nothing more, for good; resolves when what is in hand is finished. */
  stop(): Promise<void>;
}

/**
 * @param workThrough handles what is due now and answers whether there was anything. Its faults are logged, once while they last;
 * the next wake tries again. The signal asks it to take up nothing more.
 */
export const worker = (name: string, workThrough: (signal: AbortSignal) => Promise<boolean>, log: Log): Worker => {
  const stopping = new AbortController();
  const { signal } = stopping;
  const interruption = trouble(log, {
    begins: `${name}: interrupted, will be tried again until it goes on`,
    ends: `${name}: goes on`,
  });
  let running: Promise<void> | undefined;
  let wokenMeanwhile = false;

  const run = async (): Promise<void> => {
    try {
      do wokenMeanwhile = false;
      while (!signal.aborted && ((await workThrough(signal)) || wokenMeanwhile));
      interruption.over();
    } catch (fault) {
      interruption.is(fault);
    } finally {
      running = undefined;
    }
  };
  const start = async (): Promise<void> => {
    if (signal.aborted) return;
    wokenMeanwhile = true;
    running ??= run();
    await running;
  };
  return {
    wake: () => void start(),
    drain: start,
    async stop() {
      stopping.abort();
      await running;
    },
  };
};

/** Seconds until the next try: doubling from one, at most an hour. */
export const backoffSeconds = (attempts: number): number => Math.min(2 ** Math.min(attempts, 12), 3600);

/** Does something with each, at most so many at once. The first fault is thrown when those under way have ended. */
export const eachOf = async <T>(all: readonly T[], atOnce: number, act: (one: T) => Promise<void>): Promise<void> => {
  const rest = all.values();
  const hand = async (): Promise<void> => {
    for (const one of rest) await act(one);
  };
  const hands = await Promise.allSettled(Array.from({ length: Math.min(atOnce, all.length) }, hand));
  for (const ended of hands) if (ended.status === 'rejected') throw ended.reason;
};
