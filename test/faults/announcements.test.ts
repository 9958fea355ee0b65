// The wire on which PostgreSQL tells nodes what to forget, cut and gone silent: within the stated bound a node stops believing its memory.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boundMilliseconds } from '#adapters/cache/shared/trust.ts';
import { postgresChannel } from '#adapters/persistence/postgres/announcements.ts';
import { type OpenDatabase, openPostgres } from '#adapters/persistence/postgres/open-database.ts';
import { typeIds } from '#adapters/system/type-ids.ts';
import type { CallerCache } from '#application/ports/caller-cache.ts';
import type { OrganizationId, UserId } from '#domain/shared/ids.ts';
import { nodeCache, notedLog, told } from '../support/nodes.ts';
import { run, withPostgres } from '../support/postgres.ts';
import { wireTo } from '../support/wire.ts';

const acme = 'org_00000000000000000000000001' as OrganizationId;
const ada = 'user_00000000000000000000000001' as UserId;

await withPostgres('faults of what PostgreSQL announces', (url) => {
  let database: OpenDatabase;
  beforeAll(async () => {
    database = await openPostgres({ url, ids: typeIds });
    await database.migrate();
  });
  afterAll(() => database.close());

  const announce = () => database.store.transact(acme, (tx) => tx.announcements.toForget([ada]));
  const isRefused = (cache: CallerCache) =>
    expect.poll(() => cache.through('k', told('revoked', [ada], 0)), { interval: 5, timeout: boundMilliseconds + 500 });

  describe('a node', () => {
    it('whose wire goes silent refuses within the bound all the same, says so once, and comes back by itself', async () => {
      const wire = await wireTo(url, 5432);
      const log = notedLog();
      const cache = await nodeCache({ channel: postgresChannel(wire.url), log });
      await cache.through('k', told('alive', [ada]));
      wire.silence();
      await announce();
      expect(await cache.through('k', told('asked', [ada], 0))).toBe('alive');
      await isRefused(cache).toBe('revoked');
      await expect.poll(() => log.lines, { timeout: 6_000 }).toEqual([expect.stringMatching(/^warn: .*not heard/)]);
      wire.speak();
      await expect.poll(() => log.lines.at(-1), { timeout: 5_000 }).toMatch(/^info: .*heard again/);
      await cache.through('k', told('new', [ada]));
      expect(await cache.through('k', told('asked again', [ada]))).toBe('new');
      await announce();
      await isRefused(cache).toBe('revoked');
      expect(log.lines).toHaveLength(2);
      await wire.close();
    });

    it('whose wire is cut stops believing its memory at once', async () => {
      const wire = await wireTo(url, 5432);
      const log = notedLog();
      const cache = await nodeCache({ channel: postgresChannel(wire.url), log });
      await cache.through('k', told('alive', [ada]));
      await wire.close();
      await expect.poll(() => log.lines, { timeout: 300 }).toEqual([expect.stringMatching(/^warn: .*not heard/)]);
      await announce();
      expect(await cache.through('k', told('revoked', [ada], 0))).toBe('revoked');
    });

    it('whose connection the server ends listens again, and hears', async () => {
      const log = notedLog();
      const cache = await nodeCache({ channel: postgresChannel(url), log });
      await run(
        url,
        `select pg_terminate_backend(pid, 1000) from pg_stat_activity
        where datname = current_database() and application_name = 'hatidata-identity hears'`,
      );
      await expect.poll(() => log.lines.at(-1), { timeout: 5_000 }).toMatch(/^info: .*heard again/);
      await cache.through('k', told('alive', [ada]));
      await announce();
      await isRefused(cache).toBe('revoked');
    });

    it('behind a pooler, which lends it another connection for each statement, believes nothing and says why', async () => {
      // BackendKeyData, as a pooler invents it (https://www.postgresql.org/docs/current/protocol-message-formats.html).
      const keyData = Buffer.from([0x4b, 0, 0, 0, 12]);
      const wire = await wireTo(url, 5432, (bytes) => {
        const at = bytes.indexOf(keyData);
        if (at !== -1) bytes.writeInt32BE(7, at + 5);
        return bytes;
      });
      const log = notedLog();
      const cache = await nodeCache({ channel: postgresChannel(wire.url), log });
      await cache.through('k', told('first', [ada]));
      expect(await cache.through('k', told('second', [ada]))).toBe('second');
      expect(log.lines).toEqual([expect.stringMatching(/^warn: .*not heard/)]);
      await wire.close();
    });

    it('that starts while the database is away believes nothing, and says so when it hears', async () => {
      const wire = await wireTo(url, 5432);
      wire.silence();
      const cache = await nodeCache({ channel: postgresChannel(wire.url) });
      await cache.through('k', told('first', [ada]));
      expect(await cache.through('k', told('second', [ada]))).toBe('second');
      wire.speak();
      await expect
        .poll(
          async () => {
            await cache.through('other', told('first', []));
            return cache.through('other', told('second', []));
          },
          { timeout: 5_000 },
        )
        .toBe('first');
      await wire.close();
    });
  });

  describe('an announcement', () => {
    it('is heard when the transaction commits, and never when it does not', async () => {
      const cache = await nodeCache({ channel: postgresChannel(url) });
      await cache.through('k', told('alive', [ada]));
      const failing = database.store.transact(acme, async (tx) => {
        await tx.announcements.toForget([ada]);
        throw new Error('rolled back');
      });
      await expect(failing).rejects.toThrow('rolled back');
      const held = Promise.withResolvers<void>();
      const said = Promise.withResolvers<void>();
      const committing = database.store.transact(acme, async (tx) => {
        await tx.announcements.toForget([ada]);
        said.resolve();
        await held.promise;
      });
      await said.promise;
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(await cache.through('k', told('too early', [ada], 0))).toBe('alive');
      held.resolve();
      await committing;
      await isRefused(cache).toBe('revoked');
    });
  });
});
