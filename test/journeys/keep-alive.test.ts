// An active person stays signed in, here and at the provider, without noticing; and no lost answer costs them their session.

import { describe, expect, it } from 'vitest';
import { createWorld, type Person, type World } from '#bootstrap/testing.ts';

const cookiesOf = (answer: { readonly headers: Headers }): Record<string, string> =>
  Object.fromEntries(
    answer.headers.getSetCookie().map((line) => {
      const [pair = ''] = line.split(';');
      const at = pair.indexOf('=');
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );

const withBox = (world: World, person: Person, box: string) =>
  world.withHeaders({ cookie: `hd_session=${person.reference}; hd_refresh=${box}` });

describe('an active browser session', () => {
  it('is left alone while its access token is young', async () => {
    await using world = await createWorld();
    const dora = await world.signIn('dora.developer@acme.test');
    world.clock.turn(239);
    expect((await dora.get('/v1/whoami')).headers.getSetCookie()).toEqual([]);
  });

  it('gets new cookies shortly before the access token ends, good for another day', async () => {
    await using world = await createWorld();
    const dora = await world.signIn('dora.developer@acme.test');
    world.clock.turn(241);
    const answer = await dora.get('/v1/whoami');
    const kept = cookiesOf(answer);
    expect(kept['hd_session']).toBe(dora.reference);
    expect(kept['hd_refresh']).not.toBe(dora.refreshBox);
    for (const line of answer.headers.getSetCookie()) expect(line).toMatch(/Max-Age=86400; HttpOnly; SameSite=Lax/);
  });

  it('is offered the same new cookies until the browser shows them, so that a lost answer loses nothing', async () => {
    await using world = await createWorld();
    const dora = await world.signIn('dora.developer@acme.test');
    world.clock.turn(241);
    const [lost, again] = [await dora.get('/v1/whoami'), await dora.get('/v1/whoami')].map(cookiesOf);
    expect(again).toEqual(lost);
    const updated = withBox(world, dora, lost?.['hd_refresh'] ?? '');
    expect((await updated.get('/v1/whoami')).headers.getSetCookie()).toEqual([]);
    world.clock.turn(241);
    expect(cookiesOf(await updated.get('/v1/whoami'))['hd_refresh']).not.toBe(lost?.['hd_refresh']);
  });

  it('refreshes once however many requests come at once', async () => {
    await using world = await createWorld();
    const dora = await world.signIn('dora.developer@acme.test');
    world.clock.turn(241);
    const answers = await Promise.all(Array.from({ length: 20 }, () => dora.get('/v1/whoami')));
    expect(new Set(answers.map((answer) => cookiesOf(answer)['hd_refresh'])).size).toBe(1);
  });

  it('offers nothing to a browser without a box, or with a box of somebody else', async () => {
    await using world = await createWorld();
    const dora = await world.signIn('dora.developer@acme.test');
    const anna = await world.signIn('anna.analyst@acme.test');
    world.clock.turn(241);
    await dora.get('/v1/whoami');
    for (const cookie of [
      `hd_session=${dora.reference}`,
      `hd_session=${dora.reference}; hd_refresh=${anna.refreshBox}`,
      `hd_session=${dora.reference}; hd_refresh=nonsense`,
    ]) {
      expect((await world.withHeaders({ cookie }).get('/v1/whoami')).headers.getSetCookie()).toEqual([]);
    }
  });

  it('goes on through an outage of the provider, and is refreshed after it', async () => {
    await using world = await createWorld();
    const dora = await world.signIn('dora.developer@acme.test');
    await world.outage('down', 40);
    world.clock.turn(241);
    await world.outage('down', 40);
    const during = await dora.get('/v1/whoami');
    expect([during.status, during.headers.getSetCookie()]).toEqual([200, []]);
    world.clock.turn(41);
    expect(cookiesOf(await dora.get('/v1/whoami'))['hd_refresh']).toBeDefined();
  });

  it('is not refreshed by forward-auth, whose cookies no browser would see', async () => {
    await using world = await createWorld();
    const dora = await world.signIn('dora.developer@acme.test');
    world.clock.turn(241);
    expect((await dora.get('/v1/verify')).headers.getSetCookie()).toEqual([]);
  });

  it('is over all the same once it was ended', async () => {
    await using world = await createWorld();
    const dora = await world.signIn('dora.developer@acme.test');
    await world.directory.terminate('dora.developer@acme.test');
    world.clock.turn(241);
    const refused = await dora.get('/v1/whoami');
    expect([refused.status, refused.headers.getSetCookie()]).toEqual([401, []]);
  });
});
