import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DatabaseLoginFault } from '#adapters/persistence/postgres/database-logins.ts';
import { databaseRoles } from '#adapters/persistence/postgres/database-roles.ts';
import { openPostgres, type PostgresOptions } from '#adapters/persistence/postgres/open-database.ts';
import { countingIds, everywhere, filledOrganization } from '../../contracts/store-words.ts';
import { run, withPostgres } from '../../support/postgres.ts';

await withPostgres('the logins of the database', (administrator) => {
  describe('the logins of the database', () => {
    const tail = randomBytes(4).toString('hex');
    const [owner, login, stranger] = [`identity_owner_${tail}`, `identity_login_${tail}`, `identity_stranger_${tail}`];
    /** Owns nothing, and sees everything. */
    const keyed = `identity_keyed_${tail}`;
    const password = randomBytes(12).toString('hex');
    const ended: (() => Promise<void>)[] = [];

    const as = (name: string, url = administrator): string => {
      const address = new URL(url);
      [address.username, address.password] = [name, password];
      return address.href;
    };
    const migrated = async (options: Partial<PostgresOptions>): Promise<void> => {
      const database = await openPostgres({ url: administrator, ids: countingIds, ...options });
      try {
        await database.migrate();
        const filled = filledOrganization();
        await database.store.transact(everywhere, (tx) => filled.saveIn(tx));
        expect((await database.readModels.organization(filled.organizationId))?.id).toBe(filled.organizationId);
      } finally {
        await database.close();
      }
    };
    const fault = async (options: Partial<PostgresOptions>): Promise<string> => {
      const thrown = await migrated(options).catch((reason: unknown) => reason);
      expect(thrown).toBeInstanceOf(DatabaseLoginFault);
      const { message } = thrown as DatabaseLoginFault;
      expect(message).not.toContain(password);
      return message;
    };
    /** An empty database on the same server that the owner has; dropped at the end. */
    const emptyDatabase = async (): Promise<string> => {
      const name = `identity_logins_${randomBytes(4).toString('hex')}`;
      await run(administrator, `create database ${name} owner ${owner}`);
      ended.unshift(() => run(administrator, `drop database ${name} with (force)`));
      const url = new URL(administrator);
      url.pathname = `/${name}`;
      return url.href;
    };

    beforeAll(async () => {
      await run(administrator, `create role ${owner} login createrole password '${password}'`);
      await run(administrator, `create role ${login} login password '${password}'`);
      await run(administrator, `create role ${keyed} login bypassrls password '${password}'`);
      await run(administrator, `create role ${stranger} login password '${password}'`);
      // The administrator made the roles, for a database before this one; its owner has to be let into them.
      await migrated({ url: administrator });
      await run(administrator, `grant ${databaseRoles.lookup}, ${databaseRoles.service} to ${owner}`);
      ended.push(async () => {
        for (const name of [owner, login, stranger, keyed]) await run(administrator, `drop role ${name}`);
      });
    });
    afterAll(async () => {
      for (const end of ended) await end();
    });

    it('may be one for everything at a desk', async () => {
      await migrated({ url: as(owner, await emptyDatabase()) });
    });

    it('are two in production: the owner migrates, and the service works under one that owns nothing', async () => {
      const url = await emptyDatabase();
      await migrated({ url: as(owner, url) });
      await run(administrator, `grant ${databaseRoles.service} to ${login}`);
      await migrated({ url: as(login, url), migrationUrl: as(owner, url), onlyApart: true });
      // A node that may not migrate serves what others have migrated.
      await migrated({ url: as(login, url), onlyApart: true });
      await expect(run(as(login, url), 'select * from organizations')).rejects.toThrow('permission denied');
      await expect(run(as(login, url), 'create table mine (id text)')).rejects.toThrow('permission denied');
    });

    it('of production may not be able to lift the isolation', async () => {
      const url = await emptyDatabase();
      await migrated({ url: as(owner, url) });
      expect(await fault({ url: as(owner, url), onlyApart: true })).toMatch(
        new RegExp(`login ${owner} .* owns the tables`),
      );
      await run(administrator, `grant ${databaseRoles.service} to ${keyed}`);
      expect(await fault({ url: as(keyed, url), onlyApart: true })).toMatch(/past row-level security/);
      expect(await fault({ url, onlyApart: true })).toMatch(/past row-level security.*MIGRATION_DATABASE_URL/s);
    });

    it('of the service must be let into its role', async () => {
      const url = await emptyDatabase();
      const refused = await fault({ url: as(stranger, url), migrationUrl: as(owner, url) });
      expect(refused).toContain(`grant ${databaseRoles.service} to it`);
    });

    it('that may not migrate says so where there is something to migrate', async () => {
      expect(await fault({ url: as(stranger, await emptyDatabase()) })).toContain('MIGRATION_DATABASE_URL');
    });
  });
});
