// The journeys of the other files, with WorkOS as the provider: through its real SDK, its wire, its signed deliveries, and its faults.

import { generateKeyPairSync } from 'node:crypto';
import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import type { Answer } from '#bootstrap/testing.ts';
import { type WorkosBrowser, type WorkosService, workosService } from '../support/workos-service.ts';
import type { DirectoryAtWork } from '../support/workos-stub/dashboard.ts';
import type { StubMembership } from '../support/workos-stub/stub-organizations.ts';
import type { StubSession } from '../support/workos-stub/stub-sessions.ts';
import { location } from './browser.ts';
import { carla, dora, gus, hours, memberNamed, minutes, olivia, refusal, trailOf } from './words.ts';

const onWorkos = async (
  story: (at: WorkosService) => Promise<void>,
  options: Parameters<typeof workosService>[0] = {},
): Promise<void> => {
  await using at = await workosService(options);
  await story(at);
};

interface Company {
  readonly id: string;
  /** WorkOS' id of it. */
  readonly ref: string;
  readonly owner: WorkosBrowser;
  /** The address of one of its things at our API. */
  at(path?: string): string;
}

/** Somebody signs up, founds an organization here, and its domain is verified at WorkOS. */
const found = async (at: WorkosService, founder: string, name: string, domain: string): Promise<Company> => {
  at.dashboard.user(founder);
  const owner = await at.signIn(founder);
  const founded = await owner.post('/v1/organizations', { name, domains: [domain] });
  const { id } = founded.body;
  await at.settle();
  const ref = at.stub.organizations.organizations.find(({ externalId }) => externalId === id)?.id ?? '';
  at.dashboard.verifyDomain(ref, domain);
  await at.settle();
  return { id, ref, owner, at: (path = '') => `/v1/organizations/${id}${path}` };
};

/** Acme of Olivia and Globex of Gus; Dora develops at Acme, Carla consults both. */
const twoCompanies = async (at: WorkosService) => {
  const acme = await found(at, olivia, 'Acme', 'acme.test');
  const globex = await found(at, gus, 'Globex', 'globex.test');
  const people = { dora: at.dashboard.user(dora), carla: at.dashboard.user(carla) };
  const memberships = {
    dora: at.dashboard.member(acme.ref, people.dora.id, 'developer'),
    carlaAtAcme: at.dashboard.member(acme.ref, people.carla.id),
    carlaAtGlobex: at.dashboard.member(globex.ref, people.carla.id, 'developer'),
  };
  await at.settle();
  at.asked();
  return { acme, globex, people, memberships };
};

const into = (company: Company): string => `?organization_id=${company.id}`;
const switchTo = (company: Company) => ({ organization_id: company.id });
const whoami = async (browser: WorkosBrowser) => (await browser.get('/v1/whoami')).body;
const verdictOn = async (browser: WorkosBrowser) => refusal(await browser.get('/v1/whoami'));

/** WorkOS' sessions of this person, oldest first. */
const sessionsAtWorkos = (at: WorkosService, email: string): readonly StubSession[] => {
  const subjects = at.stub.organizations.users.filter((user) => user.email === email).map(({ id }) => id);
  return at.stub.sessions.sessions.filter(({ user }) => subjects.includes(user));
};
const statesAtWorkos = (at: WorkosService, email: string): readonly string[] =>
  sessionsAtWorkos(at, email).map(({ status }) => status);

const authenticate = 'POST /user_management/authenticate';
const count = (asked: readonly string[], what: string | RegExp): number =>
  asked.filter((one) => (typeof what === 'string' ? one === what : what.test(one))).length;

interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}
/** What an API client gets for the refresh cookie of this browser. */
const tokensOf = async (at: WorkosService, browser: WorkosBrowser): Promise<Tokens> => {
  const asked = { refresh_token: browser.cookie('hd_refresh') };
  const answer = await at.anonymous.post('/v1/session/refresh', asked);
  if (answer.status !== 200) throw new Error(`no tokens: ${answer.text}`);
  return answer.body;
};

