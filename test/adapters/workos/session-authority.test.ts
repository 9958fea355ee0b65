// WorkOS' side of a session: who asks how often, what a long list hides, and what is left of it after the end.

import { describe, expect, it } from 'vitest';
import { outcomeOf, staffed, type WorkosWorld, workosWorld } from './workos-world.ts';

const listings = (world: WorkosWorld): number => world.asked().filter((line) => /^GET .*\/sessions$/.test(line)).length;

const withSessions = async (count: number, options: Parameters<typeof workosWorld>[0] = {}) => {
  const world = await workosWorld(options);
  const { ada, ...rest } = staffed(world);
  const sessions = Array.from({ length: count }, () => world.stub.sessions.addSession(ada.id));
  const isAlive = (providerSession: string) => world.provider.sessions.isAlive({ providerSession, subject: ada.id });
  return { world, ada, sessions, isAlive, ...rest };
};

describe('whether a session lives', () => {
  it('is found on whatever page it stands', async () => {
    const { sessions, isAlive, world } = await withSessions(250);
    for (const session of [sessions[0], sessions[150], sessions[249]]) {
      expect(await isAlive(session?.id ?? '')).toBe(true);
      world.clock.turn(1);
    }
    expect(await isAlive('session_of_nobody')).toBe(false);
    expect(listings(world)).toBe(12);
  });

  it('is a matter of its state and not of being listed', async () => {
    const { sessions, isAlive } = await withSessions(3);
    const [revoked, expired, active] = sessions;
    if (revoked) revoked.status = 'revoked';
    if (expired) expired.status = 'expired';
    expect(await isAlive(revoked?.id ?? '')).toBe(false);
    expect(await isAlive(expired?.id ?? '')).toBe(false);
    expect(await isAlive(active?.id ?? '')).toBe(true);
  });

  it('costs one request for all of a person’s sessions that are asked about at once', async () => {
    const { world, sessions, isAlive } = await withSessions(50);
    expect(await Promise.all(sessions.map(({ id }) => isAlive(id)))).toEqual(sessions.map(() => true));
    expect(listings(world)).toBe(1);
  });

  it('is asked anew the next time', async () => {
    const { world, sessions, isAlive } = await withSessions(1);
    const id = sessions[0]?.id ?? '';
    expect(await isAlive(id)).toBe(true);
    await world.provider.sessions.end(id);
    expect(await isAlive(id)).toBe(false);
    expect(listings(world)).toBe(2);
  });

  it('is asked anew after an end even while a list from before it is on its way', async () => {
    const { world, sessions, isAlive } = await withSessions(1);
    const id = sessions[0]?.id ?? '';
    const { promise: until, resolve } = Promise.withResolvers<void>();
    world.stub.plan({ play: 'delayed', until }, { on: /^GET .*\/sessions$/, times: 1 });
    const before = isAlive(id);
    await expect.poll(() => listings(world)).toBe(1);
    await world.provider.sessions.end(id);
    const after = isAlive(id);
    await expect.poll(() => listings(world)).toBe(2);
    expect(await after).toBe(false);
    resolve();
    expect(await before).toBe(true);
  });

  it('is no for somebody whom WorkOS has deleted', async () => {
    const { world } = await withSessions(0);
    expect(await world.provider.sessions.isAlive({ providerSession: 'session_1', subject: 'user_deleted' })).toBe(
      false,
    );
  });

  it('belongs to the person: nobody else’s session counts', async () => {
    const { world, sessions } = await withSessions(1);
    const eve = world.stub.organizations.addUser({ email: 'eve@acme.test' });
    const question = { providerSession: sessions[0]?.id ?? '', subject: eve.id };
    expect(await world.provider.sessions.isAlive(question)).toBe(false);
  });
});

