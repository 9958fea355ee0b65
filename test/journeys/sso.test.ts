// An IT admin sets up single sign-on, tests it, is warned of its certificate and removes it; and what nobody else gains by that.

import { describe, expect, it } from 'vitest';
import type { Log } from '#application/ports/system.ts';
import type { Client, World } from '#bootstrap/testing.ts';
import { Browser, location, type Proof } from './browser.ts';
import {
  adam,
  carla,
  days,
  dora,
  gus,
  inWorld,
  issueKey,
  ofAcme,
  ofGlobex,
  olivia,
  refusal,
  trailOf,
} from './words.ts';

const connectionOf = (world: World, organization: string): string => {
  const found = world.provider.connections.all().find((one) => one.organization.externalId === organization);
  if (!found) throw new Error('no connection');
  return found.connection.id;
};

/** The set-up page as the IT admin uses it: each button is a form of its own. */
const press = async (world: World, link: string, act: string): Promise<number> => {
  const ticket = new URL(link).searchParams.get('ticket') ?? '';
  const body = new URLSearchParams({ ticket });
  const { status } = await world.anonymous.send('POST', `/fake-idp/setup/${act}`, { body });
  await world.settle();
  return status;
};

/** A browser in which this admin is signed in. */
const browserOf = async (world: World, email: string): Promise<Browser> => {
  const browser = new Browser(world);
  await browser.signIn({ email, method: 'sso' });
  await world.settle();
  return browser;
};

const startTest = async (world: World, browser: Browser, connection: string): Promise<string> => {
  const started = await browser.send('POST', ofAcme(world, `/sso/connections/${connection}/test?return_to=/settings`));
  expect(started.status).toBe(200);
  return started.body.login_url;
};

const lastTest = async (world: World, by: Pick<Client, 'get'> | Browser) =>
  (await by.get(ofAcme(world, '/sso'))).body.connections[0].last_test;