describe('signing in over WorkOS', () => {
  it("leads by the e-mail's domain to the organization, and lands there with its role", () =>
    onWorkos(async (at) => {
      const { acme } = await twoCompanies(at);
      at.stub.connections.addConnection(acme.ref);
      const browser = at.browser();
      const hosted = new URL(await browser.begin(`?email=${dora}&return_to=/docs`));
      expect(hosted.origin).toBe(at.stub.url);
      expect(Object.fromEntries(hosted.searchParams)).toMatchObject({
        provider: 'authkit',
        organization_id: acme.ref,
        login_hint: dora,
        redirect_uri: `${at.url}/auth/callback`,
        code_challenge_method: 'S256',
      });
      const landed = await browser.get(await browser.authorize(hosted.href, dora));
      expect([landed.status, location(landed)]).toEqual([302, '/docs']);
      const me = await whoami(browser);
      expect(me.caller).toMatchObject({ kind: 'user', role: 'developer', organization_id: acme.id });
      expect(me.user).toMatchObject({ email: dora });
      const [session] = (await browser.get('/v1/sessions')).body.data;
      expect(session).toMatchObject({ method: 'sso', current: true, organization_id: acme.id });
      const line = (await trailOf(acme.owner, acme.id)).find(({ action }) => action === 'session.started');
      expect(line).toMatchObject({ actor: { kind: 'user', id: me.user.id }, after: { method: 'sso' } });
      expect(sessionsAtWorkos(at, dora)).toMatchObject([{ organization: acme.ref, status: 'active' }]);
    }));

  it('goes to the organization that was asked for, or without one to the first that the person has', () =>
    onWorkos(async (at) => {
      const { acme, globex } = await twoCompanies(at);
      const wished = await at.signIn(carla, into(globex));
      expect((await whoami(wished)).caller).toMatchObject({ organization_id: globex.id, role: 'developer' });

      const wishless = await at.signIn(carla, '');
      expect((await whoami(wishless)).caller).toMatchObject({ organization_id: acme.id, role: 'analyst' });
      // At WorkOS too, so that its policies for that organization hold.
      expect(sessionsAtWorkos(at, carla).map(({ organization }) => organization)).toEqual([globex.ref, acme.ref]);
    }));

  it('lets in somebody who belongs nowhere yet, without an organization', () =>
    onWorkos(async (at) => {
      at.dashboard.user('nora@newcomer.test');
      const browser = await at.signIn('nora@newcomer.test');
      const me = await whoami(browser);
      expect([me.caller.organization_id, me.organizations, me.user.name]).toEqual([null, [], 'Nora Test']);
    }));

  it('where WorkOS leaves the choice of the organization to us, takes the one that was asked for', () =>
    onWorkos(async (at) => {
      const { acme, globex } = await twoCompanies(at);
      for (const wanted of [globex, acme]) {
        at.stub.sessions.nextSignIn = { mustChoose: true };
        const browser = await at.signIn(carla, into(wanted));
        expect((await whoami(browser)).caller.organization_id).toBe(wanted.id);
      }
    }));

  it('takes a state once, and a code once', () =>
    onWorkos(async (at) => {
      await twoCompanies(at);
      const browser = at.browser();
      const callback = await browser.authorize(await browser.begin(), dora);
      await browser.get(callback);
      at.asked();
      const replayed = await browser.get(callback);
      expect([replayed.status, location(replayed)]).toEqual([302, '/auth/login?again=1']);
      expect(at.asked()).toEqual([]);

      const second = new URL(await browser.authorize(await browser.begin(), dora));
      second.searchParams.set('code', new URL(callback).searchParams.get('code') ?? '');
      expect(refusal(await browser.get(second.href))).toEqual([403, 'sign_in.code_spent']);
      expect(sessionsAtWorkos(at, dora)).toHaveLength(1);
      expect((await whoami(browser)).user.email).toBe(dora);
    }));

  it('binds a code to the browser that asked for it', () =>
    onWorkos(async (at) => {
      await twoCompanies(at);
      const [attacker, victim] = [at.browser(), at.browser()];
      const callback = await attacker.authorize(await attacker.begin(), gus);
      await victim.begin();
      expect(location(await victim.get(callback))).toBe('/auth/login?again=1');
      expect(victim.cookie('hd_session')).toBeUndefined();
      // The code in a callback of the victim's own: the verifier does not fit.
      const own = new URL(await victim.authorize(await victim.begin(), dora));
      own.searchParams.set('code', new URL(callback).searchParams.get('code') ?? '');
      expect(refusal(await victim.get(own.href))).toEqual([403, 'sign_in.code_spent']);
    }));

  it('passes on that WorkOS refused, and leaves the session that was there alone', () =>
    onWorkos(async (at) => {
      await twoCompanies(at);
      const browser = await at.signIn(dora);
      const callback = new URL(await browser.authorize(await browser.begin(''), 'unknown@acme.test'));
      expect(callback.searchParams.get('error')).toBe('access_denied');
      const denied = await browser.get(callback.href);
      expect([...refusal(denied), denied.body.error.details]).toEqual([
        403,
        'sign_in.denied',
        { provider_error: 'access_denied' },
      ]);
      const broken = await browser.get('/auth/callback?error=server_error');
      expect(refusal(broken)).toEqual([503, 'identity.unavailable']);
      expect((await whoami(browser)).user.email).toBe(dora);
    }));

  it('that begins at WorkOS starts afresh, and its own code is never redeemed', () =>
    onWorkos(async (at) => {
      const { acme } = await twoCompanies(at);
      const browser = at.browser();
      const unasked = new URL(`${at.stub.url}/user_management/authorize`);
      unasked.search = new URLSearchParams({
        client_id: at.stub.clientId,
        redirect_uri: `${at.url}/auth/callback`,
        organization_id: acme.ref,
      }).toString();
      const callback = await browser.authorize(unasked.href, dora);
      expect(new URL(callback).searchParams.has('state')).toBe(false);
      at.asked();

      const { answer, places } = await browser.follow(callback, dora);
      expect([answer.status, places]).toEqual([200, ['/auth/login', 'hosted page', '/']]);
      expect((await whoami(browser)).user.email).toBe(dora);
      const redeemed = at.stub.requests.filter(({ path }) => path === '/user_management/authenticate');
      const codes = redeemed.map(({ body }) => body['code']);
      expect(codes).not.toContain(new URL(callback).searchParams.get('code'));
      // The initiate-login endpoint of the dashboard leads the same way.
      expect((await at.browser().follow('/auth/start', dora)).places).toEqual(['/auth/login', 'hosted page', '/']);
    }));

  it('as somebody else shows who acts: on the session, in whoami, and in the trail of every act', () =>
    onWorkos(async (at) => {
      const { acme } = await twoCompanies(at);
      const impersonator = { email: 'support@hatidata.test', reason: 'ticket 7' };
      at.stub.sessions.nextSignIn = { method: 'Impersonation', impersonator };
      const browser = await at.signIn(olivia, into(acme));
      const me = await whoami(browser);
      expect(me.user.email).toBe(olivia);
      expect(me.caller.impersonator).toEqual(impersonator);
      expect((await browser.post(acme.at('/agents'), { name: 'made in her name' })).status).toBe(201);

      const trail = await trailOf(acme.owner, acme.id);
      const started = trail.find(({ action }) => action === 'session.started');
      expect(started?.after).toMatchObject({ user: me.user.id, impersonator: impersonator.email, method: 'other' });
      const made = trail.find(({ action }) => action === 'agent.created');
      expect(made?.actor).toEqual({ kind: 'user', id: me.user.id, impersonator: impersonator.email });
      expect((await whoami(acme.owner)).caller.impersonator).toBeUndefined();
    }));

  it('refuses whom WorkOS lets in and the organization does not know, and ends what WorkOS began', () =>
    onWorkos(async (at) => {
      const { acme } = await twoCompanies(at);
      const stranger = 'stranger@acme.test';
      at.dashboard.user(stranger);
      const unverified = 'not.yet@acme.test';
      at.stub.organizations.addUser({ email: unverified, emailVerified: false });
      expect(refusal(await at.browser().enter(stranger))).toEqual([403, 'sign_in.not_a_member']);
      expect(refusal(await at.browser().enter(unverified))).toEqual([403, 'sign_in.email_unverified']);
      await at.settle();
      expect([statesAtWorkos(at, stranger), statesAtWorkos(at, unverified)]).toEqual([['revoked'], ['revoked']]);
      const refused = (await trailOf(acme.owner, acme.id)).filter(({ action }) => action === 'sign_in.refused');
      expect(refused.map(({ after }) => [after?.['email'], after?.['reason']])).toEqual([
        [unverified, 'sign_in.email_unverified'],
        [stranger, 'sign_in.not_a_member'],
      ]);
    }));

  it('signs out at both ends', () =>
    onWorkos(async (at) => {
      await twoCompanies(at);
      const browser = await at.signIn(dora);
      const reference = browser.cookie('hd_session') ?? '';
      const out = await browser.send('POST', '/auth/logout');
      const to = new URL(location(out));
      expect([out.status, to.origin, to.pathname]).toEqual([303, at.stub.url, '/user_management/sessions/logout']);
      const [session] = sessionsAtWorkos(at, dora);
      expect(Object.fromEntries(to.searchParams)).toEqual({ session_id: session?.id, return_to: at.url });
      browser.setCookie('hd_session', reference);
      expect(await verdictOn(browser)).toEqual([401, 'session.ended']);
      await at.settle();
      expect(statesAtWorkos(at, dora)).toEqual(['revoked']);
    }));
});

describe('an organization', () => {
  it('founded here gets one counterpart at WorkOS, by our id, and its founder belongs to it there', () =>
    onWorkos(async (at) => {
      const acme = await found(at, olivia, 'Acme', 'acme.test');
      const { organizations, users, memberships, domains } = at.stub.organizations;
      expect(organizations).toMatchObject([{ id: acme.ref, name: 'Acme', externalId: acme.id }]);
      expect(memberships).toMatchObject([{ organization: acme.ref, user: users[0]?.id, status: 'active' }]);
      expect(domains).toMatchObject([{ organization: acme.ref, name: 'acme.test' }]);
      const [domain] = (await acme.owner.get(acme.at())).body.domains;
      expect(domain).toEqual({ name: 'acme.test', state: 'verified' });
      expect((await whoami(acme.owner)).caller).toMatchObject({ role: 'owner', organization_id: acme.id });

      // What WorkOS echoes changes nothing, and is told once.
      const actions = (await trailOf(acme.owner, acme.id)).map(({ action }) => action);
      expect(actions.filter((action) => action === 'organization.linked')).toHaveLength(1);
      expect(actions.filter((action) => action === 'membership.granted')).toHaveLength(1);
      const again = await at.signIn(olivia);
      expect((await whoami(again)).caller).toMatchObject({ role: 'owner', organization_id: acme.id });
      expect(sessionsAtWorkos(at, olivia).at(-1)).toMatchObject({ organization: acme.ref });
    }));

  it('is made once at WorkOS, also when the answer was lost or WorkOS was away for a while', () =>
    onWorkos(async (at) => {
      at.dashboard.user(olivia);
      const owner = await at.signIn(olivia);
      at.stub.plan({ play: 'lost' }, { on: 'POST /organizations', times: 4 });
      await owner.post('/v1/organizations', { name: 'Lost Answers' });
      await at.settle();
      at.stub.plan({ play: 'page', status: 502 });
      await owner.post('/v1/organizations', { name: 'Outage' });
      await at.settle();
      at.stub.mend();
      at.clock.turn(minutes(2));
      await at.settle();
      const { organizations, memberships } = at.stub.organizations;
      expect(organizations.map(({ name }) => name).toSorted()).toEqual(['Lost Answers', 'Outage']);
      expect(memberships.map(({ status }) => status)).toEqual(['active', 'active']);
    }));

  it('made at WorkOS is adopted with its people and their roles, and is not made a second time', () =>
    onWorkos(async (at) => {
      const initech = at.dashboard.organization('Initech');
      at.dashboard.verifyDomain(initech.id, 'initech.test');
      const [bill, peter] = ['bill@initech.test', 'peter@initech.test'];
      at.dashboard.member(initech.id, at.dashboard.user(bill).id, 'admin');
      const peters = at.dashboard.member(initech.id, at.dashboard.user(peter).id);
      await at.settle();
      expect(at.asked()).toEqual([]);

      const admin = await at.signIn(bill);
      const me = await whoami(admin);
      expect([me.organization.name, me.caller.role]).toEqual(['Initech', 'admin']);
      const { id } = me.organization;
      const ours = (await admin.get(`/v1/organizations/${id}`)).body;
      expect(ours).toMatchObject({ ownerless: true, domains: [{ name: 'initech.test', state: 'verified' }] });
      expect(await memberNamed(admin, id, peter)).toMatchObject({ role: 'analyst', managed_by: 'provider' });

      at.dashboard.changeRole(peters, 'developer');
      await at.settle();
      expect(await memberNamed(admin, id, peter)).toMatchObject({ role: 'developer' });
      expect(at.stub.organizations.organizations).toHaveLength(1);
      expect(count(at.asked(), /organizations/)).toBe(0);
    }));

  it('is adopted in whatever order its news come in, and however often', () =>
    onWorkos(async (at) => {
      const initech = at.dashboard.organization('Initech');
      const user = at.dashboard.user('bill@initech.test');
      at.dashboard.member(initech.id, user.id, 'admin');
      const news = [...at.stub.events.entries];
      for (const event of [...news.toReversed(), ...news]) expect(await at.deliver(event)).toBe(200);
      await at.service.inbox.drain();
      at.clock.turn(2);
      await at.settle();
      const admin = await at.signIn('bill@initech.test', '');
      const me = await whoami(admin);
      expect(me.organizations).toMatchObject([{ name: 'Initech', role: 'admin' }]);
      expect(me.caller.organization_id).toBe(me.organizations[0].id);
      const actions = (await trailOf(admin, me.organization.id)).map(({ action }) => action);
      expect(actions.filter((action) => action === 'membership.granted')).toHaveLength(1);
    }));

  it('loses at WorkOS whom it removes here, and hears the echo of it without another word', () =>
    onWorkos(async (at) => {
      const { acme, memberships } = await twoCompanies(at);
      const person = await at.signIn(dora);
      const member = await memberNamed(acme.owner, acme.id, dora);
      expect((await acme.owner.delete(acme.at(`/members/${member.id}`))).status).toBe(204);
      expect(await verdictOn(person)).toEqual([401, 'session.ended']);
      await at.settle();
      expect(memberships.dora.status).toBe('inactive');
      expect(statesAtWorkos(at, dora)).toEqual(['revoked']);
      expect(refusal(await at.browser().enter(dora))).toEqual([403, 'sign_in.not_a_member']);
      const revoked = (await trailOf(acme.owner, acme.id)).filter(({ action }) => action === 'membership.revoked');
      expect(revoked).toHaveLength(1);
    }));
});

