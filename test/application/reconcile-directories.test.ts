// How a reconciliation survives: killed, stopped, throttled, overtaken by another node, and stuck on one change.

import { describe, expect, it } from 'vitest';
import { MemoryStore } from '#adapters/persistence/memory/memory-store.ts';
import { FakeClock } from '#adapters/system/fake-clock.ts';
import { typeIds } from '#adapters/system/type-ids.ts';
import type { DirectoryReader } from '#application/ports/directory-reader.ts';
import type { IdentityProvider } from '#application/ports/identity-provider.ts';
import type { Repositories, Store } from '#application/ports/store.ts';
import type { Clock } from '#application/ports/system.ts';
import { reconcileDirectories } from '#application/reactions/reconcile-directories.ts';
import { unitOfWork } from '#application/unit-of-work.ts';
import { Organization } from '#domain/organizations/organization.ts';
import type { DirectoryPerson } from '#domain/provisioning/directory-event.ts';
import { beginReconciliation, type Reconciliation } from '#domain/provisioning/reconciliation.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { anId, anOrganization, monday } from '../support/words.ts';

const org = anId('org');
const pageSize = 100;
const still = new AbortController().signal;

const personNamed = (number: number): DirectoryPerson => ({
  id: `directory_user_${String(number).padStart(5, '0')}`,
  idpId: `okta-${number}`,
  email: `person-${number}@acme.test`,
  name: `Person ${number}`,
  state: 'active',
  updatedAt: monday,
});

interface Stage {
  readonly people: number;
  /** Called before each page; a fault here is the provider's. */
  readonly onPage?: (page: string) => Promise<void> | void;
  /** Called before directory records are saved; a fault here is the change's. */
  readonly onSave?: (learned: Parameters<Repositories['directory']['save']>[0]) => void;
}

const stage = async ({ people, onPage, onSave }: Stage) => {
  const clock = new FakeClock();
  const memory = new MemoryStore(typeIds);
  const store: Store = {
    transact: (scope, work) =>
      memory.transact(scope, (tx) =>
        work({
          ...tx,
          directory: {
            ...tx.directory,
            async save(learned) {
              onSave?.(learned);
              await tx.directory.save(learned);
            },
          },
        }),
      ),
  };
  const lines: { level: string; message: string }[] = [];
  const said = (level: string) => (message: string) => void lines.push({ level, message });
  const log = { debug: said('debug'), info: said('info'), warn: said('warn'), error: said('error') };
  const everybody = Array.from({ length: people }, (_, number) => personNamed(number));
  const group = { id: 'directory_group_staff', name: 'Staff', updatedAt: monday };
  const listed = { directory: 'directory_acme' };
  const asked: string[] = [];
  const page = async <T extends { id: string }>(name: string, all: readonly T[], from: string | null) => {
    asked.push(`${name} ${from ?? ''}`.trim());
    await onPage?.(`${name} ${from ?? ''}`.trim());
    const start = from === null ? 0 : Number(from);
    const next = start + pageSize < all.length ? String(start + pageSize) : null;
    return { items: all.slice(start, start + pageSize), next };
  };
  const directory: DirectoryReader = {
    async directories() {
      asked.push('directories');
      await onPage?.('directories');
      const one = { id: listed.directory, name: 'Acme', type: 'okta', state: 'connected' as const };
      return { asOf: clock.now(), directories: [one] };
    },
    groups: (_, from) => page('groups', [group], from),
    users: (_, from) => page('users', everybody, from),
    members: (_, from) => page('members', everybody, from),
  };
  const provider = { name: 'fake', directory } as unknown as IdentityProvider;
  const node = (its: Clock = clock) => {
    const uow = unitOfWork(store, { forget: async () => {} }, () => {}, its, typeIds);
    return reconcileDirectories(store, uow, provider, its, typeIds, log);
  };
  const organization = Organization.restore(anOrganization({ provider: { provider: 'fake', id: 'org_there' } }));
  await memory.transact({ across: 'founding' }, (tx) => tx.organizations.save(organization));
  const begin = (facts: Partial<Reconciliation> = {}) =>
    memory.transact(org, (tx) => {
      const by = { kind: 'system', id: null } as const;
      const facts_ = { id: typeIds.next('recon'), organizationId: org, by, unasked: true };
      return tx.reconciliations.save({ ...beginReconciliation(facts_, clock.now()), ...facts });
    });
  const run = async (): Promise<Reconciliation> => {
    const found = await memory.transact(org, (tx) => tx.reconciliations.of(org));
    if (!found) throw new Error('there is no reconciliation');
    return found;
  };
  const trail = (): readonly string[] => (memory.tables.trails.get(org) ?? []).map(({ action }) => action);
  const provisioned = (): number => trail().filter((action) => action === 'directory_user.provisioned').length;
  return { clock, memory, everybody, listed, node, begin, run, asked, lines, trail, provisioned };
};

