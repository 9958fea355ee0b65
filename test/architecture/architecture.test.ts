// The tree keeps its directions. Every rule is put to the sources as they are, and was seen to complain over sources that break it.

import { describe, expect, it } from 'vitest';
import {
  circleViolations,
  directionViolations,
  exchangeViolations,
  featureCircleViolations,
  homeViolations,
  lengthViolations,
  longestFile,
  openingViolations,
  packageHomes,
  placeViolations,
  purityViolations,
  reachViolations,
  unreadableViolations,
  wordViolations,
} from './rules.ts';
import { importsOf, readSources, type Sources } from './source-tree.ts';

const sources = readSources();

/** A small tree that keeps every rule; each test breaks one thing in it. */
const sound: Readonly<Record<string, string>> = {
  'src/domain/users/user.ts': `// A user: one person.\nimport { id } from '../shared/ids.ts';`,
  'src/domain/events.ts': `// Everything that can happen.\nimport type { User } from '#domain/users/user.ts';`,
  'src/domain/shared/ids.ts': '// Ids that say what they name.\nexport const id = 1;',
  'src/application/users/register.ts': `// Registers a user.\nimport { User } from '#domain/users/user.ts';\nimport type { Store } from '#application/ports/store.ts';`,
  'src/application/ports/store.ts': `// Where things are kept.\nimport type { User } from '#domain/users/user.ts';\nexport { User };`,
  'src/adapters/identity/workos/sdk.ts': `// Speaks with WorkOS.\nimport { WorkOS } from '@workos-inc/node';\nimport { verify } from '#adapters/identity/wire.ts';`,
  'src/adapters/identity/wire.ts': `// The wire that two providers share.\nimport { createHmac } from 'node:crypto';`,
  'src/adapters/identity/fake/pages.ts': '// Pages to sign in on.',
  'src/adapters/persistence/memory/store.ts': '// Keeps everything in memory.',
  'src/adapters/persistence/postgres/entities.ts': '// Tables as the mapper sees them.',
  'src/adapters/persistence/rows.ts': `// Rows of tables, and back.\nimport type { Store } from '#application/ports/store.ts';`,
  'src/bootstrap/main.ts': `#!/usr/bin/env node\n// Starts the server.\nimport 'reflect-metadata';\nimport { Container } from 'inversify';\nimport '#adapters/identity/wire.ts';`,
};

const tree = (changes: Readonly<Record<string, string | null>> = {}): Sources =>
  new Map(
    Object.entries({ ...sound, ...changes }).flatMap(([path, text]) => (text === null ? [] : [[path, text] as const])),
  );

const opening = '// A file that opens with a sentence.\n';
const without = (prefix: string): Record<string, null> =>
  Object.fromEntries(Object.keys(sound).flatMap((path) => (path.startsWith(prefix) ? [[path, null]] : [])));

const fewHomes = (all: Sources): string[] =>
  homeViolations(all, {
    inversify: ['src/bootstrap/'],
    'reflect-metadata': ['src/bootstrap/'],
    '@workos-inc/node': ['src/adapters/identity/workos/'],
  });

/** What the small tree lacks: values that go from one feature to another, and within one. */
const oneWay = Object.entries({
  'src/domain/users/name.ts': `${opening}import { id } from '#domain/shared/ids.ts';`,
  'src/application/users/again.ts': `${opening}import { register } from './register.ts';`,
});

interface Guard {
  readonly rule: string;
  readonly ask: (sources: Sources) => string[];
  /** Over the small tree, where it differs. */
  readonly askSmall?: (sources: Sources) => string[];
  /** What breaks the rule, and a piece of the complaint. */
  readonly breaches: readonly (readonly [Readonly<Record<string, string | null>>, string])[];
}

const inDomain = (line: string) => ({ 'src/domain/shared/stray.ts': `${opening}${line}` });
const inApplication = (line: string) => ({ 'src/application/users/stray.ts': `${opening}${line}` });
const inAdapters = (line: string) => ({ 'src/adapters/persistence/stray.ts': `${opening}${line}` });

