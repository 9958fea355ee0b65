// What runs out by itself: written down some time later, with its line in the trail, and only when it is over for sure.

import { describe, expect, it } from 'vitest';
import { days, dora, hours, inWorld, issueKey, minutes, ofAcme, olivia, refusal, trailOf } from '../journeys/words.ts';

describe('a session that nobody uses any more', () => {
  it('ends in the list and in the trail, once another node cannot have seen its person any more', () =>
    inWorld(async (world) => {
      const me = (await (await world.signIn(dora)).get('/v1/whoami')).body.caller;
      world.clock.turn(hours(23));
      const owner = await world.signIn(olivia);
      const listed = async (): Promise<boolean> =>
        (await owner.get(ofAcme(world, '/sessions?limit=200'))).body.data.some(
          (one: { user: { email: string } }) => one.user.email === dora,
        );
      const expired = async () =>
        (await trailOf(owner, world.acme)).filter(
          ({ action, target, after }) =>
            action === 'session.ended' && target.id === me.session_id && after?.['because'] === 'expired',
        );
      // Half a minute after its window of a day.
      world.clock.turn(hours(1) + 30);
      await world.jobs.tick();
      expect([await listed(), await expired()]).toEqual([true, []]);

      world.clock.turn(minutes(5));
      await world.jobs.tick();
      expect(await listed()).toBe(false);
      expect(await expired()).toEqual([
        expect.objectContaining({
          actor: { kind: 'system', id: null },
          source: expect.objectContaining({ via: 'job' }),
        }),
      ]);
    }));

  it('is ended when there are more of them than one batch holds', () =>
    inWorld(async (world) => {
      for (let count = 0; count < 60; count += 1) await world.signIn(dora);
      world.clock.turn(hours(25));
      const owner = await world.signIn(olivia);
      await world.jobs.tick();
      expect((await owner.get(ofAcme(world, '/sessions?limit=200'))).body.data).toHaveLength(1);
    }));
});

describe('a key whose time has run out', () => {
  it('is shown and told as expired, once, and still refused as such', () =>
    inWorld(async (world) => {
      const { id, secret } = await issueKey(await world.signIn(olivia), world.acme, { expires_in_days: 7 });
      world.clock.turn(days(6));
      await world.jobs.tick();
      world.clock.turn(days(1));
      await world.jobs.tick();
      world.clock.turn(minutes(10));
      await world.jobs.tick();
      const owner = await world.signIn(olivia);
      const keys: { id: string; status: string }[] = (await owner.get(ofAcme(world, '/api-keys?limit=200'))).body.data;
      expect(keys.find((key) => key.id === id)?.status).toBe('expired');
      expect(keys.filter(({ status }) => status === 'expired')).toHaveLength(1);
      const told = (await trailOf(owner, world.acme)).filter(({ action }) => action === 'api_key.expired');
      expect(told.map(({ target }) => target.id)).toEqual([id]);
      expect(refusal(await world.agent(secret).get('/v1/whoami'))).toEqual([401, 'api_key.expired']);
    }));
});
