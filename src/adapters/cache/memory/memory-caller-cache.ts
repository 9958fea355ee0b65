// The caller cache of one process: bounded, single-flight, and forgetting wins over filling.

import { LRUCache } from 'lru-cache';
import type { CallerCache, Forgettable, Remembered } from '#application/ports/caller-cache.ts';
import type { Clock } from '#application/ports/system.ts';

interface Entry {
  readonly value: unknown;
  readonly reliesOn: readonly Forgettable[];
  /** Milliseconds since the epoch; exclusive. */
  readonly until: number;
}

/** A question under way, and what was forgotten since it was asked. */
interface Question {
  readonly answer: Promise<unknown>;
  readonly forgotten: Set<Forgettable>;
  /** By the monotonic clock. */
  readonly beganAt: number;
  isFlushed: boolean;
}

export interface MemoryCacheOptions {
  /** How many answers are kept; the least recently used goes first. 100,000 unless told. */
  readonly capacity?: number;
  /** Whether everything that others made us forget has been heard. While not, what is remembered is not given. */
  readonly isTrusted?: () => boolean;
}

/** While memory is not trusted, a question is shared only while it is this young: others would get an answer that is too old. */
const youngMilliseconds = 500;

export class MemoryCallerCache implements CallerCache {
  readonly #clock: Clock;
  readonly #isTrusted: () => boolean;
  readonly #entries: LRUCache<string, Entry>;
  /** Which entries rely on an id. Kept exact by the eviction hook, so it cannot outgrow the entries. */
  readonly #reliers = new Map<Forgettable, Set<string>>();
  readonly #joinable = new Map<string, Question>();
  readonly #underWay = new Set<Question>();

  constructor(clock: Clock, { capacity = 100_000, isTrusted = () => true }: MemoryCacheOptions = {}) {
    this.#clock = clock;
    this.#isTrusted = isTrusted;
    this.#entries = new LRUCache({ max: capacity, dispose: (entry, key) => this.#unindex(key, entry) });
  }

  async through<T>(key: string, ask: () => Promise<Remembered<T>>): Promise<T> {
    const isTrusted = this.#isTrusted();
    if (isTrusted) {
      const entry = this.#entries.get(key);
      if (entry && this.#clock.now().getTime() < entry.until) return entry.value as T;
    }
    const joined = this.#joinable.get(key);
    if (joined && (isTrusted || performance.now() < joined.beganAt + youngMilliseconds)) {
      return joined.answer as Promise<T>;
    }
    const question = this.#ask(key, ask);
    this.#joinable.set(key, question);
    return question.answer as Promise<T>;
  }

  async renew<T>(key: string, ask: () => Promise<Remembered<T> | undefined>): Promise<void> {
    await this.#ask(key, ask).answer;
  }

  once<T>(key: string, ask: () => Promise<Remembered<T>>): Promise<T> {
    return this.through(key, ask);
  }

  async forget(ids: readonly Forgettable[]): Promise<void> {
    for (const question of this.#underWay) for (const id of ids) question.forgotten.add(id);
    // Whoever asks from now on must not be given an answer that was on its way before.
    this.#joinable.clear();
    for (const id of ids) {
      for (const key of [...(this.#reliers.get(id) ?? [])]) this.#entries.delete(key);
    }
  }

  /** Forgets everything, also what is on its way. */
  flush(): void {
    for (const question of this.#underWay) question.isFlushed = true;
    this.#joinable.clear();
    this.#entries.clear();
  }

  #ask<T>(key: string, ask: () => Promise<Remembered<T> | undefined>): Question {
    const forgotten = new Set<Forgettable>();
    const answer = ask().then((remembered) => {
      if (!remembered) return undefined;
      const isOvertaken = question.isFlushed || remembered.reliesOn.some((id) => forgotten.has(id));
      if (!isOvertaken && remembered.seconds > 0) this.#remember(key, remembered);
      return remembered.value;
    });
    const question: Question = { answer, forgotten, beganAt: performance.now(), isFlushed: false };
    this.#underWay.add(question);
    const over = (): void => {
      this.#underWay.delete(question);
      if (this.#joinable.get(key) === question) this.#joinable.delete(key);
    };
    answer.then(over, over);
    return question;
  }

  #remember(key: string, { value, reliesOn, seconds }: Remembered<unknown>): void {
    const until = this.#clock.now().getTime() + seconds * 1000;
    this.#entries.set(key, { value, reliesOn, until });
    for (const id of reliesOn) {
      const keys = this.#reliers.get(id) ?? new Set();
      keys.add(key);
      this.#reliers.set(id, keys);
    }
  }

  #unindex(key: string, { reliesOn }: Entry): void {
    for (const id of reliesOn) {
      const keys = this.#reliers.get(id);
      keys?.delete(key);
      if (keys?.size === 0) this.#reliers.delete(id);
    }
  }
}
