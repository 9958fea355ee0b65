// The fake provider over HTTP: its sign-in page, the directory page and its JSON API, and what each says to bad input.

import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeIdentityProvider } from '#adapters/identity/fake/fake-identity-provider.ts';
import { fakeProviderRoutes } from '#adapters/identity/fake/routes.ts';
import { seedDemo } from '#adapters/identity/fake/seed.ts';
import type { FakeWorld } from '#adapters/identity/fake/world.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';
import { type StagedWorld, stageWorld } from './fake-provider-world.ts';

const ours = { acme: 'org_acme' as OrganizationId, globex: 'org_globex' as OrganizationId };
const codeVerifier = 'a-verifier-of-forty-three-characters-or-more-0123456789';
const codeChallenge = createHash('sha256').update(codeVerifier).digest('base64url');

let server: Server;
let base: string;
let staged: StagedWorld;
let world: FakeWorld;
let faults: unknown[];

beforeEach(async () => {
  const app = new Koa();
  server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  staged = await stageWorld({ publicUrl: base });
  world = staged.world;
  faults = [];
  app.on('error', (fault) => faults.push(fault));
  app.use(fakeProviderRoutes(world).routes() as unknown as Koa.Middleware);
  server.on('request', app.callback());
  await seedDemo(world, ours);
  await world.settled();
  staged.taken.length = 0;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  expect(faults).toEqual([]);
});

/** Every field that some answer has; a test reads those that its answer has. */
interface Shown {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly manner: string;
  readonly inactive_users: string;
  readonly members: readonly string[];
  readonly users: readonly Shown[];
  readonly groups: readonly Shown[];
  readonly data: readonly Shown[];
  readonly events: readonly Shown[];
  readonly keys: readonly Shown[];
  readonly error: { readonly code: string; readonly reason: string };
}

const json = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
  const answer = await fetch(`${base}/fake-idp${path}`, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Shown };
};

