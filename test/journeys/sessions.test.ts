// How long a session lives, what ends it, and what happens while the provider cannot be asked.

import { describe, expect, it } from 'vitest';
import { silentLog } from '#adapters/system/pino-log.ts';
import { batchedActivity } from '#application/access/activity.ts';
import { fakeIdentity } from '#bootstrap/fake-identity.ts';
import { type OpenPersistence, openPersistence } from '#bootstrap/open-persistence.ts';
import { assemble, type Service } from '#bootstrap/service.ts';
import type { World } from '#bootstrap/testing.ts';
import {
  anna,
  bearing,
  carla,
  days,
  dora,
  gus,
  hours,
  inWorld,
  issueKey,
  memberNamed,
  ofAcme,
  ofGlobex,
  olivia,
  refusal,
  tokensFor,
  trailOf,
} from './words.ts';

/** A second process over the same database, with a cache of its own. */
const anotherProcess = (world: World, persistence: OpenPersistence): Service =>
  assemble({
    publicUrl: world.url,
    trustSeconds: 300,
    trustedProxies: [],
    workosWebhookSecrets: [],
    secrets: { session: ['another secret of the test, long enough'], pepper: ['another pepper, long enough for it'] },
    clock: world.clock,
    log: silentLog,
    persistence,
    ...fakeIdentity(world.provider),
    strict: true,
    checks: {},
  });

const sessionOf = (world: World, providerSession: number) => world.provider.sessions.all().at(providerSession);

describe('a session slides with use', () => {
  it('lives a day from each use, to the second', () =>
    inWorld(async (world) => {
      const person = await world.signIn(dora);
      for (let day = 0; day < 3; day += 1) {
        world.clock.turn(hours(24) - 1);
        expect((await person.get('/v1/whoami')).status).toBe(200);
      }
      world.clock.turn(hours(24));
      expect(refusal(await person.get('/v1/whoami'))).toEqual([401, 'session.expired']);
      expect(refusal(await person.get('/v1/whoami'))).toEqual([401, 'session.ended']);
    }));

  it('lives a week from each use when remembered, and is shown so', () =>
    inWorld(async (world) => {
      const person = await world.signIn(dora, { remember: true });
      const [shown] = (await person.get('/v1/sessions')).body.data;
      expect(Date.parse(shown.expires_at) - world.clock.now().getTime()).toBe(days(7) * 1000);
      world.clock.turn(days(7) - 1);
      expect((await person.get('/v1/whoami')).status).toBe(200);
      world.clock.turn(days(7));
      expect(refusal(await person.get('/v1/whoami'))).toEqual([401, 'session.expired']);
    }));

  it('ends after thirty days however busy it was', () =>
    inWorld(async (world) => {
      const person = await world.signIn(dora, { remember: true });
      for (let day = 0; day < 29; day += 1) {
        world.clock.turn(days(1));
        expect([day, (await person.get('/v1/whoami')).status]).toEqual([day, 200]);
      }
      world.clock.turn(days(1) - 1);
      expect((await person.get('/v1/whoami')).status).toBe(200);
      world.clock.turn(1);
      expect((await person.get('/v1/whoami')).status).toBe(401);
    }));

  it('slides also for another process that knows only what was written down', async () => {
    const persistence = await openPersistence({ kind: 'memory' });
    await inWorld(
      async (world) => {
        const person = await world.signIn(dora);
        world.clock.turn(hours(20));
        await person.get('/v1/whoami');
        await world.service.activity.flush();
        const [shown] = (await person.get('/v1/sessions')).body.data;
        expect(shown.last_seen_at).toBe(world.clock.now().toISOString());

        const another = anotherProcess(world, persistence);
        world.clock.turn(hours(20));
        const { reference } = person;
        const caller = await another.useCases.authenticateCaller(
          { kind: 'session_reference', reference },
          { ip: null },
        );
        expect(caller).toMatchObject({ kind: 'user', organizationId: world.acme });
        // And back: what the other one saw keeps the session alive here, although this process saw nothing for 40 hours.
        await another.activity.flush();
        world.clock.turn(hours(20));
        expect((await person.get('/v1/whoami')).status).toBe(200);
      },
      { persistence },
    );
  });

  it('counts a use that is not written down yet, and loses none when the database was away', async () => {
    const written: ReadonlyMap<string, Date>[] = [];
    let away = true;
    const activity = batchedActivity({
      transact: async (_scope, work) => {
        if (away) throw new Error('away');
        const touch = async (seen: ReadonlyMap<string, Date>): Promise<void> => void written.push(seen);
        return work({ sessions: { touch }, apiKeys: { touch } } as never);
      },
    });
    const [first, second] = [new Date(1000), new Date(2000)];
    activity.seen('sess_1' as never, first);
    await expect(activity.flush()).rejects.toThrow('away');
    expect(activity.sightingOf('sess_1' as never)).toEqual(first);
    activity.seen('sess_1' as never, second);
    away = false;
    await activity.flush();
    expect(written).toEqual([new Map([['sess_1', second]])]);
    expect(activity.sightingOf('sess_1' as never)).toBeUndefined();
  });

  it('slides also where nothing is trusted from one request to the next', () =>
    inWorld(
      async (world) => {
        const person = await world.signIn(dora);
        for (let use = 0; use < 4; use += 1) {
          world.clock.turn(hours(20));
          expect([use, (await person.get('/v1/whoami')).status]).toEqual([use, 200]);
          if (use % 2 === 0) await world.service.activity.flush();
        }
      },
      { trustSeconds: 0 },
    ));
});

