// What is installed is what was tried: exact versions everywhere, and a lockfile that any mirror can serve.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './source-tree.ts';

interface Manifest {
  readonly name?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly packages?: Readonly<Record<string, Manifest>>;
}

const read = (path: string): { readonly text: string; readonly manifest: Manifest } => {
  const text = readFileSync(join(root, path), 'utf8');
  return { text, manifest: JSON.parse(text) };
};

const wanted = ({ dependencies, devDependencies }: Manifest): [string, string][] =>
  Object.entries({ ...dependencies, ...devDependencies });

/** Packages whose version is a range, a tag, an address or a file. */
const inexact = (manifest: Manifest): string[] =>
  wanted(manifest).flatMap(([name, version]) =>
    /^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version) ? [] : [`${name}@${version}`],
  );

/** Words of a lockfile that tie it to one download server. */
const addresses = (text: string): number => (text.match(/"resolved"/g) ?? []).length;

const folders = ['.', 'bench'].filter((folder) => existsSync(join(root, folder, 'package.json')));

describe.each(folders)('the package in %s', (folder) => {
  const { manifest } = read(join(folder, 'package.json'));

  it('wants exact versions only', () => {
    expect(inexact(manifest)).toEqual([]);
  });

  it('has a lockfile, without download addresses, that knows the same wishes', () => {
    const lock = read(join(folder, 'package-lock.json'));
    expect(addresses(lock.text)).toBe(0);
    const here = lock.manifest.packages?.[''];
    expect(here && wanted(here).toSorted()).toEqual(wanted(manifest).toSorted());
  });
});

describe('these questions', () => {
  it('are put to the package itself', () => {
    expect(folders).toContain('.');
    expect(wanted(read('package.json').manifest).length).toBeGreaterThan(10);
  });

  it.each([
    '^1.2.3',
    '~1.2.3',
    '1.2',
    '1',
    '*',
    '',
    'latest',
    '>=1.2.3',
    '1.2.3 || 2.0.0',
    '1.2.x',
    'file:../a',
    'git+ssh://a/b',
    'npm:b@1.2.3',
  ])('complain about the version "%s"', (version) => {
    expect(inexact({ dependencies: { a: version } })).toEqual([`a@${version}`]);
    expect(inexact({ devDependencies: { a: version } })).toEqual([`a@${version}`]);
  });

  it('complain about download addresses, and about nothing else', () => {
    expect(
      addresses('{"packages":{"node_modules/a":{"version":"1.0.0","resolved":"https://registry.test/a.tgz"}}}'),
    ).toBe(1);
    expect(inexact({ dependencies: { a: '1.2.3', b: '18.4.0-beta.17' } })).toEqual([]);
  });
});
