// Spaces calls out: at most so many a second for each of many things that are asked about, waiting rather than refusing.

import type { Clock } from '#application/ports/system.ts';

/** So many keys at most before those whose turn has passed are forgotten. */
const tidyAt = 1000;

export class Pace {
  readonly #gapMs: number;
  readonly #clock: Clock;
  readonly #pause: (milliseconds: number) => Promise<void>;
  /** When the next call about each may be made. */
  readonly #next = new Map<string, number>();

  /** @param pause waits so many milliseconds by the same clock */
  constructor(perSecond: number, clock: Clock, pause: (milliseconds: number) => Promise<void>) {
    this.#gapMs = 1000 / perSecond;
    this.#clock = clock;
    this.#pause = pause;
  }

  /** Resolves when it is time for the next call about this; calls about the same thing get their times in the order of asking. */
  async turn(key: string): Promise<void> {
    const now = this.#clock.now().getTime();
    if (this.#next.size >= tidyAt) {
      for (const [other, time] of this.#next) if (time <= now) this.#next.delete(other);
    }
    const at = Math.max(now, this.#next.get(key) ?? now);
    this.#next.set(key, at + this.#gapMs);
    if (at > now) await this.#pause(at - now);
  }
}