describe('sessions are seen and ended', () => {
  it("shows and ends one's own, effective on the next request, and nobody else's", () =>
    inWorld(async (world) => {
      const [laptop, phone] = [await world.signIn(dora), await world.signIn(dora)];
      const other = await world.signIn(anna);
      const mine = (await laptop.get('/v1/sessions')).body.data;
      expect(mine.map(({ current }: { current: boolean }) => current).toSorted()).toEqual([false, true]);
      const phones = mine.find(({ current }: { current: boolean }) => !current).id;
      expect((await phone.get('/v1/whoami')).status).toBe(200);

      const [hers] = (await other.get('/v1/sessions')).body.data;
      expect(refusal(await laptop.delete(`/v1/sessions/${hers.id}`))).toEqual([404, 'session.not_found']);
      for (let time = 0; time < 2; time += 1) expect((await laptop.delete(`/v1/sessions/${phones}`)).status).toBe(204);
      expect(refusal(await phone.get('/v1/whoami'))).toEqual([401, 'session.ended']);
      expect([(await laptop.get('/v1/whoami')).status, (await other.get('/v1/whoami')).status]).toEqual([200, 200]);
    }));

  it('lets an admin end one, all of a member, or everybody; the provider is told', () =>
    inWorld(async (world) => {
      const admin = await world.signIn(olivia);
      const doras = [await world.signIn(dora), await world.signIn(dora), await world.signIn(dora)];
      const annas = await world.signIn(anna);
      const statuses = async (): Promise<number[]> =>
        Promise.all([...doras, annas, admin].map(async (one) => (await one.get('/v1/whoami')).status));
      expect(await statuses()).toEqual([200, 200, 200, 200, 200]);

      const member = await memberNamed(admin, world.acme, dora);
      const listed = await admin.get(ofAcme(world, `/members/${member.id}/sessions`));
      const [newest] = listed.body.data;
      expect([listed.body.data.length, newest.user.email, newest.method]).toEqual([3, dora, 'sso']);
      expect((await admin.delete(ofAcme(world, `/sessions/${newest.id}`))).status).toBe(204);
      expect((await statuses()).filter((status) => status === 401)).toHaveLength(1);

      const ended = await admin.delete(ofAcme(world, `/members/${member.id}/sessions`));
      expect([ended.status, ended.body]).toEqual([200, { ended: 2 }]);
      expect(await statuses()).toEqual([401, 401, 401, 200, 200]);

      const everybody = await admin.delete(ofAcme(world, '/sessions'));
      expect(everybody.body.ended).toBeGreaterThanOrEqual(2);
      expect(await statuses()).toEqual([401, 401, 401, 401, 401]);
      await world.settle();
      const acme = world.provider.organizations.byExternalId(world.acme)?.ref;
      const alive = world.provider.sessions
        .all()
        .filter((one) => one.organization === acme && world.provider.sessions.isAlive(one));
      expect(alive).toEqual([]);
    }));

  it('does not reach into another organization of the same person', () =>
    inWorld(async (world) => {
      const atGlobex = await world.signIn(carla, { organization: world.globex, method: 'password' });
      const atAcme = await world.signIn(carla, { organization: world.acme });
      const admin = await world.signIn(olivia);
      const member = await memberNamed(admin, world.acme, carla);
      expect((await admin.get(ofAcme(world, `/members/${member.id}/sessions`))).body.data).toHaveLength(1);
      expect((await admin.delete(ofAcme(world, `/members/${member.id}/sessions`))).body).toEqual({ ended: 1 });
      expect([(await atAcme.get('/v1/whoami')).status, (await atGlobex.get('/v1/whoami')).status]).toEqual([401, 200]);
      const [globexSession] = (await atGlobex.get('/v1/sessions')).body.data;
      const reached = await admin.delete(ofAcme(world, `/sessions/${globexSession.id}`));
      expect(refusal(reached)).toEqual([404, 'session.not_found']);
    }));
});

