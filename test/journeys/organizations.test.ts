// Belonging to several organizations: switching between them, carrying nothing across, and handing one over.

import { describe, expect, it } from 'vitest';
import { Browser, location } from './browser.ts';
import {
  carla,
  dora,
  gus,
  inWorld,
  issueKey,
  memberNamed,
  ofAcme,
  ofGlobex,
  olivia,
  refusal,
  trailOf,
  withBox,
} from './words.ts';

const switchTo = (organization: string) => ({ organization_id: organization });

describe('a consultant of two organizations', () => {
  it('switches with one request, role and all, and back again with the refresh cookie that it got', () =>
    inWorld(async (world) => {
      const browser = new Browser(world);
      await browser.signIn({ email: carla, method: 'sso' }, `?organization_id=${world.acme}`);
      const whoami = async () => (await browser.get('/v1/whoami')).body;
      const before = await whoami();
      expect([before.caller.organization_id, before.caller.role]).toEqual([world.acme, 'analyst']);
      expect(before.organizations.map(({ name }: { name: string }) => name)).toEqual(['Acme', 'Globex']);
      const boxAtAcme = browser.cookie('hd_refresh') ?? '';

      const switched = await browser.send('POST', '/v1/session/organization', switchTo(world.globex));
      expect([switched.status, switched.body]).toEqual([200, { organization_id: world.globex }]);
      const there = await whoami();
      expect([there.organization.name, there.caller.role]).toEqual(['Globex', 'developer']);
      expect(there.caller.session_id).toBe(before.caller.session_id);
      expect(there.caller.scopes).not.toEqual(before.caller.scopes);

      // The cookie was rotated: the old one is worth nothing once the provider's grace has passed.
      expect(browser.cookie('hd_refresh')).not.toBe(boxAtAcme);
      world.clock.turn(31);
      const stale = withBox(world, { reference: browser.cookie('hd_session') ?? '' }, boxAtAcme);
      expect(refusal(await stale.post('/v1/session/organization', switchTo(world.acme)))).toEqual([
        409,
        'session.reauthentication_required',
      ]);

      const back = await browser.send('POST', '/v1/session/organization', switchTo(world.acme));
      expect(back.status).toBe(200);
      expect((await whoami()).caller).toEqual(before.caller);
    }));

  it('carries nothing across: after the switch the organization left behind does not exist for this session', () =>
    inWorld(async (world) => {
      const [owner, person] = [await world.signIn(olivia), await world.signIn(carla, { organization: world.acme })];
      const key = await issueKey(owner, world.acme);
      await person.post('/v1/session/organization', switchTo(world.globex));
      for (const path of ['', '/members', '/agents', `/agents/${key.agent_id}`, '/sessions', '/audit', '/directory']) {
        expect([path, ...refusal(await person.get(ofAcme(world, path)))]).toEqual([
          path,
          404,
          'organization.not_found',
        ]);
      }
      expect((await person.get(ofGlobex(world))).status).toBe(200);
      // Nor do Acme's admins see or end a session that has left.
      const seen = (await owner.get(ofAcme(world, '/sessions'))).body.data;
      expect(seen.filter((one: { user: { email: string } }) => one.user.email === carla)).toEqual([]);
      const [here] = (await person.get('/v1/sessions')).body.data;
      expect(refusal(await owner.delete(ofAcme(world, `/sessions/${here.id}`)))).toEqual([404, 'session.not_found']);
    }));

  it('who came by password is sent to sign in again where single sign-on is asked for; the way given works', () =>
    inWorld(async (world) => {
      const browser = new Browser(world);
      await browser.signIn({ email: carla, method: 'password' }, `?organization_id=${world.globex}`);
      const refused = await browser.send('POST', '/v1/session/organization', switchTo(world.acme));
      expect(refusal(refused)).toEqual([409, 'session.reauthentication_required']);
      expect((await browser.get('/v1/whoami')).body.organization.name).toBe('Globex');

      const hosted = location(await browser.get(refused.body.error.details.login_url));
      await browser.get(location(await browser.prove(hosted, { email: carla, method: 'sso' })));
      expect((await browser.get('/v1/whoami')).body.organization.name).toBe('Acme');
      expect((await browser.get('/v1/sessions')).body.data).toHaveLength(1);
    }));

  it('finds nothing where they do not belong, no longer belong, or where nothing is: the same answer', () =>
    inWorld(async (world) => {
      const consultant = await world.signIn(carla, { organization: world.acme });
      const [owner, ownerOfGlobex] = [await world.signIn(olivia), await world.signIn(gus)];
      const member = await memberNamed(ownerOfGlobex, world.globex, carla);
      expect((await ownerOfGlobex.delete(ofGlobex(world, `/members/${member.id}`))).status).toBe(204);
      const nowhere = 'org_00000000000000000000000001';
      const answers = [
        await owner.post('/v1/session/organization', switchTo(world.globex)),
        await consultant.post('/v1/session/organization', switchTo(world.globex)),
        await owner.post('/v1/session/organization', switchTo(nowhere)),
      ];
      const shown = answers.map(({ status, body }) => ({ status, ...body.error, request_id: null }));
      expect(shown[0]).toMatchObject({ status: 404, reason: 'organization.not_found', details: {} });
      expect([shown[1], shown[2]]).toEqual([shown[0], shown[0]]);
      expect((await consultant.get('/v1/whoami')).body.organization.name).toBe('Acme');
    }));

  it('who is removed between two requests is out on the next, also in the organization just switched to', () =>
    inWorld(async (world) => {
      const person = await world.signIn(carla, { organization: world.acme });
      const owner = await world.signIn(gus);
      await person.post('/v1/session/organization', switchTo(world.globex));
      expect((await person.get('/v1/whoami')).status).toBe(200);
      const member = await memberNamed(owner, world.globex, carla);
      await owner.delete(ofGlobex(world, `/members/${member.id}`));
      expect(refusal(await person.get('/v1/whoami'))).toEqual([401, 'session.ended']);
    }));

  it('needs the refresh token of this very session', () =>
    inWorld(async (world) => {
      const [one, two] = [
        await world.signIn(carla, { organization: world.acme }),
        await world.signIn(carla, { organization: world.acme }),
      ];
      for (const box of [two.refreshBox, 'made-up', '']) {
        const refused = await withBox(world, one, box).post('/v1/session/organization', switchTo(world.globex));
        expect(refusal(refused)).toEqual([409, 'session.reauthentication_required']);
      }
    }));
});

