// Who may sign in at the fake provider, how, and where they land.

import { createHash } from 'node:crypto';
import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { FakeIdentityProvider } from '#adapters/identity/fake/fake-identity-provider.ts';
import { seedDemo } from '#adapters/identity/fake/seed.ts';
import type { FakeWorld } from '#adapters/identity/fake/world.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';
import { stageWorld } from './fake-provider-world.ts';

const ours = { acme: 'org_acme' as OrganizationId, globex: 'org_globex' as OrganizationId };
const codeVerifier = 'a-verifier-of-forty-three-characters-or-more-0123456789';
const codeChallenge = createHash('sha256').update(codeVerifier).digest('base64url');

const demo = async () => {
  const staged = await stageWorld();
  const seeded = await seedDemo(staged.world, ours);
  const { acme, globex } = seeded;
  const userIn = (email: string) => acme.directory.users.find((user) => user.email === email)?.id ?? 'nobody';
  return {
    ...staged,
    seeded,
    acme: acme.organization.ref,
    globex: globex.organization.ref,
    provider: new FakeIdentityProvider(staged.world),
    terminate: (email: string) => staged.world.directories.terminate(acme.directory.id, userIn(email)),
    change: (email: string, change: { active?: boolean; name?: string; email?: string }) =>
      staged.world.directories.changeUser(acme.directory.id, userIn(email), change),
  };
};

const outcome = async (world: FakeWorld, email: string, method: 'sso' | 'password', organization?: string) => {
  const signedIn = await world.sessions.signIn({ email, method, codeChallenge, organization });
  return signedIn.is === 'refused' ? signedIn.because : signedIn.is;
};

const enter = async (world: FakeWorld, email: string, method: 'sso' | 'password', organization?: string) => {
  const signedIn = await world.sessions.signIn({ email, method, codeChallenge, organization });
  if (signedIn.is === 'refused') throw new Error(signedIn.because);
  const redeemed = await world.sessions.redeem({ code: signedIn.code, codeVerifier, ip: null, userAgent: null });
  if (!redeemed) throw new Error('not redeemed');
  return redeemed;
};

describe('an organization with single sign-on', () => {
  it('lets its people in by single sign-on and refuses a password', async () => {
    const { world, acme } = await demo();
    expect(await outcome(world, 'dora.developer@acme.test', 'password')).toBe('sso_required');
    const { session } = await enter(world, ' Dora.Developer@ACME.test ', 'sso');
    expect(session).toMatchObject({ organization: acme, method: 'sso', provenBy: acme });
  });

  it('does not let anybody in whom nobody knows, whatever their address', async () => {
    const { world } = await demo();
    expect(await outcome(world, 'stranger@acme.test', 'sso')).toBe('unknown_person');
    expect(await outcome(world, 'stranger@acme.test', 'password')).toBe('sso_required');
    expect(await outcome(world, 'stranger@nowhere.test', 'sso')).toBe('unknown_person');
    expect(world.people.byEmail('stranger@acme.test')).toBeUndefined();
  });

  it('lets somebody in whom its directory has just hired, under the name that the directory has', async () => {
    const { world, seeded, acme } = await demo();
    await world.directories.hire(seeded.acme.directory.id, { email: 'nora@acme.test', name: 'Nora Newcomer' });
    const { person, session } = await enter(world, 'nora@acme.test', 'sso');
    expect(person).toMatchObject({ name: 'Nora Newcomer', email: 'nora@acme.test', password: false });
    expect(session.organization).toBe(acme);
    expect(world.organizations.membersOf(acme)).toContainEqual(person);
  });

  it('keeps people the same when the directory renames and readdresses them', async () => {
    const { world, change } = await demo();
    const before = await enter(world, 'dora.developer@acme.test', 'sso');
    await change('dora.developer@acme.test', { name: 'Dora Married', email: 'dora.married@acme.test' });
    const after = await enter(world, 'dora.married@acme.test', 'sso');
    expect(after.person.subject).toBe(before.person.subject);
    expect(after.person).toMatchObject({ name: 'Dora Married', email: 'dora.married@acme.test' });
  });

  it('refuses somebody whom its directory terminated or deactivated, and takes them back when it does', async () => {
    const { world, change, terminate, seeded } = await demo();
    await terminate('dora.developer@acme.test');
    expect(await outcome(world, 'dora.developer@acme.test', 'sso')).toBe('terminated');
    await change('anna.analyst@acme.test', { active: false });
    expect(await outcome(world, 'anna.analyst@acme.test', 'sso')).toBe('terminated');
    await change('anna.analyst@acme.test', { active: true });
    expect(await outcome(world, 'anna.analyst@acme.test', 'sso')).toBe('signed_in');
    const { subject } = (await world.people.byEmail('dora.developer@acme.test')) ?? {};
    const { id } = seeded.acme.directory;
    await world.directories.hire(id, { email: 'dora.developer@acme.test', name: 'Dora Developer' });
    expect((await enter(world, 'dora.developer@acme.test', 'sso')).person.subject).toBe(subject);
  });

  it('has no say in another organization: whom it terminates still enters there', async () => {
    const { world, terminate, globex } = await demo();
    await terminate('carla@consult.test');
    expect(await outcome(world, 'carla@consult.test', 'sso')).toBe('terminated');
    expect((await enter(world, 'carla@consult.test', 'password')).session.organization).toBe(globex);
  });

  it('does not end running sessions by a word of its directory: that is the service’s to do', async () => {
    const { world, terminate } = await demo();
    const { session } = await enter(world, 'dora.developer@acme.test', 'sso');
    await terminate('dora.developer@acme.test');
    expect(world.sessions.isAlive(session)).toBe(true);
  });
});

