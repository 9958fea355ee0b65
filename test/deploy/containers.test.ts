// The container files are what they claim to be: a compose file by the schema of its specification, a Dockerfile without complaints, a small context.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import { validate as complaintsAbout } from 'dockerfile-utils';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const home = join(import.meta.dirname, '../..');
const text = (path: string): string => readFileSync(join(home, path), 'utf8');

interface Service {
  readonly image?: string;
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly depends_on?: unknown;
}

const compose = (source: string): { readonly services: Readonly<Record<string, Service>> } =>
  parse(source, { merge: true });

const file = compose(text('docker-compose.yml'));
const schema = JSON.parse(text('node_modules/docker-compose/schema/compose-spec.json'));

const schemaFaults = (content: unknown): readonly string[] => {
  // The schema names its own draft by an address that differs in one letter from the one that is known.
  const ajv = new Ajv.default({ strict: false, validateSchema: false });
  (addFormats as unknown as (target: typeof ajv) => void)(ajv);
  const { $schema: _, ...rules } = schema;
  const check = ajv.compile(rules);
  return check(content) ? [] : (check.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
};

describe('docker-compose.yml', () => {
  it('keeps the schema of the Compose specification, which would complain', () => {
    expect(schemaFaults(file)).toEqual([]);
    expect(schemaFaults(compose('services: { a: { imagee: x } }'))).not.toEqual([]);
  });

  it('has two nodes, a worker, a proxy that is the only way in, and a service behind it', () => {
    const { services } = file;
    expect(Object.keys(services).toSorted()).toEqual(
      ['identity-1', 'identity-2', 'postgres', 'proxy', 'redis', 'sample', 'worker'].toSorted(),
    );
    const open = Object.entries(services).flatMap(([name, { ports = [] }]) => ports.map((port) => [name, port]));
    expect(open).toEqual([['proxy', '127.0.0.1:8080:8080']]);
  });

  it('lets our processes write nowhere but to their data, with no privilege to gain', () => {
    for (const name of ['identity-1', 'identity-2', 'worker', 'sample', 'proxy']) {
      expect(file.services[name], name).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      });
    }
  });

  it('gives all nodes the same secrets, database and cache', () => {
    const shared = ['SESSION_SECRETS', 'API_KEY_PEPPERS', 'DATABASE_URL', 'REDIS_URL', 'PUBLIC_URL'];
    for (const variable of shared) {
      const values = ['identity-1', 'identity-2', 'worker'].map((name) => file.services[name]?.environment?.[variable]);
      expect(values[0], variable).toEqual(expect.stringMatching(/./));
      expect(new Set(values).size, variable).toBe(1);
    }
  });
});

describe('the Dockerfile', () => {
  const dockerfile = text('Dockerfile');

  it('has no fault or warning, and a wrong one would have', () => {
    expect(complaintsAbout(dockerfile)).toEqual([]);
    expect(complaintsAbout('FROM node\nMAINTAINER me\nCMD one\nCMD two')).not.toEqual([]);
  });

  it('ends as an ordinary user, with a health check, on the Node that the project uses', () => {
    const { devDependencies } = JSON.parse(text('package.json')) as { devDependencies: Record<string, string> };
    const images = [...dockerfile.matchAll(/^FROM node:([\d.]+)-/gm)].map(([, version]) => version);
    expect(new Set(images)).toEqual(new Set([devDependencies['node']]));
    expect([...dockerfile.matchAll(/^USER (\w+)$/gm)].at(-1)?.[1]).toBe('node');
    expect(dockerfile).toMatch(/^HEALTHCHECK /m);
  });

  it('is built from what it copies, and from nothing else', () => {
    const allowed = text('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths = '']) =>
      paths.split(' '),
    );
    expect(new Set(copied)).toEqual(new Set(allowed));
    expect(text('.dockerignore').split('\n')[0]).toBe('*');
  });
});