describe('an organization has one owner', () => {
  it('who alone hands it over: both roles change, effective at once', () =>
    inWorld(async (world) => {
      const [owner, heir] = [await world.signIn(olivia), await world.signIn(dora)];
      const to = await memberNamed(owner, world.acme, dora);
      const hand = { user_id: to.user_id };
      expect(refusal(await heir.post(ofAcme(world, '/ownership'), hand))).toEqual([
        403,
        'membership.only_owner_hands_over',
      ]);
      expect((await owner.post(ofAcme(world, '/ownership'), hand)).status).toBe(204);
      const roles = await Promise.all([owner, heir].map(async (one) => (await one.get('/v1/whoami')).body.caller.role));
      expect(roles).toEqual(['admin', 'owner']);
      expect(refusal(await owner.post(ofAcme(world, '/ownership'), hand))).toEqual([
        403,
        'membership.only_owner_hands_over',
      ]);
      const passed = (await trailOf(heir, world.acme)).find(({ action }) => action === 'organization.ownership_passed');
      expect([passed?.before, passed?.after]).toEqual([
        { owner: (await memberNamed(heir, world.acme, olivia)).user_id },
        { owner: to.user_id },
      ]);
    }));

  it('goes only to an active member, and never to an agent', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const stranger = (await (await world.signIn(gus)).get('/v1/whoami')).body.user.id;
      expect(refusal(await owner.post(ofAcme(world, '/ownership'), { user_id: stranger }))).toEqual([
        404,
        'membership.not_found',
      ]);
      const leaver = await memberNamed(owner, world.acme, dora);
      await world.directory.terminate(dora);
      expect(refusal(await owner.post(ofAcme(world, '/ownership'), { user_id: leaver.user_id }))).toEqual([
        404,
        'membership.not_found',
      ]);
      const key = await issueKey(owner, world.acme, { bundle: 'admin' });
      const byAgent = await world.agent(key.secret).post(ofAcme(world, '/ownership'), { user_id: stranger });
      expect(refusal(byAgent)).toEqual([403, 'caller.person_required']);
      // Handing it to oneself changes nothing.
      const self = (await owner.get('/v1/whoami')).body.user.id;
      expect((await owner.post(ofAcme(world, '/ownership'), { user_id: self })).status).toBe(204);
      expect((await owner.get('/v1/whoami')).body.caller.role).toBe('owner');
    }));

  it('exactly one, however many handovers run at once', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const members = (await owner.get(ofAcme(world, '/members?status=active'))).body.data;
      const heirs = members.filter(({ role }: { role: string }) => role !== 'owner');
      const answers = await Promise.all(
        [...heirs, ...heirs].map(({ user_id }: { user_id: string }) =>
          owner.post(ofAcme(world, '/ownership'), { user_id }),
        ),
      );
      const statuses = answers.map(({ status }) => status).toSorted();
      expect(statuses.filter((status) => status === 204)).toHaveLength(1);
      expect(new Set(statuses)).toEqual(new Set([204, 403]));
      const now = (await owner.get(ofAcme(world, '/members?role=owner&status=active'))).body.data;
      expect(now).toHaveLength(1);
    }));
});

