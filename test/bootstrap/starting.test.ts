// What stands in the way of a start is said in a sentence; and no data folder is ever opened twice.

import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderTaken, lockFolder } from '#bootstrap/folder-lock.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'starting-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const main = new URL('../../src/bootstrap/main.ts', import.meta.url).pathname;

const started = (
  env: Record<string, string>,
  ...args: readonly string[]
): Promise<{ code: number | null; said: string }> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [main, ...args], {
      cwd: folder,
      env: { DATABASE_URL: 'memory:', PORT: '0', ...env },
    });
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    child.on('close', (code) => resolve({ code, said }));
  });

describe('a data folder', () => {
  it('belongs to one process until that gives it back', async () => {
    const data = join(folder, 'data');
    await writeFile(join(folder, 'elsewhere'), '');
    const release = await lockFolder(data);
    // Ours looks like a leftover to ourselves (a restarted container has the same number), so another process asks.
    const other = spawn('sleep', ['30']);
    await writeFile(join(data, 'lock'), `${other.pid} x`);
    await expect(lockFolder(data)).rejects.toThrow(FolderTaken);
    await expect(lockFolder(data)).rejects.toThrow(`process ${other.pid}`);
    other.kill();
    await new Promise((resolve) => other.on('close', resolve));
    const again = await lockFolder(data);
    await again();
    await release();
    expect(await readdir(data)).toEqual([]);
  });

  it('is taken over from a process that was killed, and from nonsense', async () => {
    for (const left of ['999999999 x', 'nonsense', '']) {
      const release = await lockFolder(folder);
      await writeFile(join(folder, 'lock'), left);
      const taken = await lockFolder(folder);
      await taken();
      await release();
    }
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('a start that cannot be', () => {
  it('says that the port is taken, before anything is opened', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { code, said } = await started({ PORT: String(port), DATABASE_URL: '', DATA_DIR: join(folder, 'untouched') });
    server.close();
    expect([code, said]).toEqual([
      1,
      `Port ${port} is taken by another process: stop it, or set PORT to another one.\n`,
    ]);
    expect(await readdir(folder)).not.toContain('postgres');
  });

  it('says which variables are wrong', async () => {
    const { code, said } = await started({ PORT: 'abc', LOG_LEVEL: 'loud' });
    expect(code).toBe(1);
    expect(said).toMatch(/2 faults:\n {2}- PORT .*\n {2}- LOG_LEVEL must be debug/);
  });

  it('says that it knows no such role; the argument counts more than the variable', async () => {
    const fault = 'The configuration has a fault:\n  - ROLE must be serve, work or both\n';
    expect(await started({ ROLE: 'work' }, '--role', 'play')).toEqual({ code: 1, said: fault });
  });

  it('says that the database does not answer, without its password', async () => {
    const { code, said } = await started({ DATABASE_URL: 'postgres://identity:hunter2@127.0.0.1:1/identity' });
    expect([code, said]).toEqual([1, 'The database does not answer, or does not let us in: check DATABASE_URL.\n']);
  });

  it('says that the data folder is in the way', async () => {
    await writeFile(join(folder, 'file'), '');
    const { code, said } = await started({ DATABASE_URL: '', DATA_DIR: join(folder, 'file') });
    expect(code).toBe(1);
    expect(said).toMatch(/set DATA_DIR to a folder/);
    expect(said).not.toMatch(/ at /);
  });
});
