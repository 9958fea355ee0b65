// Signing in, as a browser does it: the hosted page, the way back, and every way in which that can be abused.

import { describe, expect, it } from 'vitest';
import { Browser, location } from './browser.ts';
import { dora, gus, inWorld, memberNamed, ofGlobex, refusal, trailOf } from './words.ts';

const atAcme = { email: dora, method: 'sso' } as const;
const atGlobex = { email: gus, method: 'password' } as const;

describe('an e-mail address is enough to find the way', () => {
  it("leads to the organization's own identity provider by its verified domain, and lands in that organization", () =>
    inWorld(async (world) => {
      const browser = new Browser(world);
      const hosted = new URL(await browser.begin(`?email=${dora}`));
      expect(hosted.searchParams.get('organization')).toBe(world.provider.organizations.byExternalId(world.acme)?.ref);

      const landed = await browser.signIn(atAcme, `?email=${dora}&return_to=/docs?page=2`);
      expect([landed.status, location(landed)]).toEqual([302, '/docs?page=2']);
      const me = (await browser.get('/v1/whoami')).body;
      expect(me.caller).toMatchObject({ kind: 'user', role: 'developer', organization_id: world.acme });
      expect(me.user).toMatchObject({ email: dora, name: 'Dora Developer' });
      const [session] = (await browser.get('/v1/sessions')).body.data;
      expect(session).toMatchObject({ method: 'sso', remembered: false, current: true, organization_id: world.acme });
    }));

  it('tells an unknown domain from a known one by nothing but where the way leads', () =>
    inWorld(async (world) => {
      const answers = await Promise.all(
        [dora, 'somebody@nowhere.test', 'not an address'].map((email) =>
          world.anonymous.get(`/auth/login?email=${encodeURIComponent(email)}`),
        ),
      );
      const shape = answers.map(({ status, text, headers }) => ({
        status,
        text,
        headers: [...headers.keys()].toSorted(),
        cookies: headers
          .getSetCookie()
          .map((line) => line.replace(/=[^;]*/, '').replace(/hd_login_[\w-]+/, 'hd_login')),
        path: new URL(headers.get('location') ?? '').pathname,
      }));
      expect(shape[1]).toEqual(shape[0]);
      expect(shape[2]).toEqual(shape[0]);
      const organizations = answers.map((answer) => new URL(location(answer)).searchParams.has('organization'));
      expect(organizations).toEqual([true, false, false]);
    }));

  it('falls back to a password where the organization has no single sign-on, and only there', () =>
    inWorld(async (world) => {
      const browser = new Browser(world);
      await browser.signIn(atGlobex);
      expect((await browser.get('/v1/whoami')).body.caller).toMatchObject({
        role: 'owner',
        organization_id: world.globex,
      });

      const other = new Browser(world);
      const refused = await other.prove(await other.begin(`?email=${dora}`), { email: dora, method: 'password' });
      expect([refused.status, refused.headers.get('location')]).toEqual([403, null]);
      expect(refused.text).toContain('single sign-on only');
    }));

  it('remembers only those who ask, for a week of idleness instead of a day', () =>
    inWorld(async (world) => {
      const lifetimes: Record<string, unknown> = {};
      for (const remember of ['true', 'false']) {
        const landed = await new Browser(world).signIn(atAcme, `?email=${dora}&remember=${remember}`);
        const line = landed.headers.getSetCookie().find((cookie) => cookie.startsWith('hd_session=')) ?? '';
        lifetimes[remember] = /Max-Age=(\d+); HttpOnly; SameSite=Lax/.exec(line)?.[1];
      }
      expect(lifetimes).toEqual({ true: String(30 * 24 * 3600), false: String(24 * 3600) });
    }));
});

