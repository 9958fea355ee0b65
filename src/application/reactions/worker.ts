// Works through what is due, one item after another, whenever it is woken: the inbox and the outbox both run on this.

import type { Log } from '#application/ports/system.ts';

export interface Worker {
  /** There may be something to do. Returns at once. */
  wake(): void;
  /** Works until nothing is due; resolves then. */
  drain(): Promise<void>;
}

/**
 * @param workThrough handles what is due now and answers whether there was anything. Its faults are logged; the next wake
 * tries again.
 */
export const worker = (name: string, workThrough: () => Promise<boolean>, log: Log): Worker => {
  let running: Promise<void> | undefined;
  let wokenMeanwhile = false;

  const run = async (): Promise<void> => {
    try {
      do wokenMeanwhile = false;
      while ((await workThrough()) || wokenMeanwhile);
    } catch (fault) {
      log.error(`${name}: interrupted, will be tried again`, { fault });
    } finally {
      running = undefined;
    }
  };
  const start = (): Promise<void> => {
    wokenMeanwhile = true;
    running ??= run();
    return running;
  };
  return { wake: () => void start(), drain: start };
};

/** Seconds until the next try: doubling from one, at most an hour. */
export const backoffSeconds = (attempts: number): number => Math.min(2 ** Math.min(attempts, 12), 3600);
