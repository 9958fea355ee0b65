// Opens the database: a PostgreSQL server over the network, or PGlite, the same PostgreSQL inside this process. One adapter, two drivers.

import { mkdir } from 'node:fs/promises';
import { Migrator } from '@mikro-orm/migrations';
import { type PgliteConnection, MikroORM as PgliteORM } from '@mikro-orm/pglite';
import { MikroORM as PostgresORM, type SqlEntityManager } from '@mikro-orm/postgresql';
import type { ReadModels, Standings } from '#application/ports/read-models.ts';
import type { Store } from '#application/ports/store.ts';
import type { Ids } from '#application/ports/system.ts';
import { outsideTransactionsOnly } from '../inside-transaction.ts';
import { answeringOrRefusing, refusalFor, refuseUnstorable, rethrow } from './database-faults.ts';
import { checkLogin, migrationFault } from './database-logins.ts';
import { asService, becomeService } from './database-roles.ts';
import { inTransaction } from './in-transaction.ts';
import { migrations } from './migrations/migrations.ts';
import { postgresReadModels } from './postgres-read-models.ts';
import { postgresStore } from './postgres-store.ts';
import { rows } from './rows/rows.ts';

export interface OpenDatabase {
  readonly store: Store;
  readonly readModels: ReadModels & Standings;
  /**
   * Brings the tables to this version of the code, then looks whether the login may do what it must and no more. Nodes that
   * start together take turns; the second time changes nothing.
   * @throws DatabaseLoginFault
   */
  migrate(): Promise<void>;
  /** Whether it answers within two seconds. Never throws. */
  isReachable(): Promise<boolean>;
  /** The embedded database itself, for a library that brings statements of its own. */
  readonly pglite?: EmbeddedDatabase;
  close(): Promise<void>;
}

export type EmbeddedDatabase = Awaited<ReturnType<PgliteConnection['getNativeClient']>>;

export interface PostgresOptions {
  /** `postgres://…`, with the login under which the service works. */
  readonly url: string;
  /** The same database with the login that owns the tables and may create roles; the same login unless told. */
  readonly migrationUrl?: string | undefined;
  /** Refuses a login that could lift the isolation of organizations (`DatabaseLoginFault`). */
  readonly onlyApart?: boolean | undefined;
  readonly ids: Ids;
  /** Connections at most; work beyond that waits for one. 10 unless told. */
  readonly connections?: number;
  /** A statement that runs longer is cancelled and answered with `storage.unavailable`. 15 000 unless told. */
  readonly statementMilliseconds?: number;
  /**
   * A transaction that says nothing for so long is ended by the server. Between two statements of ours lie milliseconds; a process that
   * was frozen there holds locks, and others wait for it no longer than this. 5 000 unless told.
   */
  readonly idleMilliseconds?: number;
}

export interface PgliteOptions {
  /** The folder that keeps the data; only one process may use it at a time. Undefined: in memory, gone when closed. */
  readonly dataDir: string | undefined;
  readonly ids: Ids;
}

const connectMilliseconds = 5_000;
const reachMilliseconds = 2_000;
/** Any number, as long as every node uses the same. */
const migrationLock = 7_290_114;

const common = {
  entities: rows,
  extensions: [Migrator],
  // A row that is inserted or updated with a wrong type is a fault of ours: say so instead of bending it.
  validate: true,
  migrations: { migrationsList: migrations, tableName: 'migrations', snapshot: false, silent: true },
  onQuery: refuseUnstorable,
  // Otherwise the first statement, also one inside a transaction, would wait for another connection to look for the database.
  ensureDatabase: false,
  // Database errors are thrown to whoever asked; nothing is printed.
  logger: () => {},
};

interface Driver {
  fork(): SqlEntityManager;
  migrate(): Promise<void>;
  close(): Promise<void>;
}

const opened = ({ fork, migrate, close }: Driver, ids: Ids): OpenDatabase => ({
  store: postgresStore(fork, ids),
  readModels: outsideTransactionsOnly(answeringOrRefusing(postgresReadModels(fork))),
  migrate,
  async isReachable() {
    const { promise: late, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), reachMilliseconds);
    const answers = fork()
      .execute('select 1')
      .then(
        () => true,
        () => false,
      );
    return Promise.race([answers, late]).finally(() => clearTimeout(timer));
  },
  close,
});

export const openPostgres = async (options: PostgresOptions): Promise<OpenDatabase> => {
  const orm = await PostgresORM.init({
    ...common,
    clientUrl: options.url,
    pool: { min: 0, max: options.connections ?? 10 },
    driverOptions: {
      options: asService,
      statement_timeout: options.statementMilliseconds ?? 15_000,
      idle_in_transaction_session_timeout: options.idleMilliseconds ?? 5_000,
      connectionTimeoutMillis: connectMilliseconds,
      application_name: 'hatidata-identity',
    },
  });
  return opened(
    {
      fork: () => orm.em.fork(),
      async migrate() {
        // Connections of their own: migrations may take longer than any statement of the service is allowed to.
        const migrating = await PostgresORM.init({
          ...common,
          clientUrl: options.migrationUrl ?? options.url,
          pool: { min: 0, max: 2 },
          driverOptions: {
            connectionTimeoutMillis: connectMilliseconds,
            application_name: 'hatidata-identity migrate',
          },
        });
        const lock = migrating.em.fork();
        await inTransaction(lock, async () => {
          await lock.execute('select pg_advisory_xact_lock(?)', [migrationLock]);
          await migrating.migrator.up();
        }).catch((thrown: unknown) => {
          // Not waited for: a pool that lost a connection under a migration never finishes closing.
          void migrating.close(true);
          throw refusalFor(migrationFault(thrown));
        });
        await migrating.close(true);
        await checkLogin(orm.em.fork(), options.onlyApart ?? false).catch(rethrow);
      },
      close: () => orm.close(true),
    },
    options.ids,
  );
};

export const openPglite = async ({
  dataDir,
  ids,
}: PgliteOptions): Promise<OpenDatabase & { readonly pglite: EmbeddedDatabase }> => {
  if (dataDir !== undefined) await mkdir(dataDir, { recursive: true });
  const orm = await PgliteORM.init({ ...common, dbName: dataDir ?? 'memory://' });
  // Its one connection has the role that connections to a server begin with, as soon as there is one.
  const become = () => orm.em.fork().execute(becomeService);
  await become();
  const pglite = await orm.em.getConnection().getNativeClient();
  const database = opened(
    {
      fork: () => orm.em.fork(),
      async migrate() {
        await orm.em.fork().execute('reset role');
        await orm.migrator.up();
        await become();
      },
      close: () => orm.close(true),
    },
    ids,
  );
  return { ...database, pglite };
};
