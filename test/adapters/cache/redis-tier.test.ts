// What nodes remember for each other in Redis: who may read it, when it is good, and what loses against a forgetting.

import { beforeEach, describe, expect, it } from 'vitest';
import type { CallerCache, Remembered } from '#application/ports/caller-cache.ts';
import type { UserId } from '#domain/shared/ids.ts';
import { handChannel, nodeCache, told } from '../../support/nodes.ts';
import { withOwnRedis } from '../../support/redis.ts';

const ada = 'user_00000000000000000000000001' as UserId;
const bob = 'user_00000000000000000000000002' as UserId;

await withOwnRedis('the caller cache in Redis', (server) => {
  beforeEach(async () => void (await server.command('FLUSHALL')));

  // Each has a channel of its own: what they know of each other they know from Redis.
  const node = (secret?: string): Promise<CallerCache> =>
    nodeCache({
      channel: handChannel(),
      redisUrl: server.url,
      ...(secret !== undefined && { sessionSecrets: [secret] as const }),
    });
  const keys = async (pattern: string): Promise<string[]> => (await server.command('KEYS', pattern)) as string[];
  /** A question that is under way and has its stamp, and the end of it in the test's hand. */
  const underWay = async (cache: CallerCache, key: string) => {
    const slow = Promise.withResolvers<Remembered<string>>();
    const asked = Promise.withResolvers<void>();
    const asking = cache.through(key, () => {
      asked.resolve();
      return slow.promise;
    });
    await asked.promise;
    return async () => {
      slow.resolve({ value: 'alive', reliesOn: [ada], seconds: 300 });
      expect(await asking).toBe('alive');
    };
  };

  describe('what one node has proven', () => {
    it('the others need not prove again, and get it whole', async () => {
      const [a, b] = [await node(), await node()];
      const value = { at: new Date('2026-03-02T15:00:00.123Z'), nothing: null, missing: undefined, list: [1, 'ü'] };
      await a.through('k', told(value, [ada]));
      expect(await b.through('k', told({ ...value, list: ['asked again'] }, [ada]))).toEqual(value);
    });

    it('lives no longer with the others than it does with the first', async () => {
      const [a, b] = [await node(), await node()];
      await a.through('k', told('alive', [ada], 0.25));
      expect(await b.through('k', told('asked again', [ada]))).toBe('alive');
      await expect.poll(() => b.through('k', told('asked again', [ada]))).toBe('asked again');
    });

    it('stays on the node where that is asked for', async () => {
      const [a, b] = [await node(), await node()];
      await a.through('k', told('alive', [ada]), 'node');
      expect(await b.through('k', told('asked again', [ada]), 'node')).toBe('asked again');
      expect(await keys('*:entry:*')).toEqual([]);
    });

    it('is replaced for all by a renewal', async () => {
      const [a, b] = [await node(), await node()];
      await a.through('k', told('old', [ada]));
      await a.renew('k', told('new', [ada]));
      expect(await b.through('k', told('asked again', [ada]))).toBe('new');
    });

    it('tells nothing to whoever reads Redis: no key, no value', async () => {
      const a = await node();
      await a.through('session 0123abcd', told({ email: 'ada@acme.test' }, [ada]));
      await a.once('refresh token-text', told({ refreshToken: 'hunter2' }, [ada]));
      const all = await keys('*');
      const held = await Promise.all(all.map((key) => server.command('DUMP', key)));
      const text = [...all, ...held.map(String)].join('\n');
      expect(all.filter((key) => key.includes(':entry:'))).toHaveLength(2);
      expect(text).not.toMatch(/0123abcd|acme\.test|hunter2|token-text/);
    });

    it('is a miss where it cannot be read: garbage, the entry of another key, the seal of another deployment', async () => {
      const [a, b] = [await node(), await node()];
      await a.through('k', told('alive', [ada]));
      const [entry = ''] = await keys('*:entry:*');
      const sealed = String(await server.command('HGET', entry, 'value'));
      await server.command('HSET', entry, 'value', 'garbage');
      expect(await b.through('k', told('asked again', [ada], 0))).toBe('asked again');

      await a.through('other', told('alive', [ada]));
      const other = (await keys('*:entry:*')).find((key) => key !== entry) ?? '';
      await server.command('HSET', other, 'value', sealed);
      expect(await b.through('other', told('asked again', [ada], 0))).toBe('asked again');

      const stranger = await node('a secret that no other node has, long enough');
      await a.through('third', told('alive', [ada]));
      expect(await stranger.through('third', told('asked again', [ada], 0))).toBe('asked again');
    });
  });

  describe('a late filling', () => {
    it('loses against a forgetting that landed meanwhile, on whichever node', async () => {
      const [a, b, c] = [await node(), await node(), await node()];
      const finish = await underWay(a, 'k');
      await b.forget([ada]);
      await finish();
      expect(await c.through('k', told('revoked', [ada]))).toBe('revoked');
    });

    it('wins where somebody else was forgotten, and where the forgetting came before it', async () => {
      const [a, b, c] = [await node(), await node(), await node()];
      await b.forget([ada]);
      const finish = await underWay(a, 'k');
      await b.forget([bob]);
      await finish();
      expect(await c.through('k', told('asked again', [ada]))).toBe('alive');
    });

    it('does not take the place of what was asked for after the forgetting', async () => {
      const [a, b, c] = [await node(), await node(), await node()];
      const finish = await underWay(a, 'k');
      await b.forget([ada]);
      await b.through('k', told('of after the forgetting', [ada]));
      await finish();
      expect(await c.through('k', told('asked again', [ada]))).toBe('of after the forgetting');
    });

    it('does not take the place of what was asked for after a flush', async () => {
      const [a, b, c] = [await node(), await node(), await node()];
      const finish = await underWay(a, 'k');
      await server.command('FLUSHALL');
      await b.through('k', told('of after the flush', [ada]));
      await finish();
      expect(await c.through('k', told('asked again', [ada]))).toBe('of after the flush');
    });

    it('loses also when Redis was flushed after the forgetting, and knows of none', async () => {
      const [a, b, c] = [await node(), await node(), await node()];
      const finish = await underWay(a, 'k');
      await b.forget([ada]);
      await server.command('FLUSHALL');
      await finish();
      expect(await c.through('k', told('revoked', [ada]))).toBe('revoked');
    });

    it('loses also when Redis evicted what it knew of the forgetting', async () => {
      const [a, b, c] = [await node(), await node(), await node()];
      const finish = await underWay(a, 'k');
      await b.forget([ada]);
      for (const key of await keys(`*${ada}`)) await server.command('DEL', key);
      await finish();
      expect(await c.through('k', told('revoked', [ada]))).toBe('revoked');
    });

    it('loses against a renewal of its own kind: a forgetting between its beginning and its end', async () => {
      const [a, b, c] = [await node(), await node(), await node()];
      const slow = Promise.withResolvers<Remembered<string>>();
      const asked = Promise.withResolvers<void>();
      const renewing = a.renew('k', () => {
        asked.resolve();
        return slow.promise;
      });
      await asked.promise;
      await b.forget([ada]);
      slow.resolve({ value: 'alive', reliesOn: [ada], seconds: 300 });
      await renewing;
      expect(await c.through('k', told('revoked', [ada]))).toBe('revoked');
    });
  });

  describe('what lies in Redis', () => {
    it('is no longer good once a subject of it was forgotten, also for a node that hears nothing', async () => {
      const [a, b, c] = [await node(), await node(), await node()];
      await a.through('k', told('alive', [bob, ada]));
      await b.forget([ada]);
      expect(await c.through('k', told('revoked', [ada]))).toBe('revoked');
    });

    it('is no longer good when Redis evicted what it knew of a subject', async () => {
      const [a, b] = [await node(), await node()];
      await a.through('k', told('alive', [ada]));
      for (const key of await keys(`*${ada}`)) await server.command('DEL', key);
      expect(await b.through('k', told('asked again', [ada]))).toBe('asked again');
    });

    it('is no longer good after a node has come: it may have missed what was forgotten before', async () => {
      const [a, b] = [await node(), await node()];
      await a.through('k', told('alive', [ada]));
      await node();
      expect(await b.through('k', told('asked again', [ada]))).toBe('asked again');
    });
  });

  describe('a question with a side effect', () => {
    const counted = (value: string, wait: Promise<void> = Promise.resolve()) => {
      const asked = { times: 0 };
      const ask = async (): Promise<Remembered<string>> => {
        asked.times += 1;
        await wait;
        return { value, reliesOn: [ada], seconds: 20 };
      };
      return { asked, ask };
    };

    it('is asked by one node, and both get its answer', async () => {
      const [a, b] = [await node(), await node()];
      const { promise, resolve } = Promise.withResolvers<void>();
      const { asked, ask } = counted('rotated', promise);
      const answers = [a.once('k', ask), b.once('k', ask), b.once('k', ask)];
      await expect.poll(() => keys('*:lease:*')).toHaveLength(1);
      resolve();
      expect(await Promise.all(answers)).toEqual(['rotated', 'rotated', 'rotated']);
      expect(asked.times).toBe(1);
    });

    it('is asked by the next one at once where the first one failed', async () => {
      const [a, b] = [await node(), await node()];
      await expect(a.once('k', () => Promise.reject(new Error('down')))).rejects.toThrow('down');
      expect(await keys('*:lease:*')).toEqual([]);
      expect(await b.once('k', counted('rotated').ask)).toBe('rotated');
    });

    it('is taken over from a node that died over it; should that one live after all, its late answer is not kept', async () => {
      const [a, b, c] = [await node(), await node(), await node()];
      const { promise, resolve } = Promise.withResolvers<void>();
      const late = a.once('k', counted('late', promise).ask);
      await expect.poll(() => keys('*:lease:*')).toHaveLength(1);
      const [lease = ''] = await keys('*:lease:*');
      const first = await server.command('GET', lease);
      await server.command('PEXPIRE', lease, '1');
      const second = Promise.withResolvers<void>();
      const taken = b.once('k', counted('taken over', second.promise).ask);
      await expect.poll(() => server.command('GET', lease)).toSatisfy((token) => token !== null && token !== first);
      resolve();
      expect(await late).toBe('late');
      const third = c.once('k', counted('asked again').ask);
      // Longer than a look: had the late answer been kept, this one would have it by now.
      await new Promise((resolveLater) => setTimeout(resolveLater, 150));
      second.resolve();
      expect(await taken).toBe('taken over');
      expect(await third).toBe('taken over');
    });
  });
});
