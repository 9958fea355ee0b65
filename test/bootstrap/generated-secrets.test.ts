// Secrets made for a desk outlive the process, and are never made twice.

import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { secretsFor } from '#bootstrap/generated-secrets.ts';

const none = { sessionSecrets: [], apiKeyPeppers: [] };
const folders: string[] = [];
const folder = async (): Promise<string> => {
  const made = await mkdtemp(join(tmpdir(), 'secrets-'));
  folders.push(made);
  return join(made, 'data');
};
afterEach(async () => {
  for (const made of folders.splice(0)) await rm(made, { recursive: true });
});

describe('generated secrets', () => {
  it('are the same after a restart, long, and readable by their owner only', async () => {
    const data = await folder();
    const first = await secretsFor(none, data);
    expect(await secretsFor(none, data)).toEqual(first);
    expect(first.session[0].length).toBeGreaterThanOrEqual(32);
    expect(first.session[0]).not.toBe(first.pepper[0]);
    expect((await stat(join(data, 'secrets.json'))).mode & 0o777).toBe(0o600);
  });
  it('are one and the same for processes that start together', async () => {
    const data = await folder();
    const all = await Promise.all(Array.from({ length: 8 }, () => secretsFor(none, data)));
    expect(new Set(all.map(({ pepper }) => pepper[0])).size).toBe(1);
    expect(JSON.parse(await readFile(join(data, 'secrets.json'), 'utf8')).pepper).toBe(all[0]?.pepper[0]);
  });
  it('give way to configured ones', async () => {
    const configured = { sessionSecrets: ['new', 'old'], apiKeyPeppers: ['pepper'] };
    expect(await secretsFor(configured, undefined)).toEqual({ session: ['new', 'old'], pepper: ['pepper'] });
  });
  it('are not guessed at when the file holds something else', async () => {
    const data = await folder();
    await secretsFor(none, data);
    await writeFile(join(data, 'secrets.json'), '{"session":"short"}');
    await expect(secretsFor(none, data)).rejects.toThrow(/does not hold our secrets/);
  });
});