describe('setting up', () => {
  it('leads through a link to the provider’s page; the connection shows when the provider says that it is active', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(gus);
      const sso = async () => (await owner.get(ofGlobex(world, '/sso'))).body;
      expect(await sso()).toEqual({
        connections: [],
        can: { setup_link: true, test_connection: true, remove_connection: true, create_connection: false },
      });

      const made = await owner.post(ofGlobex(world, '/sso/setup-link?return_to=/settings'), { intent: 'sso' });
      expect(made.status).toBe(200);
      expect(made.headers.get('cache-control')).toBe('no-store');
      expect(made.body.expires_in_seconds).toBe(300);
      const page = await world.anonymous.get(made.body.url);
      expect(page.status).toBe(200);
      expect(page.text).toContain('Globex');
      expect(page.text).toContain(`href="${world.url}/settings"`);

      expect(await press(world, made.body.url, 'activate')).toBe(200);
      const connection = { name: 'Globex SSO', type: 'OktaSAML', certificates: [], last_test: null };
      expect((await sso()).connections).toMatchObject([{ ...connection, state: 'active' }]);
      expect(await press(world, made.body.url, 'deactivate')).toBe(200);
      expect((await sso()).connections).toMatchObject([{ ...connection, state: 'inactive' }]);

      const trail = await trailOf(owner, world.globex);
      const issued = trail.find(({ action }) => action === 'setup_link.issued');
      expect(issued).toMatchObject({ actor: { kind: 'user' }, after: { intent: 'sso' } });
      expect(trail.filter(({ action }) => action === 'connection.changed')).toHaveLength(2);
    }));

  it('leaves the link in no line of the log and in no entry of the trail', async () => {
    const lines: string[] = [];
    const write = (message: string, facts: Readonly<Record<string, unknown>> = {}) =>
      void lines.push(`${message} ${JSON.stringify(facts)}`);
    const log: Log = { debug: write, info: write, warn: write, error: write };
    await inWorld(
      async (world) => {
        const owner = await world.signIn(olivia);
        const links: string[] = [];
        for (const intent of ['sso', 'domain_verification', 'dsync', 'certificate_renewal']) {
          links.push((await owner.post(ofAcme(world, '/sso/setup-link'), { intent })).body.url);
        }
        links.push((await owner.post(ofAcme(world, '/directory/setup-link'))).body.url);
        for (const link of links) expect((await world.anonymous.get(link)).status).toBe(200);
        await world.settle();
        const trail = JSON.stringify(await trailOf(owner, world.acme));
        expect(new Set(links).size).toBe(5);
        for (const link of links) {
          const ticket = new URL(link).searchParams.get('ticket') ?? '';
          expect(ticket.length).toBeGreaterThan(50);
          expect(trail).not.toContain(ticket);
          expect(lines.join('\n')).not.toContain(ticket);
        }
        expect(lines.length).toBeGreaterThan(0);
      },
      { log },
    );
  });

  it('by a link that is too old, for something else, or tampered with, comes to nothing', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(gus);
      const link = async (intent: string): Promise<string> =>
        (await owner.post(ofGlobex(world, '/sso/setup-link'), { intent })).body.url;
      expect(await press(world, await link('dsync'), 'activate')).toBe(403);
      const sso = await link('sso');
      expect(await press(world, sso.slice(0, -3), 'activate')).toBe(403);
      world.clock.turn(301);
      expect(await press(world, sso, 'activate')).toBe(403);
      expect((await owner.get(ofGlobex(world, '/sso'))).body.connections).toEqual([]);
    }));

  it('connects a directory by a link of its own', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(gus);
      const made = await owner.post(ofGlobex(world, '/directory/setup-link'));
      expect(made.status).toBe(200);
      expect(await press(world, made.body.url, 'connect-directory')).toBe(200);
      expect((await owner.get(ofGlobex(world, '/directory'))).body.directories).toMatchObject([{ state: 'connected' }]);
    }));

  it('from here is refused with the advice to use the link, where the provider makes no connections from here', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(gus);
      const details = { protocol: 'saml', name: 'Okta', metadata_url: 'https://globex.okta.test/metadata' };
      const answer = await owner.post(ofGlobex(world, '/sso/connections'), details);
      expect(refusal(answer)).toEqual([422, 'sso.not_supported']);
      expect(answer.body.error.message).toContain('set-up link');
      const inTheClear = { ...details, metadata_url: 'http://globex.okta.test/metadata' };
      expect(refusal(await owner.post(ofGlobex(world, '/sso/connections'), inTheClear))[0]).toBe(400);
    }));
});

