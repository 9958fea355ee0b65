// What nodes remember for each other in Redis: sealed, valid only while none of its subjects was forgotten since its filling began.

import { createHash, randomUUID } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import type { Forgettable, Remembered } from '#application/ports/caller-cache.ts';
import type { Clock, Log, Seal } from '#application/ports/system.ts';
import { RedisLink } from './redis-link.ts';
import { beginEra, endLease, forgetSubjects, readClock, readEntry, writeEntry } from './scripts.ts';

/** Nothing is kept longer than this; so what was forgotten needs to be known only a little longer. */
const longestEntry = 15 * 60_000;
const epochMilliseconds = 60 * 60_000;
/** A filling that took longer is not kept: by then Redis might have forgotten what was forgotten. */
const longestFilling = 60_000;
/** The longest that a provider takes to answer, with its second try. Shorter than the time for which it repeats an answer. */
const leaseMilliseconds = 12_000;
/** How often it is looked whether Redis is back. */
const probeMilliseconds = 250;
/** What an entry is made of; another number is a miss, so that versions of this code can run side by side. */
const format = 1;

/** The moment at which a filling began, as Redis tells time. */
export interface Stamp {
  readonly era: string;
  readonly seq: string;
  /** By our monotonic clock. */
  readonly takenAt: number;
}

export type Found<T> =
  | { readonly is: 'remembered'; readonly remembered: Remembered<T> }
  /** Not there; `lease` tells whether it is ours to find out, where that was asked. */
  | { readonly is: 'missing'; readonly stamp: Stamp; readonly lease: 'free' | 'leased' | 'busy' };

export interface RedisTierParts {
  readonly url: string;
  /** Keys and the channel begin with it: deployments that share a Redis do not share callers. */
  readonly prefix: string;
  /** A word for this node, which it puts before what it tells the others. */
  readonly node: string;
  readonly seal: Seal;
  readonly clock: Clock;
  readonly log: Log;
  /** How long a caller waits for it, in milliseconds; 100 unless told. */
  readonly patience?: number | undefined;
  /** Whether this node hears the others. While not, nothing that they stored is believed. */
  isTrusted(): boolean;
}

interface Content {
  readonly format: number;
  readonly key: string;
  readonly until: number;
  readonly entry: string;
}

