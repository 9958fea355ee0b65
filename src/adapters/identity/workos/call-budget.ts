// How many calls this process allows itself, so that checks in the background of every request leave room for people who sign in.

import type { Clock } from '#application/ports/system.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { secondsAfter } from '#domain/shared/time.ts';

/** The longest quiet: the limits of WorkOS are counted over a minute at most, and a header may hold any number. */
const longestQuiet = 60;

/** A bucket that fills at a steady rate, up to twice what it gains in a second. */
export class CallBudget {
  readonly #perSecond: number;
  readonly #clock: Clock;
  #tokens: number;
  #filledAt: Date;
  #closedUntil: Date;

  constructor(perSecond: number, clock: Clock) {
    this.#perSecond = perSecond;
    this.#clock = clock;
    this.#tokens = perSecond * 2;
    this.#filledAt = clock.now();
    this.#closedUntil = this.#filledAt;
  }

  /**
   * Takes one call.
   * @throws Refusal `identity.throttled` with the seconds after which there is one again
   */
  take(): void {
    const now = this.#clock.now();
    const closedMs = this.#closedUntil.getTime() - now.getTime();
    if (closedMs > 0) throw throttled(closedMs / 1000);
    const gained = Math.max(0, now.getTime() - this.#filledAt.getTime()) * (this.#perSecond / 1000);
    this.#tokens = Math.min(this.#perSecond * 2, this.#tokens + gained);
    this.#filledAt = now;
    if (this.#tokens < 1) throw throttled((1 - this.#tokens) / this.#perSecond);
    this.#tokens -= 1;
  }

  /** The other side asked for quiet: nothing is taken until then, or for a minute if that is longer; then one asks again. */
  closeFor(seconds: number): void {
    this.#closedUntil = secondsAfter(this.#clock.now(), Math.min(seconds, longestQuiet));
  }
}

/** So many people may owe something before those whose debt is paid are forgotten. */
const tidyAt = 1000;

/** Lets nobody who costs many calls at once use up what is there for all: they are asked about again when it is paid off. */
export class CallDebts {
  readonly #perSecond: number;
  readonly #clock: Clock;
  /** When each will have paid, in milliseconds. */
  readonly #paidAt = new Map<string, number>();

  /** @param perSecond so many calls are paid off in a second */
  constructor(perSecond: number, clock: Clock) {
    this.#perSecond = perSecond;
    this.#clock = clock;
  }

  /** @throws Refusal `identity.throttled` while they owe, with the seconds until they do not */
  mustBePaid(who: string): void {
    const owedMs = (this.#paidAt.get(who) ?? 0) - this.#clock.now().getTime();
    if (owedMs > 0) throw throttled(owedMs / 1000);
  }

  owes(who: string, calls: number): void {
    const now = this.#clock.now().getTime();
    if (this.#paidAt.size >= tidyAt) {
      for (const [other, at] of this.#paidAt) if (at <= now) this.#paidAt.delete(other);
    }
    if (calls > 0) this.#paidAt.set(who, now + (calls * 1000) / this.#perSecond);
  }
}

const throttled = (seconds: number): Refusal =>
  new Refusal('identity.throttled', { retry_after_seconds: Math.max(1, Math.ceil(seconds)) });
