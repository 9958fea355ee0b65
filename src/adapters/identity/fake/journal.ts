// The world's memory: its state, its clock, the ids it gives, what it says, and the file that keeps it.

import { Courier, type Errand, type Sleep } from '#adapters/identity/fake/courier.ts';
import type { StateFile } from '#adapters/identity/fake/state-file.ts';
import { nextUlid } from '#adapters/identity/fake/ulid.ts';
import type { WireRecord } from '#adapters/identity/fake/wire-payloads.ts';
import type { Fate, LoggedEvent, Manner, WorldState } from '#adapters/identity/fake/world-state.ts';
import type { Clock } from '#application/ports/system.ts';

/** Something about to be said: an event without its envelope. */
export interface Saying {
  readonly name: string;
  readonly data: WireRecord;
  readonly context?: WireRecord | undefined;
}

/** One event that followed from a change, and what became of its delivery. */
export interface Said {
  readonly id: string;
  readonly name: string;
  readonly fate: Fate;
}

/** A change that was made, and what was said of it. */
export interface Change<T> {
  readonly now: T;
  readonly said: readonly Said[];
}

/** How a change is delivered; the standing manner unless named. */
export interface Delivered {
  readonly manner?: Manner | undefined;
}

export class Journal {
  readonly state: WorldState;
  readonly clock: Clock;
  readonly courier: Courier;
  readonly #file: StateFile | undefined;

  constructor(state: WorldState, clock: Clock, sleep: Sleep, file: StateFile | undefined) {
    this.state = state;
    this.clock = clock;
    this.courier = new Courier(state, clock, sleep);
    this.#file = file;
  }

  now(): string {
    return this.clock.now().toISOString();
  }

  secondsFromNow(seconds: number): string {
    return new Date(this.clock.now().getTime() + seconds * 1000).toISOString();
  }

  /** How long ago that was, in seconds. */
  secondsSince(moment: string): number {
    return (this.clock.now().getTime() - Date.parse(moment)) / 1000;
  }

  born(): { createdAt: string; updatedAt: string } {
    return { createdAt: this.now(), updatedAt: this.now() };
  }

  /** An id of that kind; a later one sorts after every earlier one. */
  id(prefix: string): string {
    this.state.lastUlid = nextUlid(this.state.lastUlid, this.clock.now());
    return `${prefix}_${this.state.lastUlid}`;
  }

  /** Settles when the file, if there is one, holds what is known now. */
  async saved(): Promise<void> {
    await this.#file?.save(() => this.state);
  }

  /** Says something and waits until its delivery was attempted. */
  async change<T>(now: T, sayings: readonly Saying[], how: Delivered): Promise<Change<T>> {
    const entries = this.#record(sayings);
    await this.saved();
    await this.courier.carry(this.#errands(entries, how.manner));
    await this.saved();
    return { now, said: entries.map(({ event, fate }) => ({ id: event.id, name: event.event, fate })) };
  }

  /** Says something without waiting: it is delivered after whatever is being delivered now. */
  sayLater(saying: Saying): void {
    void this.courier.carry(this.#errands(this.#record([saying]), undefined));
  }

  /** Of several events of one change only the first is held back: the second then overtakes it. */
  #errands(entries: readonly LoggedEvent[], named: Manner | undefined): readonly Errand[] {
    const manner = named ?? this.state.manner.kind;
    return entries.map((entry, at) => ({ entry, manner: manner === 'out_of_order' && at > 0 ? 'none' : manner }));
  }

  #record(sayings: readonly Saying[]): readonly LoggedEvent[] {
    const entries = sayings.map(
      ({ name, data, context }): LoggedEvent => ({
        event: {
          object: 'event',
          id: this.id('event'),
          event: name,
          data,
          created_at: this.now(),
          ...(context && { context }),
        },
        fate: 'waiting',
        heldUntil: null,
        heldForNext: false,
      }),
    );
    this.state.log.push(...entries);
    return entries;
  }
}
