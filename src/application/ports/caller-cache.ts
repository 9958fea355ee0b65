// Remembers for a short while who a credential belongs to, and forgets at once when told.

import type { AgentId, ApiKeyId, OrganizationId, SessionId, UserId } from '#domain/shared/ids.ts';

export type Forgettable = OrganizationId | UserId | SessionId | AgentId | ApiKeyId;

export interface Remembered<T> {
  readonly value: T;
  /** Forgetting any of these forgets the answer. */
  readonly reliesOn: readonly Forgettable[];
  /** How long the answer may be given again without asking. 0: never. */
  readonly seconds: number;
}

export interface CallerCache {
  /**
   * Answers from memory, or asks and remembers. Askers of the same key at the same time share one question.
   * A `forget` that lands while asking wins: the answer is given once to those who asked, and not remembered.
   * What throws is not remembered.
   */
  through<T>(key: string, ask: () => Promise<Remembered<T>>): Promise<T>;
  /** From now on no answer that relied on any of these is given again. */
  forget(ids: readonly Forgettable[]): Promise<void>;
}