describe('an organization without single sign-on', () => {
  it('takes a password, and nobody can sign in to it another way', async () => {
    const { world, globex } = await demo();
    expect((await enter(world, 'gus.owner@globex.test', 'password')).session.organization).toBe(globex);
    expect(await outcome(world, 'gus.owner@globex.test', 'sso')).toBe('no_sso');
  });

  it('refuses somebody who does not belong to it, when it is asked for by name', async () => {
    const { world, globex } = await demo();
    expect(await outcome(world, 'stranger@nowhere.test', 'password', globex)).toBe('not_a_member');
    expect(await outcome(world, 'stranger@nowhere.test', 'password', 'org_of_nobody')).toBe('unknown_organization');
  });
});

describe('a newcomer', () => {
  it('signs up with a password, as a person without an organization', async () => {
    const { world } = await demo();
    const { person, session } = await enter(world, 'new@startup.test', 'password');
    expect(person).toMatchObject({ email: 'new@startup.test', emailVerified: true, name: null });
    expect(session.organization).toBeNull();
    expect((await enter(world, 'new@startup.test', 'password')).person.subject).toBe(person.subject);
  });

  it('needs a real address', async () => {
    const { world } = await demo();
    for (const email of ['', 'new', 'new@', 'new@startup', '@startup.test', 'a b@startup.test']) {
      expect(await outcome(world, email, 'password'), email).toBe('not_an_address');
    }
  });
});

describe('somebody of several organizations', () => {
  it('lands where the method fits, and then where they went last', async () => {
    const { world, acme, globex } = await demo();
    expect((await enter(world, 'carla@consult.test', 'sso')).session.organization).toBe(acme);
    expect((await enter(world, 'carla@consult.test', 'password')).session.organization).toBe(globex);
    expect((await enter(world, 'carla@consult.test', 'sso', acme)).session.organization).toBe(acme);
  });

  it('needs single sign-on of the very organization that they move to', async () => {
    const { world, acme, globex, provider } = await demo();
    const { session } = await enter(world, 'carla@consult.test', 'password');
    const { refreshToken } = session;
    expect(await provider.sessions.refresh({ refreshToken, organization: acme })).toEqual({
      is: 'interaction_required',
    });
    const proven = await enter(world, 'carla@consult.test', 'sso');
    const there = await provider.sessions.refresh({ refreshToken: proven.session.refreshToken, organization: globex });
    if (there.is !== 'refreshed') throw new Error(there.is);
    const back = await provider.sessions.refresh({ refreshToken: there.tokens.refreshToken, organization: acme });
    expect(back).toMatchObject({ is: 'refreshed', claims: { organization: acme } });
  });
});

