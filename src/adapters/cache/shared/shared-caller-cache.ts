// The caller cache of one of several nodes: memory first, then what other nodes proved, then the question itself.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  AnnouncementChannel,
  CallerCache,
  Forgettable,
  Reach,
  Remembered,
} from '#application/ports/caller-cache.ts';
import type { Clock, Log } from '#application/ports/system.ts';
import { MemoryCallerCache } from '../memory/memory-caller-cache.ts';
import type { RedisTier } from '../redis/redis-tier.ts';
import { Trust } from './trust.ts';

/** How long to wait for a question that another node has under way, before asking oneself. */
const longestWait = 12_500;
const firstLook = 10;
const longestLook = 100;

export interface SharedCacheParts {
  readonly clock: Clock;
  readonly log: Log;
  /** Brings every word of every node, or knows that it does not: memory is believed while it does. */
  readonly channel: AnnouncementChannel;
  /** What nodes remember for each other; it is given the condition under which it may be believed. */
  readonly tier?: ((isTrusted: () => boolean) => RedisTier) | undefined;
  /** Brings words sooner, perhaps. Nothing depends on it. */
  readonly faster?: AnnouncementChannel | undefined;
}

export class SharedCallerCache implements CallerCache {
  readonly #parts: SharedCacheParts;
  readonly #near: MemoryCallerCache;
  /** Answers of questions with a side effect: kept also while nothing else may be believed, since asking again costs more. */
  readonly #flights: MemoryCallerCache;
  readonly #trust: Trust;
  readonly #tier: RedisTier | undefined;

  constructor(parts: SharedCacheParts) {
    this.#parts = parts;
    this.#trust = new Trust({
      log: parts.log,
      // Whoever forgot may have died before Redis heard of it, so each who hears of it sees to that.
      heard: (ids) => void this.#forget(ids, false),
      doubt: () => {
        this.#near.flush();
        this.#tier?.doubt();
      },
    });
    this.#near = new MemoryCallerCache(parts.clock, { isTrusted: this.#trust.isGiven });
    this.#flights = new MemoryCallerCache(parts.clock, { capacity: 10_000 });
    this.#tier = parts.tier?.(this.#trust.isGiven);
  }

  /** Listens first: what was remembered before one listened could not be forgotten. */
  async open(): Promise<void> {
    await this.#parts.channel.hear(this.#trust);
    // Redis itself forgot before it said so: only memory has to follow.
    const follow = (ids: readonly Forgettable[]): void => this.#forgetHere(ids);
    await Promise.all([
      this.#parts.faster?.hear({ heard: follow, caughtUp: () => {}, lost: () => {} }),
      this.#tier?.open(),
    ]);
  }

  async close(): Promise<void> {
    this.#tier?.close();
    await this.#parts.faster?.close();
    await this.#parts.channel.close();
  }

  through<T>(key: string, ask: () => Promise<Remembered<T>>, reach: Reach = 'nodes'): Promise<T> {
    return this.#near.through(key, reach === 'node' || !this.#tier ? ask : () => this.#throughTier(key, ask));
  }

  renew<T>(key: string, ask: () => Promise<Remembered<T> | undefined>): Promise<void> {
    return this.#near.renew(key, async () => {
      const stamp = await this.#tier?.stamp();
      const remembered = await ask();
      if (remembered && stamp) await this.#tier?.write(key, remembered, stamp);
      return remembered;
    });
  }

  once<T>(key: string, ask: () => Promise<Remembered<T>>): Promise<T> {
    return this.#flights.through(key, () => this.#onceForAll(`once ${key}`, ask));
  }

  forget(ids: readonly Forgettable[]): Promise<void> {
    return this.#forget(ids, true);
  }

  async #forget(ids: readonly Forgettable[], tell: boolean): Promise<void> {
    this.#forgetHere(ids);
    await this.#tier?.forget(ids, tell);
  }

  #forgetHere(ids: readonly Forgettable[]): void {
    void this.#near.forget(ids);
    void this.#flights.forget(ids);
  }

  async #throughTier<T>(key: string, ask: () => Promise<Remembered<T>>): Promise<Remembered<T>> {
    const found = await this.#tier?.read<T>(key);
    if (found?.is === 'remembered') return found.remembered;
    const remembered = await ask();
    if (found) await this.#tier?.write(key, remembered, found.stamp);
    return remembered;
  }

  async #onceForAll<T>(key: string, ask: () => Promise<Remembered<T>>): Promise<Remembered<T>> {
    const tier = this.#tier;
    if (!tier) return ask();
    const token = randomUUID();
    const until = performance.now() + longestWait;
    for (let look = firstLook; performance.now() < until; look = Math.min(look * 2, longestLook)) {
      const found = await tier.read<T>(key, token);
      if (found?.is === 'remembered') return found.remembered;
      if (found?.lease !== 'busy') {
        if (found?.lease !== 'leased') return ask();
        try {
          const remembered = await ask();
          await tier.write(key, remembered, found.stamp, token);
          return remembered;
        } finally {
          await tier.endLease(key, token);
        }
      }
      await sleep(look);
    }
    return ask();
  }
}
