// Where it is kept that something was asked for under a key, and what was answered: in the same commit as what was done.

import type { OrganizationId } from '#domain/shared/ids.ts';

/** One try to do what was asked for under a key. Only the try that holds the key may answer under it. */
export interface Attempt {
  /** A digest of who asks, for what, and under which key. */
  readonly id: string;
  /** In which organization it was asked; null for what belongs to none yet. */
  readonly organizationId: OrganizationId | null;
  /** Tells this try apart from others under the same key. */
  readonly holder: string;
}

export interface Claim extends Attempt {
  /** A digest of the whole request: under one key it is always the same. */
  readonly fingerprint: string;
  /** Whoever has not answered by then has died, and the next one may try. */
  readonly heldUntil: Date;
  /** From then on it is as if nobody had ever asked. */
  readonly forgetAt: Date;
}

/** What stands in the way of a claim: somebody who is at it, or the answer that was given. */
export interface Claimed {
  readonly fingerprint: string;
  readonly heldUntil: Date;
  /** Sealed; null while somebody is at it. */
  readonly answer: string | null;
}

export interface IdempotencyKeys {
  /**
   * Takes the key for this try, unless it was answered or somebody is at it; then nothing changes. Of several at once, one gets
   * it. Needs a scope across.
   * @returns undefined when it was taken, else what stands in the way
   */
  claim(claim: Claim, now: Date): Promise<Claimed | undefined>;
  /** Keeps the answer, in the transaction that does what was asked. False: this try does not hold the key (any more). */
  answer(attempt: Attempt, answer: string): Promise<boolean>;
  /** Lets go of a key that this try holds and has not answered under. Needs a scope across. */
  release(attempt: Attempt): Promise<void>;
  /** Forgets those whose time is over, so many at most; answers how many. Needs a scope across. */
  forget(now: Date, limit: number): Promise<number>;
}
