// Redis killed, restored from an old copy, flushed, frozen: callers are proven from the database, and nobody comes back who was revoked.

import { beforeEach, describe, expect, it } from 'vitest';
import type { CallerCache } from '#application/ports/caller-cache.ts';
import type { UserId } from '#domain/shared/ids.ts';
import { type HandChannel, handChannel, nodeCache, notedLog, told } from '../support/nodes.ts';
import { withOwnRedis } from '../support/redis.ts';

const ada = 'user_00000000000000000000000001' as UserId;

await withOwnRedis('faults of Redis', (server) => {
  beforeEach(async () => void (await server.command('FLUSHALL')));

  interface Node {
    readonly cache: CallerCache;
    readonly channel: HandChannel;
    readonly lines: string[];
  }
  const node = async (isRedisThere = true): Promise<Node> => {
    const [channel, log] = [handChannel(), notedLog()];
    return {
      cache: await nodeCache({ channel, redisUrl: server.url, log, redisPatience: 100 }, isRedisThere),
      channel,
      lines: log.lines,
    };
  };

  /** A revocation as the unit of work does it: the database tells all nodes, the first one tells Redis. */
  const revoke = async (on: Node, ...others: readonly Node[]): Promise<void> => {
    for (const { channel } of [on, ...others]) channel.say([ada]);
    await on.cache.forget([ada]);
  };

  /** What a node says to somebody whom it does not remember: of the others' memory, or of the database. */
  const says = ({ cache }: Node): Promise<string> => cache.through('k', told('revoked', [ada], 0));

  /** Every answer of these nodes until one says that it uses Redis again; and how long the slowest took, in milliseconds. */
  const answersUntilUsed = async (...nodes: readonly Node[]): Promise<{ all: Set<string>; slowest: number }> => {
    const all = new Set<string>();
    let slowest = 0;
    const until = performance.now() + 8_000;
    while (!nodes.every(({ lines }) => lines.at(-1)?.startsWith('info: Redis is used'))) {
      if (performance.now() > until)
        throw new Error(`Redis is not used again: ${JSON.stringify(nodes.map((n) => n.lines))}`);
      for (const one of nodes) {
        const began = performance.now();
        all.add(await says(one));
        slowest = Math.max(slowest, performance.now() - began);
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    for (const one of nodes) all.add(await says(one));
    return { all, slowest };
  };
  const used = async (one: Node): Promise<void> => {
    await expect.poll(() => one.lines.at(-1), { timeout: 8_000 }).toMatch(/^info: Redis is used/);
  };

  describe('Redis', () => {
    it('killed and started again: one line each way, no waiting, and no stale answer', async () => {
      const [a, b] = [await node(), await node()];
      await a.cache.through('k', told('alive', [ada]));
      await server.kill();
      const began = performance.now();
      await revoke(a, b);
      expect(await says(a)).toBe('revoked');
      expect(await says(b)).toBe('revoked');
      expect(performance.now() - began).toBeLessThan(500);
      await expect.poll(() => b.lines.length).toBe(2);
      await server.start();
      const { all } = await answersUntilUsed(a, b);
      expect([...all]).toEqual(['revoked']);
      for (const { lines } of [a, b]) {
        expect(lines).toEqual([
          expect.stringMatching(/^info: Redis is used/),
          expect.stringMatching(/^warn: Redis is of no use/),
          expect.stringMatching(/^info: Redis is used/),
        ]);
      }
      await a.cache.through('new', told('shared again', [ada]));
      expect(await b.cache.through('new', told('asked again', [ada]))).toBe('shared again');
    });

    it('restored from a copy of before the revocation: what it says is not believed', async () => {
      const [a, b] = [await node(), await node()];
      await a.cache.through('k', told('alive', [ada]));
      await server.command('SAVE');
      await revoke(a, b);
      await server.kill();
      await server.start();
      expect(await server.command('KEYS', '*:entry:*')).toHaveLength(1);
      const { all } = await answersUntilUsed(a, b);
      expect([...all]).toEqual(['revoked']);
    });

    it('restored from a copy in which a revocation that could not be told is missing: neither', async () => {
      const [a, b] = [await node(), await node()];
      await a.cache.through('k', told('alive', [ada]));
      await server.command('SAVE');
      await server.kill();
      await revoke(a, b);
      await server.start();
      const { all } = await answersUntilUsed(a, b);
      expect([...all]).toEqual(['revoked']);
      // A node that was not there then.
      expect(await says(await node())).toBe('revoked');
    });

    it('flushed: goes on as if it were new', async () => {
      const [a, b] = [await node(), await node()];
      await a.cache.through('k', told('alive', [ada]));
      await revoke(a, b);
      await server.command('FLUSHALL');
      expect(await says(a)).toBe('revoked');
      await a.cache.through('new', told('shared again', [ada]));
      expect(await b.cache.through('new', told('asked again', [ada]))).toBe('shared again');
    });

    it('frozen: nobody waits longer than a few tenths of a second; thawed: nothing of before is believed', async () => {
      const [a, b] = [await node(), await node()];
      await a.cache.through('k', told('alive', [ada]));
      server.freeze();
      try {
        const began = performance.now();
        await revoke(a, b);
        expect(await says(a)).toBe('revoked');
        expect(await says(b)).toBe('revoked');
        expect(performance.now() - began).toBeLessThan(800);
        // Left alone by now, so that nobody waits at all.
        for (let asked = 0; asked < 4; asked += 1) await says(b);
        const rested = performance.now();
        for (let asked = 0; asked < 10; asked += 1) expect(await says(b)).toBe('revoked');
        expect(performance.now() - rested).toBeLessThan(100);
      } finally {
        server.thaw();
      }
      const { all } = await answersUntilUsed(a, b);
      expect([...all]).toEqual(['revoked']);
    });

    it('frozen while nobody is revoked: after three who waited, nobody waits', async () => {
      const a = await node();
      await used(a);
      server.freeze();
      try {
        for (let asked = 0; asked < 3; asked += 1) await says(a);
        const began = performance.now();
        for (let asked = 0; asked < 5; asked += 1) await says(a);
        expect(performance.now() - began).toBeLessThan(250);
      } finally {
        server.thaw();
      }
    });

    it('that did not confirm a forgetting in time is not believed until a new era began', async () => {
      const a = await node();
      await used(a);
      const [clock = ''] = (await server.command('KEYS', '*:clock')) as string[];
      const era = await server.command('HGET', clock, 'era');
      server.freeze();
      await a.cache.forget([ada]).finally(() => server.thaw());
      await expect.poll(() => server.command('HGET', clock, 'era'), { timeout: 3_000 }).not.toBe(era);
    });

    it('cut off from one node only: the others do not believe what that one could not forget', async () => {
      const [a, b] = [await node(), await node()];
      await a.cache.through('k', told('alive', [ada]));
      // A forgets nowhere but in the database: as if it had been killed after the commit.
      b.channel.say([ada]);
      expect(await says(b)).toBe('revoked');
      const c = await node();
      expect(await says(c)).toBe('revoked');
    });

    it('whose connections are cut: connects again, and begins anew', async () => {
      const a = await node();
      await used(a);
      await a.cache.through('k', told('alive', [ada]));
      await server.command('CLIENT', 'KILL', 'TYPE', 'normal');
      await expect.poll(() => a.lines.filter((line) => line.startsWith('info')).length, { timeout: 8_000 }).toBe(2);
      expect(await says(await node())).toBe('revoked');
    });

    it('that is not there at the start: is done without, and used when it comes', async () => {
      await server.kill();
      const began = performance.now();
      const a = await node(false);
      expect(performance.now() - began).toBeLessThan(4_000);
      expect(await says(a)).toBe('revoked');
      expect(a.lines).toEqual([expect.stringMatching(/^warn: Redis is of no use/)]);
      await server.start();
      await used(a);
    });
  });
});
