// What every caller cache promises. The races are played with promises that the test settles by hand; nothing sleeps.

import { describe, expect, it } from 'vitest';
import type { CallerCache, Remembered } from '#application/ports/caller-cache.ts';
import type { OrganizationId, UserId } from '#domain/shared/ids.ts';

export interface CacheWorld {
  readonly cache: CallerCache;
  /** Lets time pass for the cache. */
  turn(seconds: number): void;
}

const ada = 'user_00000000000000000000000001' as UserId;
const bob = 'user_00000000000000000000000002' as UserId;
const acme = 'org_00000000000000000000000001' as OrganizationId;

export const callerCacheContract = (name: string, build: () => Promise<CacheWorld>) =>
  describe(`${name} keeps the caller cache contract`, () => {
    const answering = <T>(value: T, reliesOn: Remembered<T>['reliesOn'] = [ada], seconds = 300) => {
      const asked = { times: 0 };
      const ask = async (): Promise<Remembered<T>> => {
        asked.times += 1;
        return { value, reliesOn, seconds };
      };
      return { asked, ask };
    };

    it('asks once and remembers for as long as it was told', async () => {
      const { cache, turn } = await build();
      const { asked, ask } = answering('alive');
      expect(await cache.through('k', ask)).toBe('alive');
      turn(299);
      await cache.through('k', ask);
      expect(asked.times).toBe(1);
      turn(1);
      await cache.through('k', ask);
      expect(asked.times).toBe(2);
    });

    it('never remembers an answer of 0 seconds', async () => {
      const { cache } = await build();
      const { asked, ask } = answering('alive', [ada], 0);
      await cache.through('k', ask);
      await cache.through('k', ask);
      expect(asked.times).toBe(2);
    });

    it('lets askers of the same key share one question', async () => {
      const { cache } = await build();
      const { asked, ask } = answering('alive');
      const answers = await Promise.all([1, 2, 3, 4].map(() => cache.through('k', ask)));
      expect(answers).toEqual(['alive', 'alive', 'alive', 'alive']);
      expect(asked.times).toBe(1);
    });

    it('does not remember what throws, and tells every asker', async () => {
      const { cache } = await build();
      const failing = () => cache.through('k', async () => Promise.reject(new Error('down')));
      await expect(Promise.all([failing(), failing()])).rejects.toThrow('down');
      expect(await cache.through('k', answering('alive').ask)).toBe('alive');
    });

    it('forgets every answer that relied on the forgotten, and no other', async () => {
      const { cache } = await build();
      const [first, second, third] = [answering(1, [ada, acme]), answering(2, [ada]), answering(3, [bob])];
      const all = () =>
        Promise.all([cache.through('a', first.ask), cache.through('b', second.ask), cache.through('c', third.ask)]);
      await all();
      await cache.forget([ada]);
      await all();
      expect([first.asked.times, second.asked.times, third.asked.times]).toEqual([2, 2, 1]);
      await cache.forget([acme]);
      await all();
      expect([first.asked.times, second.asked.times, third.asked.times]).toEqual([3, 2, 1]);
    });

    it('does not let an answer that was on its way come back after a forget', async () => {
      const { cache } = await build();
      const slow = Promise.withResolvers<Remembered<string>>();
      const asking = cache.through('k', () => slow.promise);
      await cache.forget([ada]);
      slow.resolve({ value: 'alive', reliesOn: [ada], seconds: 300 });
      expect(await asking).toBe('alive');
      expect(await cache.through('k', answering('revoked').ask)).toBe('revoked');
    });

    it('gives whoever asks after a forget a fresh answer, even while the old question is under way', async () => {
      const { cache } = await build();
      const slow = Promise.withResolvers<Remembered<string>>();
      const asking = cache.through('k', () => slow.promise);
      await cache.forget([ada]);
      expect(await cache.through('k', answering('revoked').ask)).toBe('revoked');
      slow.resolve({ value: 'alive', reliesOn: [ada], seconds: 300 });
      await asking;
      expect(await cache.through('k', answering('asked again').ask)).toBe('revoked');
    });

    it('puts a newer answer in the place of a living one, and lets it live as long as it says', async () => {
      const { cache, turn } = await build();
      await cache.through('k', answering('old', [ada], 100).ask);
      turn(60);
      await cache.renew('k', answering('new', [ada], 100).ask);
      turn(60);
      expect(await cache.through('k', answering('asked again').ask)).toBe('new');
      await cache.forget([ada]);
      expect(await cache.through('k', answering('after').ask)).toBe('after');
    });

    it('keeps what it has where there is nothing newer, and where asking failed', async () => {
      const { cache } = await build();
      await cache.through('k', answering('old').ask);
      await cache.renew('k', async () => undefined);
      await expect(cache.renew('k', async () => Promise.reject(new Error('down')))).rejects.toThrow('down');
      expect(await cache.through('k', answering('asked again').ask)).toBe('old');
    });

    it('does not let a newer answer come in after a forget that landed while it was asked for', async () => {
      const { cache } = await build();
      const slow = Promise.withResolvers<Remembered<string>>();
      const renewing = cache.renew('k', () => slow.promise);
      await cache.forget([ada]);
      slow.resolve({ value: 'alive', reliesOn: [ada], seconds: 300 });
      await renewing;
      expect(await cache.through('k', answering('revoked').ask)).toBe('revoked');
    });

    it('asks a question with a side effect once, gives all who come its answer, and forgets it like any other', async () => {
      const { cache, turn } = await build();
      const { asked, ask } = answering({ at: new Date(5) }, [ada], 20);
      const answers = await Promise.all([1, 2, 3].map(() => cache.once('k', ask)));
      answers.push(await cache.once('k', ask));
      expect(answers).toEqual(answers.map(() => ({ at: new Date(5) })));
      expect(asked.times).toBe(1);
      turn(20);
      await cache.once('k', ask);
      await cache.forget([ada]);
      await cache.once('k', ask);
      expect(asked.times).toBe(3);
    });

    it('lets the next one ask where a question with a side effect failed', async () => {
      const { cache } = await build();
      await expect(cache.once('k', async () => Promise.reject(new Error('down')))).rejects.toThrow('down');
      expect(await cache.once('k', answering('alive').ask)).toBe('alive');
    });

    it('forgets what it never knew without complaint', async () => {
      const { cache } = await build();
      await cache.forget([ada, acme]);
      expect(await cache.through('k', answering('alive').ask)).toBe('alive');
    });
  });
