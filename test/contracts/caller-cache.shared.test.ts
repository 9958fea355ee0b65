import { afterAll, beforeAll } from 'vitest';
import { postgresChannel } from '#adapters/persistence/postgres/announcements.ts';
import { openPostgres } from '#adapters/persistence/postgres/open-database.ts';
import { FakeClock } from '#adapters/system/fake-clock.ts';
import { typeIds } from '#adapters/system/type-ids.ts';
import type { CallerCache, Forgettable } from '#application/ports/caller-cache.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';
import { nodeCache } from '../support/nodes.ts';
import { run, withPostgres } from '../support/postgres.ts';
import { type TestRedis, withOwnRedis, withRedis } from '../support/redis.ts';
import { callerCacheContract } from './caller-cache.contract.ts';
import { sharedCallerCacheContract } from './shared-caller-cache.contract.ts';

const acme = 'org_00000000000000000000000001' as OrganizationId;

let redis: TestRedis | undefined;

await withRedis('the caller cache over Redis', (found) => {
  redis = found;
  callerCacheContract('the cache over Redis', async () => {
    const clock = new FakeClock();
    const cache = await nodeCache({ redisUrl: found.url, prefix: found.prefix(), clock });
    return { cache, turn: (seconds) => clock.turn(seconds) };
  });
});

await withOwnRedis('the caller caches of two nodes over Redis', (server) => {
  sharedCallerCacheContract('the cache over Redis alone', async () => {
    await server.command('FLUSHALL');
    const node = () => nodeCache({ redisUrl: server.url });
    return {
      a: await node(),
      b: await node(),
      revoke: (on, ids) => on.forget(ids),
      deafen: async () => void (await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub')),
    };
  });
});

await withPostgres('the caller caches of nodes on one PostgreSQL', (url) => {
  const database = openPostgres({ url, ids: typeIds });
  beforeAll(async () => (await database).migrate());
  afterAll(async () => (await database).close());
  const announce = async (ids: readonly Forgettable[]): Promise<void> => {
    const { store } = await database;
    await store.transact(acme, (tx) => tx.announcements.toForget(ids));
  };
  const revoke = async (on: CallerCache, ids: readonly Forgettable[]): Promise<void> => {
    await announce(ids);
    await on.forget(ids);
  };
  const deafen = () =>
    run(
      url,
      `select pg_terminate_backend(pid, 1000) from pg_stat_activity
      where datname = current_database() and application_name = 'hatidata-identity hears'`,
    );

  callerCacheContract('the cache that PostgreSQL tells what to forget', async () => {
    const clock = new FakeClock();
    const cache = await nodeCache({ channel: postgresChannel(url), clock });
    return { cache, turn: (seconds) => clock.turn(seconds) };
  });

  sharedCallerCacheContract('the cache that PostgreSQL tells what to forget', async () => {
    const node = () => nodeCache({ channel: postgresChannel(url) });
    return { a: await node(), b: await node(), revoke, deafen };
  });

  if (!redis) return;
  sharedCallerCacheContract('the cache over Redis that PostgreSQL tells what to forget', async () => {
    const prefix = redis?.prefix();
    const node = () => nodeCache({ channel: postgresChannel(url), redisUrl: redis?.url, prefix });
    return {
      a: await node(),
      b: await node(),
      // As if the node had been killed after the commit: nobody but the database tells anybody.
      revoke: async (_on, ids) => announce(ids),
      deafen,
    };
  });
});
