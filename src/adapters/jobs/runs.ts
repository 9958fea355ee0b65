// What all kinds of jobs have in common: how periods are counted, and what is said when a run fails.

import type { Job } from '#application/ports/jobs.ts';
import type { Log } from '#application/ports/system.ts';

/** The number of the period in which a moment lies. */
export const periodOf = (now: Date, everySeconds: number): number => Math.floor(now.getTime() / (everySeconds * 1000));

/** How often a node looks whether a period has begun, in milliseconds: a run comes so much late at most. */
export const lookMilliseconds = (everySeconds: number): number => Math.min(everySeconds * 1000, 30_000) / 2;

/** Says that a try failed; answers whether that was the last one. */
export const tooManyTries = (job: Job, attempt: number, log: Log, fault: unknown): boolean => {
  const facts = { job: job.name, attempt, fault };
  const wasLast = attempt > job.retries;
  // The next period tries again: what cannot be reached now is told where it is asked for, once.
  if (wasLast && job.everySeconds !== undefined) log.warn('a job failed; its next run tries again', facts);
  else if (wasLast) log.error('a job failed and is given up', facts);
  else log.warn('a job failed and will be tried again', facts);
  return wasLast;
};