describe('a sign-in cannot be bent', () => {
  const elsewhere = [
    'https://evil.test/',
    '//evil.test',
    '/\\evil.test',
    '\\\\evil.test',
    'javascript:alert(1)',
    '/%09/evil.test/../..//evil.test',
    'evil.test',
    ' /docs',
    '/docs\\..\\evil',
  ];
  it.each(elsewhere)('never sends the browser to another site: return_to=%j', (returnTo) =>
    inWorld(async (world) => {
      const landed = await new Browser(world).signIn(atAcme, `?return_to=${encodeURIComponent(returnTo)}`);
      const to = new URL(location(landed), world.url);
      expect([landed.status, to.origin]).toEqual([302, world.url]);
      expect(location(landed)).toMatch(/^\/(?![/\\])/);
    }),
  );

  it('takes a state once: whoever replays the callback starts afresh and gets no session', () =>
    inWorld(async (world) => {
      const browser = new Browser(world);
      const callback = location(await browser.prove(await browser.begin(), atAcme));
      const before = browser.cookies();
      await browser.get(callback);
      const sessions = () => world.provider.sessions.all().length;
      const count = sessions();

      const replayed = await browser.get(callback);
      expect([replayed.status, location(replayed)]).toEqual([302, '/auth/login?again=1']);

      // Also with the cookie that held the box, which a thief may have kept.
      const thief = new Browser(world);
      for (const [name, value] of before) thief.setCookie(name, value);
      const stolen = await thief.get(callback);
      expect(location(stolen)).toBe('/auth/login?again=1');
      expect(thief.cookie('hd_session')).toBeUndefined();
      expect(sessions()).toBe(count);
    }));

  it('takes a state only from the browser that began: a link sent by an attacker signs nobody in', () =>
    inWorld(async (world) => {
      const attacker = new Browser(world);
      const callback = location(await attacker.prove(await attacker.begin(), atGlobex));
      const victim = new Browser(world);
      await victim.begin();
      const answered = await victim.get(callback);
      expect([answered.status, location(answered)]).toEqual([302, '/auth/login?again=1']);
      expect(victim.cookie('hd_session')).toBeUndefined();
      expect(refusal(await victim.get('/v1/whoami'))).toEqual([401, 'credential.missing']);
    }));

  it('takes a code once, also under a fresh state', () =>
    inWorld(async (world) => {
      const browser = new Browser(world);
      const first = new URL(location(await browser.prove(await browser.begin(), atAcme)));
      await browser.get(first.href);

      const second = new URL(location(await browser.prove(await browser.begin(), atAcme)));
      second.searchParams.set('code', first.searchParams.get('code') ?? '');
      expect(refusal(await new Browser(world).get(second.href))[0]).toBe(302);
      expect(refusal(await browser.get(second.href))).toEqual([403, 'sign_in.code_spent']);
    }));

  it('binds the code to the sign-in that asked for it (PKCE): swapped between two tabs it is no good', () =>
    inWorld(async (world) => {
      const browser = new Browser(world);
      const [one, two] = [await browser.begin(), await browser.begin()];
      const first = new URL(location(await browser.prove(one, atAcme)));
      const second = new URL(location(await browser.prove(two, atAcme)));
      second.searchParams.set('code', first.searchParams.get('code') ?? '');
      expect(refusal(await browser.get(second.href))).toEqual([403, 'sign_in.code_spent']);
      expect(browser.cookie('hd_session')).toBeUndefined();
    }));

  it('starts afresh once without a state, and then says that it does not work', () =>
    inWorld(async (world) => {
      const browser = new Browser(world);
      expect(location(await browser.get('/auth/callback?code=x'))).toBe('/auth/login?again=1');
      expect((await browser.get('/auth/login?again=1')).status).toBe(302);
      expect(refusal(await browser.get('/auth/callback?code=x'))).toEqual([400, 'sign_in.state_invalid']);
      // A browser that keeps no cookies is not sent round for ever.
      expect(refusal(await new Browser(world).get('/auth/login?again=1'))).toEqual([400, 'sign_in.state_invalid']);
    }));

  it('opens only boxes of its own that nobody touched', () =>
    inWorld(async (world) => {
      const tamperings: readonly ((box: string) => string)[] = [
        (box) => box.replace(/[^.](?=[^.]*$)/, (digit) => (digit === 'A' ? 'B' : 'A')),
        (box) => box.split('.').toSpliced(0, 1, 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0').join('.'),
        () => 'e30.e30.e30',
        () => '',
      ];
      for (const tamper of tamperings) {
        const browser = new Browser(world);
        const callback = location(await browser.prove(await browser.begin(), atAcme));
        for (const [name, box] of browser.cookies()) browser.setCookie(name, tamper(box));
        expect(location(await browser.get(callback))).toBe('/auth/login?again=1');
        expect(browser.cookie('hd_session')).toBeUndefined();
      }
    }));

  it('gives a sign-in ten minutes, to the second', () =>
    inWorld(async (world) => {
      for (const [seconds, goesTo] of [
        [599, '/'],
        [600, '/auth/login?again=1'],
      ] as const) {
        const browser = new Browser(world);
        const hosted = await browser.begin();
        world.clock.turn(seconds);
        const callback = location(await browser.prove(hosted, atAcme));
        expect([seconds, location(await browser.get(callback))]).toEqual([seconds, goesTo]);
      }
    }));

  it('passes a refusal of the provider on, and nothing that somebody wrote into it', () =>
    inWorld(async (world) => {
      const browser = new Browser(world);
      const state = new URL(await browser.begin()).searchParams.get('state');
      const denied = await browser.get(`/auth/callback?error=access_denied&error_description=boo&state=${state}`);
      expect(refusal(denied)).toEqual([403, 'sign_in.denied']);
      expect(denied.body.error.details).toEqual({ provider_error: 'access_denied' });
      const hostile = await browser.get(`/auth/callback?error=${encodeURIComponent('<script>alert(1)</script>')}`);
      expect(refusal(hostile)).toEqual([403, 'sign_in.denied']);
      expect(hostile.text).not.toContain('script');
    }));

  it('leaves the session that was there alone when a sign-in fails', () =>
    inWorld(async (world) => {
      const browser = new Browser(world);
      await browser.signIn(atAcme);
      await browser.get('/auth/callback?error=access_denied');
      await browser.get('/auth/callback?code=x&state=y');
      expect((await browser.get('/v1/whoami')).status).toBe(200);
    }));
});

describe('one browser', () => {
  it.each([
    ['the tab opened first', [0, 1]],
    ['the tab opened last', [1, 0]],
  ] as const)('may sign in in two tabs, and finish %s first', (_, order) =>
    inWorld(async (world) => {
      const browser = new Browser(world);
      const hosted = [await browser.begin('?return_to=/one'), await browser.begin('?return_to=/two')];
      const landings: string[] = [];
      for (const tab of order)
        landings.push(location(await browser.get(location(await browser.prove(hosted[tab] ?? '', atAcme)))));
      expect(landings.toSorted()).toEqual(['/one', '/two']);
      expect((await browser.get('/v1/sessions')).body.data).toHaveLength(1);
    }),
  );

  it('has one session: signing in again replaces the one before, here and at the provider', () =>
    inWorld(async (world) => {
      const browser = new Browser(world);
      await browser.signIn(atAcme);
      const old = browser.cookie('hd_session') ?? '';
      await browser.signIn(atAcme);
      await world.settle();
      expect((await browser.get('/v1/whoami')).status).toBe(200);
      const withOld = world.withHeaders({ cookie: `hd_session=${old}` });
      expect(refusal(await withOld.get('/v1/whoami'))).toEqual([401, 'session.ended']);
      const doras = world.provider.sessions
        .all()
        .filter(({ subject }) => subject === world.provider.people.byEmail(dora)?.subject);
      expect(doras.map((session) => world.provider.sessions.isAlive(session))).toEqual([false, true]);
    }));

  it('replaces also when somebody else signs in at it', () =>
    inWorld(async (world) => {
      const browser = new Browser(world);
      await browser.signIn(atAcme);
      const doras = world.withHeaders({ cookie: `hd_session=${browser.cookie('hd_session')}` });
      await browser.signIn(atGlobex);
      expect((await browser.get('/v1/whoami')).body.user.email).toBe(gus);
      expect(refusal(await doras.get('/v1/whoami'))).toEqual([401, 'session.ended']);
    }));

  it('signs out: here, at the provider, and again without harm', () =>
    inWorld(async (world) => {
      const browser = new Browser(world);
      await browser.signIn(atAcme);
      const reference = browser.cookie('hd_session');
      const out = await browser.send('POST', '/auth/logout');
      expect([out.status, new URL(location(out)).pathname]).toEqual([303, '/fake-idp/logout']);
      expect([browser.cookie('hd_session'), browser.cookie('hd_refresh')]).toEqual([undefined, undefined]);
      const withOld = world.withHeaders({ cookie: `hd_session=${reference}` });
      expect(refusal(await withOld.get('/v1/whoami'))).toEqual([401, 'session.ended']);
      await world.settle();
      const doras = world.provider.people.byEmail(dora)?.subject;
      const alive = world.provider.sessions.all().filter((one) => world.provider.sessions.isAlive(one));
      expect(alive.filter(({ subject }) => subject === doras)).toEqual([]);
      expect((await browser.send('POST', '/auth/logout')).status).toBe(303);
    }));
});

describe('who may come in', () => {
  it('lets a newcomer found an organization, own it, and land in it from then on', () =>
    inWorld(async (world) => {
      const nora = { email: 'nora@newcomer.test', method: 'password' } as const;
      const browser = new Browser(world);
      await browser.signIn(nora);
      const alone = (await browser.get('/v1/whoami')).body;
      expect([alone.caller.organization_id, alone.organization, alone.organizations]).toEqual([null, null, []]);
      expect(refusal(await browser.get('/v1/verify'))).toEqual([403, 'organization.none']);

      const founded = await browser.send('POST', '/v1/organizations', { name: 'Newcomer & Söhne' });
      expect([founded.status, founded.body.slug]).toEqual([201, 'newcomer-sohne']);
      const inside = { organization_id: founded.body.id, role: 'owner' };
      expect((await browser.get('/v1/whoami')).body.caller).toMatchObject(inside);
      await world.settle();

      await browser.send('POST', '/auth/logout');
      await browser.signIn(nora);
      expect((await browser.get('/v1/whoami')).body.caller).toMatchObject(inside);
    }));

  it('refuses whom the provider lets in and the organization does not know; audits it and ends what the provider began', () =>
    inWorld(async (world) => {
      const stranger = { email: 'stranger@globex.test', method: 'password' } as const;
      const browser = new Browser(world);
      expect(refusal(await browser.signIn(stranger))).toEqual([403, 'sign_in.not_a_member']);
      expect(browser.cookie('hd_session')).toBeUndefined();
      await world.settle();
      const atProvider = world.provider.sessions.all().at(-1);
      expect(atProvider && world.provider.sessions.isAlive(atProvider)).toBe(false);

      const [line] = await trailOf(await world.signIn(gus), world.globex).then((trail) =>
        trail.filter(({ action }) => action === 'sign_in.refused'),
      );
      expect(line).toMatchObject({
        outcome: 'refused',
        actor: { kind: 'anonymous' },
        source: { via: 'http', ip: '127.0.0.1' },
        after: { email: stranger.email, reason: 'sign_in.not_a_member' },
      });
    }));

  it('lets colleagues in by single sign-on alone where the organization wants it so, and no directory decides', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(gus);
      await world.provider.organizations.setSso(
        world.provider.organizations.byExternalId(world.globex)?.ref ?? '',
        true,
      );
      // The provider would tell us of the members that it makes by itself; this is about what signing in alone does.
      await world.provider.setManner('lost');
      await world.provider.people.add({ email: 'late@globex.test', name: 'Late Larry' });
      const larry = { email: 'late@globex.test', method: 'sso' } as const;
      expect(refusal(await new Browser(world).signIn(larry))).toEqual([403, 'sign_in.not_a_member']);

      const policy = { default_role: 'analyst', gate_group_id: null, just_in_time: true };
      await owner.put(ofGlobex(world, '/provisioning-policy'), policy);
      await new Browser(world).signIn(larry);
      expect(await memberNamed(owner, world.globex, larry.email)).toMatchObject({ role: 'analyst', status: 'active' });

      // From now on a directory decides alone, whatever the provider says of its own members.
      await world.provider.setManner('none');
      await world.connectDirectory(world.globex);
      await world.provider.people.add({ email: 'later@globex.test', name: 'Later Lisa' });
      const lisa = { email: 'later@globex.test', method: 'sso' } as const;
      expect(refusal(await new Browser(world).signIn(lisa))).toEqual([403, 'sign_in.not_a_member']);
    }));

  it('ends the access of a person whom the provider deleted, and takes no one for them afterwards', () =>
    inWorld(async (world) => {
      const pat = { email: 'pat@elsewhere.test', method: 'password' } as const;
      const { subject } = await world.provider.people.add({ email: pat.email, name: 'Pat' });
      await world.provider.organizations.admit(
        subject,
        world.provider.organizations.byExternalId(world.globex)?.ref ?? '',
      );
      await world.settle();
      const browser = new Browser(world);
      await browser.signIn(pat);
      const before = (await browser.get('/v1/whoami')).body;
      expect(before.organization).toMatchObject({ name: 'Globex' });
      const onTheWay = location(await browser.prove(await browser.begin(), pat));
      await world.provider.people.remove(subject);
      await world.settle();
      expect(refusal(await browser.get('/v1/whoami'))).toEqual([401, 'session.ended']);
      // A code that was on its way when the person was deleted is worth nothing.
      expect(refusal(await browser.get(onTheWay))).toEqual([403, 'sign_in.code_spent']);

      // The address may sign up again; that is somebody new, who belongs nowhere.
      const again = new Browser(world);
      await again.signIn(pat);
      const me = (await again.get('/v1/whoami')).body;
      expect(me.user.id).not.toBe(before.user.id);
      expect(me.organizations).toEqual([]);
    }));
});
