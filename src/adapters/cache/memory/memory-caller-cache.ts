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
}

/** @param capacity how many answers are kept; the least recently used goes first */
export class MemoryCallerCache implements CallerCache {
  readonly #clock: Clock;
  readonly #entries: LRUCache<string, Entry>;
  /** Which entries rely on an id. Kept exact by the eviction hook, so it cannot outgrow the entries. */
  readonly #reliers = new Map<Forgettable, Set<string>>();
  readonly #joinable = new Map<string, Question>();
  readonly #underWay = new Set<Question>();

  constructor(clock: Clock, capacity = 100_000) {
    this.#clock = clock;
    this.#entries = new LRUCache({ max: capacity, dispose: (entry, key) => this.#unindex(key, entry) });
  }

  async through<T>(key: string, ask: () => Promise<Remembered<T>>): Promise<T> {
    const entry = this.#entries.get(key);
    if (entry && this.#clock.now().getTime() < entry.until) return entry.value as T;
    const joined = this.#joinable.get(key);
    if (joined) return joined.answer as Promise<T>;
    return this.#ask(key, ask);
  }

  async forget(ids: readonly Forgettable[]): Promise<void> {
    for (const question of this.#underWay) for (const id of ids) question.forgotten.add(id);
    // Whoever asks from now on must not be given an answer that was on its way before.
    this.#joinable.clear();
    for (const id of ids) {
      for (const key of [...(this.#reliers.get(id) ?? [])]) this.#entries.delete(key);
    }
  }

  #ask<T>(key: string, ask: () => Promise<Remembered<T>>): Promise<T> {
    const forgotten = new Set<Forgettable>();
    const answer = ask().then((remembered) => {
      const overtaken = remembered.reliesOn.some((id) => forgotten.has(id));
      if (!overtaken && remembered.seconds > 0) this.#remember(key, remembered);
      return remembered.value;
    });
    const question: Question = { answer, forgotten };
    this.#underWay.add(question);
    this.#joinable.set(key, question);
    const over = (): void => {
      this.#underWay.delete(question);
      if (this.#joinable.get(key) === question) this.#joinable.delete(key);
    };
    answer.then(over, over);
    return answer;
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
