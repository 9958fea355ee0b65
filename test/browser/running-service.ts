// The service as a newcomer starts it: a process of its own, in memory, on a free port.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from '../../deploy/free-port.ts';

export interface RunningService extends AsyncDisposable {
  readonly url: string;
  /** What it told the newcomer. */
  readonly welcome: string;
}

const home = join(import.meta.dirname, '../..');
const patience = 30_000;

export const startService = async (): Promise<RunningService> => {
  const port = await freePort();
  const env = { PATH: process.env['PATH'] ?? '', DATABASE_URL: 'memory:', PORT: String(port), LOG_LEVEL: 'warn' };
  const child = spawn(process.execPath, ['src/bootstrap/main.ts'], { cwd: home, env, stdio: 'pipe' });
  const ended = once(child, 'exit');
  let told = '';
  await new Promise<void>((resolve, reject) => {
    const impatience = setTimeout(() => reject(new Error(`The service did not start in time:\n${told}`)), patience);
    const hear = (chunk: Buffer): void => {
      told += chunk.toString();
      if (!told.includes('Ctrl+C')) return;
      clearTimeout(impatience);
      resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', () => reject(new Error(`The service did not start:\n${told}`)));
  });
  return {
    url: `http://localhost:${port}`,
    welcome: told,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
    },
  };
};