export class RedisTier {
  readonly #parts: RedisTierParts;
  readonly #link: RedisLink;
  readonly #clockKey: string;
  readonly #epochs: string;
  readonly #channel: string;
  /** Moves on whenever a forgetting may have missed Redis; nothing is believed until a new era began after it. */
  #doubts = 1;
  #settledDoubts = 0;
  #wasUsable: boolean | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: RedisTierParts) {
    this.#parts = parts;
    // One slot of a Redis Cluster: scripts touch keys that only an entry names.
    const prefix = `{${parts.prefix}}`;
    this.#clockKey = `${prefix}:clock`;
    this.#epochs = `${prefix}:epoch:`;
    this.#channel = `${parts.prefix}:forget`;
    const events = { up: () => this.doubt(), down: (why: string) => this.doubt(why) };
    this.#link = new RedisLink(parts.url, events, parts.patience);
  }

  async open(): Promise<void> {
    await this.#link.open();
    await this.#look();
    this.#timer = setInterval(() => void this.#look(), probeMilliseconds).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#link.close();
  }

  get isUsable(): boolean {
    return this.#settledDoubts === this.#doubts && this.#link.isAnswering && this.#parts.isTrusted();
  }

  /** A forgetting may have missed Redis, or Redis may have lost one: a new era is needed. */
  doubt(why?: string): void {
    this.#doubts += 1;
    if (why !== undefined) this.#say(false, why);
  }

  /** @param token asks for the lease of the key as well, under this name; undefined while Redis is of no use */
  async read<T>(key: string, token = ''): Promise<Found<T> | undefined> {
    if (!this.isUsable) return undefined;
    const doubts = this.#doubts;
    const takenAt = performance.now();
    const { clock, entry, lease } = this.#keysOf(key);
    try {
      const args = [randomUUID(), this.#epochs, token, String(leaseMilliseconds)];
      const answer = (await this.#link.run(readEntry, [clock, entry, lease], args)) as readonly unknown[];
      // What was asked for before a doubt arose is not believed after it.
      if (doubts !== this.#doubts || !this.#parts.isTrusted()) return undefined;
      const [era, seq, value, left] = answer;
      const stamp = { era: String(era), seq: String(seq), takenAt };
      if (left === undefined) return { is: 'missing', stamp, lease: value as 'free' | 'leased' | 'busy' };
      const remembered = await this.#opened<T>(key, String(value), Number(left));
      return remembered ? { is: 'remembered', remembered } : { is: 'missing', stamp, lease: 'free' };
    } catch {
      return undefined;
    }
  }

  /** The stamp alone, for who asks whatever is there. */
  async stamp(): Promise<Stamp | undefined> {
    if (!this.isUsable) return undefined;
    const takenAt = performance.now();
    try {
      const answer = (await this.#link.run(readClock, [this.#clockKey], [randomUUID()])) as readonly unknown[];
      return { era: String(answer[0]), seq: String(answer[1]), takenAt };
    } catch {
      return undefined;
    }
  }

  /** Keeps an answer for the other nodes, if nothing that it relies on was forgotten since the stamp was taken. Never throws. */
  async write(key: string, remembered: Remembered<unknown>, stamp: Stamp, token = ''): Promise<void> {
    const milliseconds = Math.min(remembered.seconds * 1000, longestEntry);
    if (milliseconds < 1 || performance.now() - stamp.takenAt > longestFilling || !this.isUsable) {
      return this.endLease(key, token);
    }
    try {
      const value = await this.#sealed(key, remembered, milliseconds);
      const { clock, entry, lease } = this.#keysOf(key);
      const limits = [this.#epochs, String(epochMilliseconds), token, value, String(Math.floor(milliseconds))];
      await this.#link.run(
        writeEntry,
        [clock, entry, lease],
        [stamp.era, stamp.seq, ...limits, ...remembered.reliesOn],
      );
    } catch {
      // The answer is good all the same; the next node asks for itself.
    }
  }

  async endLease(key: string, token: string): Promise<void> {
    if (token === '' || !this.#link.isAnswering) return;
    await this.#link.run(endLease, [this.#keysOf(key).lease], [token]).catch(() => {});
  }

  /**
   * Forgets for all nodes. Never throws: where Redis does not answer, this node does not believe it until a new era began.
   * @param tell whether the other nodes are told, too
   */
  async forget(ids: readonly Forgettable[], tell: boolean): Promise<void> {
    try {
      const channel = tell ? this.#channel : '';
      await this.#link.run(
        forgetSubjects,
        [this.#clockKey],
        [randomUUID(), this.#epochs, String(epochMilliseconds), channel, this.#parts.node, ...ids],
      );
    } catch {
      this.doubt();
    }
  }

  /** Whether Redis is back; and if there was a doubt, a new era, before anything in it is believed. */
  async #look(): Promise<void> {
    const doubts = this.#doubts;
    try {
      if (this.#settledDoubts !== doubts) {
        // Not before the others are heard: what they forget meanwhile would be missing in the new era.
        if (!this.#parts.isTrusted()) return;
        await this.#link.probe(beginEra, [this.#clockKey], [randomUUID()]);
        this.#settledDoubts = doubts;
      } else if (!this.#link.isAnswering) await this.#link.probe('return 1', [], []);
      if (this.isUsable) this.#say(true);
    } catch {
      this.#say(false, 'no answer');
    }
  }

  #say(isUsable: boolean, why?: string): void {
    if (isUsable === this.#wasUsable) return;
    const { log } = this.#parts;
    if (!isUsable)
      log.warn('Redis is of no use: what is not in memory is proven from the database until it is back', { why });
    else log.info('Redis is used: what one node has proven, the others need not prove again');
    this.#wasUsable = isUsable;
  }

  #keysOf(key: string): { readonly clock: string; readonly entry: string; readonly lease: string } {
    const digest = createHash('sha256').update(key).digest('hex');
    const prefix = `{${this.#parts.prefix}}`;
    return { clock: this.#clockKey, entry: `${prefix}:entry:${digest}`, lease: `${prefix}:lease:${digest}` };
  }

  /** Encrypted and authenticated: who reads Redis learns nothing, and who writes into it makes no caller. */
  #sealed(key: string, { value, reliesOn }: Remembered<unknown>, milliseconds: number): Promise<string> {
    const until = this.#parts.clock.now().getTime() + milliseconds;
    const content: Content = { format, key, until, entry: serialize({ value, reliesOn }).toString('base64') };
    // Redis lets it expire; clocks of nodes may differ by minutes.
    return this.#parts.seal.close('caller-cache', { ...content }, Math.ceil(milliseconds / 1000) + 3600);
  }

  async #opened<T>(key: string, box: string, left: number): Promise<Remembered<T> | undefined> {
    const content = (await this.#parts.seal.open('caller-cache', box)) as Content | undefined;
    if (content?.format !== format || content.key !== key) return undefined;
    const seconds = Math.min(left, content.until - this.#parts.clock.now().getTime()) / 1000;
    if (!(seconds > 0)) return undefined;
    const { value, reliesOn } = deserialize(Buffer.from(content.entry, 'base64'));
    return { value, reliesOn, seconds };
  }
}
