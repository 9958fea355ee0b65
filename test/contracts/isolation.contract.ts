// What the database itself promises, whatever the code above it asks: organizations are kept apart, and a connection carries nothing over.

import type { SqlEntityManager } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseRoles } from '#adapters/persistence/postgres/database-roles.ts';
import { inTransaction } from '#adapters/persistence/postgres/in-transaction.ts';
import { postgresReadModels } from '#adapters/persistence/postgres/postgres-read-models.ts';
import { postgresStore } from '#adapters/persistence/postgres/postgres-store.ts';
import type { Scope, Store } from '#application/ports/store.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';
import { appendOnly, deletable, sharedSchemas, sharedTables } from '../adapters/persistence/isolation-words.ts';
import { countingIds, everywhere, type FilledOrganization, filledOrganization, newId } from './store-words.ts';

export interface ServiceConnection {
  /** An EntityManager over the one connection that there is, made as the service makes its own. */
  fork(): SqlEntityManager;
  close(): Promise<void>;
}

type Row = Record<string, string | null>;

const { service, organization, across, lookup } = databaseRoles;
const roles: readonly string[] = Object.values(databaseRoles);
const quoted = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ');

const tables = `select c.oid, n.nspname || '.' || c.relname as name, c.relrowsecurity as guarded, c.relforcerowsecurity as forced,
    exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'organization_id' and not a.attisdropped) as has_organization
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema')`;

/** Every privilege on every table that somebody other than its owner has. An empty grantee is everybody. */
const privileges = `select n.nspname || '.' || c.relname as name, coalesce(r.rolname, 'public') as who, lower(p.privilege_type) as privilege
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  cross join lateral aclexplode(c.relacl) p left join pg_roles r on r.oid = p.grantee
  where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema') and p.grantee <> c.relowner`;

const policies = `select c.relnamespace::regnamespace || '.' || c.relname as name, p.polcmd as command, array_to_string(array(
      select case oid when 0 then 'public' else oid::regrole::text end from unnest(p.polroles) oid
    ), ',') as who,
    coalesce(pg_get_expr(p.polqual, p.polrelid), '') as visible,
    coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '') as writable
  from pg_policy p join pg_class c on c.oid = p.polrelid`;

