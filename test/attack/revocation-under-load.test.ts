// Nobody is served after the answer that says that they were revoked, however many requests are under way at that moment.

import { describe, expect, it } from 'vitest';
import { createWorld, type World } from '#bootstrap/testing.ts';
import { bearing, issueKey, memberNamed, ofAcme, olivia, tokensFor } from '../journeys/words.ts';

const manyAtOnce = 12;
/** How many requests that began after the revocation was answered were served. Each asker asks before, during and after it. */
const servedAfter = async (ask: () => Promise<{ status: number }>, revoke: () => Promise<unknown>): Promise<number> => {
  const first = await ask();
  expect(first.status).toBe(200);
  let isRevoked = false;
  let served = 0;
  const asking = Array.from({ length: manyAtOnce }, async () => {
    for (let after = 0; after < 2; ) {
      const beganAfter = isRevoked;
      const { status } = await ask();
      after += Number(beganAfter);
      served += Number(beganAfter && status === 200);
    }
  });
  await revoke();
  isRevoked = true;
  await Promise.all(asking);
  return served;
};

const attacks: Readonly<Record<string, (world: World, email: string) => Promise<number>>> = {
  'a key that was revoked': async (world) => {
    const owner = await world.signIn(olivia);
    const { id, secret } = await issueKey(owner, world.acme);
    return servedAfter(
      () => world.agent(secret).get('/v1/whoami'),
      () => owner.delete(ofAcme(world, `/api-keys/${id}`)),
    );
  },
  'a session that an admin ended': async (world, email) => {
    const owner = await world.signIn(olivia);
    const person = await world.signIn(email);
    const session = (await person.get('/v1/whoami')).body.caller.session_id;
    return servedAfter(
      () => person.get('/v1/whoami'),
      () => owner.delete(ofAcme(world, `/sessions/${session}`)),
    );
  },
  'an access token of a session that was ended': async (world, email) => {
    const person = await world.signIn(email);
    const { access_token } = await tokensFor(world, person.refreshBox);
    return servedAfter(
      () => bearing(world, access_token).get('/v1/whoami'),
      () => person.post('/auth/logout'),
    );
  },
  'a refresh token of a session that was ended': async (world, email) => {
    const person = await world.signIn(email);
    return servedAfter(
      () => world.anonymous.post('/v1/session/refresh', { refresh_token: person.refreshBox }),
      () => person.post('/auth/logout'),
    );
  },
  'somebody whom the directory terminated': async (world, email) => {
    const person = await world.signIn(email);
    return servedAfter(
      () => person.get('/v1/organizations'),
      () => world.directory.terminate(email),
    );
  },
  'an admin who was made an analyst': async (world, email) => {
    const owner = await world.signIn(olivia);
    const group = await world.directory.createGroup(`Admins ${email}`);
    const path = ofAcme(world, '/role-mappings');
    await owner.put(path, { mappings: [{ group_id: group, role: 'admin' }] });
    await world.directory.join(email, `Admins ${email}`);
    const person = await world.signIn(email);
    expect((await memberNamed(person, world.acme, email)).role).toBe('admin');
    return servedAfter(
      () => person.get(ofAcme(world, '/members?limit=1')),
      () => world.directory.leave(email, `Admins ${email}`),
    );
  },
};

describe('under load, nobody is served after the answer', () => {
  for (const [who, attack] of Object.entries(attacks)) {
    it(`to ${who}`, async () => {
      await using world = await createWorld();
      for (let round = 0; round < 3; round += 1) {
        const email = `loaded${round}@acme.test`;
        await world.directory.hire({ email, name: 'Loaded' });
        world.clock.turn(1);
        expect(await attack(world, email)).toBe(0);
      }
    });
  }
});
