// Finds a Chromium on this machine, or unpacks the one that npm brought, and starts it headless with an empty profile.

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

/** Where a distribution, or whoever runs the tests, puts a Chromium. */
const installed = (): string | undefined =>
  [process.env['CHROMIUM_PATH'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
    (path) => path && existsSync(path),
  );

const modules = join(import.meta.dirname, '../../node_modules');
const bundle = join(modules, '@sparticuz/chromium');
const cache = join(modules, '.cache/chromium');

const versionOf = async (folder: string): Promise<string> => {
  const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string };
  return version;
};

/**
 * The package unpacks into the folder for temporary files and takes whatever lies there for finished. Unpacking aside and moving
 * at once keeps half a browser from being started when two test files come at the same time, or when one was interrupted.
 */
const unpack = async (): Promise<string> => {
  const unpacked = join(cache, await versionOf(bundle));
  if (existsSync(unpacked)) return unpacked;
  const usual = process.env['TMPDIR'];
  await mkdir(cache, { recursive: true });
  const aside = await mkdtemp(join(cache, 'unpacking-'));
  try {
    const { default: bundled, inflate } = await import('@sparticuz/chromium');
    process.env['TMPDIR'] = aside;
    await bundled.executablePath();
    // Libraries that a bare server may lack.
    await inflate(join(bundle, 'bin/al2023.tar.br'));
    await rename(aside, unpacked);
  } catch (fault) {
    if (!existsSync(unpacked)) throw fault;
  } finally {
    if (usual === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = usual;
    await rm(aside, { recursive: true, force: true });
  }
  return unpacked;
};

/** No sandbox, since containers run as root; nothing that the browser would fetch for itself; no host but this one. */
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
];

const environment = (more: Readonly<Record<string, string>>): Record<string, string> => ({
  ...Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  ),
  ...more,
});

const start = async (): Promise<Browser> => {
  const path = installed();
  if (path) return chromium.launch({ executablePath: path, args });
  const folder = await unpack();
  const executablePath = join(folder, 'chromium');
  const fonts: Record<string, string> = existsSync('/etc/fonts/fonts.conf')
    ? {}
    : { FONTCONFIG_PATH: join(folder, 'fonts') };
  try {
    return await chromium.launch({ executablePath, args, env: environment(fonts) });
  } catch {
    const libraries = { LD_LIBRARY_PATH: join(folder, 'al2023/lib') };
    return chromium.launch({ executablePath, args, env: environment({ ...fonts, ...libraries }) });
  }
};

/**
 * Undefined, and said aloud, when no Chromium can be had here: then what needs a browser is skipped.
 *
 * @throws Error instead when CI is set, where nothing may be skipped
 */
export const openBrowser = async (): Promise<Browser | undefined> => {
  try {
    return await start();
  } catch (fault) {
    const why = fault instanceof Error ? (fault.message.split('\n')[0] ?? '') : String(fault);
    const message = `No Chromium could be started here (${why}). Set CHROMIUM_PATH to one.`;
    if (process.env['CI']) throw new Error(message, { cause: fault });
    process.stderr.write(`\n*** THE BROWSER TESTS ARE SKIPPED. ${message}\n\n`);
    return undefined;
  }
};
