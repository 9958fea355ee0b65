// Gets the tests a Redis from wherever there is one, and servers of their own to kill, freeze and flush.

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'redis';
import { GenericContainer } from 'testcontainers';
import { afterAll, describe, it } from 'vitest';
import { freePort } from '../../deploy/free-port.ts';
import { hasContainerEngine } from './postgres.ts';

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** Runs one command over a connection of its own. */
export const command = async (url: string, ...words: readonly string[]): Promise<unknown> => {
  const client = createClient({ url, socket: { connectTimeout: 1_000, reconnectStrategy: false } });
  client.on('error', () => {});
  await client.connect();
  try {
    return await client.sendCommand([...words]);
  } finally {
    client.destroy();
  }
};

const answers = (url: string): Promise<boolean> =>
  command(url, 'PING').then(
    () => true,
    () => false,
  );

/** A Redis of the test's own: a process that it may treat badly. */
export interface RedisServer {
  readonly url: string;
  /** Ends it as a power cut would; what it wrote to its disk stays. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Stops it in the middle of whatever it does: connections stay open, nothing answers. */
  freeze(): void;
  thaw(): void;
  command(...words: readonly string[]): Promise<unknown>;
  /** Ends it for good. */
  close(): Promise<void>;
}

/** Undefined where there is no `redis-server` to run. */
export const redisServer = async (): Promise<RedisServer | undefined> => {
  const folder = await mkdtemp(join(tmpdir(), 'identity-redis-'));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    const settings = [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      folder,
      '--save',
      '',
      '--appendonly',
      'no',
    ];
    const mine = spawn('redis-server', settings, { stdio: 'ignore' });
    child = mine;
    const failed = once(mine, 'error').then(([fault]) => Promise.reject(fault));
    failed.catch(() => {});
    const isUp = async (): Promise<void> => {
      while (!(await answers(url))) await sleep(20);
    };
    await Promise.race([isUp(), failed]);
  };
  const kill = async (): Promise<void> => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  const close = async (): Promise<void> => {
    await kill();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await start();
  } catch {
    await close();
    return undefined;
  }
  return {
    url,
    start,
    kill,
    close,
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    command: (...words) => command(url, ...words),
  };
};

interface Source {
  readonly url: string;
  readonly origin: string;
  stop(): Promise<void>;
}

const anyRedis = async (): Promise<Source | undefined> => {
  const named = process.env['TEST_REDIS_URL'];
  const stop = async (): Promise<void> => {};
  if (named) {
    await command(named, 'PING');
    return { url: named, origin: 'the server of TEST_REDIS_URL', stop };
  }
  if (await hasContainerEngine()) {
    const container = await new GenericContainer('redis:8-alpine').withExposedPorts(6379).start();
    const url = `redis://${container.getHost()}:${container.getMappedPort(6379)}`;
    return { url, origin: 'a container (redis:8-alpine)', stop: async () => void (await container.stop()) };
  }
  const here = 'redis://127.0.0.1:6379';
  if (await answers(here)) return { url: here, origin: 'the server on 127.0.0.1:6379', stop };
  const server = await redisServer();
  return server && { url: server.url, origin: 'a redis-server of our own', stop: server.close };
};

export interface TestRedis {
  readonly url: string;
  /** A prefix that nobody else has. */
  prefix(): string;
}

const isMissing = (title: string, what: string): void => {
  const loud = `NOT TESTED: ${title}. There is no ${what}: set TEST_REDIS_URL, start Docker, or put redis-server on the PATH.`;
  if (process.env['CI']) throw new Error(loud);
  describe(title, () => it(`has a ${what}`, ({ skip }) => skip(loud)));
  process.on('exit', () => say(`\n${loud}\n`));
};

/**
 * Defines tests that need a Redis, which they share with others. Without one they are skipped, and the run says so loudly; where CI
 * is set, it fails.
 * @param title whose tests they are, for the line that says that they did not run
 */
export const withRedis = async (title: string, define: (redis: TestRedis) => void): Promise<void> => {
  const source = await anyRedis();
  if (!source) return isMissing(title, 'Redis to run on');
  say(`Redis for these tests: ${source.origin}`);
  define({ url: source.url, prefix: () => `identity-test-${process.pid}-${randomBytes(4).toString('hex')}` });
  afterAll(() => source.stop());
};

/** As `withRedis`, for tests that kill, freeze and flush: the server is theirs alone. */
export const withOwnRedis = async (title: string, define: (server: RedisServer) => void): Promise<void> => {
  const server = await redisServer();
  if (!server) return isMissing(title, 'redis-server to start and kill');
  define(server);
  afterAll(() => server.close());
};
