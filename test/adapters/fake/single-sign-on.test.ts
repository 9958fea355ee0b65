// The fake's single sign-on over HTTP: the set-up page, the IT department's buttons, the same as JSON, and signing in through a connection.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeIdentityProvider } from '#adapters/identity/fake/fake-identity-provider.ts';
import { fakeProviderRoutes } from '#adapters/identity/fake/routes.ts';
import type { FakeWorld } from '#adapters/identity/fake/world.ts';
import type { SetupIntent } from '#application/ports/identity-provider.ts';
import { type StagedWorld, stageWorld } from './fake-provider-world.ts';

let server: Server;
let base: string;
let staged: StagedWorld;
let world: FakeWorld;
let acme: string;

beforeEach(async () => {
  server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  staged = await stageWorld({ publicUrl: base });
  world = staged.world;
  const app = new Koa();
  app.use(fakeProviderRoutes(world).routes() as unknown as Koa.Middleware);
  server.on('request', app.callback());
  acme = (await world.organizations.ensure({ externalId: 'org_acme', name: 'Acme', domains: ['acme.test'] })).ref;
  const ada = await world.people.add({ email: 'ada@acme.test', name: 'Ada' });
  await world.organizations.admit(ada.subject, acme);
  await world.settled();
  staged.taken.length = 0;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const heard = async (): Promise<readonly { readonly event: string; readonly data: Record<string, unknown> }[]> => {
  await world.settled();
  return staged.taken.map(({ body }) => JSON.parse(new TextDecoder().decode(body)));
};
const names = async (): Promise<readonly string[]> => (await heard()).map(({ event }) => event);

const form = (path: string, fields: Readonly<Record<string, string>>, headers: Record<string, string> = {}) =>
  fetch(`${base}/fake-idp${path}`, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual', headers });
interface Shown {
  readonly id: string;
  readonly organization_id: string;
  readonly type: string;
  readonly state: string;
  readonly certificate_until: string;
  readonly data: readonly Shown[];
}
const json = async (method: string, path: string, body?: unknown) => {
  const answer = await fetch(`${base}/fake-idp${path}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return { status: answer.status, body: (await answer.json()) as Shown };
};
const linkFor = (intent: SetupIntent): Promise<string> =>
  world.setupLinks.linkFor({ organization: acme, intent, returnTo: `${base}/settings?a=1&b=2` });
const ticketOf = (link: string): string => new URL(link).searchParams.get('ticket') ?? '';

describe('the set-up page', () => {
  it('connects, switches off and on, renews and removes, and each is said as an event', async () => {
    const link = await linkFor('sso');
    const ticket = ticketOf(link);
    expect(await (await fetch(link)).text()).toContain('There is no connection yet.');
    for (const act of ['activate', 'activate', 'deactivate', 'activate', 'renew-certificate', 'remove']) {
      expect((await form(`/setup/${act}`, { ticket })).status).toBe(200);
    }
    expect(await names()).toEqual([
      'connection.activated',
      'connection.deactivated',
      'connection.activated',
      'connection.saml_certificate_renewed',
      'connection.deleted',
    ]);
    const [, , , , deleted] = await heard();
    expect(Object.keys(deleted?.data ?? {})).not.toEqual(expect.arrayContaining(['external_key']));
    expect((await form('/setup/remove', { ticket })).status).toBe(404);
  });

  it.each<[SetupIntent, string, string[]]>([
    ['sso', 'Set up single sign-on', ['activate', 'deactivate', 'remove', 'renew-certificate']],
    ['certificate_renewal', 'Renew the certificate', ['renew-certificate']],
    ['dsync', 'Connect the directory', ['connect-directory']],
    ['domain_verification', 'acme.test', []],
  ])('for %s shows that and lets nothing else be done', async (intent, words, allowed) => {
    const { id } = await world.connections.setUp(acme);
    const link = await linkFor(intent);
    const page = await fetch(link);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    const text = await page.text();
    expect(text).toContain(words);
    expect(text).toContain(`href="${base}/settings?a=1&amp;b=2"`);
    const acts = ['deactivate', 'activate', 'renew-certificate', 'connect-directory', 'remove'];
    const done: string[] = [];
    for (const act of acts) {
      const { status } = await form(`/setup/${act}`, { ticket: ticketOf(link) });
      expect([200, 403]).toContain(status);
      if (status === 200) done.push(act);
    }
    expect(done.toSorted()).toEqual(allowed.toSorted());
    expect(world.connections.byId(id) === undefined).toBe(allowed.includes('remove'));
    expect((await form('/setup/explode', { ticket: ticketOf(link) })).status).toBe(403);
  });

  it('opens for five minutes, with a ticket of this world for this page only', async () => {
    const link = await linkFor('sso');
    const person = await world.sessions.sign({
      iss: world.issuer,
      sub: 'user_1',
      sid: 'session_1',
      exp: 9_999_999_999,
    });
    for (const ticket of [person, `${ticketOf(link)}x`, 'nonsense', '']) {
      expect((await fetch(`${base}/fake-idp/setup?ticket=${ticket}`)).status).toBe(403);
    }
    expect((await fetch(`${base}/fake-idp/setup`)).status).toBe(400);
    staged.clock.pass(299);
    expect((await fetch(link)).status).toBe(200);
    staged.clock.pass(1);
    expect((await fetch(link)).status).toBe(403);
    expect((await form('/setup/activate', { ticket: ticketOf(link) })).status).toBe(403);
  });

  it('is of no use to another site, and out while the provider is out', async () => {
    const link = await linkFor('sso');
    const fields = { ticket: ticketOf(link) };
    expect((await form('/setup/activate', fields, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    await world.setOutage('down', 60);
    expect((await fetch(link)).status).toBe(503);
    expect(await names()).toEqual([]);
  });

  it('gives a ticket that is no access token', async () => {
    const ticket = ticketOf(await linkFor('sso'));
    await expect(new FakeIdentityProvider(world).tokens.verify(ticket)).rejects.toMatchObject({
      reason: 'session.token_invalid',
    });
  });
});

describe('the IT department', () => {
  it('does with its buttons what becomes of connections', async () => {
    const press = (act: string, fields: Readonly<Record<string, string>>) => form(`/directory/${act}`, fields);
    expect((await press('set-up-connection', { organization: acme })).status).toBe(303);
    const [connected] = world.connections.all();
    const fields = { connection: connected?.connection.id ?? '' };
    const page = await (await fetch(`${base}/fake-idp/directory`)).text();
    expect(page).toContain('Acme SSO');
    for (const act of ['deactivate-connection', 'activate-connection', 'warn-of-certificate', 'renew-certificate']) {
      expect(page.includes(`/fake-idp/directory/${act}`) || act === 'activate-connection').toBe(true);
      expect((await press(act, fields)).status).toBe(303);
    }
    expect((await press('remove-connection', fields)).status).toBe(303);
    expect(await names()).toEqual([
      'connection.activated',
      'connection.deactivated',
      'connection.activated',
      'connection.saml_certificate_renewal_required',
      'connection.saml_certificate_renewed',
      'connection.deleted',
    ]);
    expect((await press('warn-of-certificate', fields)).status).toBe(404);
  });

  it('can do the same as JSON', async () => {
    const made = await json('POST', '/connections', { organization_id: 'org_acme', type: 'EntraIdOIDC' });
    expect(made).toMatchObject({
      status: 201,
      body: { organization_id: 'org_acme', type: 'EntraIdOIDC', state: 'active' },
    });
    const { id } = made.body;
    expect((await json('PATCH', `/connections/${id}`, { state: 'inactive' })).body.state).toBe('inactive');
    const warned = await json('POST', `/connections/${id}/certificate`, { what: 'expiring', days: -1 });
    expect(Date.parse(warned.body.certificate_until)).toBe(staged.clock.now().getTime() - 24 * 3600 * 1000);
    expect((await heard()).at(-1)).toMatchObject({
      event: 'connection.saml_certificate_renewal_required',
      data: {
        connection: { id, organization_id: acme },
        certificate: { certificate_type: 'ResponseSigning', is_expired: true },
        days_until_expiry: -1,
      },
    });
    const renewed = await json('POST', `/connections/${id}/certificate`, { what: 'renewed' });
    expect((await json('GET', '/connections')).body.data).toEqual([renewed.body]);
    expect((await json('DELETE', `/connections/${id}`)).status).toBe(200);
    expect((await json('DELETE', `/connections/${id}`)).status).toBe(404);
    expect((await json('POST', '/connections', { organization_id: 'org_nobody' })).status).toBe(404);
    expect((await json('POST', `/connections/${id}/certificate`, { what: 'expiring' })).status).toBe(404);
    expect((await json('POST', '/connections', {})).status).toBe(400);
  });
});

describe('a sign-in through a connection', () => {
  const request = (connection: string): string =>
    new URLSearchParams({
      client_id: 'client_fake',
      redirect_uri: `${base}/auth/callback`,
      response_type: 'code',
      state: 'state-1',
      code_challenge: 'c'.repeat(43),
      connection,
    }).toString();

  it('shows its organization, takes single sign-on only, and carries the request along', async () => {
    const { id } = await world.connections.setUp(acme);
    const page = await (await fetch(`${base}/fake-idp/authorize?${request(id)}`)).text();
    expect(page).toContain('Sign in to Acme');
    expect(page).toContain(`name="connection" value="${id}"`);
    const fields = { email: 'ada@acme.test', organization: 'org_somewhere_else' };
    expect((await form(`/authorize?${request(id)}`, { ...fields, method: 'password' })).status).toBe(403);
    const answer = await form(`/authorize?${request(id)}`, { ...fields, method: 'sso' });
    expect(new URL(answer.headers.get('location') ?? '').searchParams.has('code')).toBe(true);
  });

  it('that is not active, or not there, leads back at once with the reason', async () => {
    const { id } = await world.connections.setUp(acme);
    await world.connections.setActive(id, false);
    for (const connection of [id, 'conn_never']) {
      const begun = await fetch(`${base}/fake-idp/authorize?${request(connection)}`, { redirect: 'manual' });
      const proceeded = await form(`/authorize?${request(connection)}`, { email: 'ada@acme.test', method: 'sso' });
      for (const answer of [begun, proceeded]) {
        const back = new URL(answer.headers.get('location') ?? '');
        expect(back.pathname).toBe('/auth/callback');
        expect(back.searchParams.get('error')).toBe('connection_invalid');
        expect(back.searchParams.get('state')).toBe('state-1');
      }
    }
  });
});