describe('a test sign-in', () => {
  it('records who came back, and leaves the admin’s session as it is and no other', () =>
    inWorld(async (world) => {
      const browser = await browserOf(world, adam);
      const me = (await browser.get('/v1/whoami')).body;
      const connection = connectionOf(world, world.acme);
      const before = new Map(browser.cookies());
      const sessionsBefore = (await browser.get(ofAcme(world, '/sessions'))).body.data.length;

      const hosted = await startTest(world, browser, connection);
      const back = await browser.get(location(await browser.prove(hosted, { email: dora, method: 'sso' })));
      expect([back.status, location(back)]).toEqual([302, '/settings']);
      await world.settle();

      expect(await lastTest(world, browser)).toEqual({
        at: world.clock.now().toISOString(),
        by: me.user.id,
        outcome: 'ok',
        error: null,
        email: dora,
        missing: [],
      });
      expect((await browser.get('/v1/whoami')).body.caller).toEqual(me.caller);
      expect(browser.cookies()).toEqual(before);
      expect((await browser.get(ofAcme(world, '/sessions'))).body.data).toHaveLength(sessionsBefore);
      const theirs = world.provider.people.byEmail(dora)?.subject;
      const atProvider = world.provider.sessions.all().filter(({ subject }) => subject === theirs);
      expect(atProvider.map((session) => world.provider.sessions.isAlive(session))).toEqual([false]);

      const trail = await trailOf(await world.signIn(olivia), world.acme);
      expect(trail.find(({ action }) => action === 'connection.tested')).toMatchObject({
        actor: { kind: 'user', id: me.user.id },
        target: { kind: 'connection', id: connection },
        after: { result: 'ok', error: null, email: dora, missing: [] },
      });
    }));

  it('makes nobody known here, and nobody a member', () =>
    inWorld(async (world) => {
      const browser = await browserOf(world, adam);
      const membersBefore = (await browser.get(ofAcme(world, '/members?limit=200'))).body.data.length;
      const newcomer = { email: 'new.here@acme.test', name: 'New Here' };
      await world.provider.people.add(newcomer);
      // The provider's own word about its members would bring somebody in by itself; here nothing is heard of it.
      world.provider.deliverTo(undefined);
      const hosted = await startTest(world, browser, connectionOf(world, world.acme));
      await browser.get(location(await browser.prove(hosted, { email: newcomer.email, method: 'sso' })));
      expect(await lastTest(world, browser)).toMatchObject({ outcome: 'ok', email: newcomer.email });
      expect((await browser.get(ofAcme(world, '/members?limit=200'))).body.data).toHaveLength(membersBefore);
    }));

  it('that fails says why: given up, not active, or with an address that nobody verified', () =>
    inWorld(async (world) => {
      const browser = await browserOf(world, adam);
      const connection = connectionOf(world, world.acme);
      const cancel = { act: 'cancel', email: dora, method: 'sso' } as Proof;
      const givenUp = await browser.prove(await startTest(world, browser, connection), cancel);
      expect(location(await browser.get(location(givenUp)))).toBe('/settings');
      expect(await lastTest(world, browser)).toMatchObject({ outcome: 'failed', error: 'access_denied', email: null });

      world.clock.turn(1);
      await world.provider.people.add({ email: 'unverified@acme.test', name: null, emailVerified: false });
      const unverified = { email: 'unverified@acme.test', method: 'sso' } as const;
      await browser.get(location(await browser.prove(await startTest(world, browser, connection), unverified)));
      expect(await lastTest(world, browser)).toMatchObject({
        outcome: 'failed',
        error: 'email_unverified',
        email: 'unverified@acme.test',
        missing: ['verified_email', 'name'],
      });

      world.clock.turn(1);
      const hosted = await startTest(world, browser, connection);
      await world.provider.connections.setActive(connection, false);
      const closed = await browser.get(hosted);
      expect(location(await browser.get(location(closed)))).toBe('/settings');
      expect(await lastTest(world, browser)).toMatchObject({ outcome: 'failed', error: 'connection_invalid' });
      const told = (await trailOf(await world.signIn(olivia), world.acme)).filter(
        ({ action }) => action === 'connection.tested',
      );
      expect(told.map(({ after }) => after?.['error'])).toEqual([
        'connection_invalid',
        'email_unverified',
        'access_denied',
      ]);
    }));

  it('counts once: its way back shown again, or in another browser, starts an ordinary sign-in', () =>
    inWorld(async (world) => {
      const browser = await browserOf(world, adam);
      const box = new Map(browser.cookies());
      const hosted = await startTest(world, browser, connectionOf(world, world.acme));
      for (const [name, value] of browser.cookies()) box.set(name, value);
      const way = location(await browser.prove(hosted, { email: dora, method: 'sso' }));
      expect(location(await new Browser(world).get(way))).toBe('/auth/login?again=1');
      await browser.get(way);
      const first = await lastTest(world, browser);

      world.clock.turn(1);
      for (const [name, value] of box) browser.setCookie(name, value);
      expect(location(await browser.get(way))).toBe('/auth/login?again=1');
      const state = new URL(way, world.url).searchParams.get('state');
      for (const [name, value] of box) browser.setCookie(name, value);
      expect(refusal(await browser.get(`/auth/callback?error=access_denied&state=${state}`))[0]).toBe(403);
      expect(await lastTest(world, browser)).toEqual(first);
    }));

  it('while the provider is down records nothing, and can be made again', () =>
    inWorld(async (world) => {
      const browser = await browserOf(world, adam);
      const connection = connectionOf(world, world.acme);
      const way = location(
        await browser.prove(await startTest(world, browser, connection), { email: dora, method: 'sso' }),
      );
      await world.outage('down', 10);
      expect((await browser.get(way)).status).toBe(503);
      world.clock.turn(11);
      expect(await lastTest(world, browser)).toBeNull();
      const again = await startTest(world, browser, connection);
      await browser.get(location(await browser.prove(again, { email: dora, method: 'sso' })));
      expect(await lastTest(world, browser)).toMatchObject({ outcome: 'ok' });
    }));
});

