// Two writers met. The work that lost is run again from the start with fresh reads.

import { Refusal } from '#domain/shared/refusal.ts';

/** Thrown inside a transaction by the adapters themselves; never leaves `Store.transact`. */
export class Conflict extends Error {
  /** What was fought over: an id or the name of a unique key. Reruns over the same thing take turns. */
  readonly about: string;

  constructor(about: string) {
    super(`Somebody else changed ${about}`);
    this.name = 'Conflict';
    this.about = about;
  }
}

/** How often work is run before its caller is told to try again. */
export const mostRuns = 10;

/**
 * Runs until a run ends without a conflict.
 * @param run one whole transaction; gets what the run before lost over, so that it can queue for it
 * @param conflictIn the conflict that a thrown value stands for, if any
 * @param pause waits a moment before the next run
 * @throws Refusal `request.conflict` after `mostRuns` runs
 */
export const untilSettled = async <T>(
  run: (lostOver: string | undefined) => Promise<T>,
  conflictIn: (thrown: unknown) => Conflict | undefined,
  pause: (runs: number) => Promise<void>,
): Promise<T> => {
  let lostOver: string | undefined;
  for (let runs = 1; runs <= mostRuns; runs += 1) {
    try {
      return await run(lostOver);
    } catch (thrown) {
      const conflict = conflictIn(thrown);
      if (!conflict) throw thrown;
      lostOver = conflict.about;
      if (runs < mostRuns) await pause(runs);
    }
  }
  throw new Refusal('request.conflict');
};
