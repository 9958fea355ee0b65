// What travels with a request that may be sent twice: the token by which whatever it does is done once.

import type { Attempt } from '#application/ports/idempotency-keys.ts';
import type { Caller } from '#domain/access/caller.ts';
import type { Source } from '#domain/audit/audit-entry.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';

/** An answer as its sender will see it again: plain data, whatever the delivery makes of it. */
export type Shown = Readonly<Record<string, unknown>>;

/** Held by one try. The unit of work keeps the answer under it, in the commit of the effect. */
export interface Once {
  readonly attempt: Attempt;
  /** The answer as it is kept: shown as its sender will see it, and sealed. */
  seal(made: unknown): Promise<string>;
}

/** From where a request came, and the token if its sender gave it a key. */
export interface Origin extends Source {
  readonly once?: Once | undefined;
}

/** What was asked for under a key. */
export interface Keyed {
  /** In which organization; null for what belongs to none yet. Each has keys of its own. */
  readonly organizationId: OrganizationId | null;
  /** The sender's. */
  readonly key: string;
  /** Each operation has keys of its own. */
  readonly operation: string;
  /** The whole request, in one form. */
  readonly request: string;
}

/**
 * Does what is asked for under a key once, and answers the same to whoever of that caller asks again, for a day. A refusal or a
 * fault is not remembered: then nothing was done, and the next one tries anew.
 *
 * @param act does it, and gives the token to the unit of work (`once`) in the transaction that has the effect
 * @param show makes the answer of that transaction what the sender sees
 * @throws Refusal `organization.not_found`; `idempotency_key.reused` for another request under the same key; `idempotency_key.under_way`, with
 * `retry_after_seconds`, while somebody is at it; `idempotency_key.answer_gone`, also for who can do less by then; and as `act`
 */
export type OnlyOnce = <T>(
  caller: Caller,
  asked: Keyed,
  act: (once: Once) => Promise<T>,
  show: (made: T) => Shown,
) => Promise<{ readonly answer: Shown; readonly replayed: boolean }>;
