import { describe, expect, it } from 'vitest';
import { MemoryCallerCache } from '#adapters/cache/memory/memory-caller-cache.ts';
import { FakeClock } from '#adapters/system/fake-clock.ts';
import type { UserId } from '#domain/shared/ids.ts';
import { callerCacheContract } from './caller-cache.contract.ts';

callerCacheContract('the in-process cache', async () => {
  const clock = new FakeClock();
  return { cache: new MemoryCallerCache(clock), turn: (seconds) => clock.turn(seconds) };
});

describe('the in-process cache is bounded', () => {
  it('keeps the most recently used answers and asks again for the others', async () => {
    const cache = new MemoryCallerCache(new FakeClock(), { capacity: 2 });
    const asked: string[] = [];
    const about = (key: string) =>
      cache.through(key, async () => {
        asked.push(key);
        return { value: key, reliesOn: [`user_${key}` as UserId], seconds: 60 };
      });
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) await about(key);
    expect(asked).toEqual(['a', 'b', 'c', 'b']);
  });
});