describe('a certificate', () => {
  it('that runs out is shown and told until it is renewed through the link', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const connection = connectionOf(world, world.acme);
      const certificates = async () => (await owner.get(ofAcme(world, '/sso'))).body.connections[0].certificates;
      const warned = world.clock.now();
      const path = `/fake-idp/connections/${connection}/certificate`;
      expect((await world.anonymous.post(path, { what: 'expiring', days: 14 })).status).toBe(200);
      await world.settle();
      const until = new Date(warned.getTime() + days(14) * 1000).toISOString();
      const kind = 'ResponseSigning';
      expect(await certificates()).toEqual([{ kind, expires_at: until, warned_at: warned.toISOString() }]);

      world.clock.turn(days(7));
      await world.anonymous.post(path, { what: 'expiring', days: 7 });
      await world.settle();
      const later = await world.signIn(olivia);
      const again = (await later.get(ofAcme(world, '/sso'))).body.connections[0].certificates;
      expect(again).toEqual([{ kind, expires_at: until, warned_at: warned.toISOString() }]);

      world.clock.turn(60);
      const link = (await later.post(ofAcme(world, '/sso/setup-link'), { intent: 'certificate_renewal' })).body.url;
      expect(await press(world, link, 'deactivate')).toBe(403);
      expect(await press(world, link, 'renew-certificate')).toBe(200);
      const renewed = (await later.get(ofAcme(world, '/sso'))).body.connections[0].certificates;
      expect(renewed).toMatchObject([{ kind, warned_at: null }]);
      expect(renewed[0].expires_at > until).toBe(true);
      const told = (await trailOf(later, world.acme)).filter(({ action }) => /certificate/.test(action));
      expect(told.map(({ action, actor }) => [action, actor.kind])).toEqual([
        ['connection.certificate_renewed', 'provider'],
        ['connection.certificate_expiring', 'provider'],
      ]);
    }));

  it('is warned of also when the warning comes before its connection is known here, and then twice', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(gus);
      const connections = async () => (await owner.get(ofGlobex(world, '/sso'))).body.connections;
      const ref = world.provider.organizations.byExternalId(world.globex)?.ref ?? '';
      await world.provider.setManner('lost');
      const { id } = await world.provider.connections.setUp(ref);
      await world.settle();
      await world.provider.setManner('twice');
      await world.provider.connections.warnOfCertificate(id);
      await world.settle();
      expect(await connections()).toEqual([]);
      await world.service.catchUp();
      await world.settle();
      expect(await connections()).toMatchObject([
        { id, state: 'active', certificates: [{ warned_at: world.clock.now().toISOString() }] },
      ]);
      const told = (await trailOf(owner, world.globex)).filter(({ action }) => /certificate/.test(action));
      expect(told).toHaveLength(1);
    }));
});

