// Attacks by those who leave, and by the organization next door.

import { describe, expect, it } from 'vitest';
import { adam, inWorld, issueKey, ofAcme } from '../journeys/words.ts';

describe('a leaver', () => {
  it('keeps no access through a key that they made for themself', () =>
    inWorld(async (world) => {
      const admin = await world.signIn(adam);
      const key = await issueKey(admin, world.acme, { scopes: ['users:manage', 'keys:manage', 'orgs:manage'] });
      await world.directory.terminate(adam);
      expect((await world.agent(key.secret).get(ofAcme(world, '/members'))).status).toBe(401);
    }));
});

describe('an unknown and a foreign organization', () => {
  it('cannot be told apart by who has no session', () =>
    inWorld(async (world) => {
      const ask = async (organization_id: string) => {
        const { status, body } = await world.anonymous.post('/v1/session/refresh', {
          refresh_token: 'nonsense',
          organization_id,
        });
        return [status, body.error.reason];
      };
      expect(await ask(world.acme)).toEqual(await ask('org_01h455vb4pex5vsknk084sn02q'));
    }));
});
