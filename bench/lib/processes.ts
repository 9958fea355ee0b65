// The processes of a bench: the service as `npm start` runs it, floors beside it, and what each of them cost.

import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const started: ChildProcess[] = [];
const folders: string[] = [];

export const path = (relative: string): string => fileURLToPath(new URL(`../${relative}`, import.meta.url));

export const freePort = async (): Promise<number> => {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
};

export interface Server {
  readonly url: string;
  readonly pid: number;
}

/** A server of this folder that takes its port as the first argument and tells when it listens. */
export const startFloor = async (file: string, ...args: readonly string[]): Promise<Server> => {
  const port = await freePort();
  const child = fork(path(`servers/${file}`), [String(port), ...args]);
  started.push(child);
  const [said] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  if (said !== 'listening') throw new Error(`${file} did not start`);
  return { url: `http://127.0.0.1:${port}`, pid: child.pid ?? 0 };
};

/** The service as `npm start` runs it, quiet, with what the bench sets; its banner tells a session and a key of the demo. */
export const startService = async (
  settings: Readonly<Record<string, string>>,
): Promise<Server & { readonly cookie: string; readonly key: string }> => {
  const port = await freePort();
  const dataDir = await mkdtemp(join(tmpdir(), 'hatidata-bench-'));
  folders.push(dataDir);
  const env = { ...process.env, PORT: String(port), LOG_LEVEL: 'error', NODE_ENV: 'development', DATA_DIR: dataDir };
  const child = spawn(process.execPath, [path('../src/bootstrap/main.ts')], {
    env: { ...env, ...settings },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.push(child);
  let said = '';
  for await (const chunk of child.stdout) {
    said += chunk;
    const cookie = /hd_session=[\w-]{43}/.exec(said)?.[0];
    const key = /hd_live_\w{32}/.exec(said)?.[0];
    if (cookie && key && said.includes('Ctrl+C')) {
      child.stdout.resume();
      return { url: `http://127.0.0.1:${port}`, pid: child.pid ?? 0, cookie, key };
    }
  }
  throw new Error(`the service did not start:\n${said}`);
};

export interface Hand<Asked, Answer> {
  readonly pid: number;
  ask(what: Asked): Promise<Answer>;
}

/** A process of this folder that answers one message with another. */
export const startHand = async <Asked extends object, Answer>(
  file: string,
  env: Readonly<Record<string, string>>,
): Promise<Hand<Asked, Answer>> => {
  const child = fork(path(`workers/${file}`), [], { env: { ...process.env, ...env } });
  started.push(child);
  const answer = async (): Promise<Answer> => {
    const heard = new AbortController();
    const { signal } = heard;
    const [said] = await Promise.race([once(child, 'message', { signal }), once(child, 'exit', { signal })]);
    heard.abort();
    if (typeof said !== 'object' || said === null) throw new Error(`${file} ended`);
    if ('fault' in said) throw new Error(`${file}: ${said.fault}`);
    return said as Answer;
  };
  await answer();
  return {
    pid: child.pid ?? 0,
    ask(what) {
      const answered = answer();
      child.send(what);
      return answered;
    },
  };
};

/** Processor time that a process has used so far, in milliseconds; NaN where there is no /proc. */
export const cpuOf = async (pid: number): Promise<number> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // Fields 14 and 15 of proc(5), in hundredths of a second.
  return (Number(fields[11]) + Number(fields[12])) * 10;
};

/** Memory that a process holds right now, in megabytes; NaN where there is no /proc. */
export const memoryOf = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024;
};

export const stopServer = async ({ pid }: Server): Promise<void> => {
  const child = started.find((one) => one.pid === pid);
  if (!child || child.exitCode !== null) return;
  const ended = once(child, 'exit');
  child.kill();
  await ended;
};

/** Ends everything that was started, and takes its folders away. */
export const stopAll = async (): Promise<void> => {
  const running = started.filter((child) => child.exitCode === null && child.signalCode === null);
  const ended = running.map((child) => once(child, 'exit'));
  for (const child of running) child.kill();
  const impatience = setTimeout(() => {
    for (const child of running) child.kill('SIGKILL');
  }, 15_000);
  await Promise.all(ended);
  clearTimeout(impatience);
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
};