const form = (path: string, fields: Readonly<Record<string, string>>, headers: Record<string, string> = {}) =>
  fetch(`${base}/fake-idp${path}`, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual', headers });

const request = (changed: Readonly<Record<string, string>> = {}): string =>
  new URLSearchParams({
    client_id: 'client_fake',
    redirect_uri: `${base}/auth/callback`,
    response_type: 'code',
    state: 'the state & more',
    code_challenge: codeChallenge,
    ...changed,
  }).toString();

const sent = (): readonly string[] => staged.taken.map(({ body }) => JSON.parse(new TextDecoder().decode(body)).event);

describe('the sign-in page', () => {
  it('can be reached by the address that the provider gives, and leads back with a code that it redeems', async () => {
    const provider = new FakeIdentityProvider(world);
    const url = await provider.login.urlFor({
      state: 'the state & more',
      redirectUri: `${base}/auth/callback`,
      codeChallenge,
      loginHint: 'dora.developer@acme.test',
    });
    const page = await (await fetch(url)).text();
    expect(page).toContain('value="dora.developer@acme.test"');
    expect(page).toContain('Development only.');
    const answer = await fetch(url, {
      method: 'POST',
      body: new URLSearchParams({ email: 'dora.developer@acme.test', method: 'sso' }),
      redirect: 'manual',
    });
    expect(answer.status).toBe(302);
    const back = new URL(answer.headers.get('location') ?? '');
    expect([back.origin, back.pathname, back.searchParams.get('state')]).toEqual([
      base,
      '/auth/callback',
      'the state & more',
    ]);
    const code = back.searchParams.get('code') ?? '';
    const identity = await provider.login.redeem({ code, codeVerifier, ip: null, userAgent: null });
    expect(identity).toMatchObject({ email: 'dora.developer@acme.test', method: 'sso', name: 'Dora Developer' });
  });

  it('takes the request from hidden fields as well, as its own forms send it', async () => {
    const fields = Object.fromEntries(new URLSearchParams(request()));
    const answer = await form('/authorize', { ...fields, email: 'gus.owner@globex.test', method: 'password' });
    expect(answer.status).toBe(302);
  });

  it('offers everybody of the organization that was asked for, and nobody else', async () => {
    const globex = world.organizations.byExternalId(ours.globex)?.ref ?? '';
    const page = await (await fetch(`${base}/fake-idp/authorize?${request({ organization: globex })}`)).text();
    expect(page).toContain('Sign in to Globex');
    expect(page).toContain('gus.owner@globex.test');
    expect(page).not.toContain('dora.developer@acme.test');
  });

  it('says in words why somebody may not enter, and shows the form again', async () => {
    const tries = [
      [{ email: 'nobody@nowhere.test', method: 'sso' }, 403, 'Nobody with this address is known here'],
      [{ email: 'dora.developer@acme.test', method: 'password' }, 403, 'takes single sign-on only'],
      [{ email: 'nonsense', method: 'sso' }, 400, 'That is not an e-mail address'],
    ] as const;
    for (const [fields, status, words] of tries) {
      const answer = await form(`/authorize?${request()}`, fields);
      const page = await answer.text();
      expect(answer.status).toBe(status);
      expect(page).toContain('role="alert"');
      expect(page).toContain(words);
      expect(page).toContain('name="code_challenge"');
    }
  });

  it('leads back with access_denied when the person cancels', async () => {
    const answer = await form(`/authorize?${request()}`, { act: 'cancel', email: '', method: 'sso' });
    const back = new URL(answer.headers.get('location') ?? '');
    expect(Object.fromEntries(back.searchParams)).toMatchObject({ error: 'access_denied', state: 'the state & more' });
  });

  it('sends nobody to another site, and answers no half request', async () => {
    const wrong = [
      { redirect_uri: 'https://evil.example/auth/callback' },
      { redirect_uri: `${base}.evil.example/` },
      { redirect_uri: `${base}@evil.example/` },
      { redirect_uri: '//evil.example' },
      { redirect_uri: 'javascript:alert(1)' },
      { client_id: 'client_other' },
      { response_type: 'token' },
      { state: '' },
      { code_challenge: 'short' },
      { code_challenge_method: 'plain' },
    ];
    for (const changed of wrong) {
      const shown = await fetch(`${base}/fake-idp/authorize?${request(changed)}`, { redirect: 'manual' });
      expect([shown.status, shown.headers.get('location')], JSON.stringify(changed)).toEqual([400, null]);
      const fields = { email: 'dora.developer@acme.test', method: 'sso' };
      const posted = await form(`/authorize?${request(changed)}`, fields);
      expect([posted.status, posted.headers.get('location')], JSON.stringify(changed)).toEqual([400, null]);
    }
  });

  it('shows what people typed as text, never as markup, and allows no script', async () => {
    const email = '"><script>alert(1)</script>';
    const answer = await form(`/authorize?${request({ state: email })}`, { email, method: 'sso' });
    const page = await answer.text();
    expect(page).not.toContain('<script');
    expect(page).toContain('&quot;&gt;&lt;script&gt;');
    expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'self'; form-action/);
    const style = await fetch(`${base}/fake-idp/style.css`);
    expect([style.status, style.headers.get('content-type')]).toEqual([200, 'text/css; charset=utf-8']);
  });

  it('signs out on the logout address, and returns only to the service itself', async () => {
    const outcome = await world.sessions.signIn({ email: 'gus.owner@globex.test', method: 'password', codeChallenge });
    if (outcome.is === 'refused') throw new Error(outcome.because);
    const provider = new FakeIdentityProvider(world);
    const identity = await provider.login.redeem({ code: outcome.code, codeVerifier, ip: null, userAgent: null });
    if (!identity) throw new Error('not redeemed');
    const { providerSession } = identity;
    const elsewhere = provider.sessions.logoutUrl(providerSession, 'https://evil.example/') ?? '';
    expect((await fetch(elsewhere, { redirect: 'manual' })).status).toBe(400);
    expect(await provider.sessions.isAlive(identity)).toBe(true);
    const home = provider.sessions.logoutUrl(providerSession, `${base}/`) ?? '';
    const answer = await fetch(home, { redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).toEqual([302, `${base}/`]);
    expect(await provider.sessions.isAlive(identity)).toBe(false);
  });

  it('publishes the public half of its key, and not the private one', async () => {
    const { body } = await json('GET', '/jwks');
    expect(body.keys).toEqual([
      { kty: 'RSA', n: expect.any(String), e: 'AQAB', alg: 'RS256', use: 'sig', kid: expect.any(String) },
    ]);
  });

  it('is out while the provider is out', async () => {
    for (const [mode, status] of [
      ['down', 503],
      ['429', 429],
      ['none', 200],
    ] as const) {
      await json('POST', '/outage', { mode, seconds: 60 });
      const answer = await fetch(`${base}/fake-idp/authorize?${request()}`);
      expect([mode, answer.status, answer.headers.get('retry-after') !== null]).toEqual([mode, status, status !== 200]);
    }
  });
});

describe('the directory over JSON', () => {
  const acme = async (): Promise<Shown> => {
    const [directory] = (await json('GET', '/directories')).body.data;
    if (!directory) throw new Error('no directory');
    return directory;
  };

  it('lists directories by our organization id, with people and groups', async () => {
    const { status, body } = await json('GET', '/directories');
    expect(status).toBe(200);
    expect(body.data).toMatchObject([{ organization_id: ours.acme, domain: 'acme.test' }]);
    const { users, groups } = await acme();
    const dora = users.find(({ email }) => email === 'dora.developer@acme.test');
    expect(dora).toMatchObject({ name: 'Dora Developer', active: true, groups: ['Engineering'] });
    const engineering = groups.find(({ name }) => name === 'Engineering');
    expect(engineering?.members).toContain(dora?.id);
  });

  it('hires, changes, moves and terminates, and has delivered the events when it answers', async () => {
    const { id, groups } = await acme();
    const at = `/directories/${id}`;
    const hired = await json('POST', `${at}/users`, { email: 'eve@acme.test', name: 'Eve', groups: ['Engineering'] });
    expect(hired.status).toBe(201);
    expect(hired.body).toMatchObject({
      id: expect.stringMatching(/^directory_user_[0-9A-Z]{26}$/),
      email: 'eve@acme.test',
      name: 'Eve',
      active: true,
      groups: ['Engineering'],
      events: [
        { event: 'dsync.user.created', delivery: 'delivered' },
        { event: 'dsync.group.user_added', delivery: 'delivered' },
      ],
    });
    const user = `${at}/users/${hired.body.id}`;
    expect((await json('PATCH', user, { active: false })).body).toMatchObject({ active: false });
    expect((await json('PATCH', user, { active: true, name: 'Eve Engineer' })).body).toMatchObject({ active: true });
    const group = await json('POST', `${at}/groups`, { name: 'Platform' });
    expect(group).toMatchObject({ status: 201, body: { name: 'Platform', members: [] } });
    const member = `${at}/groups/${group.body.id}/members/${hired.body.id}`;
    expect((await json('PUT', member)).status).toBe(200);
    expect((await json('DELETE', member)).status).toBe(200);
    expect((await json('PATCH', `${at}/groups/${group.body.id}`, { name: 'Core' })).body).toMatchObject({
      name: 'Core',
    });
    expect((await json('DELETE', `${at}/groups/${groups[0]?.id}`)).status).toBe(200);
    expect((await json('DELETE', user)).status).toBe(200);
    expect(sent()).toEqual([
      'dsync.user.created',
      'dsync.group.user_added',
      'dsync.user.updated',
      'dsync.user.updated',
      'dsync.group.created',
      'dsync.group.user_added',
      'dsync.group.user_removed',
      'dsync.group.updated',
      'dsync.group.deleted',
      'dsync.user.deleted',
    ]);
    expect((await acme()).users.map(({ email }) => email)).not.toContain('eve@acme.test');
  });

  it('connects a directory to an organization of ours, switches its manners, and removes it', async () => {
    const connected = await json('POST', '/directories', { organization_id: ours.globex, inactive_users: 'deleted' });
    expect(connected).toMatchObject({
      status: 201,
      body: { organization_id: ours.globex, domain: 'globex.test', inactive_users: 'deleted', users: [], groups: [] },
    });
    const at = `/directories/${connected.body.id}`;
    expect((await json('PATCH', at, { inactive_users: 'kept' })).body.inactive_users).toBe('kept');
    expect((await json('GET', at)).body.id).toBe(connected.body.id);
    expect((await json('DELETE', at)).status).toBe(200);
    expect((await json('GET', at)).status).toBe(404);
    expect(sent()).toEqual(['dsync.activated', 'dsync.deleted']);
  });

  it('misbehaves for one change or until told otherwise', async () => {
    const { id } = await acme();
    const lost = await json('POST', `/directories/${id}/groups?manner=lost`, { name: 'Lost' });
    expect(lost.body.events).toMatchObject([{ event: 'dsync.group.created', delivery: 'lost' }]);
    expect(sent()).toEqual([]);
    const feed = await json('GET', '/events?limit=1000');
    expect(feed.body.data.at(-1)).toMatchObject({ id: lost.body.events[0]?.id, event: 'dsync.group.created' });
    expect((await json('PUT', '/manners', { manner: 'late', late_seconds: 3 })).body).toEqual({
      manner: 'late',
      late_seconds: 3,
    });
    await json('POST', `/directories/${id}/groups`, { name: 'Late' });
    expect(sent()).toEqual([]);
    expect((await json('PUT', '/manners', { manner: 'none' })).body).toEqual({ manner: 'none', late_seconds: 3 });
    expect(sent()).toEqual(['dsync.group.created']);
    expect((await json('GET', '/manners')).body.manner).toBe('none');
    const after = await json('GET', `/events?after=${lost.body.events[0]?.id}`);
    expect(after.body.data).toMatchObject([{ event: 'dsync.group.created', data: { name: 'Late' } }]);
  });

  it('is out on request, for as long as was asked', async () => {
    const { body } = await json('POST', '/outage', { mode: 'down', seconds: 60 });
    expect(body).toEqual({ mode: 'down', until: new Date(staged.clock.now().getTime() + 60_000).toISOString() });
    staged.clock.pass(60);
    expect((await json('GET', '/outage')).body).toEqual({ mode: 'none', until: null });
  });

  it('answers bad input with the service’s error envelope, and changes nothing by it', async () => {
    const { id, users, groups } = await acme();
    const at = `/directories/${id}`;
    const user = `${at}/users/${users[0]?.id}`;
    const bad: readonly (readonly [string, string, unknown, number])[] = [
      ['POST', '/directories', '{"organization_id":', 400],
      ['POST', '/directories', '[]', 400],
      ['POST', '/directories', '', 400],
      ['POST', '/directories', {}, 400],
      ['POST', '/directories', { organization_id: 'org_nobody' }, 404],
      ['POST', '/directories', { organization_id: ours.globex, surprise: true }, 400],
      ['POST', '/directories/directory_nobody/users', { email: 'a@acme.test', name: 'A' }, 404],
      ['POST', `${at}/users`, { email: 'a@acme.test' }, 400],
      ['POST', `${at}/users`, { email: 'nonsense', name: 'A' }, 400],
      ['POST', `${at}/users`, { email: 7, name: 'A' }, 400],
      ['POST', `${at}/users`, { email: 'a@acme.test', name: 'A', groups: ['Nowhere'] }, 404],
      ['POST', `${at}/users`, { email: 'a@acme.test', name: 'A', groups: 'Engineering' }, 400],
      ['POST', `${at}/users`, { email: 'dora.developer@acme.test', name: 'Dora' }, 409],
      ['POST', `${at}/users?manner=rude`, { email: 'a@acme.test', name: 'A' }, 400],
      ['POST', `${at}/users?manners=lost`, { email: 'a@acme.test', name: 'A' }, 400],
      ['PATCH', user, {}, 400],
      ['PATCH', user, { active: 'no' }, 400],
      ['PATCH', user, { email: 'carla@consult.test' }, 409],
      ['PATCH', `${at}/users/directory_user_nobody`, { active: false }, 404],
      ['DELETE', `${at}/users/directory_user_nobody`, undefined, 404],
      ['POST', `${at}/groups`, { name: '' }, 400],
      ['POST', `${at}/groups`, { name: 'x'.repeat(201) }, 400],
      ['POST', `${at}/groups`, { name: 'Engineering' }, 409],
      ['PUT', `${at}/groups/${groups[0]?.id}/members/directory_user_nobody`, undefined, 404],
      ['PUT', `${at}/groups/directory_group_nobody/members/${users[0]?.id}`, undefined, 404],
      ['DELETE', '/directories/directory_nobody', undefined, 404],
      ['PUT', '/manners', { manner: 'rude' }, 400],
      ['PUT', '/manners', { manner: 'late', late_seconds: -1 }, 400],
      ['POST', '/outage', { mode: 'up' }, 400],
      ['POST', '/outage', { mode: 'down', seconds: 0 }, 400],
      ['GET', '/events?limit=many', undefined, 400],
    ];
    const codes: Readonly<Record<number, string>> = { 400: 'VALIDATION_ERROR', 404: 'NOT_FOUND', 409: 'CONFLICT' };
    const before = JSON.stringify(world.directories.all());
    for (const [method, path, body, status] of bad) {
      const answer = await json(method, path, body);
      const told = `${method} ${path} ${JSON.stringify(body)}`;
      expect(answer.status, told).toBe(status);
      expect(answer.body, told).toEqual({
        error: {
          code: codes[status],
          reason: expect.stringMatching(/^(request|fake_idp)\.[a-z_]+$/),
          message: expect.any(String),
          request_id: expect.stringMatching(/^req_/),
        },
      });
    }
    expect(JSON.stringify(world.directories.all())).toBe(before);
    expect(sent()).toEqual([]);
  });

  it('takes no body beyond its limit, and nothing that is not JSON', async () => {
    const { id } = await acme();
    const path = `/directories/${id}/groups`;
    const huge = await json('POST', path, JSON.stringify({ name: 'x'.repeat(20_000) }));
    expect([huge.status, huge.body.error.code]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    const typed = await json('POST', path, '{"name":"Plain"}', { 'content-type': 'text/plain' });
    expect(typed.status).toBe(400);
    expect(sent()).toEqual([]);
  });
});

describe('a page of another site', () => {
  it('can neither hire nor fire, nor sign anybody in', async () => {
    const [directory] = world.directories.all();
    const foreign = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site', origin: base },
    ] as Record<string, string>[];
    for (const headers of foreign) {
      const group = await json('POST', `/directories/${directory?.id}/groups`, { name: 'Evil' }, headers);
      expect([group.status, group.body.error.reason]).toEqual([403, 'request.cross_origin']);
      expect((await json('POST', '/outage', { mode: 'down' }, headers)).status).toBe(403);
      expect((await json('PUT', '/manners', { manner: 'lost' }, headers)).status).toBe(403);
      expect((await form('/directory/remove', { directory: directory?.id ?? '' }, headers)).status).toBe(403);
      const fields = { email: 'dora.developer@acme.test', method: 'sso' };
      expect((await form(`/authorize?${request()}`, fields, headers)).status).toBe(403);
    }
    expect(sent()).toEqual([]);
  });

  it('is not what our own pages and programs are taken for', async () => {
    const [directory] = world.directories.all();
    const own = [
      {},
      { origin: base },
      { 'sec-fetch-site': 'same-origin', origin: 'null' },
      { 'sec-fetch-site': 'none' },
    ] as Record<string, string>[];
    for (const [at, headers] of own.entries()) {
      const group = await json('POST', `/directories/${directory?.id}/groups`, { name: `Own ${at}` }, headers);
      expect(group.status).toBe(201);
    }
  });
});

describe('the directory page', () => {
  const page = async (path = '/directory') => (await fetch(`${base}/fake-idp${path}`)).text();
  const act = async (path: string, fields: Readonly<Record<string, string>>) => {
    const answer = await form(`/directory/${path}`, fields);
    return { status: answer.status, shown: answer.status === 303 ? await follow(answer) : await answer.text() };
  };
  const follow = async (answer: Response) => (await fetch(new URL(answer.headers.get('location') ?? '', base))).text();
  const ids = () => {
    const directory = world.directories.all().find(({ name }) => name === 'Acme Okta');
    const dora = directory?.users.find(({ email }) => email === 'dora.developer@acme.test');
    const data = directory?.groups.find(({ name }) => name === 'Data');
    return { directory: directory?.id ?? '', user: dora?.id ?? '', group: data?.id ?? '' };
  };

  it('shows who works where, in which groups', async () => {
    const text = await page();
    for (const words of ['Acme: Acme Okta', 'Dora Developer', 'Engineering', 'Terminate', 'Misbehaviour']) {
      expect(text).toContain(words);
    }
  });

  it('does what the IT department wants, and says what was said of it', async () => {
    const { directory, user, group } = ids();
    const acts: readonly (readonly [string, Record<string, string>, string])[] = [
      ['hire', { directory, name: 'Eve Engineer', email: 'eve@acme.test', group }, 'dsync.group.user_added'],
      ['change', { directory, user, name: 'Dora Married', email: 'dora.developer@acme.test' }, 'dsync.user.updated'],
      ['regroup', { directory, user, group }, 'dsync.group.user_removed'],
      ['deactivate', { directory, user }, 'dsync.user.updated'],
      ['activate', { directory, user }, 'dsync.user.updated'],
      ['terminate', { directory, user }, 'dsync.user.deleted'],
      ['add-group', { directory, name: 'Platform' }, 'dsync.group.created'],
      ['rename-group', { directory, group, name: 'Insight' }, 'dsync.group.updated'],
      ['delete-group', { directory, group }, 'dsync.group.deleted'],
      ['connect', { organization: world.organizations.byExternalId(ours.globex)?.ref ?? '' }, 'dsync.activated'],
      ['inactive-users', { directory, inactive_users: 'deleted' }, 'There was nothing to say.'],
      ['manners', { manner: 'twice', late_seconds: '5' }, 'There was nothing to say.'],
      ['remove', { directory }, 'dsync.deleted'],
      ['outage', { mode: 'down', seconds: '5' }, 'There was nothing to say.'],
    ];
    for (const [path, fields, words] of acts) {
      const { status, shown } = await act(path, fields);
      expect([path, status]).toEqual([path, 303]);
      expect(/<div class="note" role="status">(.*?)<\/div>/s.exec(shown)?.[1], path).toContain(words);
    }
    expect(world.manner()).toEqual({ manner: 'twice', lateSeconds: 5 });
    expect(world.outage().mode).toBe('down');
  });

  it('says in words what cannot be done', async () => {
    const { directory, user } = ids();
    const taken = await act('hire', { directory, name: 'Dora', email: 'dora.developer@acme.test' });
    expect([taken.status, taken.shown.includes('is already in this directory')]).toEqual([409, true]);
    const nobody = await act('terminate', { directory, user: 'directory_user_nobody' });
    expect([nobody.status, nobody.shown.includes('No such user in this directory')]).toEqual([404, true]);
    const nameless = await act('change', { directory, user, name: '', email: 'dora.developer@acme.test' });
    expect(nameless.status).toBe(400);
    expect((await act('fly', {})).status).toBe(404);
    expect(sent()).toEqual([]);
  });

  it('shows names as text, never as markup', async () => {
    const { directory } = ids();
    await act('hire', { directory, name: '<img src=x onerror=alert(1)>', email: 'eve@acme.test' });
    const text = await page('/directory?said=%3Cscript%3E');
    expect(text).not.toContain('<img');
    expect(text).not.toContain('<script');
  });
});
