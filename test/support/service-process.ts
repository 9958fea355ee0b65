// The service as a process of its own, on a database that others use too: to be killed, stopped and started again.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../deploy/free-port.ts';

const main = new URL('../../src/bootstrap/main.ts', import.meta.url).pathname;
const startMilliseconds = 60_000;

export interface ServiceProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** All that it has printed. */
  said(): string;
  /** As a power cut does; resolves when it is gone. */
  kill(): Promise<void>;
  /** As an orchestrator does; answers the exit code and how long it took. */
  stop(): Promise<{ readonly code: number | null; readonly milliseconds: number }>;
}

/** Starts it, at the port that `env` names if it names one, and waits until it is ready. */
export const serviceProcess = async (env: Readonly<Record<string, string>>): Promise<ServiceProcess> => {
  const port = Number(env['PORT'] ?? (await freePort()));
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, [main], {
    env: { PATH: process.env['PATH'], LOG_LEVEL: 'warn', HOST: '127.0.0.1', PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      said += chunk;
    });
  }
  const isReady = (): Promise<boolean> =>
    fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2000) }).then(
      ({ ok }) => ok,
      () => false,
    );
  for (const began = Date.now(); !(await isReady()); await sleep(50)) {
    if (child.exitCode !== null || Date.now() - began > startMilliseconds) {
      child.kill('SIGKILL');
      throw new Error(`the service did not start:\n${said}`);
    }
  }
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  };
  return {
    url,
    child,
    said: () => said,
    kill: () => end('SIGKILL'),
    async stop() {
      const began = performance.now();
      await end('SIGTERM');
      return { code: child.exitCode, milliseconds: performance.now() - began };
    },
  };
};
