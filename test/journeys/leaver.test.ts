// The seed's promise in one story: an employee is terminated, and their next request is refused.

import { describe, expect, it } from 'vitest';
import { createWorld } from '#bootstrap/testing.ts';

describe('an employee is terminated in the directory', () => {
  it('is refused on the very next request, everywhere they were signed in', async () => {
    await using world = await createWorld();
    const laptop = await world.signIn('dora.developer@acme.test');
    const phone = await world.signIn('dora.developer@acme.test');
    expect((await laptop.get('/v1/whoami')).body.caller.role).toBe('developer');
    expect((await phone.get('/v1/whoami')).status).toBe(200);

    await world.directory.terminate('dora.developer@acme.test');

    for (const browser of [laptop, phone]) {
      const refused = await browser.get('/v1/whoami');
      expect([refused.status, refused.body.error.reason]).toEqual([401, 'session.ended']);
    }
    await expect(world.signIn('dora.developer@acme.test')).rejects.toThrow();
  });

  it('leaves a trail that says who ended what, and proves itself', async () => {
    await using world = await createWorld();
    await world.signIn('dora.developer@acme.test');
    await world.directory.terminate('dora.developer@acme.test');
    const owner = await world.signIn('olivia.owner@acme.test');
    const trail = await owner.get(`/v1/organizations/${world.acme}/audit?limit=5`);
    const lines = trail.body.data.map((entry: { action: string; actor: { kind: string } }) => [
      entry.action,
      entry.actor.kind,
    ]);
    expect(lines).toContainEqual(['membership.revoked', 'directory']);
    expect(lines).toContainEqual(['session.ended', 'directory']);
    expect(lines).toContainEqual(['directory_user.deprovisioned', 'directory']);
    const verdict = await owner.get(`/v1/organizations/${world.acme}/audit/verify`);
    expect(verdict.body).toMatchObject({ whole: true, first_broken: null });
  });

  it('keeps a consultant in their other organization', async () => {
    await using world = await createWorld();
    const atGlobex = await world.signIn('carla@consult.test', { organization: world.globex });
    const atAcme = await world.signIn('carla@consult.test', { organization: world.acme });
    await world.directory.terminate('carla@consult.test');
    expect((await atAcme.get('/v1/whoami')).status).toBe(401);
    expect((await atGlobex.get('/v1/whoami')).body.organizations).toMatchObject([{ name: 'Globex' }]);
  });
});