describe('a session', () => {
  it('has access tokens with the claims of the real provider', async () => {
    const { world, clock, acme } = await demo();
    const { session, person } = await enter(world, 'dora.developer@acme.test', 'sso');
    const now = clock.now().getTime() / 1000;
    expect(decodeJwt(await world.sessions.accessToken(session))).toEqual({
      iss: 'http://localhost:3000/fake-idp',
      sub: person.subject,
      sid: session.id,
      jti: expect.any(String),
      client_id: 'client_fake',
      org_id: acme,
      role: 'member',
      auth_time: now,
      iat: now,
      exp: now + 300,
    });
  });

  it('keeps the time of the sign-in through refreshes', async () => {
    const { world, clock } = await demo();
    const { session } = await enter(world, 'dora.developer@acme.test', 'sso');
    const signedInAt = clock.now().getTime() / 1000;
    clock.pass(200);
    await world.sessions.refresh(session.refreshToken, undefined);
    const claims = decodeJwt(await world.sessions.accessToken(session));
    expect([claims['auth_time'], claims.iat]).toEqual([signedInAt, signedInAt + 200]);
  });

  it('answers a repeated refresh with the very same pair for thirty seconds, then with nothing, and lives on', async () => {
    const { world, clock, provider } = await demo();
    const { session } = await enter(world, 'dora.developer@acme.test', 'sso');
    const { refreshToken } = session;
    const first = await provider.sessions.refresh({ refreshToken });
    clock.pass(29);
    expect(await provider.sessions.refresh({ refreshToken })).toEqual(first);
    clock.pass(1);
    expect(await provider.sessions.refresh({ refreshToken })).toEqual({ is: 'over' });
    if (first.is !== 'refreshed') throw new Error(first.is);
    expect(await provider.sessions.refresh({ refreshToken: first.tokens.refreshToken })).toMatchObject({
      is: 'refreshed',
    });
  });

  it('ends by itself after thirty days', async () => {
    const { world, clock } = await demo();
    const { session } = await enter(world, 'dora.developer@acme.test', 'sso');
    clock.pass(30 * 24 * 3600 - 1);
    expect(world.sessions.isAlive(session)).toBe(true);
    clock.pass(1);
    expect(await world.sessions.refresh(session.refreshToken, undefined)).toEqual({ is: 'over' });
  });

  it('tells who acts in whose place', async () => {
    const { world, provider } = await demo();
    const impersonator = { email: 'support@fake-idp.test', reason: 'ticket 7' };
    const signedIn = await world.sessions.signIn({
      email: 'dora.developer@acme.test',
      method: 'sso',
      codeChallenge,
      impersonator,
    });
    if (signedIn.is === 'refused') throw new Error(signedIn.because);
    const identity = await provider.login.redeem({ code: signedIn.code, codeVerifier, ip: null, userAgent: null });
    expect(identity?.impersonator).toEqual(impersonator);
    expect(decodeJwt(identity?.tokens.accessToken ?? '')['act']).toEqual({ sub: 'support@fake-idp.test' });
  });

  it('ends with the person, at the provider’s hand', async () => {
    const { world, clock } = await demo();
    const one = await enter(world, 'dora.developer@acme.test', 'sso');
    const other = await enter(world, 'anna.analyst@acme.test', 'sso');
    await world.people.terminate(one.person.subject);
    await world.people.remove(other.person.subject);
    expect([one, other].map(({ session }) => world.sessions.isAlive(session))).toEqual([false, false]);
    expect(await outcome(world, 'dora.developer@acme.test', 'sso')).toBe('terminated');
    expect(world.people.byEmail('anna.analyst@acme.test')).toBeUndefined();
    expect(one.session.endedAt).toBe(clock.now().toISOString());
  });
});

describe('the demo people', () => {
  it('are one per role, the owner outside the directory, and a consultant of both organizations', async () => {
    const { world, seeded, acme, globex } = await demo();
    const roles = seeded.acme.people.map(({ email, role, inDirectory }) => `${email} ${role} ${inDirectory}`);
    expect(roles).toEqual([
      'olivia.owner@acme.test owner false',
      'adam.admin@acme.test admin true',
      'dora.developer@acme.test developer true',
      'anna.analyst@acme.test analyst true',
      'aldo.auditor@acme.test auditor true',
      'sam.service@acme.test service_account false',
      'carla@consult.test analyst true',
    ]);
    const directory = seeded.acme.directory;
    const groupsOf = (email: string) => {
      const id = directory.users.find((user) => user.email === email)?.id ?? 'nobody';
      return directory.groups.filter(({ members }) => members.includes(id)).map(({ name }) => name);
    };
    expect(groupsOf('adam.admin@acme.test')).toEqual(['Admins', 'Engineering']);
    expect(groupsOf('olivia.owner@acme.test')).toEqual([]);
    const carla = world.people.byEmail('carla@consult.test');
    expect(world.organizations.membersOf(acme)).toContain(carla);
    expect(world.organizations.membersOf(globex)).toContain(carla);
  });

  it('are the same after seeding twice, and what was done to them in between stays', async () => {
    const { world, seeded, terminate, acme } = await demo();
    await terminate('dora.developer@acme.test');
    const anna = world.people.byEmail('anna.analyst@acme.test');
    await world.organizations.dismiss(anna?.subject ?? '', acme);
    await world.organizations.setSso(acme, false);
    await world.settled();
    const before = [world.log().length, JSON.stringify([world.people.all(), world.directories.all()])];
    const again = await seedDemo(world, ours);
    await world.settled();
    expect([world.log().length, JSON.stringify([world.people.all(), world.directories.all()])]).toEqual(before);
    expect(again.acme.directory.id).toBe(seeded.acme.directory.id);
    expect(world.organizations.membersOf(acme)).not.toContain(anna);
    expect(world.organizations.byRef(acme)?.connection?.state).toBe('inactive');
  });
});
