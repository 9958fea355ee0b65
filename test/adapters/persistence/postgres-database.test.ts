import { MikroORM, type SqlEntityManager } from '@mikro-orm/postgresql';
import { afterAll, describe, expect, it } from 'vitest';
import { asService, databaseRoles } from '#adapters/persistence/postgres/database-roles.ts';
import { inTransaction } from '#adapters/persistence/postgres/in-transaction.ts';
import { openPostgres, type PostgresOptions } from '#adapters/persistence/postgres/open-database.ts';
import { postgresReadModels } from '#adapters/persistence/postgres/postgres-read-models.ts';
import { rows } from '#adapters/persistence/postgres/rows/rows.ts';
import {
  auditDraft,
  countingIds,
  everywhere,
  filledOrganization,
  found,
  organizationWith,
  userWith,
} from '../../contracts/store-words.ts';
import { run, testDatabase, withPostgres } from '../../support/postgres.ts';

const unavailable = { reason: 'storage.unavailable' };
const nothingListens = 'postgres://nobody@127.0.0.1:1/nothing';

const cutEverybodyOff = `select pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid()`;

describe('a database that cannot be reached', () => {
  it('is refused as unavailable, in transactions and in questions, and is not reachable', async () => {
    const database = await openPostgres({ url: nothingListens, ids: countingIds });
    await expect(database.store.transact(everywhere, async () => 'never')).rejects.toMatchObject(unavailable);
    await expect(database.readModels.organization(organizationWith().state.id)).rejects.toMatchObject(unavailable);
    const trail = database.readModels.auditTrail(organizationWith().state.id)[Symbol.asyncIterator]();
    await expect(trail.next()).rejects.toMatchObject(unavailable);
    expect(await database.isReachable()).toBe(false);
    await database.close();
  });
});

