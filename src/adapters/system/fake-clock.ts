// A clock that stands still until it is turned: for tests and the harness.

import type { Clock } from '#application/ports/system.ts';

export class FakeClock implements Clock {
  #now: number;

  constructor(start = new Date('2026-03-02T15:00:00.000Z')) {
    this.#now = start.getTime();
  }
  now(): Date {
    return new Date(this.#now);
  }
  turn(seconds: number): void {
    this.#now += seconds * 1000;
  }
}