describe("somebody whom WorkOS' own dashboard removes", () => {
  it('is out on the next request, in that organization and no other', () =>
    onWorkos(async (at) => {
      const { acme, globex, memberships } = await twoCompanies(at);
      const [atAcme, atGlobex] = [await at.signIn(carla, into(acme)), await at.signIn(carla, into(globex))];
      at.asked();
      at.dashboard.removeMember(memberships.carlaAtAcme);
      await at.settle();
      expect(await verdictOn(atAcme)).toEqual([401, 'session.ended']);
      expect((await whoami(atGlobex)).organizations).toMatchObject([{ name: 'Globex' }]);
      const revoked = (await trailOf(acme.owner, acme.id)).find(({ action }) => action === 'membership.revoked');
      expect(revoked?.actor).toEqual({ kind: 'provider', id: 'workos' });
      expect(at.stub.organizations.isMember(acme.ref, memberships.carlaAtAcme.user)).toBe(false);
      expect(refusal(await at.browser().enter(carla, into(acme)))).toEqual([403, 'sign_in.not_a_member']);
    }));
});

describe('a consultant of two organizations', () => {
  it('switches there and back at WorkOS too, within one session', () =>
    onWorkos(async (at) => {
      const { acme, globex } = await twoCompanies(at);
      const browser = await at.signIn(carla, into(acme));
      const before = await whoami(browser);
      expect(before.caller.role).toBe('analyst');
      const box = browser.cookie('hd_refresh');
      at.asked();
      const switched = await browser.post('/v1/session/organization', switchTo(globex));
      expect([switched.status, switched.body]).toEqual([200, { organization_id: globex.id }]);
      expect(at.asked()).toEqual([authenticate]);
      expect((await whoami(browser)).caller).toMatchObject({
        organization_id: globex.id,
        role: 'developer',
        session_id: before.caller.session_id,
      });
      expect(browser.cookie('hd_refresh')).not.toBe(box);
      expect(sessionsAtWorkos(at, carla)).toMatchObject([{ organization: globex.ref, status: 'active' }]);
      // Nothing of the other organization is to be seen from here.
      expect(refusal(await browser.get(acme.at('/members')))).toEqual([404, 'organization.not_found']);

      expect((await browser.post('/v1/session/organization', switchTo(acme))).status).toBe(200);
      expect((await whoami(browser)).caller).toEqual(before.caller);
    }));

  it.each([
    ['sso_required', { error: 'sso_required', error_description: 'SSO, please.', connection_ids: ['conn_01'] }],
    ['no word but a sentence', { message: 'Must use SSO for selected organization' }],
    [
      'organization_authentication_methods_required',
      { error: 'organization_authentication_methods_required', sso_connection_ids: ['conn_01'], auth_methods: {} },
    ],
    ['mfa_enrollment', { code: 'mfa_enrollment', message: 'Enroll.', pending_authentication_token: 'pending' }],
  ])('is sent to sign in again where WorkOS asks for more (%s), and the way given works', (_, refusesSwitch) =>
    onWorkos(async (at) => {
      const { acme, globex } = await twoCompanies(at);
      at.stub.connections.addConnection(acme.ref);
      for (const organization of at.stub.organizations.organizations) {
        if (organization.id === acme.ref) organization.refusesSwitch = refusesSwitch;
      }
      const browser = await at.signIn(carla, into(globex));
      const refused = await browser.post('/v1/session/organization', switchTo(acme));
      expect(refusal(refused)).toEqual([409, 'session.reauthentication_required']);
      expect((await whoami(browser)).organization.name).toBe('Globex');
      const { login_url } = refused.body.error.details;
      const byToken = { refresh_token: browser.cookie('hd_refresh'), organization_id: acme.id };
      const client = await at.anonymous.post('/v1/session/refresh', byToken);
      expect([...refusal(client), client.body.error.details]).toEqual([
        409,
        'session.reauthentication_required',
        { login_url },
      ]);

      expect((await browser.follow(login_url, carla)).places).toEqual(['hosted page', '/']);
      expect((await whoami(browser)).organization.name).toBe('Acme');
      const sessions = (await browser.get('/v1/sessions')).body.data;
      expect(sessions).toMatchObject([{ method: 'sso', organization_id: acme.id }]);
      await at.settle();
      expect(statesAtWorkos(at, carla)).toEqual(['revoked', 'active']);
    }),
  );

  it('switches also when the answer of WorkOS was lost on its way, at the second try if need be', () =>
    onWorkos(async (at) => {
      const { acme, globex } = await twoCompanies(at);
      const browser = await at.signIn(carla, into(acme));
      at.stub.plan({ play: 'lost' }, { on: authenticate, times: 1 });
      expect((await browser.post('/v1/session/organization', switchTo(globex))).status).toBe(200);
      at.stub.plan({ play: 'lost' }, { on: authenticate, times: 2 });
      const lost = await browser.post('/v1/session/organization', switchTo(acme));
      expect(refusal(lost)).toEqual([503, 'identity.unavailable']);
      // At WorkOS the session has moved, here it has not: whoever asks now is where they were.
      expect((await whoami(browser)).organization.name).toBe('Globex');
      expect((await browser.post('/v1/session/organization', switchTo(acme))).status).toBe(200);
      expect((await whoami(browser)).organization.name).toBe('Acme');

      // And an API client whose session WorkOS has moved behind our back is brought back to where it stands.
      at.stub.plan({ play: 'lost' }, { on: authenticate, times: 2 });
      await browser.post('/v1/session/organization', switchTo(globex));
      const tokens = await tokensOf(at, browser);
      const me = await at.bearing(tokens.access_token).get('/v1/whoami');
      expect([me.status, me.body.organization?.name]).toEqual([200, 'Acme']);
    }));

  it('finds nothing where they do not belong; WorkOS is not even asked', () =>
    onWorkos(async (at) => {
      const { acme, globex } = await twoCompanies(at);
      const browser = await at.signIn(dora);
      at.asked();
      const nowhere = { organization_id: 'org_00000000000000000000000001' };
      const [there, anywhere] = [
        await browser.post('/v1/session/organization', switchTo(globex)),
        await browser.post('/v1/session/organization', nowhere),
      ];
      expect(refusal(there)).toEqual([404, 'organization.not_found']);
      expect(refusal(anywhere)).toEqual([404, 'organization.not_found']);
      expect(at.asked()).toEqual([]);
      expect((await whoami(browser)).caller.organization_id).toBe(acme.id);
    }));

  it('who is no member at WorkOS any more moves nowhere, also before its news has come', () =>
    onWorkos(async (at) => {
      const { acme, globex, memberships } = await twoCompanies(at);
      const browser = await at.signIn(carla, into(acme));
      at.endpointIsDown(true);
      at.dashboard.removeMember(memberships.carlaAtGlobex);
      const refused = await browser.post('/v1/session/organization', switchTo(globex));
      expect(refusal(refused)).toEqual([409, 'session.reauthentication_required']);
      const byToken = { refresh_token: browser.cookie('hd_refresh'), organization_id: globex.id };
      expect(refusal(await at.anonymous.post('/v1/session/refresh', byToken))).toEqual([404, 'organization.not_found']);
      expect((await whoami(browser)).organization.name).toBe('Acme');
      await at.service.catchUp();
      await at.settle();
      expect((await whoami(browser)).organizations).toMatchObject([{ name: 'Acme' }]);
      expect(at.stub.organizations.isMember(globex.ref, memberships.carlaAtGlobex.user)).toBe(false);
    }));

  it('moves nowhere by the word of WorkOS alone', () =>
    onWorkos(async (at) => {
      const { acme, globex, memberships } = await twoCompanies(at);
      const browser = await at.signIn(carla, into(acme));
      const member = await memberNamed(globex.owner, globex.id, carla);
      at.stub.plan({ play: 'cut' });
      await globex.owner.delete(globex.at(`/members/${member.id}`));
      at.stub.mend();
      expect(memberships.carlaAtGlobex.status).toBe('active');
      const refused = await browser.post('/v1/session/organization', switchTo(globex));
      expect(refusal(refused)).toEqual([404, 'organization.not_found']);
      const byToken = { refresh_token: browser.cookie('hd_refresh'), organization_id: globex.id };
      expect(refusal(await at.anonymous.post('/v1/session/refresh', byToken))).toEqual([404, 'organization.not_found']);
      expect((await whoami(browser)).organization.name).toBe('Acme');
    }));
});

