// When a node's memory may answer: while everything that others forgot has been heard, and not a moment longer.

import { describe, expect, it } from 'vitest';
import { boundMilliseconds, Trust } from '#adapters/cache/shared/trust.ts';
import { payloadsOf } from '#adapters/persistence/postgres/announcements.ts';
import type { Remembered } from '#application/ports/caller-cache.ts';
import type { UserId } from '#domain/shared/ids.ts';
import { handChannel, nodeCache, notedLog, told } from '../../support/nodes.ts';

const ada = 'user_00000000000000000000000001' as UserId;

describe('the memory of one node among several', () => {
  it('is not believed while the others are not heard, and is empty when they are heard again', async () => {
    const [channel, log] = [handChannel(), notedLog()];
    const cache = await nodeCache({ channel, log });
    await cache.through('k', told('alive', [ada]));
    channel.lose();
    channel.lose();
    expect(await cache.through('k', told('from the database', [ada]))).toBe('from the database');
    channel.caughtUp();
    expect(await cache.through('k', told('asked anew', [ada]))).toBe('asked anew');
    expect(await cache.through('k', told('asked again', [ada]))).toBe('asked anew');
    expect(log.lines).toEqual([expect.stringMatching(/^warn: .*not heard/), expect.stringMatching(/^info: .*again/)]);
  });

  it('does not take in what was asked for while a word was missed', async () => {
    const channel = handChannel();
    const cache = await nodeCache({ channel });
    channel.lose();
    const slow = Promise.withResolvers<Remembered<string>>();
    const asking = cache.through('k', () => slow.promise);
    channel.caughtUp();
    slow.resolve({ value: 'alive', reliesOn: [ada], seconds: 300 });
    await asking;
    expect(await cache.through('k', told('revoked', [ada]))).toBe('revoked');
  });

  it('forgets what a word says, also while it is asked for', async () => {
    const channel = handChannel();
    const cache = await nodeCache({ channel });
    await cache.through('k', told('alive', [ada]));
    const slow = Promise.withResolvers<Remembered<string>>();
    const asking = cache.through('other', () => slow.promise);
    channel.say([ada]);
    slow.resolve({ value: 'alive', reliesOn: [ada], seconds: 300 });
    await asking;
    expect(await cache.through('k', told('revoked', [ada]))).toBe('revoked');
    expect(await cache.through('other', told('revoked', [ada]))).toBe('revoked');
  });

  it('is not believed by a process that slept longer than the bound, although nobody told it that anything was lost', async () => {
    const channel = handChannel();
    const hearing = Promise.withResolvers<Parameters<typeof channel.hear>[0]>();
    const cache = await nodeCache({
      channel: {
        hear: async (one) => {
          hearing.resolve(one);
          // The last proof is a bound old, less a tenth of a second: as after a freeze.
          one.caughtUp(performance.now() - boundMilliseconds + 100);
        },
        close: async () => {},
      },
    });
    await cache.through('k', told('alive', [ada]));
    expect(await cache.through('k', told('too soon', [ada]))).toBe('alive');
    const until = performance.now() + 110;
    while (performance.now() < until);
    expect(await cache.through('k', told('from the database', [ada]))).toBe('from the database');
    // The connection lived on, so every word came before the next proof: what was not forgotten is still good.
    (await hearing.promise).caughtUp(performance.now());
    expect(await cache.through('k', told('asked again', [ada]))).toBe('from the database');
  });

  it('answers the hot path without asking anybody, not even the channel', async () => {
    const channel = handChannel();
    const cache = await nodeCache({ channel });
    await cache.through('k', told('alive', [ada]));
    let isAnswered = false;
    void cache.through('k', told('asked again', [ada])).then(() => {
      isAnswered = true;
    });
    // A turn of the microtasks, in which no I/O can happen.
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
    expect(isAnswered).toBe(true);
  });

  it('keeps the answers of questions with a side effect while nothing else is believed', async () => {
    const channel = handChannel();
    const cache = await nodeCache({ channel });
    await cache.once('k', told('first', [ada]));
    channel.lose();
    expect(await cache.once('k', told('second', [ada]))).toBe('first');
    channel.caughtUp();
    expect(await cache.once('k', told('second', [ada]))).toBe('first');
    channel.say([ada]);
    expect(await cache.once('k', told('third', [ada]))).toBe('third');
  });
});

describe('trust', () => {
  it('lasts the bound, counted from when the proof was asked for, and is never shortened by an older proof', () => {
    let now = 10_000;
    const trust = new Trust({ log: notedLog(), heard: () => {}, doubt: () => {}, now: () => now });
    expect(trust.isGiven()).toBe(false);
    trust.caughtUp(9_000);
    trust.caughtUp(8_500);
    now = 9_000 + boundMilliseconds - 1;
    expect(trust.isGiven()).toBe(true);
    now += 1;
    expect(trust.isGiven()).toBe(false);
  });
});

describe('an announcement', () => {
  it('says everybody once, in as few payloads as PostgreSQL takes', () => {
    const ids = Array.from({ length: 1000 }, (_, at) => `user_${String(at).padStart(26, '0')}` as UserId);
    const payloads = payloadsOf([...ids, ...ids]);
    expect(payloads).toHaveLength(5);
    expect(payloads.flatMap((payload) => payload.split(' '))).toEqual(ids);
    for (const payload of payloads) expect(Buffer.byteLength(payload)).toBeLessThan(8_000);
  });
});
