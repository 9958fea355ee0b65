// Remembers for a short while who a credential belongs to, and forgets at once when told: on this node, and on all others.

import type { AgentId, ApiKeyId, OrganizationId, SessionId, UserId } from '#domain/shared/ids.ts';

export type Forgettable = OrganizationId | UserId | SessionId | AgentId | ApiKeyId;

export interface Remembered<T> {
  /** What a structured clone keeps whole: plain objects, dates, numbers, texts. It may travel to other nodes. */
  readonly value: T;
  /** Forgetting any of these forgets the answer. */
  readonly reliesOn: readonly Forgettable[];
  /** How long the answer may be given again without asking. 0: never. */
  readonly seconds: number;
}

/** `nodes`: other nodes may be given the answer too. `node`: what is found out again faster than it is fetched from elsewhere. */
export type Reach = 'nodes' | 'node';

export interface CallerCache {
  /**
   * Answers from memory, or asks and remembers. Askers of the same key at the same time share one question.
   * A `forget` that lands while asking wins: the answer is given once to those who asked, and not remembered.
   * What throws is not remembered.
   * @param reach `nodes` unless told
   */
  through<T>(key: string, ask: () => Promise<Remembered<T>>, reach?: Reach): Promise<T>;
  /**
   * Asks in any case, and puts the answer in the place of what is remembered. Undefined leaves that as it is. Forgetting wins, as
   * in `through`.
   */
  renew<T>(key: string, ask: () => Promise<Remembered<T> | undefined>): Promise<void>;
  /**
   * For a question with a side effect: one is under way at a time, here and on all nodes that can speak to each other, and all
   * askers get its answer. Where nodes cannot, each asks for itself: whoever is asked must bear that.
   */
  once<T>(key: string, ask: () => Promise<Remembered<T>>): Promise<T>;
  /** From now on no answer that relied on any of these is given again: here at once, on other nodes when they have heard of it. */
  forget(ids: readonly Forgettable[]): Promise<void>;
}

/** What a transaction has the database tell every node at the commit, and only then; whatever becomes of this process after it. */
export interface Announcements {
  toForget(ids: readonly Forgettable[]): Promise<void>;
}

/** Who listens to the other nodes. Moments are milliseconds of the process' monotonic clock. */
export interface Hearing {
  heard(ids: readonly Forgettable[]): void;
  /** Everything that was announced before this moment has been heard. */
  caughtUp(asOf: number): void;
  /** From now on words may be missed, until `caughtUp` is called again. */
  lost(why: string): void;
}

/** A way on which nodes hear of each other's forgetting. */
export interface AnnouncementChannel {
  /** Listens from now on, and on, whatever happens to the connection. Resolves after the first try. */
  hear(hearing: Hearing): Promise<void>;
  close(): Promise<void>;
}
