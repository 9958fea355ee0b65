// Remembers for a short while who a credential belongs to, and forgets at once when told.

import type { AgentId, ApiKeyId, OrganizationId, SessionId, UserId } from '#domain/shared/ids.ts';

/** What an answer relied on. Forgetting any of these forgets the answer. */
export interface ReliesOn {
  readonly organization?: OrganizationId | undefined;
  readonly user?: UserId | undefined;
  readonly session?: SessionId | undefined;
  readonly agent?: AgentId | undefined;
  readonly apiKey?: ApiKeyId | undefined;
}

export type Forgettable = OrganizationId | UserId | SessionId | AgentId | ApiKeyId;

export interface Remembered<T> {
  readonly value: T;
  readonly reliesOn: ReliesOn;
  /** How long the answer may be given again without asking. 0: never. */
  readonly seconds: number;
}

export interface CallerCache<T> {
  /**
   * Answers from memory, or asks and remembers. Askers of the same key at the same time share one question.
   * A `forget` that lands while asking wins: the answer is given once to those who asked, and not remembered.
   * What throws is not remembered.
   */
  through(key: string, ask: () => Promise<Remembered<T>>): Promise<T>;
  /** From now on no answer that relied on any of these is given again. */
  forget(ids: readonly Forgettable[]): Promise<void>;
}