describe('an active session', () => {
  it('gets new cookies before the access token ends, for one refresh however many requests come at once', () =>
    onWorkos(async (at) => {
      await twoCompanies(at);
      const browser = await at.signIn(dora);
      const box = browser.cookie('hd_refresh');
      at.clock.turn(239);
      at.asked();
      expect((await browser.get('/v1/whoami')).headers.getSetCookie()).toEqual([]);
      expect(at.asked()).toEqual([]);
      at.clock.turn(2);
      const answers = await Promise.all(Array.from({ length: 20 }, () => browser.get('/v1/whoami')));
      expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
      expect(at.asked()).toEqual([authenticate]);
      const offered = new Set(
        answers.flatMap(({ headers }) => headers.getSetCookie().filter((line) => /refresh/.test(line))),
      );
      expect(offered.size).toBe(1);
      expect(browser.cookie('hd_refresh')).not.toBe(box);

      // The rotated one is good, for hours of work.
      for (let turn = 0; turn < 24; turn += 1) {
        at.clock.turn(250);
        expect((await browser.get('/v1/whoami')).status).toBe(200);
      }
      const asked = at.asked();
      expect(count(asked, authenticate)).toBe(24);
      // Whether the session lives is asked once in five minutes at most: 100 minutes of work.
      expect(count(asked, /sessions$/)).toBeLessThanOrEqual(20);
      expect(statesAtWorkos(at, dora)).toEqual(['active']);
      const tokens = await tokensOf(at, browser);
      expect((await at.bearing(tokens.access_token).get('/v1/whoami')).status).toBe(200);
    }));

  it('may be refreshed by two nodes at the same time: whichever answer the browser keeps is good', () =>
    onWorkos(async (at) => {
      await twoCompanies(at);
      const browser = await at.signIn(dora);
      const other = await at.anotherNode();
      at.clock.turn(241);
      const box = browser.cookie('hd_refresh');
      const reference = browser.cookie('hd_session') ?? '';
      const [here, there] = await Promise.all([
        browser.get('/v1/whoami'),
        other.useCases
          .authenticateCaller({ kind: 'session_reference', reference }, { ip: null })
          .then((caller) => other.useCases.keepSessionAlive(caller, box)),
      ]);
      expect([here.status, there?.refreshBox === undefined]).toEqual([200, false]);
      for (const kept of [browser.cookie('hd_refresh'), there?.refreshBox]) {
        const answer = await at.anonymous.post('/v1/session/refresh', { refresh_token: kept });
        expect(answer.status).toBe(200);
      }
    }));

  it('survives that the browser never got its new cookies, also after the 30 seconds that WorkOS forgives', () =>
    onWorkos(async (at) => {
      await twoCompanies(at);
      const browser = await at.signIn(dora);
      const old = browser.cookies();
      at.clock.turn(241);
      await browser.get('/v1/whoami');
      const offered = browser.cookie('hd_refresh');
      for (const [name, value] of old) browser.setCookie(name, value);
      at.clock.turn(60);
      at.asked();
      await browser.get('/v1/whoami');
      expect(browser.cookie('hd_refresh')).toBe(offered);
      expect(at.asked()).toEqual([]);
    }));

  it('survives that the answer of WorkOS was lost, and has its new tokens a moment later', () =>
    onWorkos(async (at) => {
      await twoCompanies(at);
      const browser = await at.signIn(dora);
      const box = browser.cookie('hd_refresh');
      at.clock.turn(241);
      at.stub.plan({ play: 'lost' }, { on: authenticate, times: 1 });
      expect((await browser.get('/v1/whoami')).status).toBe(200);
      // The SDK asks once more, and WorkOS repeats what it said.
      expect(browser.cookie('hd_refresh')).not.toBe(box);

      const second = browser.cookie('hd_refresh');
      at.clock.turn(250);
      at.stub.plan({ play: 'lost' }, { on: authenticate, times: 2 });
      const during = await browser.get('/v1/whoami');
      expect([during.status, browser.cookie('hd_refresh')]).toEqual([200, second]);
      at.clock.turn(15);
      expect((await browser.get('/v1/whoami')).status).toBe(200);
      expect(browser.cookie('hd_refresh')).not.toBe(second);
      expect((await tokensOf(at, browser)).access_token).toBeDefined();
    }));

  it('goes on while its refresh token is worth nothing any more; only what needs one asks for a fresh sign-in', () =>
    onWorkos(async (at) => {
      const { acme, globex } = await twoCompanies(at);
      const browser = await at.signIn(carla, into(acme));
      at.clock.turn(241);
      at.stub.plan({ play: 'lost' }, { on: authenticate, times: 2 });
      await browser.get('/v1/whoami');
      at.clock.turn(31);
      for (let turn = 0; turn < 12; turn += 1) {
        at.clock.turn(minutes(6));
        expect(await verdictOn(browser)).toEqual([200, undefined]);
      }
      const refused = await browser.post('/v1/session/organization', switchTo(globex));
      expect(refusal(refused)).toEqual([409, 'session.reauthentication_required']);
      await browser.follow(refused.body.error.details.login_url, carla);
      expect((await whoami(browser)).organization.name).toBe('Globex');
    }));

  it.each([
    ['429', { play: 'answer', status: 429, body: { message: 'Slow down' }, headers: { 'retry-after': '5' } }],
    ['500', { play: 'answer', status: 500, body: { message: 'Oops' } }],
    ['a page with 503', { play: 'page', status: 503 }],
    ['a page with 200', { play: 'page', status: 200 }],
    ['a cut connection', { play: 'cut' }],
    ['half an answer', { play: 'torn' }],
  ] as const)('does not end by %s', (_, fault) =>
    onWorkos(async (at) => {
      await twoCompanies(at);
      const browser = await at.signIn(dora);
      at.clock.turn(241);
      at.stub.plan(fault, { on: /authenticate|sessions/ });
      expect(await verdictOn(browser)).toEqual([200, undefined]);
      // Past the trusted time nobody can tell: wait, and come again.
      at.clock.turn(60);
      const waits = await browser.get('/v1/whoami');
      expect(waits.status).toBe(503);
      expect(Number(waits.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(browser.cookie('hd_session')).toBeDefined();
      at.stub.mend();
      at.clock.turn(40);
      expect(await verdictOn(browser)).toEqual([200, undefined]);
      expect((await browser.get('/v1/sessions')).body.data).toHaveLength(1);
      expect(statesAtWorkos(at, dora)).toEqual(['active']);
      expect((await tokensOf(at, browser)).access_token).toBeDefined();
    }),
  );
});

describe('ending sessions', () => {
  it('one of my own: the next request is refused, and WorkOS hears of it', () =>
    onWorkos(async (at) => {
      await twoCompanies(at);
      const [laptop, phone] = [await at.signIn(dora), await at.signIn(dora)];
      const sessions: { id: string; current: boolean }[] = (await laptop.get('/v1/sessions')).body.data;
      const other = sessions.find(({ current }) => !current);
      expect((await laptop.delete(`/v1/sessions/${other?.id}`)).status).toBe(204);
      expect(await verdictOn(phone)).toEqual([401, 'session.ended']);
      expect(await verdictOn(laptop)).toEqual([200, undefined]);
      await at.settle();
      expect(statesAtWorkos(at, dora)).toEqual(['active', 'revoked']);
    }));

  it('one, all of a person, and everybody of an organization, by an admin', () =>
    onWorkos(async (at) => {
      const { acme, globex } = await twoCompanies(at);
      const doras = [await at.signIn(dora), await at.signIn(dora), await at.signIn(dora)];
      const [atAcme, atGlobex] = [await at.signIn(carla, into(acme)), await at.signIn(carla, into(globex))];
      const statuses = () =>
        Promise.all([...doras, atAcme, atGlobex].map(async (one) => (await one.get('/v1/whoami')).status));
      const member = await memberNamed(acme.owner, acme.id, dora);
      const listed = (await acme.owner.get(acme.at(`/members/${member.id}/sessions`))).body.data;
      expect(listed).toHaveLength(3);
      expect((await acme.owner.delete(acme.at(`/sessions/${listed[0].id}`))).status).toBe(204);
      expect((await statuses()).filter((status) => status === 401)).toHaveLength(1);

      const ended = await acme.owner.delete(acme.at(`/members/${member.id}/sessions`));
      expect([ended.body, await statuses()]).toEqual([{ ended: 2 }, [401, 401, 401, 200, 200]]);
      expect((await acme.owner.delete(acme.at('/sessions'))).status).toBe(200);
      expect(await statuses()).toEqual([401, 401, 401, 401, 200]);
      await at.settle();
      expect(statesAtWorkos(at, dora)).toEqual(['revoked', 'revoked', 'revoked']);
      expect(statesAtWorkos(at, carla)).toEqual(['revoked', 'active']);
      // Each was ended once, and what WorkOS said about it told nothing new.
      expect(count(at.asked(), 'POST /user_management/sessions/revoke')).toBe(5);
      const owner = await at.signIn(olivia);
      const lines = (await trailOf(owner, acme.id)).filter(({ action }) => action === 'session.ended');
      expect(lines.map(({ after }) => after?.['because'])).toEqual(Array.from({ length: 5 }, () => 'revoked_by_admin'));
    }));

  it('finds a session behind several pages of them, and ends as many as there are', () =>
    onWorkos(async (at) => {
      const { acme, people } = await twoCompanies(at);
      for (let made = 0; made < 230; made += 1) {
        at.stub.sessions.addSession(people.dora.id, { status: made % 3 === 0 ? 'active' : 'expired' });
      }
      const browsers = await Promise.all(Array.from({ length: 55 }, () => at.signIn(dora)));
      const [one] = browsers;
      at.clock.turn(300);
      at.asked();
      expect(await verdictOn(browsers.at(-1) as WorkosBrowser)).toEqual([200, undefined]);
      expect(count(at.asked(), `GET /user_management/users/${people.dora.id}/sessions`)).toBe(3);

      const member = await memberNamed(acme.owner, acme.id, dora);
      const ended = await acme.owner.delete(acme.at(`/members/${member.id}/sessions`));
      expect(ended.body).toEqual({ ended: 55 });
      expect(await verdictOn(one as WorkosBrowser)).toEqual([401, 'session.ended']);
      await at.settle();
      const ours = sessionsAtWorkos(at, dora).slice(230);
      expect(new Set(ours.map(({ status }) => status))).toEqual(new Set(['revoked']));
    }));

  it('at WorkOS ends ours: told by the webhook, or found out when the trusted time is over', () =>
    onWorkos(async (at) => {
      const { acme } = await twoCompanies(at);
      const [told, found] = [await at.signIn(dora), await at.signIn(dora)];
      const [first, second] = sessionsAtWorkos(at, dora);
      at.dashboard.endSession(first as StubSession);
      await at.settle();
      expect(await verdictOn(told)).toEqual([401, 'session.ended']);
      expect(await verdictOn(found)).toEqual([200, undefined]);
      const line = (await trailOf(acme.owner, acme.id)).find(({ action }) => action === 'session.ended');
      expect([line?.actor, line?.after?.['because']]).toEqual([{ kind: 'provider', id: 'workos' }, 'provider_ended']);

      at.endpointIsDown(true);
      at.dashboard.endSession(second as StubSession);
      await at.settle();
      at.clock.turn(299);
      expect(await verdictOn(found)).toEqual([200, undefined]);
      at.clock.turn(1);
      expect(await verdictOn(found)).toEqual([401, 'session.ended']);
    }));

  it('at WorkOS is seen on the very next request where nothing is trusted', () =>
    onWorkos(
      async (at) => {
        await twoCompanies(at);
        const browser = await at.signIn(dora);
        expect(await verdictOn(browser)).toEqual([200, undefined]);
        at.endpointIsDown(true);
        at.dashboard.endSession(sessionsAtWorkos(at, dora)[0] as StubSession);
        expect(await verdictOn(browser)).toEqual([401, 'session.ended']);
      },
      { trustSeconds: 0 },
    ));
});

describe('an employee in the directory behind WorkOS', () => {
  /** Acme has a directory: Dora, whom it gives the developer's role by a group, and Carla, who stays at Globex also. */
  const employed = async (at: WorkosService) => {
    const companies = await twoCompanies(at);
    const { acme } = companies;
    const directory: DirectoryAtWork = at.dashboard.connectDirectory(acme.ref);
    const developers = directory.group('Developers');
    directory.hire(dora);
    directory.join(dora, developers);
    directory.hire(carla);
    await at.settle();
    const mapping = [{ group_id: developers['id'], role: 'developer' }];
    const mapped = await acme.owner.send('PUT', acme.at('/role-mappings'), { mappings: mapping });
    expect(mapped.status).toBe(200);
    await at.settle();
    return { ...companies, directory, developers };
  };

  it('who is terminated is out on the next request, here and at WorkOS; the consultant keeps the other organization', () =>
    onWorkos(async (at) => {
      const { acme, globex, directory, memberships } = await employed(at);
      const [laptop, phone] = [await at.signIn(dora), await at.signIn(dora)];
      expect((await whoami(laptop)).caller.role).toBe('developer');
      const [atAcme, atGlobex] = [await at.signIn(carla, into(acme)), await at.signIn(carla, into(globex))];
      await whoami(phone);

      directory.terminate(dora);
      directory.terminate(carla);
      await at.settle();
      expect(await verdictOn(laptop)).toEqual([401, 'session.ended']);
      expect(await verdictOn(phone)).toEqual([401, 'session.ended']);
      expect(await verdictOn(atAcme)).toEqual([401, 'session.ended']);
      expect((await whoami(atGlobex)).organizations).toMatchObject([{ name: 'Globex', role: 'developer' }]);

      const states = (membership: StubMembership) => membership.status;
      expect([memberships.dora, memberships.carlaAtAcme, memberships.carlaAtGlobex].map(states)).toEqual([
        'inactive',
        'inactive',
        'active',
      ]);
      expect(statesAtWorkos(at, dora)).toEqual(['revoked', 'revoked']);
      expect(statesAtWorkos(at, carla)).toEqual(['revoked', 'active']);
      expect(refusal(await at.browser().enter(dora))[0]).toBe(403);

      const lines = (await trailOf(acme.owner, acme.id)).map(({ action, actor }) => `${action} by ${actor.kind}`);
      const told = (what: string) => lines.filter((line) => line === what).length;
      expect([
        told('directory_user.deprovisioned by directory'),
        told('membership.revoked by directory'),
        told('session.ended by directory'),
        told('session.ended by provider'),
      ]).toEqual([2, 2, 3, 0]);
      const verdict = await acme.owner.get(acme.at('/audit/verify'));
      expect(verdict.body).toMatchObject({ whole: true, first_broken: null });
      // WorkOS ended the sessions with the membership; that ours were ended there already is no fault to be tried again.
      expect(await at.owed()).toBe(0);
    }));

  it('who is terminated while WorkOS is away is refused at once, and ended there when WorkOS is back', () =>
    onWorkos(async (at) => {
      const { directory, memberships } = await employed(at);
      const browser = await at.signIn(dora);
      at.stub.plan({ play: 'cut' });
      directory.terminate(dora);
      await at.settle();
      expect(await verdictOn(browser)).toEqual([401, 'session.ended']);
      expect([memberships.dora.status, ...statesAtWorkos(at, dora)]).toEqual(['active', 'active']);
      at.stub.mend();
      at.clock.turn(minutes(5));
      await at.settle();
      expect([memberships.dora.status, ...statesAtWorkos(at, dora)]).toEqual(['inactive', 'revoked']);
    }));

  it('is not touched by a repeated delivery of their leaving, also when it comes after they were hired again', () =>
    onWorkos(async (at) => {
      const { acme, directory, developers, memberships } = await employed(at);
      await at.signIn(dora);
      at.clock.turn(10);
      const news = directory.terminate(dora);
      await at.settle();
      const told = await trailOf(acme.owner, acme.id);
      at.asked();
      for (let time = 0; time < 3; time += 1) expect(await at.deliver(news)).toBe(200);
      await at.settle();
      expect(await trailOf(acme.owner, acme.id)).toEqual(told);
      expect(at.asked()).toEqual([]);

      at.clock.turn(60);
      directory.hire(dora);
      directory.join(dora, developers);
      await at.settle();
      expect(memberships.dora.status).toBe('active');
      const back = await at.signIn(dora);
      await at.deliver(news);
      await at.settle();
      expect((await whoami(back)).caller).toMatchObject({ organization_id: acme.id, role: 'developer' });
      expect(memberships.dora.status).toBe('active');
    }));

  it('who was hired before WorkOS knew them, and signs in before its news has come, belongs there a moment later', () =>
    onWorkos(async (at) => {
      const { acme, directory } = await employed(at);
      const eve = 'eve@acme.test';
      directory.hire(eve);
      await at.settle();
      at.endpointIsDown(true);
      const { id } = at.dashboard.user(eve);
      const browser = await at.signIn(eve, '');
      await at.settle();
      expect(at.stub.organizations.isMember(acme.ref, id)).toBe(true);
      expect((await browser.post('/v1/session/organization', switchTo(acme))).status).toBe(200);
      expect((await whoami(browser)).caller).toMatchObject({ organization_id: acme.id, role: 'analyst' });
    }));

  it('whom the directory hired before they ever signed in belongs to the organization at WorkOS when they do', () =>
    onWorkos(async (at) => {
      const { acme, directory, developers } = await employed(at);
      const eve = 'eve@acme.test';
      directory.hire(eve);
      directory.join(eve, developers);
      await at.settle();
      const { id } = at.dashboard.user(eve);
      await at.settle();
      expect(at.stub.organizations.isMember(acme.ref, id)).toBe(true);
      const browser = await at.signIn(eve, '');
      expect((await whoami(browser)).caller).toMatchObject({ organization_id: acme.id, role: 'developer' });
      directory.leave(eve, developers);
      await at.settle();
      expect((await whoami(browser)).caller.role).toBe('analyst');
    }));
});

describe('WorkOS does not answer', () => {
  const down = { play: 'cut' } as const;

  it('but asks for quiet: sign-ins hear for how long', () =>
    onWorkos(async (at) => {
      await twoCompanies(at);
      const body = { message: 'Too many requests' };
      at.stub.plan({ play: 'answer', status: 429, body, headers: { 'retry-after': '7' } });
      const refused = await at.browser().enter(dora);
      expect([...refusal(refused), refused.headers.get('retry-after')]).toEqual([503, 'identity.throttled', '7']);
      at.stub.mend();
      expect((await whoami(await at.signIn(dora))).caller.role).toBe('developer');
    }));

  it('and nobody signs in: 503 with a time to come again; afterwards they do, without a restart', () =>
    onWorkos(async (at) => {
      await twoCompanies(at);
      at.stub.plan(down);
      const browser = at.browser();
      const refused = await browser.enter(dora);
      expect(refusal(refused)).toEqual([503, 'identity.unavailable']);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      // After some of them the circuit is open: nobody waits for what will not come.
      for (let time = 0; time < 4; time += 1) await at.browser().enter(dora);
      at.asked();
      const quick = await at.browser().enter(dora);
      expect([quick.status, Number(quick.headers.get('retry-after'))]).toEqual([503, 15]);
      expect(count(at.asked(), authenticate)).toBe(0);
      expect((await at.anonymous.get('/readyz')).status).toBe(200);

      at.stub.mend();
      at.clock.turn(16);
      expect(location(await browser.enter(dora))).toBe('/');
      expect((await whoami(browser)).caller.role).toBe('developer');
    }));

  it('and who is signed in works on within the trusted time, then waits; agents never notice; all goes on by itself', () =>
    onWorkos(async (at) => {
      const { acme } = await twoCompanies(at);
      const agent = await acme.owner.post(acme.at('/agents'), { name: 'nightly' });
      const key = await acme.owner.post(acme.at('/api-keys'), {
        agent_id: agent.body.id,
        name: 'key',
        scopes: ['query:read'],
      });
      const browser = await at.signIn(dora);
      const { access_token } = await tokensOf(at, browser);
      // The keys were fetched before.
      expect((await at.bearing(access_token).get('/v1/whoami')).status).toBe(200);
      at.stub.plan(down);
      at.clock.turn(299);
      expect(await verdictOn(browser)).toEqual([200, undefined]);
      expect((await at.bearing(access_token).get('/v1/whoami')).status).toBe(200);
      at.clock.turn(1);
      const waits = await browser.get('/v1/whoami');
      expect(refusal(waits)).toEqual([503, 'identity.unavailable']);
      expect(Number(waits.headers.get('retry-after'))).toBeGreaterThan(0);
      for (let time = 0; time < 8; time += 1) expect((await browser.get('/v1/whoami')).status).toBe(503);
      at.asked();
      expect((await at.agent(key.body.secret).get('/v1/whoami')).status).toBe(200);
      at.clock.turn(hours(1));
      expect((await at.agent(key.body.secret).get('/v1/whoami')).status).toBe(200);
      expect(at.asked()).toEqual([]);

      at.stub.mend();
      expect(await verdictOn(browser)).toEqual([200, undefined]);
      expect(statesAtWorkos(at, dora)).toEqual(['active']);
    }));

  it('and what was revoked here stays revoked, and is revoked there afterwards', () =>
    onWorkos(async (at) => {
      const { acme } = await twoCompanies(at);
      const browser = await at.signIn(dora);
      const member = await memberNamed(acme.owner, acme.id, dora);
      at.stub.plan(down);
      await acme.owner.delete(acme.at(`/members/${member.id}/sessions`));
      expect(await verdictOn(browser)).toEqual([401, 'session.ended']);
      await at.settle();
      expect(statesAtWorkos(at, dora)).toEqual(['active']);
      at.stub.mend();
      at.clock.turn(minutes(5));
      await at.settle();
      expect(statesAtWorkos(at, dora)).toEqual(['revoked']);
    }));
});

describe('the webhook endpoint is down for an hour', () => {
  /** An hour of news that no delivery brings. */
  const missedHour = async (at: WorkosService, hires = 30) => {
    const companies = await twoCompanies(at);
    await at.service.catchUp();
    const { acme } = companies;
    at.endpointIsDown(true);
    const directory = at.dashboard.connectDirectory(acme.ref);
    const group = directory.group('Developers');
    const names = Array.from({ length: hires }, (_, index) => `hire${index}@acme.test`);
    for (const email of names) {
      at.clock.turn(50);
      directory.hire(email);
      directory.join(email, group);
    }
    for (const email of names.slice(0, 10)) {
      at.clock.turn(10);
      directory.terminate(email);
    }
    at.clock.turn(hours(1) - hires * 50 - 100);
    await at.settle();
    at.endpointIsDown(false);
    return { ...companies, names };
  };
  const activeIn = async (company: Company): Promise<readonly string[]> => {
    const members = await company.owner.get(company.at('/members?limit=200&status=active'));
    return members.body.data
      .map(({ email }: { email: string }) => email)
      .filter((email: string) => /^hire/.test(email));
  };
  const actionsIn = async (company: Company): Promise<readonly string[]> =>
    (await trailOf(company.owner, company.id)).map(({ action }) => action);

  it('and the feed brings everything, once and in order', () =>
    onWorkos(async (at) => {
      const { acme, names } = await missedHour(at);
      expect(await activeIn(acme)).toEqual([]);
      at.asked();
      expect(await at.service.catchUp()).toBe(72);
      await at.settle();
      expect((await activeIn(acme)).toSorted()).toEqual(names.slice(10).toSorted());
      const actions = await actionsIn(acme);
      const told = (what: string) => actions.filter((action) => action === what).length;
      expect([
        told('directory.connected'),
        told('directory_user.provisioned'),
        told('membership.granted'),
        told('directory_user.deprovisioned'),
        told('membership.revoked'),
      ]).toEqual([1, 30, 33, 10, 10]);

      // WorkOS retries late what it could not deliver: all of it was heard.
      const trail = await trailOf(acme.owner, acme.id);
      for (const event of at.stub.events.entries) expect(await at.deliver(event)).toBe(200);
      await at.settle();
      expect(await at.service.catchUp()).toBe(0);
      expect(await trailOf(acme.owner, acme.id)).toEqual(trail);
    }));

  it('and two nodes that read the feed at once do no harm', () =>
    onWorkos(async (at) => {
      const { acme, names } = await missedHour(at);
      const other = await at.anotherNode();
      const taken = await Promise.all([at.service.catchUp(), other.catchUp(), at.service.catchUp()]);
      expect(taken.reduce((sum, each) => sum + each, 0)).toBe(72);
      await Promise.all([at.settle(), other.inbox.drain()]);
      await at.settle();
      expect((await activeIn(acme)).toSorted()).toEqual(names.slice(10).toSorted());
      const actions = await actionsIn(acme);
      expect(actions.filter((action) => action === 'directory_user.provisioned')).toHaveLength(30);
      expect(await at.service.catchUp()).toBe(0);
      const verdict = await acme.owner.get(acme.at('/audit/verify'));
      expect(verdict.body).toMatchObject({ whole: true });
    }));

  it('and a reading that WorkOS interrupts goes on where it was', () =>
    onWorkos(async (at) => {
      const { acme, names } = await missedHour(at, 60);
      const page = 'GET /events';
      at.stub.plan({ play: 'delayed', until: Promise.resolve() }, { on: page, times: 1 });
      at.stub.plan({ play: 'torn' }, { on: page, times: 1 });
      await expect(at.service.catchUp()).rejects.toMatchObject({ reason: 'identity.unavailable' });
      await at.settle();
      expect((await activeIn(acme)).length).toBeGreaterThan(0);
      expect(await at.service.catchUp()).toBe(2 + 120 + 10 - 100);
      await at.settle();
      expect((await activeIn(acme)).toSorted()).toEqual(names.slice(10).toSorted());
    }));

  it('or somebody else delivers: nothing is believed without a good signature', () =>
    onWorkos(async (at) => {
      const { memberships } = await twoCompanies(at);
      const browser = await at.signIn(dora);
      const event = at.stub.events.record('session.revoked', { id: sessionsAtWorkos(at, dora)[0]?.id });
      const { body, signature = '' } = at.stub.events.deliveryOf(event);
      const send = (headers: Readonly<Record<string, string>>, bytes = body) =>
        at.anonymous.send('POST', '/webhooks/workos', {
          body: new Uint8Array(bytes),
          headers: { 'content-type': 'application/json', ...headers },
        });
      const tampered = new TextEncoder().encode(
        new TextDecoder().decode(body).replace('session.revoked', 'user.deleted'),
      );
      const answers = [
        await send({}),
        await send({ 'workos-signature': signature.replace(/.$/, (last) => (last === '0' ? '1' : '0')) }),
        await send({ 'workos-signature': signature }, tampered),
      ];
      expect(answers.map((answer: Answer) => refusal(answer))).toEqual([
        [401, 'delivery.unverified'],
        [401, 'delivery.unverified'],
        [401, 'delivery.unverified'],
      ]);
      at.clock.turn(181);
      expect(refusal(await send({ 'workos-signature': signature }))).toEqual([401, 'delivery.unverified']);
      await at.service.inbox.drain();
      expect(await verdictOn(browser)).toEqual([200, undefined]);
      expect(memberships.dora.status).toBe('active');
    }));
});

describe("a person's API client with WorkOS' access token", () => {
  it('is the same caller as the browser, until the token ends', () =>
    onWorkos(async (at) => {
      const { acme } = await twoCompanies(at);
      const browser = await at.signIn(dora);
      const tokens = await tokensOf(at, browser);
      const byToken = await at.bearing(tokens.access_token).get('/v1/whoami');
      expect(byToken.body).toEqual(await whoami(browser));
      expect(byToken.body.caller).toMatchObject({ organization_id: acme.id, role: 'developer' });
      at.clock.turn(299);
      expect((await at.bearing(tokens.access_token).get('/v1/whoami')).status).toBe(200);
      at.clock.turn(1);
      const expired = await at.bearing(tokens.access_token).get('/v1/whoami');
      expect(refusal(expired)).toEqual([401, 'session.token_expired']);
      // One that is seen for the first time when it has ended is no other case.
      const { refresh_token } = tokens;
      const unseen = (await at.anonymous.post('/v1/session/refresh', { refresh_token })).body;
      at.clock.turn(306);
      const late = await at.bearing(unseen.access_token).get('/v1/whoami');
      expect(refusal(late)).toEqual([401, 'session.token_expired']);
      const next = await at.anonymous.post('/v1/session/refresh', { refresh_token: unseen.refresh_token });
      expect((await at.bearing(next.body.access_token).get('/v1/whoami')).status).toBe(200);
    }));

  it('works also for somebody who has just founded an organization', () =>
    onWorkos(async (at) => {
      const acme = await found(at, olivia, 'Acme', 'acme.test');
      const { access_token } = await tokensOf(at, acme.owner);
      const me = await at.bearing(access_token).get('/v1/whoami');
      expect([me.status, me.body.caller?.organization_id]).toEqual([200, acme.id]);
    }));

  it('is refused with a token of another issuer, client, person, organization or session', () =>
    onWorkos(async (at) => {
      const { globex, people } = await twoCompanies(at);
      await at.signIn(dora);
      const session = sessionsAtWorkos(at, dora)[0] as StubSession;
      const claims = at.stub.sessions.claimsOf(session);
      const verdicts: Record<string, unknown> = {};
      const odd = {
        'as it should be': {},
        'another issuer': { iss: 'https://api.workos.com' },
        'another client': { client_id: 'client_01OTHER' },
        'another person': { sub: people.carla.id },
        'another organization': { org_id: globex.ref },
        'a session that never was': { sid: 'session_01NEVER' },
      };
      for (const [what, change] of Object.entries(odd)) {
        const token = await at.stub.sessions.sign({ ...claims, ...change });
        verdicts[what] = refusal(await at.bearing(token).get('/v1/whoami'));
      }
      expect(verdicts).toEqual({
        'as it should be': [200, undefined],
        'another issuer': [401, 'session.token_invalid'],
        'another client': [401, 'session.token_invalid'],
        'another person': [401, 'session.token_invalid'],
        'another organization': [401, 'session.organization_changed'],
        'a session that never was': [401, 'session.unknown'],
      });
    }));

  it('with forged key ids costs WorkOS two requests at most, and nobody else notices', () =>
    onWorkos(async (at) => {
      await twoCompanies(at);
      const browser = await at.signIn(dora);
      const { access_token } = await tokensOf(at, browser);
      expect((await at.bearing(access_token).get('/v1/whoami')).status).toBe(200);
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const claims = at.stub.sessions.claimsOf(sessionsAtWorkos(at, dora)[0] as StubSession);
      const forged = await Promise.all(
        Array.from({ length: 60 }, (_, index) =>
          new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: `forged_${index}` }).sign(privateKey),
        ),
      );
      at.clock.turn(31);
      at.asked();
      const answers = await Promise.all(forged.map((token) => at.bearing(token).get('/v1/whoami')));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
      expect(count(at.asked(), /jwks/)).toBeLessThanOrEqual(2);
      expect((await at.bearing(access_token).get('/v1/whoami')).status).toBe(200);
    }));

  it('goes on when WorkOS signs with a new key', () =>
    onWorkos(async (at) => {
      await twoCompanies(at);
      const browser = await at.signIn(dora);
      const before = await tokensOf(at, browser);
      expect((await at.bearing(before.access_token).get('/v1/whoami')).status).toBe(200);
      at.clock.turn(31);
      await at.stub.sessions.rotateKeys();
      const after = await at.anonymous.post('/v1/session/refresh', { refresh_token: before.refresh_token });
      expect((await at.bearing(after.body.access_token).get('/v1/whoami')).status).toBe(200);
      expect((await at.bearing(before.access_token).get('/v1/whoami')).status).toBe(200);
      expect(count(at.asked(), /jwks/)).toBe(2);
    }));
});