await withPostgres('the database on PostgreSQL', (url) => {
  describe('the database on PostgreSQL', () => {
    const databases: Awaited<ReturnType<typeof openPostgres>>[] = [];
    const opened = async (options: Partial<PostgresOptions> = {}) => {
      const database = await openPostgres({ url, ids: countingIds, ...options });
      databases.push(database);
      return database;
    };
    const migrated = async (options: Partial<PostgresOptions> = {}) => {
      const database = await opened(options);
      await database.migrate();
      return database;
    };
    afterAll(() => Promise.all(databases.map((database) => database.close())));

    it('is brought up to date once when several nodes start at the same time', async () => {
      const empty = found(await testDatabase());
      const nodes = await Promise.all([1, 2, 3, 4].map(() => openPostgres({ url: empty.url, ids: countingIds })));
      try {
        await Promise.all(nodes.map((node) => node.migrate()));
        await nodes[0]?.migrate();
        const filled = filledOrganization();
        await nodes[1]?.store.transact(everywhere, (tx) => filled.saveIn(tx));
        expect((await nodes[2]?.readModels.organization(filled.organizationId))?.id).toBe(filled.organizationId);
        expect(await nodes[3]?.isReachable()).toBe(true);
      } finally {
        await Promise.all(nodes.map((node) => node.close()));
        await empty.drop();
      }
    });

    it('lets writers of one organization take turns also when they come from different nodes', async () => {
      const [one, two] = [await migrated(), await opened()];
      const organization = organizationWith({ name: '0' });
      const { id } = organization.state;
      await one.store.transact(everywhere, (tx) => tx.organizations.save(organization));
      let runs = 0;
      await Promise.all(
        Array.from({ length: 20 }, (_, number) =>
          (number % 2 === 0 ? one : two).store.transact(id, async (tx) => {
            runs += 1;
            const known = found(await tx.organizations.get(id));
            known.rename(String(Number(known.state.name) + 1));
            await tx.organizations.save(known);
          }),
        ),
      );
      expect((await two.readModels.organization(id))?.name).toBe('20');
      expect(runs).toBe(20);
    });

    it('lets a crowd through that fights over one row: whoever lost queues for the next run', async () => {
      const { store, readModels } = await migrated({ connections: 30 });
      const organization = organizationWith({ name: '0' });
      const { id } = organization.state;
      await store.transact(everywhere, (tx) => tx.organizations.save(organization));
      const crowd = Array.from({ length: 60 }, () =>
        store.transact(everywhere, async (tx) => {
          const known = found(await tx.organizations.get(id));
          known.rename(String(Number(known.state.name) + 1));
          await tx.organizations.save(known);
        }),
      );
      expect((await Promise.allSettled(crowd)).filter(({ status }) => status === 'rejected')).toEqual([]);
      expect((await readModels.organization(id))?.name).toBe('60');
    });

    it('is unavailable to whom its connection was cut under, keeps nothing of their work, and serves the next', async () => {
      const database = await migrated({ connections: 1 });
      const filled = filledOrganization();
      const cut = database.store.transact(everywhere, async (tx) => {
        await filled.saveIn(tx);
        await run(url, cutEverybodyOff);
        await tx.organizations.get(filled.organizationId);
      });
      await expect(cut).rejects.toMatchObject(unavailable);
      expect(await database.readModels.organization(filled.organizationId)).toBeUndefined();
      await database.store.transact(everywhere, (tx) => filled.saveIn(tx));
      expect((await database.readModels.organization(filled.organizationId))?.id).toBe(filled.organizationId);
    });

    it('is unavailable to whom a statement takes too long', async () => {
      const [other, database] = [await migrated(), await opened({ statementMilliseconds: 150 })];
      const { id } = organizationWith().state;
      const { promise: over, resolve: end } = Promise.withResolvers<void>();
      const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
      const first = other.store.transact(id, async () => {
        begin();
        await over;
      });
      await begun;
      await expect(database.store.transact(id, async () => 'never')).rejects.toMatchObject(unavailable);
      end();
      await first;
      expect(await database.store.transact(id, async () => 'now')).toBe('now');
    });

    it('does not let others wait for a process that froze in the middle of a transaction', async () => {
      const [frozen, database] = [await migrated({ idleMilliseconds: 300 }), await opened()];
      const { id } = organizationWith().state;
      const { promise: over, resolve: wake } = Promise.withResolvers<void>();
      const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
      const first = frozen.store.transact(id, async (tx) => {
        begin();
        await over;
        return tx.organizations.get(id);
      });
      await begun;
      expect(await database.store.transact(id, async () => 'served')).toBe('served');
      wake();
      await expect(first).rejects.toMatchObject(unavailable);
      expect(await frozen.store.transact(id, async () => 'again')).toBe('again');
    });

    it('leaves connections to others while many writers of one organization wait for their turn', async () => {
      const database = await migrated({ connections: 2 });
      const [busy, quiet] = [organizationWith().state.id, organizationWith().state.id];
      const { promise: over, resolve: end } = Promise.withResolvers<void>();
      const waiting = Array.from({ length: 5 }, () => database.store.transact(busy, () => over));
      expect(await database.store.transact(quiet, async () => 'served')).toBe('served');
      end();
      await Promise.all(waiting);
    });

    it('refuses text that it cannot hold, and takes everything else as it is', async () => {
      const { store } = await migrated();
      const refused = { reason: 'request.invalid' };
      const save = (name: string) => store.transact(everywhere, (tx) => tx.users.save(userWith({ name })));
      await expect(save('zero \0 byte')).rejects.toMatchObject(refused);
      const halfPair = auditDraft(null, { after: { name: 'half \ud83d' } });
      await expect(store.transact(everywhere, (tx) => tx.audit.append([halfPair]))).rejects.toMatchObject(refused);
      const odd = `'; drop table users; -- " \\ \\' ? ?? $1 :name \u{1f600} \u202e \n\t`;
      const user = userWith({ name: odd });
      await store.transact(everywhere, (tx) => tx.users.save(user));
      const kept = await store.transact(everywhere, (tx) => tx.users.get(user.state.id));
      expect(kept?.state.name).toBe(odd);
    });

    it('judges a credential in one round trip', async () => {
      const { store } = await migrated();
      const filled = filledOrganization();
      await store.transact(everywhere, (tx) => filled.saveIn(tx));
      const driverOptions = { options: asService };
      const orm = await MikroORM.init({ clientUrl: url, entities: rows, pool: { min: 0, max: 2 }, driverOptions });
      try {
        let asked = 0;
        const recording = (): SqlEntityManager =>
          new Proxy(orm.em.fork() as SqlEntityManager, {
            get(em, name) {
              if (name === 'map') return em.map.bind(em);
              if (name !== 'execute') throw new Error(`A standing used ${String(name)}`);
              return (sql: string, values: unknown[]) => {
                asked += 1;
                return em.execute(sql, values);
              };
            },
          });
        const standings = postgresReadModels(recording);
        const session = await standings.ofSessionReference(filled.session.state.referenceDigest);
        const same = await standings.ofProviderSession('fake', filled.session.state.providerSession);
        const key = await standings.ofApiKey(['another', filled.key.state.digest]);
        expect([session?.session.id, same?.session.id]).toEqual([filled.session.state.id, filled.session.state.id]);
        expect(key?.key.id).toBe(filled.key.state.id);
        expect(asked).toBe(3);
      } finally {
        await orm.close(true);
      }
    });

    it('looks everything up by index only', async () => {
      await migrated();
      const orm = await MikroORM.init({ clientUrl: url, entities: rows, pool: { min: 0, max: 2 } });
      try {
        const lookups = await orm.em.fork().execute<{ name: string; query: string; types: string; count: number }[]>(
          `select proname as name, prosrc as query, oidvectortypes(proargtypes) as types, pronargs as count
          from pg_proc where pronamespace = 'lookup'::regnamespace`,
        );
        expect(lookups.length).toBeGreaterThan(5);
        for (const { name, query, types, count } of lookups) {
          const em = orm.em.fork();
          const plan = await inTransaction(em, async () => {
            await em.execute('set local enable_seqscan = off');
            await em.execute('set local plan_cache_mode = force_generic_plan');
            await em.execute(`set local role ${databaseRoles.lookup}`);
            await em.execute(`prepare ${name}_plan(${types}) as ${query}`);
            const nothing = Array.from({ length: count }, () => 'null').join(', ');
            return em.execute<{ 'QUERY PLAN': string }[]>(`explain execute ${name}_plan(${nothing})`);
          });
          const text = plan.map((line) => line['QUERY PLAN']).join('\n');
          expect(text, name).toContain('Index');
          expect(text, name).not.toContain('Seq Scan');
        }
      } finally {
        await orm.close(true);
      }
    });
  });
});