describe('the provider ends a session', () => {
  it('and says so: the next request is refused', () =>
    inWorld(async (world) => {
      const person = await world.signIn(dora);
      await person.get('/v1/whoami');
      await world.provider.sessions.end(sessionOf(world, -1)?.id ?? '');
      await world.settle();
      expect(refusal(await person.get('/v1/whoami'))).toEqual([401, 'session.ended']);
      const line = (await trailOf(await world.signIn(olivia), world.acme)).find(
        ({ action }) => action === 'session.ended',
      );
      expect([line?.actor.kind, line?.after?.['because']]).toEqual(['provider', 'provider_ended']);
    }));

  it('and the news is lost: the session is trusted for five minutes and not a second longer', () =>
    inWorld(async (world) => {
      const person = await world.signIn(dora);
      await person.get('/v1/whoami');
      await world.provider.setManner('lost');
      await world.provider.sessions.end(sessionOf(world, -1)?.id ?? '');
      await world.settle();
      world.clock.turn(299);
      expect((await person.get('/v1/whoami')).status).toBe(200);
      world.clock.turn(1);
      expect(refusal(await person.get('/v1/whoami'))).toEqual([401, 'session.ended']);
    }));

  it('and the news is lost: the feed brings it before the trust runs out', () =>
    inWorld(async (world) => {
      const person = await world.signIn(dora);
      await person.get('/v1/whoami');
      await world.service.catchUp();
      await world.provider.setManner('lost');
      await world.provider.sessions.end(sessionOf(world, -1)?.id ?? '');
      expect((await person.get('/v1/whoami')).status).toBe(200);
      expect(await world.service.catchUp()).toBeGreaterThan(0);
      await world.settle();
      expect(refusal(await person.get('/v1/whoami'))).toEqual([401, 'session.ended']);
    }));

  it('is asked on every request where the trust is set to zero', () =>
    inWorld(
      async (world) => {
        const person = await world.signIn(dora);
        expect((await person.get('/v1/whoami')).status).toBe(200);
        await world.provider.setManner('lost');
        await world.provider.sessions.end(sessionOf(world, -1)?.id ?? '');
        expect(refusal(await person.get('/v1/whoami'))).toEqual([401, 'session.ended']);
      },
      { trustSeconds: 0 },
    ));
});

