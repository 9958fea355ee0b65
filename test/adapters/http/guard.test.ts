// What stands before every route: credentials, organizations, scopes, other sites, bodies, proxies.

import { describe, expect, it } from 'vitest';
import type { Credential } from '#domain/access/credential.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { anId } from '../../support/words.ts';
import {
  anOwner,
  byCookie,
  byKey,
  byToken,
  type friendly,
  publicOrigin,
  reference,
  type Sent,
  secret,
  serve,
} from './served.ts';

const org = `/v1/organizations/${anId('org')}`;
const otherOrg = `/v1/organizations/${anId('org', 2)}`;

const ask = async (
  method: string,
  path: string,
  what: Sent = {},
  ...[useCases, parts]: Parameters<typeof serve>
): ReturnType<Awaited<ReturnType<typeof serve>>['send']> => {
  const served = await serve(useCases, parts);
  try {
    return await served.send(method, path, what);
  } finally {
    await served.close();
  }
};
const reasonOf = (answered: { readonly json: unknown }): unknown =>
  (answered.json as { error?: { reason?: unknown } } | undefined)?.error?.reason;

describe('credentials', () => {
  const heard = async (headers: Record<string, string>, publicUrl = publicOrigin): Promise<Credential | undefined> => {
    let credential: Credential | undefined;
    await ask(
      'GET',
      '/v1/whoami',
      { headers },
      {
        authenticateCaller: async (proof) => {
          credential = proof;
          return anOwner();
        },
      },
      { publicUrl: new URL(publicUrl) },
    );
    return credential;
  };

  it('are found wherever they may stand', async () => {
    const key = { kind: 'api_key', text: secret.reveal() };
    expect(await heard({ authorization: 'Bearer aaa.bbb.ccc' })).toEqual({
      kind: 'session_token',
      token: 'aaa.bbb.ccc',
    });
    expect(await heard({ authorization: `ApiKey ${secret.reveal()}` })).toEqual(key);
    expect(await heard({ authorization: `Bearer ${secret.reveal()}` })).toEqual(key);
    expect(await heard({ 'x-api-key': secret.reveal() })).toEqual(key);
    expect(await heard({ cookie: `a=b; __Host-hd_session=${reference}; c=d` })).toEqual({
      kind: 'session_reference',
      reference,
    });
  });

  it('in a cookie go by the name that belongs to the address: only https has the __Host- one', async () => {
    const plain = 'http://localhost:3000';
    expect(await heard({ cookie: `hd_session=${reference}` }, plain)).toMatchObject({ reference });
    expect(await heard({ cookie: `hd_session=${reference}` })).toBeUndefined();
    expect(await heard({ cookie: `__Host-hd_session=${reference}` }, plain)).toBeUndefined();
  });

  it.each([
    ['none', {}, 401, 'credential.missing'],
    ['an unreadable one', { authorization: 'Basic dXNlcjpwYXNz' }, 401, 'credential.malformed'],
    ['a token and a key', { ...byToken, ...byKey }, 400, 'credential.ambiguous'],
    ['a cookie and a key', { ...byCookie, ...byKey }, 400, 'credential.ambiguous'],
    [
      'two session cookies that differ',
      { cookie: `__Host-hd_session=${reference}; __Host-hd_session=${'s'.repeat(43)}` },
      400,
      'credential.ambiguous',
    ],
    ['a cookie of another shape', { cookie: '__Host-hd_session=short' }, 401, 'session.unknown'],
  ])('%s: refused', async (_which, headers, status, reason) => {
    const answered = await ask('GET', '/v1/whoami', { headers });
    expect(answered.status).toBe(status);
    expect(reasonOf(answered)).toBe(reason);
  });

  it('the same key twice, or the same cookie twice, is one credential', async () => {
    const twice = { authorization: `ApiKey ${secret.reveal()}`, 'x-api-key': secret.reveal() };
    const cookie = `__Host-hd_session=${reference}; __Host-hd_session=${reference}`;
    expect((await ask('GET', '/v1/whoami', { headers: twice })).status).toBe(200);
    expect((await ask('GET', '/v1/whoami', { headers: { cookie } })).status).toBe(200);
  });
});