const guards: readonly Guard[] = [
  {
    rule: 'every file has its layer, every adapter its family',
    ask: placeViolations,
    breaches: [
      [{ 'src/helpers/util.ts': opening }, 'src/helpers/util.ts belongs to no layer'],
      [{ 'src/index.ts': opening }, 'src/index.ts belongs to no layer'],
      [{ 'src/adapters/stripe/charge.ts': opening }, 'belongs to no family of adapters'],
      [without('src/bootstrap/'), 'Nothing comes under the rule: src/bootstrap'],
      [without('src/adapters/'), 'Nothing comes under the rule: src/adapters'],
    ],
  },
  {
    rule: 'imports point inwards, and no family of adapters knows another',
    ask: directionViolations,
    breaches: [
      [inDomain(`import type { Store } from '#application/ports/store.ts';`), 'domain may import domain'],
      [inDomain(`export * from '../../application/ports/store.ts';`), 'domain may import domain'],
      [inDomain(`const later = () => import('#adapters/persistence/rows.ts');`), 'domain may import domain'],
      [inApplication(`import type { Row } from '#adapters/persistence/rows.ts';`), 'application may import'],
      [inApplication(`type Row = import('#bootstrap/main.ts').Container;`), 'application may import'],
      [inAdapters(`import { verify } from '#adapters/identity/wire.ts';`), 'may not import another'],
      [inAdapters(`import type { verify } from '../identity/wire.ts';`), 'may not import another'],
      [inAdapters(`import { container } from '#bootstrap/main.ts';`), 'adapters may import'],
      [without('src/domain/'), 'Nothing comes under the rule: domain may import'],
      [without('src/application/'), 'Nothing comes under the rule: application may import'],
    ],
  },
  {
    rule: 'adapters that can be exchanged do not know each other',
    ask: exchangeViolations,
    breaches: [
      [
        { 'src/adapters/identity/fake/pages.ts': `${opening}import { sdk } from '#adapters/identity/workos/sdk.ts';` },
        'do not know each other',
      ],
      [
        { 'src/adapters/persistence/memory/store.ts': `${opening}import type { Row } from '../postgres/rows.ts';` },
        'do not know each other',
      ],
      [without('src/adapters/identity/workos/'), 'src/adapters/identity/workos/ is empty'],
    ],
  },
  {
    rule: 'domain and application import no package and nothing of Node',
    ask: purityViolations,
    breaches: [
      [inDomain(`import { createHash } from 'node:crypto';`), 'domain imports no package'],
      [inDomain(`import fs from 'fs';`), 'domain imports no package'],
      [inDomain(`import type { Id } from 'typeid-js';`), 'domain imports no package'],
      [inApplication(`import { z } from 'zod';`), 'application imports no package'],
      [inApplication(`export type { Logger } from 'pino';`), 'application imports no package'],
      [inApplication(`import { setTimeout } from 'timers/promises';`), 'application imports no package'],
      [inApplication(`const zod = require('zod');`), 'application imports no package'],
      [without('src/application/'), 'Nothing comes under the rule: application imports'],
    ],
  },
  {
    rule: 'every import names its file',
    ask: unreadableViolations,
    breaches: [
      [inAdapters('const load = (name: string) => import(name);'), 'must name its file'],
      [inDomain('const load = (name: string) => import(`../$' + '{name}.ts`);'), 'must name its file'],
      [inAdapters('const load = (name: string) => require(name);'), 'must name its file'],
    ],
  },
  {
    rule: 'domain and application help themselves to no time, no chance and nothing of the machine',
    ask: reachViolations,
    breaches: [
      [inDomain('export const now = new Date();'), 'uses new Date()'],
      [inDomain('export const now = Date.now();'), 'uses Date.now'],
      [inApplication('export const die = Math.random();'), 'uses Math.random'],
      [inApplication('export const home = process.env.HOME;'), 'uses process'],
      [inApplication('setTimeout(() => {}, 1);'), 'uses setTimeout'],
      [inApplication('export const id = crypto.randomUUID();'), 'uses crypto'],
      [inApplication(`export const page = fetch('https://acme.test');`), 'uses fetch'],
      [{ ...without('src/domain/'), ...without('src/application/') }, 'Nothing comes under the rule'],
    ],
  },
  {
    rule: 'each framework is known in one place',
    ask: homeViolations,
    askSmall: fewHomes,
    breaches: [
      [inAdapters(`import { injectable } from 'inversify';`), 'inversify is imported in src/bootstrap/'],
      [inApplication(`import 'reflect-metadata';`), 'reflect-metadata is imported in src/bootstrap/'],
      [inAdapters(`import type { WorkOS } from '@workos-inc/node';`), '@workos-inc/node is imported in'],
      [
        { 'src/adapters/identity/workos.ts': `${opening}import '@workos-inc/node/worker';` },
        '@workos-inc/node is imported',
      ],
      [without('src/bootstrap/'), 'Nothing comes under the rule: inversify'],
      [without('src/adapters/identity/workos/'), 'Nothing comes under the rule: @workos-inc/node'],
    ],
  },
  {
    rule: 'domain and application do not name what they run on',
    ask: wordViolations,
    breaches: [
      [inDomain('// As WorkOS has it.'), 'says "workos"'],
      [inApplication('export interface KoaContext {}'), 'says "koa"'],
      [inApplication(`export const orm = 'mikro-orm';`), 'says "mikro"'],
      [{ ...without('src/domain/'), ...without('src/application/') }, 'Nothing comes under the rule'],
    ],
  },
  {
    rule: 'no files import each other in a circle',
    ask: circleViolations,
    breaches: [
      [{ 'src/domain/shared/ids.ts': `${opening}import { User } from '#domain/users/user.ts';` }, 'in a circle'],
      [
        {
          'src/domain/shared/ids.ts': `${opening}import { a } from './a.ts';`,
          'src/domain/shared/a.ts': `${opening}export * from './b.ts';`,
          'src/domain/shared/b.ts': `${opening}const later = () => import('./ids.ts');`,
        },
        'src/domain/shared/a.ts, src/domain/shared/b.ts, src/domain/shared/ids.ts',
      ],
      [{ 'src/domain/shared/ids.ts': `${opening}import type { User } from '#domain/users/user.ts';` }, 'in a circle'],
      [
        {
          'src/domain/users/user.ts': `${opening}import { type UserEvent } from '#domain/events.ts';`,
          'src/domain/events.ts': `${opening}import { User } from '#domain/users/user.ts';`,
        },
        'in a circle',
      ],
      [
        {
          'src/domain/sessions/session.ts': `${opening}import type { User } from '#domain/users/user.ts';`,
          'src/domain/users/user.ts': `${opening}import type { Session } from '#domain/sessions/session.ts';`,
        },
        'in a circle: src/domain/sessions/session.ts, src/domain/users/user.ts',
      ],
      [{ 'src/domain/users/user.ts': `${opening}import type { UserEvent } from '#domain/events.ts';` }, 'in a circle'],
      [inAdapters(`import { x } from './stray.ts';`), 'in a circle'],
      [Object.fromEntries(Object.keys(sound).map((path) => [path, null])), 'Nothing comes under the rule'],
    ],
  },
  {
    rule: 'features of domain and application point one way',
    ask: featureCircleViolations,
    askSmall: (sources) => featureCircleViolations(new Map([...sources, ...oneWay])),
    breaches: [
      [inDomain(`import { name } from '#domain/users/name.ts';`), 'features of domain point one way'],
      [
        {
          'src/application/users/a.ts': `${opening}import { b } from '#application/sessions/b.ts';`,
          'src/application/sessions/b.ts': `${opening}export const b = 1;`,
          'src/application/sessions/c.ts': `${opening}import { d } from '#application/users/d.ts';`,
          'src/application/users/d.ts': `${opening}export const d = 1;`,
        },
        'src/application/sessions, src/application/users',
      ],
    ],
  },
  {
    rule: `no file is longer than ${longestFile} lines`,
    ask: lengthViolations,
    breaches: [[inDomain(`${'\n'.repeat(400)}export const last = 1;`), 'has 402 lines']],
  },
  {
    rule: 'every file opens with a sentence in a comment',
    ask: openingViolations,
    breaches: [
      [{ 'src/domain/bare.ts': 'export const bare = 1;\n// A sentence that comes too late.' }, 'does not open'],
      [{ 'src/domain/bare.ts': '\n// A sentence after an empty line.' }, 'does not open'],
      [{ 'src/domain/bare.ts': '// users\nexport const bare = 1;' }, 'does not open'],
      [{ 'src/domain/bare.ts': '// a sentence without a capital letter.' }, 'does not open'],
      [{ 'src/domain/bare.ts': '// A sentence without an end' }, 'does not open'],
      [{ 'src/domain/bare.ts': '' }, 'does not open'],
    ],
  },
];

