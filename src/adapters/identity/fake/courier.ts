// Carries what the fake says to whoever listens: signed, in order, retried, and with bad manners when told so.

import type { Fate, LoggedEvent, Manner, WorldState } from '#adapters/identity/fake/world-state.ts';
import { signatureHeader } from '#adapters/identity/wire/signature.ts';
import type { Clock } from '#application/ports/system.ts';

/** Hands a delivery over; settles when it was taken, rejects when it was not. It must settle: the next one waits for it. */
export type Send = (delivery: { readonly body: Uint8Array; readonly signature: string }) => Promise<void>;

/** Resolves after that many milliseconds. */
export type Sleep = (milliseconds: number) => Promise<void>;

export interface Errand {
  readonly entry: LoggedEvent;
  readonly manner: Manner;
}

/** Waits before the second, third and fourth attempt. After that the event is only in the feed. */
const retryAfterMilliseconds = [100, 400, 1600];

/** An event held for the next one does not wait for ever; disorder is not loss. */
const longestHoldSeconds = 30;

export class Courier {
  readonly #state: WorldState;
  readonly #clock: Clock;
  readonly #sleep: Sleep;
  #send: Send | undefined;
  #queue: Promise<void> = Promise.resolve();

  constructor(state: WorldState, clock: Clock, sleep: Sleep) {
    this.#state = state;
    this.#clock = clock;
    this.#sleep = sleep;
  }

  deliverTo(send: Send | undefined): void {
    this.#send = send;
  }

  /** Settles when these events were delivered, held or given up. Never rejects. */
  carry(errands: readonly Errand[]): Promise<void> {
    return this.#inTurn(async () => {
      for (const errand of errands) await this.#run(errand);
    });
  }

  /** Sends what was held and whose time has come; with `all`, whatever is held. */
  release(which: 'due' | 'all'): Promise<void> {
    return this.#inTurn(async () => {
      const now = this.#clock.now().toISOString();
      const held = this.#state.log.filter(({ fate }) => fate === 'held');
      for (const entry of held) {
        if (which === 'all' || (entry.heldUntil !== null && entry.heldUntil <= now)) await this.#hand(entry);
      }
    });
  }

  /** Settles when nothing is under way any more. */
  async settled(): Promise<void> {
    let seen: Promise<void> | undefined;
    while (seen !== this.#queue) {
      seen = this.#queue;
      await seen;
    }
  }

  #inTurn(task: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(task);
    return this.#queue;
  }

  async #run({ entry, manner }: Errand): Promise<void> {
    const waiting = this.#state.log.filter(({ heldForNext, fate }) => heldForNext && fate === 'held');
    switch (manner) {
      case 'lost':
        entry.fate = 'lost';
        return;
      case 'late':
        return this.#hold(entry, this.#state.manner.lateSeconds, false);
      case 'out_of_order':
        if (waiting.length === 0) return this.#hold(entry, longestHoldSeconds, true);
        await this.#hand(entry);
        break;
      case 'twice':
        await this.#hand(entry);
        if (entry.fate === 'delivered') entry.fate = (await this.#attempt(entry)) ? 'delivered_twice' : 'delivered';
        break;
      case 'forged':
        await this.#hand(entry);
        await this.#forge(entry);
        break;
      case 'none':
        await this.#hand(entry);
    }
    for (const earlier of waiting) await this.#hand(earlier);
  }

  #hold(entry: LoggedEvent, seconds: number, forNext: boolean): void {
    const milliseconds = seconds * 1000;
    entry.fate = 'held';
    entry.heldForNext = forNext;
    entry.heldUntil = new Date(this.#clock.now().getTime() + milliseconds).toISOString();
    this.scheduleRelease(milliseconds);
  }

  /** A timer may fire a little early; a moment more makes sure that the time has come. */
  scheduleRelease(milliseconds: number): void {
    void this.#sleep(milliseconds + 20).then(() => this.release('due'));
  }

  async #hand(entry: LoggedEvent): Promise<void> {
    entry.heldUntil = null;
    entry.heldForNext = false;
    entry.fate = this.#send ? await this.#insist(entry) : 'nobody_listens';
  }

  async #insist(entry: LoggedEvent): Promise<Fate> {
    if (await this.#attempt(entry)) return 'delivered';
    for (const milliseconds of retryAfterMilliseconds) {
      await this.#sleep(milliseconds);
      if (await this.#attempt(entry)) return 'delivered';
    }
    return 'failed';
  }

  /** Each attempt is signed anew, with the time at which it is made. */
  async #attempt(entry: LoggedEvent, secret = this.#state.webhookSecret): Promise<boolean> {
    const body = Buffer.from(JSON.stringify(entry.event));
    try {
      await this.#send?.({ body, signature: signatureHeader(body, secret, this.#clock.now()) });
      return true;
    } catch {
      return false; // the reason is the listener's to report; here it only counts as not taken
    }
  }

  /** The same news under another id, signed by somebody who does not know the secret. Whoever takes it did not look. */
  async #forge(entry: LoggedEvent): Promise<void> {
    const event = { ...entry.event, id: `${entry.event.id.slice(0, -6)}FORGED` };
    await this.#attempt({ ...entry, event }, 'not the secret');
  }
}
