// The topology of docker-compose.yml on this machine, without containers: two nodes, a worker, a proxy, a guarded service.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { type RunningProxy, startProxy } from './proxy.ts';

export interface ClusterOptions {
  /** A PostgreSQL that is there. */
  readonly databaseUrl: string;
  /** Without it the nodes tell each other through PostgreSQL. */
  readonly redisUrl?: string | undefined;
  /** Where the first node keeps the fake provider's world. */
  readonly dataDir: string;
  /** Where the proxy listens; a free port if missing. */
  readonly port?: number | undefined;
  readonly environment?: Readonly<Record<string, string>>;
  /** A process ended that nobody stopped. */
  readonly ended?: (who: Part, how: string) => void;
  /** Every line that a process says. */
  readonly hear?: (who: string, text: string) => void;
}

export type Part = 'identity-1' | 'identity-2' | 'worker' | 'sample';

export interface Cluster {
  /** The address for browsers. */
  readonly url: string;
  readonly nodes: Readonly<Record<'identity-1' | 'identity-2' | 'worker', string>>;
  /** The processes as they are now. */
  pids(): Readonly<Partial<Record<Part, number>>>;
  /** Ends a part; with SIGKILL without a word. Settles when it is gone. */
  stop(part: Part, signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Starts a part that was stopped. Settles when it answers. */
  start(part: Part): Promise<void>;
  close(): Promise<void>;
}

const home = join(import.meta.dirname, '..');
const patienceSeconds = 90;

const answers = async (url: string): Promise<boolean> =>
  fetch(url, { signal: AbortSignal.timeout(2000) }).then(
    ({ ok }) => ok,
    () => false,
  );

/** @throws Error with the last words of a process that ends, or does not answer in time */
export const startCluster = async (options: ClusterOptions): Promise<Cluster> => {
  const { databaseUrl, redisUrl, dataDir, environment = {}, hear = () => undefined, ended = () => undefined } = options;
  const port = options.port ?? (await freePort());
  const ports = {
    'identity-1': await freePort(),
    'identity-2': await freePort(),
    worker: await freePort(),
    sample: await freePort(),
  };
  const at = (part: Part): string => `http://127.0.0.1:${ports[part]}`;
  const shared = {
    PATH: process.env['PATH'] ?? '',
    PUBLIC_URL: `http://localhost:${port}`,
    DATABASE_URL: databaseUrl,
    ...(redisUrl !== undefined && { REDIS_URL: redisUrl }),
    SESSION_SECRETS: 'known-to-everybody-at-a-desk-only-1',
    API_KEY_PEPPERS: 'known-to-everybody-at-a-desk-only-2',
    TRUSTED_PROXIES: '127.0.0.1',
    ...environment,
  };
  const guest = { FAKE_IDENTITY_URL: at('identity-1') };
  const own: Readonly<Record<Part, Readonly<Record<string, string>>>> = {
    'identity-1': { ROLE: 'serve', DATA_DIR: join(dataDir, 'identity-1') },
    'identity-2': { ROLE: 'serve', DATA_DIR: join(dataDir, 'identity-2'), ...guest },
    worker: { ROLE: 'work', DATA_DIR: join(dataDir, 'worker'), ...guest },
    sample: {},
  };
  const running = new Map<Part, ChildProcess>();

  const start = async (part: Part): Promise<void> => {
    const script = part === 'sample' ? 'deploy/sample-service.ts' : 'src/bootstrap/main.ts';
    const env = { ...shared, ...own[part], PORT: String(ports[part]) };
    const child = spawn(process.execPath, [script], { cwd: home, env, stdio: ['ignore', 'pipe', 'pipe'] });
    running.set(part, child);
    child.once('exit', (code, signal) => {
      if (running.get(part) !== child) return;
      running.delete(part);
      ended(part, signal ?? `exit code ${code}`);
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-4000);
        hear(part, text);
      });
    }
    const knock = `${at(part)}${part === 'sample' ? '/' : '/readyz'}`;
    for (let tries = 0; !(await answers(knock)); tries += 1) {
      const gone = child.exitCode !== null || child.signalCode !== null;
      if (gone || tries > patienceSeconds * 5) throw new Error(`${part} does not start. Its last words:\n${said}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  };

  const stop = async (part: Part, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> => {
    const child = running.get(part);
    running.delete(part);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  };

  let proxy: RunningProxy | undefined;
  const close = async (): Promise<void> => {
    await proxy?.close();
    // The guests first: the node that plays the fake provider outlives those that ask it.
    for (const part of ['sample', 'worker', 'identity-2', 'identity-1'] as const) await stop(part);
  };
  try {
    await start('identity-1'); // it makes the tables and plays the fake provider
    await Promise.all([start('identity-2'), start('worker'), start('sample')]);
    proxy = await startProxy({ port, nodes: [at('identity-1'), at('identity-2')], sample: at('sample') });
  } catch (fault) {
    await close();
    throw fault;
  }
  const nodes = { 'identity-1': at('identity-1'), 'identity-2': at('identity-2'), worker: at('worker') };
  const pids = () => Object.fromEntries([...running].flatMap(([part, { pid }]) => (pid ? [[part, pid]] : [])));
  return { url: proxy.url, nodes, pids, stop, start, close };
};