describe('the provider does not answer', () => {
  it.each(['down', '429'] as const)(
    '(%s) and people work on within the trusted time; then they are asked to wait; agents never notice',
    (mode) =>
      inWorld(async (world) => {
        const person = await world.signIn(dora);
        await world.outage(mode, hours(2));
        world.clock.turn(299);
        expect((await person.get('/v1/whoami')).status).toBe(200);
        world.clock.turn(1);
        const refused = await person.get('/v1/whoami');
        expect(refused.status).toBe(503);
        expect(refused.body.error.reason).toBe(mode === 'down' ? 'identity.unavailable' : 'identity.throttled');
        expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
        expect((await world.agent(world.apiKey).get('/v1/whoami')).status).toBe(200);

        // It means nothing about the session: when the provider is back, the person goes on.
        await world.outage('none');
        expect((await person.get('/v1/whoami')).status).toBe(200);
      }),
  );

  it('and what was revoked here stays revoked', () =>
    inWorld(async (world) => {
      const [person, admin] = [await world.signIn(dora), await world.signIn(olivia)];
      const member = await memberNamed(admin, world.acme, dora);
      await world.outage('down', hours(1));
      await admin.delete(ofAcme(world, `/members/${member.id}/sessions`));
      expect(refusal(await person.get('/v1/whoami'))).toEqual([401, 'session.ended']);

      // The provider hears of it when it is back.
      world.clock.turn(hours(2));
      await world.settle();
      const doras = world.provider.people.byEmail(dora)?.subject;
      const alive = world.provider.sessions
        .all()
        .filter((one) => one.subject === doras && world.provider.sessions.isAlive(one));
      expect(alive).toEqual([]);
    }));

  it('and nobody signs in: 503, and the sign-in can simply be started again', () =>
    inWorld(async (world) => {
      await world.outage('down', 60);
      await expect(world.signIn(dora)).rejects.toMatchObject({ reason: 'identity.unavailable' });
      world.clock.turn(60);
      expect((await (await world.signIn(dora)).get('/v1/whoami')).status).toBe(200);
    }));
});

