// Caches of several nodes of one deployment, for tests: over PostgreSQL's announcements, over Redis, or both; and a channel in the test's hand.

import { afterEach } from 'vitest';
import { silentLog } from '#adapters/system/pino-log.ts';
import { systemClock } from '#adapters/system/system-clock.ts';
import type {
  AnnouncementChannel,
  CallerCache,
  Forgettable,
  Hearing,
  Remembered,
} from '#application/ports/caller-cache.ts';
import type { Log } from '#application/ports/system.ts';
import { type CallerCacheParts, openCallerCache } from '#bootstrap/open-caller-cache.ts';

const toClose: (() => Promise<void>)[] = [];

/**
 * A node's cache, wired as the service wires it, closed after the test.
 * @param isRedisThere unless told otherwise, the cache is handed out when it uses its Redis, however busy the machine
 */
export const nodeCache = async (parts: Partial<CallerCacheParts>, isRedisThere = true): Promise<CallerCache> => {
  const used = Promise.withResolvers<void>();
  const log = parts.log ?? silentLog;
  const info: Log['info'] = (message, facts) => {
    if (message.startsWith('Redis is used')) used.resolve();
    log.info(message, facts);
  };
  const { cache, close } = await openCallerCache({
    channel: undefined,
    redisUrl: undefined,
    sessionSecrets: ['a secret that all nodes of the test share'],
    clock: systemClock,
    // Machines that run tests are busy: only tests of impatience are impatient.
    redisPatience: 3_000,
    ...parts,
    log: { ...log, info },
  });
  toClose.push(close);
  if (parts.redisUrl !== undefined && isRedisThere) await used.promise;
  return cache;
};

afterEach(async () => {
  for (const close of toClose.splice(0)) await close();
});

/** An answer, as a question gives it. */
export const told =
  <T>(value: T, reliesOn: readonly Forgettable[], seconds = 300): (() => Promise<Remembered<T>>) =>
  async () => ({ value, reliesOn, seconds });

/** What the database would tell all nodes, told by the test. */
export interface HandChannel extends AnnouncementChannel {
  say(ids: readonly Forgettable[]): void;
  /** Everything up to that moment has been heard; for ever, unless told. */
  caughtUp(asOf?: number): void;
  lose(): void;
}

export const handChannel = (): HandChannel => {
  const hearers: Hearing[] = [];
  const everybody = (tell: (hearing: Hearing) => void): void => {
    for (const hearing of hearers) tell(hearing);
  };
  return {
    async hear(hearing) {
      hearers.push(hearing);
      hearing.caughtUp(Number.POSITIVE_INFINITY);
    },
    close: async () => {},
    say: (ids) => everybody((hearing) => hearing.heard(ids)),
    caughtUp: (asOf = Number.POSITIVE_INFINITY) => everybody((hearing) => hearing.caughtUp(asOf)),
    lose: () => everybody((hearing) => hearing.lost('the test said so')),
  };
};

/** A log that remembers its warnings and what it was glad about. */
export const notedLog = (): Log & { readonly lines: string[] } => {
  const lines: string[] = [];
  const note = (level: string) => (message: string) => void lines.push(`${level}: ${message}`);
  return { lines, debug: () => {}, info: note('info'), warn: note('warn'), error: note('error') };
};
