// Caches of several nodes of one deployment, for tests: over PostgreSQL's announcements, over Redis, or both.

import { afterEach } from 'vitest';
import { silentLog } from '#adapters/system/pino-log.ts';
import { systemClock } from '#adapters/system/system-clock.ts';
import type { CallerCache } from '#application/ports/caller-cache.ts';
import { type CallerCacheParts, openCallerCache } from '#bootstrap/open-caller-cache.ts';

const toClose: (() => Promise<void>)[] = [];

/** A node's cache, wired as the service wires it, closed after the test. */
export const nodeCache = async (parts: Partial<CallerCacheParts>): Promise<CallerCache> => {
  const { cache, close } = await openCallerCache({
    channel: undefined,
    redisUrl: undefined,
    sessionSecrets: ['a secret that all nodes of the test share'],
    clock: systemClock,
    log: silentLog,
    ...parts,
  });
  toClose.push(close);
  return cache;
};

afterEach(async () => {
  for (const close of toClose.splice(0)) await close();
});