describe('removal', () => {
  it('is asked of the provider, told in the trail, and forgotten here when the provider says so', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const connection = connectionOf(world, world.acme);
      const path = ofAcme(world, `/sso/connections/${connection}`);
      expect((await owner.delete(path)).status).toBe(204);
      expect(world.provider.connections.byId(connection)).toBeUndefined();
      await world.settle();
      expect((await owner.get(ofAcme(world, '/sso'))).body.connections).toEqual([]);
      expect(refusal(await owner.delete(path))).toEqual([404, 'connection.not_found']);
      expect(refusal(await owner.post(`${path}/test`))).toEqual([404, 'connection.not_found']);
      const trail = await trailOf(owner, world.acme);
      expect(trail.slice(0, 4).map(({ action, actor }) => [action, actor.kind])).toEqual(
        expect.arrayContaining([
          ['connection.changed', 'provider'],
          ['connection.removed', 'user'],
        ]),
      );
    }));

  it('and a test work for a connection whose event has not come yet', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(gus);
      const ref = world.provider.organizations.byExternalId(world.globex)?.ref ?? '';
      await world.provider.setManner('lost');
      const { id } = await world.provider.connections.setUp(ref);
      await world.settle();
      expect((await owner.get(ofGlobex(world, '/sso'))).body.connections).toEqual([]);
      expect((await owner.post(ofGlobex(world, `/sso/connections/${id}/test`))).status).toBe(200);
      expect((await owner.get(ofGlobex(world, '/sso'))).body.connections).toMatchObject([{ id, state: 'active' }]);
      expect((await owner.delete(ofGlobex(world, `/sso/connections/${id}`))).status).toBe(204);
      expect(world.provider.connections.byId(id)).toBeUndefined();
    }));
});

describe('single sign-on of an organization', () => {
  it('is nobody else’s: another organization’s connection does not exist', () =>
    inWorld(async (world) => {
      const other = await world.signIn(gus);
      const acmes = connectionOf(world, world.acme);
      const gone = [404, 'connection.not_found'];
      expect(refusal(await other.post(ofGlobex(world, `/sso/connections/${acmes}/test`)))).toEqual(gone);
      expect(refusal(await other.delete(ofGlobex(world, `/sso/connections/${acmes}`)))).toEqual(gone);
      expect(refusal(await other.post(ofGlobex(world, '/sso/connections/conn_never/test')))).toEqual(gone);
      expect(refusal(await other.post(ofGlobex(world, '/sso/connections/%20/test')))).toEqual(gone);
      for (const [method, path] of [
        ['GET', '/sso'],
        ['POST', `/sso/connections/${acmes}/test`],
        ['DELETE', `/sso/connections/${acmes}`],
        ['POST', '/directory/setup-link'],
      ] as const) {
        expect(refusal(await other.send(method, ofAcme(world, path)))).toEqual([404, 'organization.not_found']);
      }
      expect(world.provider.connections.byId(acmes)?.connection.state).toBe('active');
    }));

  it('is for those who manage the organization, and a test for people', () =>
    inWorld(async (world) => {
      const connection = connectionOf(world, world.acme);
      for (const email of [dora, carla]) {
        const member = await world.signIn(email, { organization: world.acme });
        expect(refusal(await member.get(ofAcme(world, '/sso')))).toEqual([403, 'caller.scope_missing']);
        for (const path of ['/sso/setup-link', `/sso/connections/${connection}/test`, '/directory/setup-link']) {
          const body = path === '/sso/setup-link' ? { intent: 'sso' } : undefined;
          expect(refusal(await member.post(ofAcme(world, path), body))).toEqual([403, 'caller.scope_missing']);
        }
      }
      const owner = await world.signIn(olivia);
      const key = await issueKey(owner, world.acme, { scopes: ['orgs:manage'] });
      const agent = world.agent(key.secret);
      expect((await agent.get(ofAcme(world, '/sso'))).status).toBe(200);
      expect(refusal(await agent.post(ofAcme(world, `/sso/connections/${connection}/test`)))).toEqual([
        403,
        'caller.person_required',
      ]);
    }));

  it('can be looked at, and set up again, while the provider is down or back', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      await world.outage('down', 60);
      expect((await owner.get(ofAcme(world, '/sso'))).body.connections).toHaveLength(1);
      const ask = () => owner.post(ofAcme(world, '/sso/setup-link'), { intent: 'sso' });
      expect(refusal(await ask())).toEqual([503, 'identity.unavailable']);
      world.clock.turn(61);
      expect((await ask()).status).toBe(200);
      const issued = (await trailOf(owner, world.acme)).filter(({ action }) => action === 'setup_link.issued');
      expect(issued).toHaveLength(1);
    }));
});
