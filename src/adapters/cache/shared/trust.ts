// Whether this node has heard what all others said: the condition under which its memory may answer.

import type { Forgettable, Hearing } from '#application/ports/caller-cache.ts';
import type { Log } from '#application/ports/system.ts';

/**
 * The stated bound, in milliseconds: whatever was announced is heard within it, or memory is not asked. It counts from when a proof
 * of having heard everything was *asked for*; so it holds also for a process that was frozen itself, and wakes with old answers.
 */
export const boundMilliseconds = 2_000;

export interface TrustParts {
  readonly log: Log;
  heard(ids: readonly Forgettable[]): void;
  /** What is remembered may be wrong: called when hearing ends, and again before trust is given back. */
  doubt(): void;
  now?(): number;
}

export class Trust implements Hearing {
  readonly #parts: TrustParts;
  readonly #now: () => number;
  #until = Number.NEGATIVE_INFINITY;
  #isLost = true;
  /** Whether the operator was told that others are not heard. */
  #wasSaid = false;

  constructor(parts: TrustParts) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => performance.now());
  }

  readonly isGiven = (): boolean => this.#now() < this.#until;

  heard(ids: readonly Forgettable[]): void {
    this.#parts.heard(ids);
  }

  caughtUp(asOf: number): void {
    if (this.#isLost) {
      // Questions that began while nothing was heard are overtaken too.
      this.#parts.doubt();
      if (this.#wasSaid) this.#parts.log.info('other nodes are heard again: the caller cache is used again');
    }
    this.#isLost = false;
    this.#wasSaid = false;
    this.#until = Math.max(this.#until, asOf + boundMilliseconds);
  }

  lost(why: string): void {
    if (this.#isLost && this.#wasSaid) return;
    this.#isLost = true;
    this.#wasSaid = true;
    this.#until = Number.NEGATIVE_INFINITY;
    this.#parts.doubt();
    this.#parts.log.warn('other nodes are not heard: until they are, every caller is proven from the database', {
      why,
    });
  }
}