describe('organizations', () => {
  it.each([
    ['another one', otherOrg],
    ['a malformed one', '/v1/organizations/org_nothing'],
    ['somebody else’s id', `/v1/organizations/${anId('user')}`],
    ['one with a broken escape', '/v1/organizations/%E0%A4%A'],
  ])('%s does not exist, whatever the caller’s scopes and body', async (_which, path) => {
    const powerless = { authenticateCaller: async () => anOwner({ scopes: [] }) };
    const answered = await ask('POST', `${path}/agents`, { headers: byToken, body: '{' }, powerless);
    expect(answered.status).toBe(404);
    expect(reasonOf(answered)).toBe('organization.not_found');
  });

  it('hide behind the credential: nobody learns which exist', async () => {
    expect(reasonOf(await ask('GET', org))).toBe('credential.missing');
    expect(reasonOf(await ask('GET', otherOrg))).toBe('credential.missing');
  });
});

describe('ids in paths', () => {
  it.each([
    ['DELETE', `${org}/members/mem_nobody`, 'membership.not_found'],
    ['DELETE', `${org}/members/${anId('user')}`, 'membership.not_found'],
    ['DELETE', `${org}/sessions/x`, 'session.not_found'],
    ['DELETE', '/v1/sessions/x', 'session.not_found'],
    ['GET', `${org}/agents/AGENT`, 'agent.not_found'],
    ['DELETE', `${org}/api-keys/key_`, 'api_key.not_found'],
  ])('%s %s: what cannot exist is not found', async (method, path, reason) => {
    const answered = await ask(method, path, { headers: byToken });
    expect(answered.status).toBe(404);
    expect(reasonOf(answered)).toBe(reason);
  });
});

describe('scopes', () => {
  it('are asked before the body is read', async () => {
    const answered = await ask('POST', `${org}/agents`, { headers: byKey, body: '{' });
    expect(answered.status).toBe(403);
    expect(answered.json).toMatchObject({
      error: { reason: 'caller.scope_missing', details: { scope: 'keys:manage' } },
    });
  });
});

