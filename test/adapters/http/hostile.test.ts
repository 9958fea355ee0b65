// Whatever is sent to whichever operation of the document: the documented answers, never a 5xx, never an echo.

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OpenApi } from '#adapters/delivery/http/kit/openapi.ts';
import { anId } from '../../support/words.ts';
import { byCookie, byKey, byToken, type Sent, type Served, serve } from './served.ts';

const marker = 'hush7f3a';

const nasty = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '',
    '.',
    '..',
    '../../etc/passwd',
    '__proto__',
    'constructor',
    '%00',
    '\u0000',
    '\ud800',
    "' OR 1=1 --",
    '<script>alert(1)</script>',
    '{{7*7}}',
    'null',
    'undefined',
    'NaN',
    '-1',
    '1e999',
    '9'.repeat(400),
    'x'.repeat(5000),
    anId('org', 2),
    `org_${'8'.repeat(26)}`,
    marker,
  ),
);
const nastyJson = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.dictionary(
    fc.constantFrom(
      'name',
      'role',
      'mappings',
      'scopes',
      'agent_id',
      'domains',
      'organization_id',
      'refresh_token',
      '__proto__',
      'x',
    ),
    fc.oneof(nasty, fc.jsonValue({ maxDepth: 2 }), fc.constant([marker]), fc.constant({ a: marker })),
    { maxKeys: 5 },
  ),
);
const escaped = (text: string): string => encodeURIComponent(text.toWellFormed());

/** Printable and a few high bytes: what Node lets a client send at all. */
const headerText = fc.string({ unit: fc.constantFrom(...'abc.;,="/ -_~%é\t'), maxLength: 60 });

const hostile = fc.record({
  credential: fc.constantFrom<Sent['headers']>(byToken, byKey, byCookie, {}, { ...byToken, ...byKey }),
  knownIds: fc.boolean(),
  segments: fc.array(nasty, { minLength: 3, maxLength: 3 }),
  query: fc.array(fc.tuple(nasty, nasty), { maxLength: 3 }),
  knownQuery: nasty,
  headers: fc.record(
    {
      accept: headerText,
      cookie: headerText,
      origin: headerText,
      'user-agent': headerText,
      'x-forwarded-for': headerText,
      'content-type': fc.constantFrom(
        'application/json',
        'application/json; charset=x',
        'text/plain',
        'multipart/form-data',
        ';;;',
      ),
      'workos-signature': headerText,
    },
    { requiredKeys: [] },
  ),
  body: fc.oneof(
    nastyJson.map((value) => JSON.stringify(value)),
    nasty.map((text) => text),
    fc.constant(undefined),
  ),
});

const knownId: Readonly<Record<string, string>> = {
  org: anId('org'),
  member: anId('mem'),
  session: anId('sess'),
  agent: anId('agent'),
  key: anId('key'),
  provider: 'fake',
};

describe('hostile input', () => {
  let served: Served;
  let document: OpenApi;
  beforeAll(async () => {
    served = await serve({}, { trustedProxies: ['127.0.0.0/8'] });
    document = (await served.send('GET', '/openapi.json')).json as OpenApi;
  });
  afterAll(() => served.close());

  it('gets a documented answer from every operation', { timeout: 60_000 }, async () => {
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    );
    const seen = new Set<number>();
    for (const { path, method, operation } of operations) {
      await fc.assert(
        fc.asyncProperty(hostile, async ({ credential, knownIds, segments, query, knownQuery, headers, body }) => {
          const parts = [...segments];
          const concrete = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
            knownIds ? (knownId[name] ?? '') : escaped(parts.pop() ?? '') || 'x',
          );
          const named = operation.parameters
            .filter((parameter) => parameter.in === 'query')
            .map(({ name }) => `${name}=${escaped(knownQuery)}`);
          const search = [...named, ...query.map(([name, value]) => `${escaped(name)}=${escaped(value)}`)].join('&');
          const answered = await served.send(method.toUpperCase(), `${concrete}?${search}`.slice(0, 12_000), {
            headers: { ...headers, ...credential },
            ...(body !== undefined && method !== 'get' && { body }),
          });
          seen.add(answered.status);
          // 404 also when an odd segment made it another address altogether.
          expect(answered.status).toBeLessThan(500);
          expect([...Object.keys(operation.responses), '404']).toContain(String(answered.status));
          if (answered.status >= 400) expect(answered.text).not.toContain(marker);
        }),
        { numRuns: 25 },
      );
    }
    expect([...seen]).toEqual(expect.arrayContaining([200, 400, 401, 404]));
    expect(served.log.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
