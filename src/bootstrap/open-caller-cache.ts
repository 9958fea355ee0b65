// Opens the cache of proven callers: of this process alone, or shared with the other nodes on the same PostgreSQL.

import { randomUUID } from 'node:crypto';
import { MemoryCallerCache } from '#adapters/cache/memory/memory-caller-cache.ts';
import { redisChannel } from '#adapters/cache/redis/redis-channel.ts';
import { RedisTier } from '#adapters/cache/redis/redis-tier.ts';
import { SharedCallerCache } from '#adapters/cache/shared/shared-caller-cache.ts';
import { jweSeal } from '#adapters/system/jwe-seal.ts';
import type { AnnouncementChannel, CallerCache } from '#application/ports/caller-cache.ts';
import type { Clock, Log } from '#application/ports/system.ts';

export interface CallerCacheParts {
  /** How the database tells every node what to forget; undefined where one process has it for itself. */
  readonly channel: AnnouncementChannel | undefined;
  /** `redis://…` or `rediss://…`, where nodes share what they have proven. */
  readonly redisUrl: string | undefined;
  /** Tells deployments on one Redis apart. `hatidata-identity` unless told. */
  readonly prefix?: string | undefined;
  /** How long a caller waits for Redis, in milliseconds; 100 unless told. */
  readonly redisPatience?: number | undefined;
  /** What lies in Redis is sealed with these. */
  readonly sessionSecrets: readonly [string, ...string[]];
  readonly clock: Clock;
  readonly log: Log;
}

export interface OpenCallerCache {
  readonly cache: CallerCache;
  /** For the lines at the start. */
  readonly description: string;
  close(): Promise<void>;
}

export const openCallerCache = async (parts: CallerCacheParts): Promise<OpenCallerCache> => {
  const { channel, redisUrl, clock, log, prefix = 'hatidata-identity' } = parts;
  const node = randomUUID();
  const overRedis = redisUrl === undefined ? undefined : redisChannel(redisUrl, prefix, node);
  const complete = channel ?? overRedis;
  if (!complete) {
    return { cache: new MemoryCallerCache(clock), description: 'in this process', close: async () => {} };
  }
  const seal = jweSeal(parts.sessionSecrets, clock);
  const cache = new SharedCallerCache({
    clock,
    log,
    channel: complete,
    faster: channel ? overRedis : undefined,
    tier:
      redisUrl === undefined
        ? undefined
        : (isTrusted) =>
            new RedisTier({ url: redisUrl, prefix, node, seal, clock, log, patience: parts.redisPatience, isTrusted }),
  });
  await cache.open();
  const told = channel ? 'told by PostgreSQL what to forget' : 'told by Redis what to forget';
  return {
    cache,
    description: redisUrl === undefined ? `in each process, ${told}` : `shared over Redis, ${told}`,
    close: () => cache.close(),
  };
};
