// Events that could not be applied: seen by the organization's admins, in nobody's way, and applied again once the fault is mended.

import { describe, expect, it } from 'vitest';
import { openPersistence } from '#bootstrap/open-persistence.ts';
import { createWorld, type Person, type World } from '#bootstrap/testing.ts';
import { dora, gus, memberNamed, ofAcme, ofGlobex, olivia, refusal, trailOf } from './words.ts';

const poison = 'poison@acme.test';
const harmless = 'harmless@acme.test';

interface Heard {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly attempts: number;
  readonly note: string | null;
  readonly due_at: string | null;
  readonly settled_at: string | null;
}

/** A world whose database cannot write down one person, for as long as `broken`. */
const inBrokenWorld = async (test: (world: World, owner: Person, mend: () => void) => Promise<void>): Promise<void> => {
  const persistence = await openPersistence({ kind: 'memory' });
  let broken = true;
  await using world = await createWorld({
    persistence: {
      ...persistence,
      store: {
        transact: (scope, work) =>
          persistence.store.transact(scope, (tx) =>
            work({
              ...tx,
              directory: {
                ...tx.directory,
                async save(learned) {
                  if (broken && learned.users.some(({ email }) => email === poison))
                    throw new Error('row of table directory_users: no space left on device');
                  await tx.directory.save(learned);
                },
              },
            }),
          ),
      },
    },
  });
  await test(world, await world.signIn(olivia), () => {
    broken = false;
  });
};

const eventsOf = async (world: World, by: Person, query = ''): Promise<readonly Heard[]> =>
  (await by.get(ofAcme(world, `/events?limit=200${query}`))).body.data;
const hire = (world: World, email: string): Promise<string> =>
  world.directory.hire({ email, name: 'Somebody', groups: [] });
/** Long enough for every try that an event has. */
const wearOut = async (world: World): Promise<void> => {
  for (let tries = 0; tries < 25; tries += 1) {
    world.clock.turn(3700);
    await world.settle();
  }
};

describe('an event that cannot be applied', () => {
  it('is seen as it is tried again, and holds up nothing else of its organization', () =>
    inBrokenWorld(async (world, owner) => {
      await hire(world, poison);
      await hire(world, harmless);
      expect((await memberNamed(owner, world.acme, harmless)).status).toBe('active');
      const [stuck, ...more] = await eventsOf(world, owner, '&status=stored');
      expect(more).toEqual([]);
      expect(stuck).toMatchObject({ name: 'dsync.user.created', attempts: 1, settled_at: null });
      expect(stuck?.note).toBe('A fault on our side; the log tells it under the id of this event.');
      expect(Date.parse(stuck?.due_at ?? '')).toBeGreaterThan(world.clock.now().getTime());
    }));

  it('is set aside after its tries, without what it said, and is applied once it is replayed', () =>
    inBrokenWorld(async (world, owner, mend) => {
      await hire(world, poison);
      await wearOut(world);
      owner = await world.signIn(olivia);
      const answer = await owner.get(ofAcme(world, '/events?status=dead'));
      const [dead] = answer.body.data as Heard[];
      expect(dead).toMatchObject({ attempts: 20, due_at: null });
      expect(dead?.settled_at).not.toBe(null);
      expect(answer.text).not.toContain(poison);
      expect(answer.text).not.toContain('no space left');

      const replay = (): Promise<unknown> => owner.post(ofAcme(world, `/events/${dead?.id}/replay`));
      expect(await replay()).toMatchObject({ status: 202, body: { id: dead?.id, status: 'stored', attempts: 0 } });
      await world.settle();
      expect(await eventsOf(world, owner, '&status=stored')).toEqual([expect.objectContaining({ attempts: 1 })]);

      mend();
      expect(await replay()).toMatchObject({ status: 202 });
      await world.settle();
      expect((await memberNamed(owner, world.acme, poison)).status).toBe('active');
      const applied = (await eventsOf(world, owner, '&status=applied')).find(({ id }) => id === dead?.id);
      expect(applied).toMatchObject({ note: null, due_at: null });
      const replayed = (await trailOf(owner, world.acme)).filter(({ action }) => action === 'provider_event.replayed');
      expect(replayed.map(({ target, before }) => [target.id, before])).toEqual([
        [dead?.id, { status: 'stored', attempts: 1 }],
        [dead?.id, { status: 'dead', attempts: 20 }],
      ]);
    }));
});

describe('a replay', () => {
  it('is refused for what was applied, for what nobody heard, and to those who may not', () =>
    inBrokenWorld(async (world, owner) => {
      const [applied] = await eventsOf(world, owner, '&status=applied');
      const replay = (by: Person, id: string) => by.post(ofAcme(world, `/events/${id}/replay`));
      expect(refusal(await replay(owner, applied?.id ?? ''))).toEqual([409, 'event.applied_already']);
      expect(refusal(await replay(owner, 'evt_01hq0000000000000000000999'))).toEqual([404, 'event.not_found']);
      expect(refusal(await replay(owner, 'nonsense'))).toEqual([404, 'event.not_found']);
      const developer = await world.signIn(dora);
      expect(refusal(await replay(developer, applied?.id ?? ''))).toEqual([403, 'caller.scope_missing']);
      expect(refusal(await developer.get(ofAcme(world, '/events')))).toEqual([403, 'caller.scope_missing']);
    }));

  it('does not reach the events of another organization', () =>
    inBrokenWorld(async (world, owner) => {
      const other = await world.signIn(gus);
      const [theirs] = (await other.get(ofGlobex(world, '/events'))).body.data as Heard[];
      expect(theirs).toBeDefined();
      const answer = await owner.post(ofAcme(world, `/events/${theirs?.id}/replay`));
      expect(refusal(answer)).toEqual([404, 'event.not_found']);
    }));

  it('of an event whose words are forgotten is refused', () =>
    inBrokenWorld(async (world, owner) => {
      const ignored = await eventsOf(world, owner, '&status=ignored');
      const id = ignored[0]?.id;
      expect(id).toBeDefined();
      world.clock.turn(31 * 24 * 3600);
      await world.jobs.tick();
      const again = await world.signIn(olivia);
      expect(refusal(await again.post(ofAcme(world, `/events/${id}/replay`)))).toEqual([409, 'event.forgotten']);
    }));
});
