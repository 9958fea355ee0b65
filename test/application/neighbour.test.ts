import { createWorld } from '@hatidata/identity/testing';
import { describe, expect, it } from 'vitest';

/** The code under test, a neighbour's own: whom it serves, and for which organization. */
const organizationOf = async (identity: string, headers: Record<string, string>): Promise<string | null> => {
  const answer = await fetch(`${identity}/v1/verify?scope=query:read`, { headers });
  return answer.status === 204 ? answer.headers.get('x-hati-organization') : null;
};

describe('the query proxy', () => {
  it('serves an agent by its key, and nobody by a wrong one', async () => {
    await using world = await createWorld();
    expect(await organizationOf(world.url, { authorization: `ApiKey ${world.apiKey}` })).toBe(world.acme);
    expect(await organizationOf(world.url, { authorization: `ApiKey ${world.apiKey.toLowerCase()}` })).toBeNull();
    expect(await organizationOf(world.url, {})).toBeNull();
  });

  it('serves an employee until the directory lets them go', async () => {
    await using world = await createWorld();
    const dora = await world.signIn('dora.developer@acme.test');
    const cookie = `hd_session=${dora.reference}`;
    expect(await organizationOf(world.url, { cookie })).toBe(world.acme);

    await world.directory.terminate('dora.developer@acme.test');
    expect(await organizationOf(world.url, { cookie })).toBeNull();
  });

  it('serves nobody who has been away for a day', async () => {
    await using world = await createWorld();
    const anna = await world.signIn('anna.analyst@acme.test');
    world.clock.turn(24 * 3600);
    expect(await organizationOf(world.url, { cookie: `hd_session=${anna.reference}` })).toBeNull();
  });

  it('goes on serving agents while the identity provider is down', async () => {
    await using world = await createWorld();
    await world.outage('down', 3600);
    world.clock.turn(600);
    expect(await organizationOf(world.url, { authorization: `ApiKey ${world.apiKey}` })).toBe(world.acme);
  });
});