describe('the budget of the checks', () => {
  it('runs out before that of WorkOS does, tells when to come again, and leaves sign-ins alone', async () => {
    const { world, sessions, isAlive, signIn } = await withSessions(1, { aliveChecksPerSecond: 2 });
    const id = sessions[0]?.id ?? '';
    for (let i = 0; i < 4; i += 1) expect(await isAlive(id)).toBe(true);
    await expect(isAlive(id)).rejects.toMatchObject({
      reason: 'identity.throttled',
      details: { retry_after_seconds: 1 },
    });
    expect(listings(world)).toBe(4);
    const { tokens, providerSession } = await signIn();
    expect(await world.provider.sessions.refresh({ refreshToken: tokens.refreshToken })).toMatchObject({
      is: 'refreshed',
    });
    await world.provider.sessions.end(providerSession);
    world.clock.turn(1);
    expect(await Promise.all([isAlive(id)])).toEqual([true]);
    expect(await isAlive(id)).toBe(true);
    expect(await outcomeOf(isAlive(id))).toBe('identity.throttled');
  });

  it('counts pages, since they are what WorkOS counts', async () => {
    const { sessions, isAlive } = await withSessions(450, { aliveChecksPerSecond: 2 });
    expect(await outcomeOf(isAlive(sessions[0]?.id ?? ''))).toBe('identity.throttled');
  });

  it('is quiet for a minute at most, whatever WorkOS or a gateway in between asks for', async () => {
    const { world, sessions, isAlive } = await withSessions(1);
    const id = sessions[0]?.id ?? '';
    for (const asked of ['99999999', '1e300']) {
      world.stub.plan({ play: 'answer', status: 429, body: {}, headers: { 'retry-after': asked } }, { times: 1 });
      await expect(isAlive(id)).rejects.toMatchObject({ details: { retry_after_seconds: 86_400 } });
      expect(await outcomeOf(isAlive(id))).toBe('identity.throttled');
      world.clock.turn(60);
      expect(await isAlive(id)).toBe(true);
    }
  });

  it('is not used up by one person with very many sessions: they wait, and nobody else does', async () => {
    const { world, isAlive, signIn } = await withSessions(0);
    const mallory = world.stub.organizations.addUser({ email: 'mallory@acme.test' });
    const many = Array.from({ length: 3000 }, () => world.stub.sessions.addSession(mallory.id));
    const { providerSession } = await signIn();
    for (let second = 0; second < 20; second += 1) {
      const hers = many.slice(second * 10, second * 10 + 10);
      for (const { id } of hers) {
        await outcomeOf(world.provider.sessions.isAlive({ providerSession: id, subject: mallory.id }));
      }
      expect(await isAlive(providerSession)).toBe(true);
      world.clock.turn(1);
    }
    world.clock.turn(3);
    const last = { providerSession: many.at(-1)?.id ?? '', subject: mallory.id };
    expect(await world.provider.sessions.isAlive(last)).toBe(true);
    await expect(world.provider.sessions.isAlive(last)).rejects.toMatchObject({
      reason: 'identity.throttled',
      details: { retry_after_seconds: 3 },
    });
  });

  it('closes for as long as WorkOS asks, for everybody, without asking again', async () => {
    const { world, sessions, isAlive } = await withSessions(1);
    const id = sessions[0]?.id ?? '';
    world.stub.plan({ play: 'answer', status: 429, body: {}, headers: { 'retry-after': '20' } }, { times: 1 });
    expect(await outcomeOf(isAlive(id))).toBe('identity.throttled');
    world.clock.turn(19);
    await expect(isAlive(id)).rejects.toMatchObject({ details: { retry_after_seconds: 1 } });
    expect(listings(world)).toBe(1);
    world.clock.turn(1);
    expect(await isAlive(id)).toBe(true);
  });
});

describe('a refresh', () => {
  it('that two ask for at once with the same token is one, and both get the same pair', async () => {
    const { world, signIn } = await withSessions(0);
    const { tokens } = await signIn();
    const before = world.asked().length;
    const [one, other] = await Promise.all([1, 2].map(() => world.provider.sessions.refresh(tokens)));
    expect(one).toMatchObject({ is: 'refreshed' });
    expect(other).toEqual(one);
    expect(world.asked().length - before).toBe(1);
  });

  it('on another node within thirty seconds gets the same pair too; later it is over', async () => {
    const { world, signIn } = await withSessions(0);
    const { tokens } = await signIn();
    const first = await world.provider.sessions.refresh(tokens);
    world.clock.turn(30);
    expect(await world.provider.sessions.refresh(tokens)).toEqual(first);
    world.clock.turn(1);
    expect(await world.provider.sessions.refresh(tokens)).toEqual({ is: 'over' });
  });

  it('for one organization is not mistaken for one in the old place, whichever of the two comes first', async () => {
    const { world, signIn, ada, acme } = await withSessions(0);
    const second = world.stub.organizations.addOrganization('Second');
    world.stub.organizations.addMembership(second.id, ada.id);
    const { tokens } = await signIn();
    const { refreshToken } = tokens;
    const [stays, moves] = await Promise.all([
      world.provider.sessions.refresh({ refreshToken }),
      world.provider.sessions.refresh({ refreshToken, organization: second.id }),
    ]);
    expect(stays).toMatchObject({ is: 'refreshed' });
    expect(moves).toMatchObject({ is: 'refreshed', claims: { organization: second.id } });
    expect(acme.id).not.toBe(second.id);
  });

  it('that WorkOS answers with another organization than was asked for, twice, sends the person to sign in', async () => {
    const { world, signIn } = await withSessions(0);
    const { tokens } = await signIn();
    const first = await world.provider.sessions.refresh(tokens);
    if (first.is !== 'refreshed') throw new Error('not refreshed');
    const body = {
      user: {},
      access_token: first.tokens.accessToken,
      refresh_token: first.tokens.refreshToken,
    };
    world.stub.plan({ play: 'answer', status: 200, body });
    const { refreshToken } = first.tokens;
    expect(await world.provider.sessions.refresh({ refreshToken, organization: 'org_elsewhere' })).toEqual({
      is: 'interaction_required',
    });
  });
});

describe('an end', () => {
  it('that WorkOS has seen already is no error, whichever way it says so', async () => {
    const { world, sessions } = await withSessions(1);
    const id = sessions[0]?.id ?? '';
    await world.provider.sessions.end(id);
    await expect(world.provider.sessions.end(id)).resolves.toBeUndefined();
    await expect(world.provider.sessions.end('session_unknown')).resolves.toBeUndefined();
  });

  it('leads to WorkOS’ own page when a browser signs out, without a request', async () => {
    const { world } = await withSessions(0);
    const url = world.provider.sessions.logoutUrl('session_1', 'https://id.acme.test/?a=1&b=2');
    expect(url).toBe(
      `${world.stub.url}/user_management/sessions/logout?session_id=session_1&return_to=https%3A%2F%2Fid.acme.test%2F%3Fa%3D1%26b%3D2`,
    );
    expect(world.asked()).toEqual([]);
  });
});