const allPages = ['directories', 'groups', 'users', 'users 100', 'users 200', 'members', 'members 100', 'members 200'];

describe('a reconciliation', () => {
  it('reads each page once and makes each change once', async () => {
    const world = await stage({ people: 250 });
    await world.begin();
    await world.node().goOn(org, still);
    expect(await world.run()).toMatchObject({
      state: 'done',
      holder: null,
      settled: 502,
      plan: { changes: { 'directory.connect': 1, 'group.create': 1, 'person.provision': 250, 'member.add': 250 } },
    });
    expect(world.asked).toEqual(allPages);
    expect(world.provisioned()).toBe(250);
  });

  it('that was stopped between two steps goes on with the next, at once and on any node', async () => {
    const stops = new AbortController();
    const world = await stage({
      people: 250,
      onPage: (page) => {
        if (page === 'users 100') stops.abort();
      },
    });
    await world.begin();
    await world.node().goOn(org, stops.signal);
    expect(await world.run()).toMatchObject({ state: 'reading', holder: null });
    await world.node().goOn(org, still);
    expect((await world.run()).state).toBe('done');
    expect(world.asked).toEqual(allPages);
  });

  it('whose process was killed while it read is taken up when its time is over, where it stood', async () => {
    const never = Promise.withResolvers<void>();
    let killed = false;
    const world = await stage({
      people: 250,
      onPage: (page) => (page === 'users 200' && !killed ? never.promise : undefined),
    });
    await world.begin();
    void world.node().goOn(org, still);
    while (!world.asked.includes('users 200')) await new Promise(setImmediate);
    killed = true;

    await world.node().goOn(org, still);
    expect((await world.run()).state).toBe('reading');
    world.clock.turn(121);
    expect(await world.node().due()).toEqual([org]);
    await world.node().goOn(org, still);
    expect((await world.run()).state).toBe('done');
    expect(world.asked).toEqual([...allPages.slice(0, 5), ...allPages.slice(4)]);
    expect(world.provisioned()).toBe(250);
    // The first was only slow, and comes back: it finds that the run is not its own any more.
    const done = await world.run();
    never.resolve();
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
    expect(await world.run()).toEqual(done);
    expect(world.provisioned()).toBe(250);
  });

  it('that was killed while it applied makes each change once all the same', async () => {
    const stops = new AbortController();
    let saves = 0;
    const world = await stage({
      people: 250,
      onSave: () => {
        saves += 1;
        if (saves === 130) stops.abort();
      },
    });
    await world.begin();
    await world.node().goOn(org, stops.signal);
    const middle = await world.run();
    expect(middle.state).toBe('applying');
    expect(middle.settled).toBeGreaterThan(25);
    expect(middle.settled).toBeLessThan(400);
    expect(world.provisioned()).toBeLessThan(250);
    await world.node().goOn(org, still);
    expect(await world.run()).toMatchObject({ state: 'done', settled: 502 });
    expect(world.provisioned()).toBe(250);
    expect(world.trail().filter((action) => action === 'directory.reconciliation_begun')).toHaveLength(1);
  });

  it('waits as long as the provider asks, and then goes on with the page it was at', async () => {
    let throttled = true;
    const world = await stage({
      people: 250,
      onPage: (page) => {
        if (page === 'users 100' && throttled) throw new Refusal('identity.throttled', { retry_after_seconds: 600 });
      },
    });
    await world.begin();
    await world.node().goOn(org, still);
    throttled = false;
    world.clock.turn(599);
    expect(await world.node().due()).toEqual([]);
    await world.node().goOn(org, still);
    expect((await world.run()).state).toBe('reading');
    world.clock.turn(1);
    expect(await world.node().due()).toEqual([org]);
    await world.node().goOn(org, still);
    expect((await world.run()).state).toBe('done');
    expect(world.asked).toEqual([...allPages.slice(0, 4), ...allPages.slice(3)]);
  });

  it('begins its reading anew where going on does not help, and gives up in the end, saying so', async () => {
    const world = await stage({
      people: 250,
      onPage: (page) => {
        if (page === 'users 200') throw new Refusal('identity.unavailable');
      },
    });
    await world.begin();
    for (let tries = 0; tries < 3; tries += 1) {
      await world.node().goOn(org, still);
      world.clock.turn(3600);
    }
    expect(await world.run()).toMatchObject({ state: 'reading', progress: { at: 'directories' }, attempts: 3 });
    for (let tries = 0; tries < 30; tries += 1) {
      await world.node().goOn(org, still);
      world.clock.turn(3600);
    }
    expect(await world.run()).toMatchObject({ state: 'failed', note: expect.stringContaining('Refusal') });
    expect(world.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    expect(world.trail()).toEqual([]);
  });

  it('removes nobody of whom the directory spoke after the reading, also when their removal was planned', async () => {
    const world = await stage({ people: 3 });
    await world.begin();
    await world.node().goOn(org, still);
    world.everybody.splice(1);
    world.clock.turn(10);
    await world.begin({ unasked: false });
    await world.node().goOn(org, still);
    expect((await world.run()).plan?.changes).toEqual({ 'person.deprovision': 2 });

    const { id: spokenOf } = personNamed(2);
    await world.memory.transact(org, async (tx) => {
      const user = await tx.directory.user(org, spokenOf);
      if (!user) throw new Error('nobody has this id');
      const described = { at: new Date(world.clock.now().getTime() + 1000), event: 'event_of_their_own' };
      await tx.directory.save({ directories: [], users: [{ ...user, described }], groups: [], links: [] });
      const run = await tx.reconciliations.of(org);
      if (run) await tx.reconciliations.save({ ...run, state: 'applying' });
    });
    await world.node().goOn(org, still);
    const left = await world.memory.transact(org, (tx) => tx.directory.usersOfOrganization(org));
    expect(left.filter(({ deletedAt }) => deletedAt !== null).map(({ id }) => id)).toEqual([personNamed(1).id]);
  });

  it('forgets what an earlier reading listed', async () => {
    const world = await stage({ people: 3 });
    await world.begin();
    await world.node().goOn(org, still);
    world.clock.turn(10);
    world.everybody.push(personNamed(3));
    await world.begin({ unasked: false });
    await world.node().goOn(org, still);
    expect((await world.run()).state).toBe('planned');
    world.everybody.splice(1);
    world.clock.turn(10);
    await world.begin({ unasked: false });
    await world.node().goOn(org, still);
    expect((await world.run()).plan?.changes).toEqual({ 'person.deprovision': 2 });
  });

  it('knows people again by their address in a directory that was made anew: nobody leaves', async () => {
    const world = await stage({ people: 12 });
    await world.begin();
    await world.node().goOn(org, still);
    world.clock.turn(10);
    world.listed.directory = 'directory_anew';
    world.everybody.splice(0, 12, ...world.everybody.map((person) => ({ ...person, id: `${person.id}_anew` })));
    await world.begin();
    await world.node().goOn(org, still);
    const { state, plan } = await world.run();
    expect([state, plan?.headcount.people, plan?.headcount.peopleLeaving]).toEqual(['done', 12, 0]);
    expect(world.trail()).not.toContain('membership.revoked');
  });

  it('leaves out a change that cannot be made, after a while, so that it keeps nobody else', async () => {
    const poison = personNamed(7).id;
    const world = await stage({
      people: 40,
      onSave: ({ users, links }) => {
        if (links.length === 0 && users.some(({ id }) => id === poison)) throw new Error('cannot be saved');
      },
    });
    await world.begin();
    for (let tries = 0; tries < 20; tries += 1) {
      await world.node().goOn(org, still);
      world.clock.turn(3600);
    }
    expect(await world.run()).toMatchObject({ state: 'done', settled: 82, note: 'a change was left out' });
    expect(world.provisioned()).toBe(39);
    // The person, and their place in the group.
    expect(world.lines.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
      'a change of a directory could not be made and is left out',
      'a change of a directory could not be made and is left out',
    ]);
  });

  it('that the schedule begins is taken up in the same round, though time passes meanwhile', async () => {
    const world = await stage({ people: 1 });
    await world.begin();
    await world.node().goOn(org, still);
    world.clock.turn(25 * 3600);
    const ticking: Clock = {
      now() {
        world.clock.turn(0.001);
        return world.clock.now();
      },
    };
    expect(await world.node(ticking).due()).toEqual([org]);
  });
});