describe("a person's API client", () => {
  it('trades the refresh token for a bearer token that means the same caller', () =>
    inWorld(async (world) => {
      const person = await world.signIn(dora);
      const tokens = await tokensFor(world, person.refreshBox);
      const [byToken, byCookie] = [
        await bearing(world, tokens.access_token).get('/v1/whoami'),
        await person.get('/v1/whoami'),
      ];
      expect(byToken.body).toEqual(byCookie.body);
      expect(tokens.refresh_token).not.toBe(person.refreshBox);
      const next = await tokensFor(world, tokens.refresh_token);
      expect((await bearing(world, next.access_token).get('/v1/whoami')).status).toBe(200);
    }));

  it('is refused with an expired, a forged or a foreign token', () =>
    inWorld(async (world) => {
      const person = await world.signIn(dora);
      const { access_token } = await tokensFor(world, person.refreshBox);
      const whoami = async (token: string) => refusal(await bearing(world, token).get('/v1/whoami'));
      const [head = '', body = '', signature = ''] = access_token.split('.');
      const encoded = (content: unknown): string => Buffer.from(JSON.stringify(content)).toString('base64url');
      const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
      const forged = {
        'without a signature': `${encoded({ alg: 'none' })}.${body}.${signature}`,
        'with other claims': `${head}.${encoded({ ...claims, sub: world.provider.people.byEmail(olivia)?.subject })}.${signature}`,
        'for another person of the same session': await world.provider.sessions.sign({
          ...claims,
          sub: world.provider.people.byEmail(olivia)?.subject,
        }),
        'from another issuer': await world.provider.sessions.sign({ ...claims, iss: 'https://elsewhere.test' }),
        'for another client': await world.provider.sessions.sign({ ...claims, client_id: 'client_other' }),
        'of a session that never was': await world.provider.sessions.sign({ ...claims, sid: 'session_01NEVER' }),
      };
      const answers: Record<string, unknown> = {};
      for (const [what, token] of Object.entries(forged)) answers[what] = await whoami(token);
      expect(answers).toEqual({
        'without a signature': [401, 'session.token_invalid'],
        'with other claims': [401, 'session.token_invalid'],
        'for another person of the same session': [401, 'session.token_invalid'],
        'from another issuer': [401, 'session.token_invalid'],
        'for another client': [401, 'session.token_invalid'],
        'of a session that never was': [401, 'session.unknown'],
      });
      expect(await whoami(access_token)).toEqual([200, undefined]);
      world.clock.turn(299);
      expect(await whoami(access_token)).toEqual([200, undefined]);
      world.clock.turn(1);
      expect(await whoami(access_token)).toEqual([401, 'session.token_expired']);
    }));

  it('cannot go on with a token of the organization that the session has left', () =>
    inWorld(async (world) => {
      const person = await world.signIn(carla, { organization: world.acme });
      const before = await tokensFor(world, person.refreshBox);
      const after = await tokensFor(world, before.refresh_token, world.globex);
      expect(refusal(await bearing(world, before.access_token).get('/v1/whoami'))).toEqual([
        401,
        'session.organization_changed',
      ]);
      const now = await bearing(world, after.access_token).get('/v1/whoami');
      expect(now.body.caller).toMatchObject({ organization_id: world.globex, role: 'developer' });
    }));

  it('cannot go on after the session has ended, with the access token or the refresh token', () =>
    inWorld(async (world) => {
      const person = await world.signIn(dora);
      const tokens = await tokensFor(world, person.refreshBox);
      const [mine] = (await person.get('/v1/sessions')).body.data;
      await person.delete(`/v1/sessions/${mine.id}`);
      expect(refusal(await bearing(world, tokens.access_token).get('/v1/whoami'))).toEqual([401, 'session.ended']);
      const refreshed = await world.anonymous.post('/v1/session/refresh', { refresh_token: tokens.refresh_token });
      expect(refreshed.status).toBe(401);
      expect(['session.ended', 'session.refresh_refused']).toContain(refreshed.body.error.reason);
      // Also while the provider has not heard of it yet.
      const other = await world.signIn(dora);
      await world.settle();
      await world.outage('down', 10);
      const [second] = (await other.get('/v1/sessions')).body.data;
      await other.delete(`/v1/sessions/${second.id}`);
      await world.outage('none');
      const late = await world.anonymous.post('/v1/session/refresh', { refresh_token: other.refreshBox });
      expect(refusal(late)).toEqual([401, 'session.ended']);
    }));

  it('gets nothing for a refresh token that is made up, of another purpose, or replaced long ago', () =>
    inWorld(async (world) => {
      const person = await world.signIn(dora);
      await tokensFor(world, person.refreshBox);
      world.clock.turn(31);
      const login = await world.anonymous.get('/auth/login');
      const box = /hd_login_[\w-]+=([^;]+)/.exec(login.headers.getSetCookie().join())?.[1];
      for (const refresh_token of ['made-up', box, person.refreshBox, person.reference, world.apiKey]) {
        const refused = await world.anonymous.post('/v1/session/refresh', { refresh_token });
        expect(refusal(refused)).toEqual([401, 'session.refresh_refused']);
      }
    }));

  it('moves nowhere by the word of a provider that has not heard of a removal yet', () =>
    inWorld(async (world) => {
      const person = await world.signIn(carla, { organization: world.acme });
      const owner = await world.signIn(gus);
      const member = await memberNamed(owner, world.globex, carla);
      await world.outage('down', 60);
      await owner.delete(ofGlobex(world, `/members/${member.id}`));
      await world.outage('none');
      const ask = { refresh_token: person.refreshBox, organization_id: world.globex };
      expect(refusal(await world.anonymous.post('/v1/session/refresh', ask))).toEqual([404, 'organization.not_found']);
      expect((await person.get('/v1/whoami')).body.organization.name).toBe('Acme');
    }));

  it('moves only where the person belongs, and never by a refresh alone where single sign-on is asked for', () =>
    inWorld(async (world) => {
      const [consultant, owner] = [
        await world.signIn(carla, { organization: world.globex, method: 'password' }),
        await world.signIn(gus),
      ];
      const move = (box: string, organization: string) =>
        world.anonymous.post('/v1/session/refresh', { refresh_token: box, organization_id: organization });
      expect(refusal(await move(consultant.refreshBox, world.acme))).toEqual([
        409,
        'session.reauthentication_required',
      ]);
      expect(refusal(await move(owner.refreshBox, world.acme))).toEqual([404, 'organization.not_found']);
      expect(refusal(await move(owner.refreshBox, 'org_00000000000000000000000001'))).toEqual([
        404,
        'organization.not_found',
      ]);
    }));
});

describe('an agent', () => {
  it('has no sessions to see, end or refresh', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const key = await issueKey(owner, world.acme, { bundle: 'admin' });
      const agent = world.agent(key.secret);
      expect(refusal(await agent.get('/v1/sessions'))).toEqual([403, 'caller.person_required']);
      const [session] = (await owner.get('/v1/sessions')).body.data;
      expect(refusal(await agent.delete(`/v1/sessions/${session.id}`))).toEqual([403, 'caller.person_required']);
      expect(refusal(await agent.post('/v1/session/organization', { organization_id: world.globex }))).toEqual([
        403,
        'caller.person_required',
      ]);
    }));
});