describe('founding an organization', () => {
  it('makes a slug from the name, another one where it is taken, and takes only what a URL can carry', () =>
    inWorld(async (world) => {
      const person = await world.signIn(olivia);
      const found = (body: object) => person.post('/v1/organizations', body);
      expect((await found({ name: '  Crème & Brûlée GmbH  ' })).body).toMatchObject({
        name: 'Crème & Brûlée GmbH',
        slug: 'creme-brulee-gmbh',
      });
      expect((await found({ name: 'Acme' })).body.slug).toMatch(/^acme-[0-9a-z]{6}$/);
      expect((await found({ name: '株式会社' })).body.slug).toMatch(/^org-[0-9a-z]{6}$/);
      const taken = await found({ name: 'Another', slug: 'acme' });
      expect([...refusal(taken), taken.body.error.details]).toEqual([409, 'organization.slug_taken', { slug: 'acme' }]);
      for (const slug of ['', '-a', 'a-', 'Acme', 'a b', 'a/b', 'ä', 'a'.repeat(49), '../x', 7, null]) {
        expect([slug, ...refusal(await found({ name: 'X', slug }))]).toEqual([slug, 400, 'request.invalid']);
      }
    }));

  it('leaves the session where it is, makes the founder its owner, and opens it at the provider', () =>
    inWorld(async (world) => {
      const browser = new Browser(world);
      await browser.signIn({ email: gus, method: 'password' });
      const founded = await browser.send('POST', '/v1/organizations', { name: 'Second', domains: ['second.test'] });
      expect(founded.body).toMatchObject({
        status: 'active',
        ownerless: false,
        domains: [{ name: 'second.test', state: 'pending' }],
      });
      expect((await browser.get('/v1/whoami')).body.organization.name).toBe('Globex');
      await world.settle();

      const switched = await browser.send('POST', '/v1/session/organization', switchTo(founded.body.id));
      expect(switched.status).toBe(200);
      const me = (await browser.get('/v1/whoami')).body;
      expect(me.caller).toMatchObject({ role: 'owner', organization_id: founded.body.id });
      const [domain] = (await browser.get(`/v1/organizations/${founded.body.id}`)).body.domains;
      expect(domain).toEqual({ name: 'second.test', state: 'verified' });
    }));

  it('never takes a domain that another organization has verified', () =>
    inWorld(async (world) => {
      const person = await world.signIn(gus);
      const thief = await person.post('/v1/organizations', { name: 'Thief', domains: ['acme.test'] });
      await world.settle();
      const login = await world.anonymous.get(`/auth/login?email=${dora}`);
      const acme = world.provider.organizations.byExternalId(world.acme)?.ref;
      expect(new URL(location(login)).searchParams.get('organization')).toBe(acme);
      await person.post('/v1/session/organization', switchTo(thief.body.id));
      const state = (await person.get(`/v1/organizations/${thief.body.id}`)).body.domains[0].state;
      expect(state).not.toBe('verified');
    }));

  it('gives the same slug to one of many who ask at once', () =>
    inWorld(async (world) => {
      const person = await world.signIn(olivia);
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => person.post('/v1/organizations', { name: 'Race', slug: 'race' })),
      );
      const statuses = answers.map(({ status }) => status).toSorted();
      expect(statuses).toEqual([201, ...Array.from({ length: 7 }, () => 409)]);
    }));
});