describe('writes with a session cookie', () => {
  const cookie = byCookie.cookie;
  const write = (headers: Record<string, string>, method = 'DELETE', path = `/v1/sessions/${anId('sess')}`) =>
    ask(method, path, { headers: { cookie, ...headers } });

  it.each([
    ['our own origin', { origin: publicOrigin }, 204],
    ['a same-origin fetch', { 'sec-fetch-site': 'same-origin' }, 204],
    ['a same-origin form under our referrer policy', { origin: 'null', 'sec-fetch-site': 'same-origin' }, 204],
    ['the address bar', { 'sec-fetch-site': 'none' }, 204],
    ['silence', {}, 403],
    ['another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }, 403],
    ['another site in an old browser', { origin: 'https://evil.example' }, 403],
    ['a sibling host', { origin: 'https://shop.hatidata.example', 'sec-fetch-site': 'same-site' }, 403],
    ['our host on plain http', { origin: publicOrigin.replace('https', 'http') }, 403],
    ['our host on another port', { origin: `${publicOrigin}:8443` }, 403],
    ['an opaque origin', { origin: 'null' }, 403],
    ['a look-alike', { origin: `${publicOrigin}.evil.example` }, 403],
  ])('from %s', async (_where, headers, status) => {
    const answered = await write(headers);
    expect(answered.status).toBe(status);
    if (status === 403) expect(reasonOf(answered)).toBe('request.cross_origin');
  });

  it('are the only ones that must prove it: reads, tokens and keys need not', async () => {
    expect((await ask('GET', '/v1/whoami', { headers: { cookie } })).status).toBe(200);
    const evil = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    expect((await ask('DELETE', `${org}/sessions`, { headers: { ...byToken, ...evil } })).status).toBe(200);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('by %s are held to it on every route', async (method) => {
    const paths = {
      POST: `${org}/agents`,
      PUT: `${org}/role-mappings`,
      PATCH: `${org}/members/${anId('mem')}`,
      DELETE: `${org}/sessions`,
    };
    const answered = await write({ origin: 'https://evil.example' }, method, paths[method as keyof typeof paths]);
    expect(reasonOf(answered)).toBe('request.cross_origin');
  });
});

describe('bodies', () => {
  const post = (what: Sent) => ask('POST', `${org}/agents`, { ...what, headers: { ...byToken, ...what.headers } });
  const json = { 'content-type': 'application/json' };
  const good = '{"name":"crawler"}';

  it.each([
    ['JSON', json],
    ['JSON with a charset', { 'content-type': 'application/json; charset=UTF-8' }],
    ['a JSON dialect', { 'content-type': 'application/merge-patch+json' }],
  ])('are read as %s', async (_as, headers) => {
    expect((await post({ body: good, headers })).status).toBe(201);
  });

  it.each<[string, Sent, string]>([
    ['a form', { body: good, headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 'content-type'],
    [
      'plain text, which forms of other sites can send',
      { body: good, headers: { 'content-type': 'text/plain' } },
      'content-type',
    ],
    ['no content type', { body: good }, 'content-type'],
    [
      'another charset',
      { body: good, headers: { 'content-type': 'application/json; charset=utf-16' } },
      'content-type',
    ],
    ['a compressed body', { body: good, headers: { ...json, 'content-encoding': 'gzip' } }, 'content-encoding'],
    ['broken JSON', { body: '{"name":', headers: json }, 'body'],
    [
      'bytes that are no UTF-8',
      { body: Buffer.from('{"name":"\xff"}', 'latin1'), headers: json },
      'is not JSON in UTF-8',
    ],
    ['nothing', {}, 'body'],
    ['nothing, but announced', { body: '', headers: json }, 'body'],
    ['null', { body: 'null', headers: json }, 'body'],
    ['a list', { json: [{ name: 'crawler' }] }, 'body'],
    ['a missing field', { json: {} }, 'body.name'],
    ['a wrong type', { json: { name: 7 } }, 'body.name'],
    ['an empty name', { json: { name: '   ' } }, 'body.name'],
    ['a NUL', { json: { name: 'a\u0000b' } }, 'body.name'],
    ['half a surrogate pair', { body: '{"name":"\\ud800"}', headers: json }, 'body.name'],
    ['an unknown field', { json: { name: 'crawler', admin: true } }, 'body: has unknown fields: admin'],
    ['a prototype', { body: '{"name":"crawler","__proto__":{"admin":true}}', headers: json }, 'body'],
    ['a constructor', { json: { name: 'crawler', constructor: { prototype: {} } } }, 'body'],
    ['great depth', { body: `${'['.repeat(30_000)}${']'.repeat(30_000)}`, headers: json }, 'body'],
  ])('are refused with %s', async (_which, what, issue) => {
    const answered = await post(what);
    expect(answered.status).toBe(400);
    expect(answered.json).toMatchObject({
      error: {
        code: 'VALIDATION_ERROR',
        reason: 'request.invalid',
        details: { issues: [expect.stringContaining(issue)] },
      },
    });
  });

  it('may name a field twice: the last one counts, as in every JSON parser', async () => {
    const answered = await post({ body: '{"name":"first","name":"second"}', headers: json });
    expect(answered.json).toMatchObject({ name: 'second' });
  });

  it('never come back in what we say of them, and what we say stays small', async () => {
    const fields = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`hush-${index}-hush`, 'hush']));
    const answered = await post({ json: { name: { hush: 'hush' }, ...fields } });
    expect(answered.status).toBe(400);
    expect(answered.text).not.toContain('hush');
    expect(answered.text.length).toBeLessThan(3000);
  });

  it('over 64 kB are refused, however they announce themselves', async () => {
    const huge = JSON.stringify({ name: 'x'.repeat(70_000) });
    const announced = await post({ body: huge, headers: json });
    const streamed = await post({ body: huge, headers: { ...json, 'transfer-encoding': 'chunked' } });
    for (const answered of [announced, streamed]) {
      expect(answered.status).toBe(413);
      expect(answered.json).toMatchObject({
        error: { code: 'PAYLOAD_TOO_LARGE', reason: 'request.too_large', details: { limit_bytes: 65536 } },
      });
    }
  });

  it('of some megabytes still get to read the answer', async () => {
    const answered = await post({ body: 'x'.repeat(5_000_000), headers: json });
    expect(answered.status).toBe(413);
  });
});

describe('an Idempotency-Key', () => {
  const keyed = { ...byToken, 'idempotency-key': 'a-key' };

  it('reaches the use case with who asks, where, what for, and the request in one form', async () => {
    const heard: unknown[] = [];
    const onlyOnce: typeof friendly.onlyOnce = async (caller, asked) => {
      heard.push(caller.id, asked);
      return { answer: { status: 201, body: '{"kept":true}' }, replayed: true };
    };
    const body = '{"name":"crawler","description":null}';
    const headers = { ...keyed, 'content-type': 'application/json' };
    const answered = await ask('POST', `${org}/agents?x=1`, { headers, body }, { onlyOnce });
    expect(heard).toEqual([
      anId('user'),
      {
        key: 'a-key',
        organizationId: anId('org'),
        operation: 'createAgent',
        request: JSON.stringify([
          'post',
          '/v1/organizations/{org}/agents',
          { org: anId('org') },
          { x: '1' },
          { description: null, name: 'crawler' },
        ]),
      },
    ]);
    // Word for word, also where the answer would look otherwise today.
    expect([answered.status, answered.text, answered.headers['idempotent-replayed']]).toEqual([
      201,
      '{"kept":true}',
      'true',
    ]);
  });

  it('is not looked at where nothing is created', async () => {
    const onlyOnce = () => Promise.reject(new Error('asked'));
    const json = { user_id: anId('user', 2) };
    const odd = { ...byToken, 'idempotency-key': 'not a key' };
    const answered = await ask('POST', `${org}/ownership`, { headers: odd, json }, { onlyOnce });
    expect(answered.status).toBe(204);
  });

  it('is refused when there are two, also two that are the same', async () => {
    for (const pair of [
      ['a', 'b'],
      ['a', 'a'],
    ]) {
      const headers = { ...byToken, 'idempotency-key': pair };
      const answered = await ask('POST', `${org}/agents`, { headers, json: { name: 'crawler' } });
      expect([answered.status, reasonOf(answered)]).toEqual([400, 'idempotency_key.malformed']);
    }
  });

  it('is asked for nothing before the caller and the request are good', async () => {
    const onlyOnce = () => Promise.reject(new Error('asked'));
    const json = { name: 'crawler' };
    const nobody = await ask('POST', `${org}/agents`, { headers: { 'idempotency-key': 'a-key' }, json }, { onlyOnce });
    const elsewhere = await ask('POST', `${otherOrg}/agents`, { headers: keyed, json }, { onlyOnce });
    const broken = await ask('POST', `${org}/agents`, { headers: keyed, json: { nom: 'x' } }, { onlyOnce });
    const lowly: typeof friendly.authenticateCaller = async () => anOwner({ scopes: [] });
    const refused = await ask(
      'POST',
      `${org}/agents`,
      { headers: keyed, json },
      { onlyOnce, authenticateCaller: lowly },
    );
    expect([nobody, elsewhere, broken, refused].map(({ status }) => status)).toEqual([401, 404, 400, 403]);
  });

  it('that is in use says when to ask again', async () => {
    const onlyOnce = () => Promise.reject(new Refusal('idempotency_key.under_way', { retry_after_seconds: 2 }));
    const answered = await ask('POST', `${org}/agents`, { headers: keyed, json: { name: 'x' } }, { onlyOnce });
    expect([answered.status, answered.headers['retry-after']]).toEqual([409, '2']);
  });
});

describe('where a request comes from', () => {
  const seenFrom = async (headers: Sent['headers'], trustedProxies: readonly string[]) => {
    let seen: string | null | undefined;
    const authenticateCaller: typeof friendly.authenticateCaller = async (_credential, { ip }) => {
      seen = ip;
      return anOwner();
    };
    await ask('GET', '/v1/whoami', { headers: { ...byToken, ...headers } }, { authenticateCaller }, { trustedProxies });
    return seen;
  };
  const forwarded = (list: string) => ({ 'x-forwarded-for': list });

  it.each([
    ['the socket, when nobody is trusted', forwarded('203.0.113.9'), [], '127.0.0.1'],
    ['the socket, without the header', {}, ['127.0.0.0/8'], '127.0.0.1'],
    ['the client that our proxy names', forwarded('203.0.113.9'), ['127.0.0.0/8'], '203.0.113.9'],
    ['not what the client wrote before our proxy', forwarded('10.1.1.1, 203.0.113.9'), ['127.0.0.0/8'], '203.0.113.9'],
    ['through two proxies of ours', forwarded('203.0.113.9, 10.0.0.5'), ['127.0.0.1', '10.0.0.0/8'], '203.0.113.9'],
    ['an IPv6 client', forwarded('2001:db8::7'), ['127.0.0.0/8'], '2001:db8::7'],
    ['the proxy itself, when it writes nonsense', forwarded('unknown'), ['127.0.0.0/8'], '127.0.0.1'],
  ])('%s', async (_which, headers, trusted, ip) => {
    expect(await seenFrom(headers, trusted)).toBe(ip);
  });
});

describe('webhooks', () => {
  it('hand the bytes over as they came, with their signature', async () => {
    const body = Buffer.from([0x7b, 0xff, 0x00, 0x7d]);
    let heard: unknown[] = [];
    const answered = await ask(
      'POST',
      '/webhooks/workos',
      { body, headers: { 'workos-signature': 't=1, v1=abc', 'content-type': 'application/json' } },
      {
        receiveDelivery: async (provider, delivery) => {
          heard = [provider, Buffer.from(delivery.body), delivery.signature];
          return 'heard_before';
        },
      },
    );
    expect(answered.status).toBe(200);
    expect(answered.json).toEqual({ received: true });
    expect(heard).toEqual(['workos', body, 't=1, v1=abc']);
  });

  it('come without a signature, too: the use case says no', async () => {
    let signature: string | undefined = 'not asked';
    await ask(
      'POST',
      '/webhooks/fake',
      { body: '{}' },
      {
        receiveDelivery: async (_provider, delivery) => {
          signature = delivery.signature;
          return 'stored';
        },
      },
    );
    expect(signature).toBeUndefined();
  });

  it.each(['okta', '__proto__', 'constructor', 'WorkOS'])('of %s lead nowhere', async (provider) => {
    const answered = await ask('POST', `/webhooks/${provider}`, { body: '{}' });
    expect(answered.status).toBe(404);
    expect(reasonOf(answered)).toBe('request.unknown_route');
  });

  it('over 1 MB are refused', async () => {
    const stored = await ask('POST', '/webhooks/workos', { body: 'x'.repeat(1024 * 1024) });
    const refused = await ask('POST', '/webhooks/workos', { body: 'x'.repeat(1024 * 1024 + 1) });
    expect(stored.status).toBe(200);
    expect(refused.status).toBe(413);
  });
});

describe('the log', () => {
  it('has one line per request, and nothing in it that was typed or is secret', async () => {
    const served = await serve();
    const answered = await served.send('GET', `${org}/members?q=hush`, {
      headers: { ...byToken, 'user-agent': 'hush' },
    });
    await served.send('GET', '/v1/hush');
    await served.close();
    expect(served.log).toEqual([
      {
        level: 'info',
        message: 'request',
        facts: {
          method: 'GET',
          route: '/v1/organizations/{org}/members',
          status: 200,
          ms: expect.any(Number),
          request_id: answered.headers['x-request-id'],
          caller_id: anId('user'),
        },
      },
      expect.objectContaining({ facts: expect.objectContaining({ route: null, status: 404, caller_id: null }) }),
    ]);
    expect(JSON.stringify(served.log)).not.toMatch(/hush|aaa\.bbb/);
  });

  it('and the answer do not take the request id that a client sends', async () => {
    const answered = await ask('GET', '/healthz', { headers: { 'x-request-id': 'mine' } });
    expect(answered.headers['x-request-id']).toMatch(/^req_/);
  });
});
