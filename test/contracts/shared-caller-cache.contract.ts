// What the caches of several nodes promise each other, whatever carries their words. Races are played with promises settled by hand.

import { describe, expect, it } from 'vitest';
import type { CallerCache, Forgettable, Remembered } from '#application/ports/caller-cache.ts';
import type { OrganizationId, UserId } from '#domain/shared/ids.ts';

export interface NodesWorld {
  readonly a: CallerCache;
  readonly b: CallerCache;
  /** A revocation on a node: committed, announced, forgotten, as the unit of work does it. */
  revoke(on: CallerCache, ids: readonly Forgettable[]): Promise<void>;
  /** Cuts the connections on which b hears the others; they come back by themselves. */
  deafen(): Promise<void>;
}

const ada = 'user_00000000000000000000000001' as UserId;
const bob = 'user_00000000000000000000000002' as UserId;
const acme = 'org_00000000000000000000000001' as OrganizationId;

const told =
  <T>(value: T, reliesOn: readonly Forgettable[] = [ada], seconds = 300): (() => Promise<Remembered<T>>) =>
  async () => ({ value, reliesOn, seconds });

/** Asks until memory answers: until then, what was asked for is passed through. */
const remembersAgain = async (cache: CallerCache): Promise<void> => {
  await expect
    .poll(
      async () => {
        const key = `probe ${Math.random()}`;
        await cache.through(key, told('first', []), 'node');
        return cache.through(key, told('second', []), 'node');
      },
      { timeout: 8_000, interval: 20 },
    )
    .toBe('first');
};

/** @param lagMilliseconds within which a word must have arrived where nothing is broken */
export const sharedCallerCacheContract = (name: string, build: () => Promise<NodesWorld>, lagMilliseconds = 1_000) =>
  describe(`${name} keeps the contract between nodes`, () => {
    /** What b says once it has heard. */
    const heard = (cache: CallerCache, key: string, ask: () => Promise<Remembered<string>>) =>
      expect.poll(() => cache.through(key, ask), { timeout: lagMilliseconds, interval: 2 });

    it('forgets on one node what another one was told to forget, and nothing else', async () => {
      const { a, b, revoke } = await build();
      await b.through('ada', told('alive', [ada, acme]));
      await b.through('bob', told('alive', [bob]));
      await revoke(a, [ada]);
      await heard(b, 'ada', told('revoked', [ada])).toBe('revoked');
      expect(await b.through('bob', told('asked again', [bob]))).toBe('alive');
    });

    it('does not let an answer that was on its way on one node come back after another one was told to forget', async () => {
      const { a, b, revoke } = await build();
      await b.through('witness', told('old', [ada]));
      const slow = Promise.withResolvers<Remembered<string>>();
      const asking = b.through('ada', () => slow.promise);
      // Let the question get under way: what it waits for first is an answer of Redis, where there is one.
      await new Promise((resolve) => setTimeout(resolve, 50));
      await revoke(a, [ada]);
      await heard(b, 'witness', told('new', [ada])).toBe('new');
      slow.resolve({ value: 'alive', reliesOn: [ada], seconds: 300 });
      expect(await asking).toBe('alive');
      expect(await b.through('ada', told('revoked'))).toBe('revoked');
      expect(await a.through('ada', told('revoked'))).toBe('revoked');
    });

    it('forgets a whole crowd at once', async () => {
      const { a, b, revoke } = await build();
      const crowd = Array.from({ length: 700 }, (_, at) => `user_${String(at).padStart(26, '0')}` as UserId);
      const last = crowd[crowd.length - 1] as UserId;
      await b.through('first', told('alive', [crowd[0] as UserId]));
      await b.through('last', told('alive', [last]));
      await revoke(a, crowd);
      await heard(b, 'first', told('revoked', [crowd[0] as UserId])).toBe('revoked');
      await heard(b, 'last', told('revoked', [last])).toBe('revoked');
    });

    it('does not believe its memory while it may have missed a word, and uses it again when it hears again', async () => {
      const { a, b, revoke, deafen } = await build();
      await b.through('ada', told('alive'));
      await deafen();
      await revoke(a, [ada]);
      await heard(b, 'ada', told('revoked')).toBe('revoked');
      await remembersAgain(b);
      await b.through('bob', told('alive', [bob]));
      await revoke(a, [bob]);
      await heard(b, 'bob', told('revoked', [bob])).toBe('revoked');
    });
  });