export const isolationContract = (name: string, open: () => Promise<ServiceConnection>): void => {
  describe(`${name} keeps organizations apart by itself`, () => {
    let connection: ServiceConnection;
    let store: Store;
    let ours: FilledOrganization;
    let theirs: FilledOrganization;
    const fork = (): SqlEntityManager => connection.fork();

    beforeAll(async () => {
      connection = await open();
      store = postgresStore(fork, countingIds);
      [ours, theirs] = [filledOrganization(), filledOrganization()];
      await store.transact(everywhere, (tx) => ours.saveIn(tx));
      await store.transact(everywhere, (tx) => theirs.saveIn(tx));
    });
    afterAll(() => connection.close());

    /** One statement past the code, in a transaction with these settings, which is rolled back. */
    const asking = async <T = Row>(settings: Readonly<Record<string, string>>, sql: string): Promise<T[]> => {
      const rolledBack = new Error('rolled back');
      let found: T[] = [];
      const em = fork();
      const attempt = inTransaction(em, async () => {
        for (const [setting, value] of Object.entries(settings)) {
          await em.execute('select set_config(?, ?, true)', [setting, value]);
        }
        found = await em.execute<T[]>(sql);
        throw rolledBack;
      });
      await attempt.catch((thrown: unknown) => {
        if (thrown !== rolledBack) throw thrown;
      });
      return found;
    };
    const asOwner = <T = Row>(sql: string): Promise<T[]> => asking<T>({ role: 'none' }, sql);
    const within = <T = Row>(id: string, sql: string): Promise<T[]> =>
      asking<T>({ role: organization, 'app.organization': id }, sql);
    const denied = expect.objectContaining({ code: '42501' });

    interface Table {
      readonly oid: number;
      readonly name: string;
      readonly guarded: boolean;
      readonly forced: boolean;
      readonly has_organization: boolean;
    }
    const isLibrarys = (table: string): boolean => (table.split('.')[0] ?? '') in sharedSchemas;
    const isShared = (table: string): boolean => table in sharedTables || isLibrarys(table);
    const keptApart = async (): Promise<{ name: string; column: string }[]> =>
      (await asOwner<Table>(tables))
        .filter(({ name }) => !isShared(name))
        .map(({ name }) => ({ name, column: name === 'public.organizations' ? 'id' : 'organization_id' }));

    describe('the catalogue', () => {
      it('has forced row-level security on every table with an organization, and a reason for every other', async () => {
        const all = await asOwner<Table>(tables);
        expect(all.length).toBeGreaterThan(15);
        const open = all.filter(({ name, guarded, forced }) => !isShared(name) && !(guarded && forced));
        expect(open.map(({ name }) => name)).toEqual([]);
        const excused = all.filter(({ name, has_organization: has }) => name in sharedTables && has);
        expect(excused.map(({ name }) => name)).toEqual([]);
        const gone = Object.keys(sharedTables).filter((known) => !all.some((table) => table.name === known));
        expect(gone).toEqual([]);
      });

      it('has a policy for an organization and one for named crossings on each of them, and none for everybody', async () => {
        const found = await asOwner(policies);
        for (const table of await keptApart()) {
          const here = found.filter((policy) => policy['name'] === table.name);
          const own = here.filter(({ who, command }) => who === organization && command === '*');
          expect(own, table.name).toHaveLength(1);
          expect(own[0]?.['visible'], table.name).toContain(
            `(${table.column} = current_setting('app.organization'::text, true))`,
          );
          expect(own[0]?.['writable'], table.name).toBe(own[0]?.['visible']);
          const crossing = here.filter(({ who }) => who === across);
          expect(crossing, table.name).toHaveLength(1);
          expect(crossing[0]?.['visible'], table.name).toContain(`'app.across'`);
          expect(crossing[0]?.['writable'], table.name).toBe(crossing[0]?.['visible']);
        }
        const others = found.filter(({ who, command }) => who === 'public' || (who === lookup && command !== 'r'));
        expect(others).toEqual([]);
        expect(found.filter(({ who }) => !roles.includes(who ?? ''))).toEqual([]);
      });

      it('knows roles that are nothing by themselves, inherit nothing and own nothing but the lookups', async () => {
        const found = await asOwner(`select * from pg_roles where rolname in (${quoted(roles)})`);
        expect(found).toHaveLength(roles.length);
        for (const role of found) {
          const may = Object.entries(role).filter(([key, value]) => key !== 'rolname' && (value as unknown) === true);
          expect(may, String(role['rolname'])).toEqual([]);
        }
        const members = await asOwner(
          `select member::regrole::text as member, roleid::regrole::text as of from pg_auth_members
          where member in (select oid from pg_roles where rolname in (${quoted(roles)})) order by 2`,
        );
        expect(members).toEqual([
          { member: service, of: across },
          { member: service, of: organization },
        ]);
        const owned = await asOwner(
          `select relname as name, relowner::regrole::text as who from pg_class where relowner::regrole::text in (${quoted(roles)})
          union all select nspname, nspowner::regrole::text from pg_namespace where nspowner::regrole::text in (${quoted(roles)})
          union all select proname, proowner::regrole::text from pg_proc
            where proowner::regrole::text in (${quoted(roles)}) and pronamespace::regnamespace::text <> 'lookup'
          union all select datname, datdba::regrole::text from pg_database where datdba::regrole::text in (${quoted(roles)})`,
        );
        expect(owned).toEqual([{ name: 'lookup', who: lookup }]);
      });

      it('grants nothing to everybody, no more than rows, no deleting but where it is known, and no change of the trail', async () => {
        const found = await asOwner<{ name: string; who: string; privilege: string }>(privileges);
        const ofRows = ['select', 'insert', 'update', 'delete'];
        const tooWide = found.filter(
          ({ name, who, privilege }) =>
            who === 'public' ||
            !ofRows.includes(privilege) ||
            (who === lookup && privilege !== 'select') ||
            (who === service && !isLibrarys(name) && !(privilege === 'select' && name === 'public.migrations')) ||
            (privilege === 'delete' && !(name in deletable) && !isLibrarys(name)) ||
            (appendOnly.includes(name) && (privilege === 'update' || privilege === 'delete')),
        );
        expect(tooWide).toEqual([]);
        const columns = await asOwner(`select attname from pg_attribute where attacl is not null and attrelid > 16384`);
        expect(columns).toEqual([]);
      });

      it('has no function that runs with more rights than its caller, but the lookups, which only the service may call', async () => {
        const found = await asOwner(
          `select pronamespace::regnamespace || '.' || proname as name, proowner::regrole::text as owner,
            array_to_string(proconfig, ';') as settings, provolatile as changes,
            (select string_agg(case grantee when 0 then 'public' else grantee::regrole::text end, ',' order by 1)
              from aclexplode(proacl) where grantee <> proowner) as callers
          from pg_proc where prosecdef and pronamespace::regnamespace::text not in ('pg_catalog', 'information_schema')`,
        );
        expect(found.length).toBeGreaterThan(5);
        for (const { name, ...rest } of found) {
          expect(name).toMatch(/^lookup\./);
          expect(rest, String(name)).toEqual({
            owner: lookup,
            settings: 'search_path=public, pg_temp',
            changes: 's',
            callers: service,
          });
        }
        const inside = await asOwner(
          `select proname from pg_proc where pronamespace::regnamespace::text = 'lookup' and not prosecdef`,
        );
        expect(inside).toEqual([]);
      });
    });

    describe('a statement past the code', () => {
      it('may not touch any table of ours as the service alone', async () => {
        const all = (await asOwner<Table>(tables)).filter(
          ({ name }) => name !== 'public.migrations' && !isLibrarys(name),
        );
        for (const table of all) {
          await expect(asking({}, `select * from ${table.name}`), table.name).rejects.toEqual(denied);
        }
      });

      it('sees and changes nothing in a transaction that has set no organization, or named no reason', async () => {
        for (const { name, column } of await keptApart()) {
          for (const role of [organization, across]) {
            for (const settings of [{ role }, { role, 'app.organization': '', 'app.across': '' }]) {
              const seen = await asking(settings, `select ${column} from ${name}`).catch((thrown: unknown) => thrown);
              // The trail's dealings with no organization, and events that nobody has placed yet, are no organization's rows.
              const none = Array.isArray(seen) ? seen.filter((row) => ![null, '-'].includes(row[column])) : seen;
              if (Array.isArray(none)) expect(none, `${name} as ${role}`).toEqual([]);
              else expect(none, `${name} as ${role}`).toEqual(denied);
            }
          }
        }
      });

      it('sees rows of its own organization in every table, and none of another', async () => {
        let filled = 0;
        for (const { name, column } of await keptApart()) {
          const seen = await within(ours.organizationId, `select distinct ${column} as id from ${name}`);
          const ids = seen.map(({ id }) => id).filter((id) => id !== null && id !== '-');
          const there = await asOwner(`select distinct ${column} as id from ${name} where ${column} like 'org_%'`);
          expect(ids, name).toEqual(there.some(({ id }) => id === ours.organizationId) ? [ours.organizationId] : []);
          filled += there.length > 1 ? 1 : 0;
        }
        expect(filled).toBeGreaterThanOrEqual(15);
      });

      it('changes and removes no row of another organization, and moves none there', async () => {
        for (const { name, column } of await keptApart()) {
          const [there, here] = [theirs.organizationId, ours.organizationId];
          const change = `with changed as (update ${name} set ${column} = ${column} where ${column} = '${there}' returning 1) select * from changed`;
          const remove = `with gone as (delete from ${name} where ${column} = '${there}' returning 1) select * from gone`;
          for (const sql of [change, remove]) {
            const done = await within(here, sql).catch((thrown: unknown) => thrown);
            if (Array.isArray(done)) expect(done, sql).toEqual([]);
            else expect(done, sql).toEqual(denied);
          }
          const move = `update ${name} set ${column} = 'org_elsewhere' where ${column} = '${here}'`;
          const filled = await within(here, `select 1 as one from ${name} where ${column} = '${here}' limit 1`);
          if (filled.length > 0) await expect(within(here, move), name).rejects.toEqual(denied);
        }
      });

      it('writes no row for another organization', async () => {
        const insert = (id: string) => `insert into role_mappings (organization_id, mappings) values ('${id}', '[]')`;
        const [mine, other] = [newId('org'), newId('org')];
        await expect(within(mine, insert(other))).rejects.toEqual(denied);
        await expect(asking({ role: organization }, insert(other))).rejects.toEqual(denied);
        await expect(asking({ role: across }, insert(other))).rejects.toEqual(denied);
        await within(mine, insert(mine));
        await asking({ role: across, 'app.across': 'inbox' }, insert(other));
      });

      it('changes and removes nothing in the trail, whoever it is', async () => {
        for (const settings of [
          { role: organization, 'app.organization': ours.organizationId },
          { role: across, 'app.across': 'inbox' },
        ]) {
          await expect(asking(settings, 'delete from audit_entries')).rejects.toEqual(denied);
          await expect(asking(settings, `update audit_entries set action = 'nothing'`)).rejects.toEqual(denied);
        }
      });

      it('writes nothing while it answers a question', async () => {
        const readModels = postgresReadModels(() => {
          const em = fork();
          return Object.assign(em, { find: () => em.execute('delete from verified_domains') });
        });
        const asked = readModels.agents(ours.organizationId, { limit: 1, cursor: null });
        await expect(asked).rejects.toMatchObject({ code: '25006' });
      });
    });

    describe('a connection', () => {
      const carried = async (): Promise<Row | undefined> => {
        const [row] = await fork().execute<Row[]>(
          `select current_user::text as role, coalesce(current_setting('app.organization', true), '') as organization,
            coalesce(current_setting('app.across', true), '') as across, current_setting('transaction_read_only') as reads_only`,
        );
        return row;
      };
      const nothing = { role: service, organization: '', across: '', reads_only: 'off' };

      it('carries nothing over from a transaction that committed, threw, failed, or was cancelled', async () => {
        expect(await carried()).toEqual(nothing);
        const scopes: Scope[] = [ours.organizationId, everywhere, { across: 'inbox', inTurnWith: ours.organizationId }];
        for (const scope of scopes) {
          await store.transact(scope, (tx) => tx.memberships.get(ours.organizationId, newId('mem')));
          expect(await carried()).toEqual(nothing);
          const thrown = store.transact(scope, async () => Promise.reject(new Error('thought better of it')));
          await expect(thrown).rejects.toThrow('thought better of it');
          expect(await carried()).toEqual(nothing);
        }
        const failing = async (sql: string): Promise<void> => {
          const em = fork();
          const failed = inTransaction(em, async () => {
            await em.execute(`select set_config('role', ?, true), set_config('app.organization', ?, true)`, [
              organization,
              ours.organizationId,
            ]);
            await em.execute(sql);
          });
          await expect(failed).rejects.toThrow();
          expect(await carried()).toEqual(nothing);
        };
        await failing('select 1 / 0');
        await failing(`do $$ begin raise exception using errcode = 'query_canceled'; end $$`);
        await failing('select * from nowhere');
      });

      it('carries nothing over from a question', async () => {
        const readModels = postgresReadModels(fork);
        await readModels.members(ours.organizationId, {}, { limit: 5, cursor: null });
        expect(await carried()).toEqual(nothing);
        await expect(readModels.members(ours.organizationId, {}, { limit: 5, cursor: 'nonsense' })).rejects.toThrow();
        expect(await carried()).toEqual(nothing);
        await readModels.organization(ours.organizationId as OrganizationId);
        expect(await carried()).toEqual(nothing);
      });
    });
  });
};
