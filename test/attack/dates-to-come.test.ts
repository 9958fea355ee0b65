// Attacks with dates: an event from the far future, and a filter at the end of the calendar.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createWorld } from '#bootstrap/testing.ts';
import { inWorld, memberNamed, ofAcme, olivia } from '../journeys/words.ts';
import { refOf, say } from './attack-words.ts';

describe('a date that has not come yet', () => {
  it('does not keep a leaver in for ever', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const id = await world.directory.hire({ email: 'far@acme.test', name: 'Far' });
      world.clock.turn(5);
      const user = {
        object: 'directory_user',
        id,
        directory_id: world.directory.id,
        organization_id: refOf(world, world.acme),
        email: 'far@acme.test',
        state: 'active',
      };
      await say(world, 'dsync.user.created', user, { created_at: '2999-01-01T00:00:00.000Z' });
      world.clock.turn(5);
      await world.directory.terminate('far@acme.test');
      expect((await memberNamed(owner, world.acme, 'far@acme.test')).status).toBe('revoked');
    }));
});

describe('a filter at the ends of the calendar', () => {
  it('is answered or refused, and no fault', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'attack-'));
    try {
      await using world = await createWorld({ database: { kind: 'embedded', folder } });
      const owner = await world.signIn(olivia);
      const ask = async (query: string) => (await owner.get(ofAcme(world, `/audit?${query}`))).status;
      const statuses = [await ask('to=9999-12-31T23:59:59-14:00'), await ask('from=0000-01-01T00:00:00Z')];
      expect(statuses).not.toContain(500);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }, 60_000);
});