describe.each(guards)('$rule', ({ ask, askSmall = ask, breaches }) => {
  it('holds in this tree', () => {
    expect(ask(sources)).toEqual([]);
  });

  it('says nothing over a tree that keeps it', () => {
    expect(askSmall(tree())).toEqual([]);
  });

  it.each(breaches.map(([change, complaint]) => [complaint, change] as const))('complains: %s', (complaint, change) => {
    const complaints = askSmall(tree(change));
    expect(complaints.join('\n')).toContain(complaint);
  });
});

describe('the reading of imports', () => {
  it.each([
    [`import a from 'pino';`, 'pino', 'value'],
    [`import * as a from 'pino';`, 'pino', 'value'],
    [`import { a } from 'pino';`, 'pino', 'value'],
    [`import 'pino';`, 'pino', 'value'],
    [`import type { A } from 'pino';`, 'pino', 'type'],
    [`import type A from 'pino';`, 'pino', 'type'],
    [`import { type A } from 'pino';`, 'pino', 'value'],
    [`import { type A, b } from 'pino';`, 'pino', 'value'],
    [`import type from 'pino';`, 'pino', 'value'],
    [`import data from 'pino' with { type: 'json' };`, 'pino', 'value'],
    [`import {\n  a,\n  b,\n}\nfrom\n'pino';`, 'pino', 'value'],
    [`export * from 'pino';`, 'pino', 'value'],
    [`export * as a from 'pino';`, 'pino', 'value'],
    [`export { a } from 'pino';`, 'pino', 'value'],
    [`export type { A } from 'pino';`, 'pino', 'type'],
    [`export type * from 'pino';`, 'pino', 'type'],
    [`const a = await import('pino');`, 'pino', 'value'],
    [`const a = () => { if (true) return import(/* later */ 'pino'); };`, 'pino', 'value'],
    [`type A = import('pino').Logger;`, 'pino', 'type'],
    [`const a: typeof import('pino') = b;`, 'pino', 'type'],
    [`import a = require('pino');`, 'pino', 'value'],
    [`const a = require('pino');`, 'pino', 'value'],
    [`import a from '@koa/router/deep/down.js';`, '@koa/router', 'value'],
    [`import a from 'pino/file';`, 'pino', 'value'],
    [`import a from 'fs';`, 'node:fs', 'value'],
    [`import a from 'fs/promises';`, 'node:fs/promises', 'value'],
    [`import a from 'node:test';`, 'node:test', 'value'],
    [`import a from './b.ts';`, 'src/domain/users/b.ts', 'value'],
    [`import a from '../c.ts';`, 'src/domain/c.ts', 'value'],
    [`import a from '../../bootstrap/main.ts';`, 'src/bootstrap/main.ts', 'value'],
    [`import a from '#adapters/cache/memory.ts';`, 'src/adapters/cache/memory.ts', 'value'],
    ['import(name);', 'unreadable', 'value'],
  ])('%s', (text, to, kind) => {
    expect(importsOf('src/domain/users/user.ts', text)).toMatchObject([{ to, kind }]);
  });

  it.each([
    `// import a from 'pino';`,
    `/* import a from 'pino'; */`,
    `const text = "import a from 'pino';";`,
    'const text = `export * from "pino"`;',
    'export { a };',
    'const importing = { import: 1, require: 2 };',
  ])('finds none in: %s', (text) => {
    expect(importsOf('src/domain/users/user.ts', `const a = 1;\n${text}`)).toEqual([]);
  });

  it('finds as many imports in this tree as a search for words finds, and more', () => {
    const count = [...sources].flatMap(([path, text]) => importsOf(path, text)).length;
    const lines = [...sources.values()].flatMap(
      (text) => text.match(/^(import|export) .*? from '|^\} from '|^import '/gm) ?? [],
    );
    expect(lines.length).toBeGreaterThan(100);
    expect(count).toBeGreaterThanOrEqual(lines.length);
  });

  it('stops at a file that it cannot read', () => {
    expect(() => importsOf('src/domain/broken.ts', 'import from from from')).toThrow(
      'src/domain/broken.ts cannot be parsed',
    );
  });

  it('knows a home for every package that may not spread', () => {
    expect(Object.keys(packageHomes)).toEqual(
      expect.arrayContaining(['inversify', 'reflect-metadata', '@workos-inc/node']),
    );
  });
});