describe('an invitation over WorkOS', () => {
  const nina = 'nina@elsewhere.test';
  const invitationsTo = (at: WorkosService, email: string) =>
    at.stub.invitations.invitations.filter((one) => one.email === email);
  const statesAtStub = (at: WorkosService, email: string): readonly string[] =>
    invitationsTo(at, email).map((one) => at.stub.invitations.stateOf(one));
  const linkTo = (at: WorkosService, email: string): string =>
    `/auth/start?invitation_token=${invitationsTo(at, email).at(-1)?.token}`;
  const ask = (company: Company, email: string, role: string) =>
    company.owner.post(company.at('/invitations'), { email, role });
  const post = 'POST /user_management/invitations';

  it('is mailed by WorkOS in the name of whoever invites; its link leads in, with the role that was meant', () =>
    onWorkos(async (at) => {
      const { globex } = await twoCompanies(at);
      const sent = await ask(globex, nina, 'auditor');
      expect(sent.status).toBe(201);
      await at.settle();
      const request = at.stub.requests.find(({ method, path }) => `${method} ${path}` === post);
      const inviter = at.stub.organizations.users.find(({ email }) => email === gus)?.id;
      expect(request?.body).toEqual({
        email: nina,
        organization_id: globex.ref,
        expires_in_days: 7,
        inviter_user_id: inviter,
      });

      const browser = at.browser();
      const { answer, places } = await browser.follow(linkTo(at, nina), nina);
      expect([answer.status, places]).toEqual([200, ['/auth/login', 'hosted page', '/']]);
      expect((await whoami(browser)).caller).toMatchObject({ organization_id: globex.id, role: 'auditor' });
      await at.settle();
      expect(await memberNamed(globex.owner, globex.id, nina)).toMatchObject({ role: 'auditor', managed_by: 'hand' });
      expect(statesAtStub(at, nina)).toEqual(['accepted']);
      const trail = await trailOf(globex.owner, globex.id);
      const about = trail.filter(({ target }) => target.id === sent.body.id).map(({ action }) => action);
      expect(about).toEqual(['invitation.accepted', 'invitation.sent']);
      // Neither the token of the mail nor its link is anywhere of ours.
      const token = invitationsTo(at, nina)[0]?.token ?? '';
      expect(
        JSON.stringify([sent.body, trail, (await globex.owner.get(globex.at('/invitations'))).body]),
      ).not.toContain(token);
    }));

  it('makes a member also when the browser never comes back: WorkOS tells it, in any order', () =>
    onWorkos(async (at) => {
      const { globex } = await twoCompanies(at);
      await ask(globex, nina, 'auditor');
      await at.settle();
      const user = at.dashboard.user(nina);
      at.stub.invitations.accept(invitationsTo(at, nina)[0]?.token ?? '', user);
      for (const event of at.stub.events.entries.slice(-3).toReversed()) expect(await at.deliver(event)).toBe(200);
      await at.settle();
      expect(await memberNamed(globex.owner, globex.id, nina)).toMatchObject({ role: 'auditor', managed_by: 'hand' });
      const granted = (await trailOf(globex.owner, globex.id)).filter(({ action }) => action === 'membership.granted');
      expect(granted.filter(({ after }) => after?.['role'] === 'auditor')).toHaveLength(1);
    }));

  it('that was revoked here lets nobody in, though WorkOS took it first', () =>
    onWorkos(async (at) => {
      const { globex } = await twoCompanies(at);
      const policy = { default_role: 'analyst', gate_group_id: null, just_in_time: true };
      expect((await globex.owner.send('PUT', globex.at('/provisioning-policy'), policy)).status).toBe(200);
      const { id } = (await ask(globex, nina, 'auditor')).body;
      await at.settle();
      const user = at.dashboard.user(nina);
      at.stub.invitations.accept(invitationsTo(at, nina)[0]?.token ?? '', user);
      expect((await globex.owner.delete(globex.at(`/invitations/${id}`))).status).toBe(204);
      await at.settle();
      expect((await globex.owner.get(globex.at(`/members?q=${nina}`))).body.data).toEqual([]);
      expect(at.stub.organizations.isMember(globex.ref, user.id)).toBe(false);
      const browser = at.browser();
      await browser.enter(nina, into(globex));
      expect(browser.cookie('hd_session')).toBeUndefined();
    }));

  it('is not accepted by somebody with another address, whatever WorkOS says', () =>
    onWorkos(async (at) => {
      const { globex, people } = await twoCompanies(at);
      await ask(globex, nina, 'auditor');
      await at.settle();
      const told = at.stub.events.entries.findLast(({ event }) => event === 'invitation.created')?.data as object;
      at.stub.events.record('invitation.accepted', { ...told, state: 'accepted', accepted_user_id: people.dora.id });
      await at.settle();
      expect((await globex.owner.get(globex.at('/invitations'))).body.data[0].status).toBe('pending');
      expect((await globex.owner.get(globex.at(`/members?q=${dora}`))).body.data).toEqual([]);
    }));

  it('that is revoked at WorkOS is revoked here', () =>
    onWorkos(async (at) => {
      const { globex } = await twoCompanies(at);
      await ask(globex, nina, 'auditor');
      await at.settle();
      const [mail] = invitationsTo(at, nina);
      if (!mail) throw new Error('no mail');
      at.dashboard.revokeInvitation(mail);
      await at.settle();
      const [listed] = (await globex.owner.get(globex.at('/invitations'))).body.data;
      expect(listed.status).toBe('revoked');
      const revoked = (await trailOf(globex.owner, globex.id)).find(({ action }) => action === 'invitation.revoked');
      expect([revoked?.actor.kind, revoked?.after?.['because']]).toEqual(['provider', 'provider_says_so']);
    }));

  it('waits for WorkOS when it does not answer, and an answer that was lost sends no second mail', () =>
    onWorkos(async (at) => {
      const { globex } = await twoCompanies(at);
      at.stub.plan({ play: 'lost' }, { on: post });
      expect((await ask(globex, nina, 'auditor')).status).toBe(201);
      await at.settle();
      at.stub.mend();
      at.clock.turn(hours(1));
      await at.settle();
      expect(statesAtStub(at, nina)).toEqual(['pending']);
      const [listed] = (await globex.owner.get(globex.at('/invitations'))).body.data;
      expect(listed.sent_at).not.toBeNull();
    }));

  it('brings back somebody whose membership WorkOS keeps as inactive', () =>
    onWorkos(async (at) => {
      const { globex, people } = await twoCompanies(at);
      const before = await memberNamed(globex.owner, globex.id, carla);
      await globex.owner.delete(globex.at(`/members/${before.id}`));
      await at.settle();
      expect(at.stub.organizations.isMember(globex.ref, people.carla.id)).toBe(false);
      expect((await ask(globex, carla, 'analyst')).status).toBe(201);
      await at.settle();
      expect(statesAtStub(at, carla)).toEqual(['pending']);
      const browser = at.browser();
      await browser.follow(linkTo(at, carla), carla);
      expect((await whoami(browser)).caller).toMatchObject({ organization_id: globex.id, role: 'analyst' });
      await at.settle();
      expect(at.stub.organizations.isMember(globex.ref, people.carla.id)).toBe(true);
    }));

  it('is for its address only', () =>
    onWorkos(async (at) => {
      const { globex } = await twoCompanies(at);
      await ask(globex, nina, 'auditor');
      await at.settle();
      const browser = at.browser();
      const { answer } = await browser.follow(linkTo(at, nina), dora);
      expect(answer.text).toContain('sign_in.denied');
      expect(browser.cookie('hd_session')).toBeUndefined();
      expect(statesAtStub(at, nina)).toEqual(['pending']);
    }));
});
