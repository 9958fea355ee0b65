// The domain is compiled as if there were neither Node nor a browser: what it did not get through the door, it cannot even name.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from './source-tree.ts';

/** Each compiles where Node's types are known, and must not compile in the domain. */
const worldly: Readonly<Record<string, string>> = {
  process: 'export const home = process.env;',
  Buffer: 'export const bytes = Buffer.from([1]);',
  setTimeout: 'export const timer = setTimeout(() => {}, 1);',
  fetch: `export const page = fetch('https://acme.test');`,
  console: `console.log('here');`,
  crypto: 'export const id = crypto.randomUUID();',
  performance: 'export const now = performance.now();',
  URL: `export const url = new URL('https://acme.test');`,
  'node:fs': `import { readFileSync } from 'node:fs';\nexport const read = readFileSync;`,
};
const innocent = 'export const sorted = [...new Map([[1, new Date(0)]]).keys()].toSorted();';

/** Names of the files over which the compiler complained. */
const compiled = (folder: string, config: string): Set<string> => {
  writeFileSync(join(folder, 'tsconfig.json'), config);
  const run = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', folder, '--pretty', 'false'], { encoding: 'utf8' });
  if (run.error) throw run.error;
  const complaints = run.stdout.split('\n').filter((line) => line.includes(': error TS'));
  return new Set(complaints.map((line) => /([a-z-]+)\.ts\(\d+/.exec(line)?.[1] ?? line));
};

const fileName = (name: string): string => name.toLowerCase().replace(/[^a-z]/g, '-');

describe('compiled like the domain', () => {
  let folder = '';
  let inDomain = new Set<string>();
  let elsewhere = new Set<string>();

  beforeAll(() => {
    const cache = join(root, 'node_modules/.cache');
    mkdirSync(cache, { recursive: true });
    folder = mkdtempSync(join(cache, 'domain-types-'));
    for (const [name, text] of Object.entries({ ...worldly, innocent }))
      writeFileSync(join(folder, `${fileName(name)}.ts`), text);
    const files = [...Object.keys(worldly), 'innocent'].map((name) => `${fileName(name)}.ts`);
    const extending = (config: string): string => JSON.stringify({ extends: join(root, config), include: [], files });
    inDomain = compiled(folder, extending('src/domain/tsconfig.json'));
    elsewhere = compiled(folder, extending('tsconfig.json'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(Object.keys(worldly))('%s is unknown', (name) => {
    expect([...inDomain]).toContain(fileName(name));
  });

  it('what belongs to the language is known', () => {
    expect([...inDomain]).not.toContain('innocent');
  });

  it('all of it is known outside the domain, so it is the domain’s own configuration that forbids it', () => {
    expect([...elsewhere]).toEqual([]);
  });
});
