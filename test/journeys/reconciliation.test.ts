// What happens when the directory's word was lost: the customer asks what has drifted, sees it, and has it mended; or it is mended by itself every day.

import { describe, expect, it } from 'vitest';
import type { Client, World } from '#bootstrap/testing.ts';
import { workosService } from '../support/workos-service.ts';
import {
  adam,
  anna,
  days,
  dora,
  inWorld,
  memberNamed,
  minutes,
  ofAcme,
  ofGlobex,
  olivia,
  refusal,
  trailOf,
} from './words.ts';

const lost = { manner: 'lost' } as const;

interface Shown {
  readonly reconciliation: {
    readonly id: string;
    readonly state: string;
    readonly by_schedule: boolean;
    readonly settled: number;
    readonly directories: readonly { readonly id: string; readonly state: string }[];
    readonly plan: { readonly changes: Readonly<Record<string, number>>; readonly removes_most: boolean };
  };
  readonly next_changes: readonly { readonly change: string; readonly person: { readonly email: string } | null }[];
}

const shownTo = async (by: Pick<Client, 'get'>, path: string): Promise<Shown> => (await by.get(path)).body;

/** Reads and answers the plan. */
const planned = async (world: World, by: Client): Promise<Shown> => {
  world.clock.turn(1);
  const begun = await by.post(ofAcme(world, '/directory/reconcile'), {});
  expect(begun.status).toBe(202);
  await world.settle();
  return shownTo(by, ofAcme(world, '/directory/reconcile'));
};

const apply = async (world: World, by: Client, more: object = {}): Promise<Shown> => {
  const { reconciliation } = await shownTo(by, ofAcme(world, '/directory/reconcile'));
  const begun = await by.post(ofAcme(world, '/directory/reconcile'), { plan_id: reconciliation.id, ...more });
  expect(begun.status).toBe(202);
  await world.settle();
  await world.settle();
  return shownTo(by, ofAcme(world, '/directory/reconcile'));
};

/** Runs the schedule once, and what it wakes. */
const schedule = async ({ service, settle }: Pick<World, 'service' | 'settle'>): Promise<void> => {
  const job = service.jobList.find(({ name }) => name === 'reconcile-directories');
  await job?.run({ data: {}, attempt: 1, signal: new AbortController().signal });
  await settle();
  await settle();
};

const userId = (world: World, email: string): string => {
  const [directory] = world.provider.directories.all();
  const found = directory?.users.findLast((user) => user.email === email);
  if (!found) throw new Error(`${email} is not in the directory`);
  return found.id;
};

const staff = (world: World): string[] => {
  const [directory] = world.provider.directories.all();
  return (directory?.users ?? []).filter(({ state }) => state === 'active').map(({ email }) => email);
};

describe('a leaver whose termination was lost', () => {
  it('shows in the plan, nothing has changed yet; then their session ends as by the event itself', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const leaver = await world.signIn(dora);
      world.clock.turn(1);
      await world.provider.directories.terminate(world.directory.id, userId(world, dora), lost);
      await world.settle();

      const before = await trailOf(owner, world.acme);
      const plan = await planned(world, owner);
      expect(plan.reconciliation).toMatchObject({
        state: 'planned',
        by_schedule: false,
        plan: { changes: { 'person.deprovision': 1 }, removes_most: false },
      });
      expect(plan.next_changes).toEqual([
        expect.objectContaining({ change: 'person.deprovision', person: expect.objectContaining({ email: dora }) }),
      ]);
      expect((await leaver.get('/v1/whoami')).status).toBe(200);
      expect(await trailOf(owner, world.acme)).toEqual(before);

      expect((await apply(world, owner)).reconciliation).toMatchObject({ state: 'done', settled: 1 });
      expect(refusal(await leaver.get('/v1/whoami'))).toEqual([401, 'session.ended']);
      expect((await memberNamed(owner, `${world.acme}`, dora)).status).toBe('revoked');
      const after = (await trailOf(owner, world.acme)).slice(0, -before.length);
      expect(after.map(({ action, actor }) => [action, actor.kind])).toEqual([
        ['session.ended', 'directory'],
        ['membership.revoked', 'directory'],
        ['directory_user.deprovisioned', 'directory'],
        ['directory.reconciliation_begun', 'user'],
      ]);
      // At the provider too: the outbox did what it does after an event.
      expect(world.provider.log().map(({ event }) => event.event)).toContain('session.revoked');
    }));

  it('is out by the daily round, without anybody asking', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      await schedule(world);
      const first = (await shownTo(owner, ofAcme(world, '/directory/reconcile'))).reconciliation;
      expect(first).toMatchObject({ state: 'done', by_schedule: true, settled: 0 });

      const leaver = await world.signIn(dora);
      world.clock.turn(1);
      await world.provider.directories.terminate(world.directory.id, userId(world, dora), lost);
      await schedule(world);
      expect((await shownTo(owner, ofAcme(world, '/directory/reconcile'))).reconciliation.id).toBe(first.id);
      expect((await leaver.get('/v1/whoami')).status).toBe(200);

      world.clock.turn(days(1));
      await schedule(world);
      const again = await world.signIn(olivia);
      const second = (await shownTo(again, ofAcme(world, '/directory/reconcile'))).reconciliation;
      expect(second).toMatchObject({ state: 'done', by_schedule: true, settled: 1 });
      expect((await memberNamed(again, world.acme, dora)).status).toBe('revoked');
      const line = (await trailOf(again, world.acme)).find(({ action }) => action === 'directory.reconciliation_begun');
      expect(line).toMatchObject({ actor: { kind: 'system' }, source: { via: 'job' }, target: { id: second.id } });
    }));
});

describe('whatever was lost', () => {
  it('converges: people, names, groups and places, and the second reading finds nothing and tells nothing', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const { directories } = world.provider;
      const { id } = world.directory;
      world.clock.turn(1);
      const staffGroup = (await directories.createGroup(id, { name: 'Night shift', ...lost })).now;
      await directories.hire(id, { email: 'nina.newby@acme.test', name: 'Nina', groups: ['Engineering'], ...lost });
      await directories.changeUser(id, userId(world, anna), { name: 'Anna Renamed', ...lost });
      await directories.addMember(id, staffGroup.id, userId(world, adam), lost);
      await directories.removeMember(id, world.directory.groupId('Engineering'), userId(world, dora), lost);
      await directories.renameGroup(id, world.directory.groupId('Data'), { name: 'Data people', ...lost });
      await world.settle();

      const plan = await planned(world, owner);
      expect(plan.reconciliation.plan.changes).toEqual({
        'group.create': 1,
        'group.rename': 1,
        'person.provision': 1,
        'person.update': 1,
        'member.add': 2,
        'member.remove': 1,
      });
      await apply(world, owner);
      expect((await memberNamed(owner, world.acme, 'nina.newby@acme.test')).role).toBe('developer');
      expect((await memberNamed(owner, world.acme, anna)).name).toBe('Anna Renamed');
      expect((await memberNamed(owner, world.acme, dora)).role).toBe('analyst');
      const groups = (await owner.get(ofAcme(world, '/directory/groups'))).body.data;
      expect(groups.map(({ name }: { name: string }) => name)).toEqual(
        expect.arrayContaining(['Data people', 'Night shift']),
      );

      const told = await trailOf(owner, world.acme);
      const again = await planned(world, owner);
      expect(again.reconciliation).toMatchObject({ state: 'done', settled: 0, plan: { changes: {} } });
      expect(again.next_changes).toEqual([]);
      expect(await trailOf(owner, world.acme)).toEqual(told);
    }));

  it('leaves to newer news what happened after the reading', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const { directories } = world.provider;
      const { id } = world.directory;
      world.clock.turn(1);
      await directories.changeUser(id, userId(world, anna), { active: false, ...lost });
      const plan = await planned(world, owner);
      expect(plan.reconciliation.plan.changes).toEqual({ 'person.deprovision': 1 });
      world.clock.turn(1);
      await world.directory.change(anna, { active: true });
      await apply(world, owner);
      expect((await memberNamed(owner, world.acme, anna)).status).toBe('active');
    }));

  it('keeps everybody in who stands in a directory that was made anew, while the old one goes', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const worker = await world.signIn(dora);
      const { directories, organizations } = world.provider;
      const everybody = staff(world).filter((email) => email !== anna);
      world.clock.turn(1);
      await directories.remove(world.directory.id, lost);
      const ref = organizations.byExternalId(world.acme)?.ref ?? '';
      const anew = (await directories.connect(ref, lost)).now.id;
      for (const email of everybody) await directories.hire(anew, { email, name: email, ...lost });

      const { reconciliation } = await planned(world, owner);
      expect(reconciliation.plan).toMatchObject({
        removes_most: false,
        changes: { 'directory.connect': 1, 'directory.disconnect': 1, 'person.provision': everybody.length },
      });
      await apply(world, owner);
      expect((await worker.get('/v1/whoami')).status).toBe(200);
      expect((await memberNamed(owner, world.acme, anna)).status).toBe('revoked');
      const { directories: shown } = (await owner.get(ofAcme(world, '/directory'))).body;
      expect(shown.map(({ state }: { state: string }) => state).toSorted()).toEqual(['connected', 'disconnected']);
    }));
});

describe('a list that an outage or a mistake has emptied', () => {
  const crowd = async (world: World): Promise<void> => {
    for (let number = 0; number < 12; number += 1) {
      await world.provider.directories.hire(world.directory.id, {
        email: `crowd-${number}@acme.test`,
        name: `Crowd ${number}`,
      });
    }
    await world.settle();
    world.clock.turn(1);
    for (const email of staff(world)) {
      if (email !== olivia) await world.provider.directories.terminate(world.directory.id, userId(world, email), lost);
    }
  };

  it('removes nobody until somebody says that they know', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const member = await world.signIn(dora);
      await crowd(world);
      const { reconciliation } = await planned(world, owner);
      expect(reconciliation.plan).toMatchObject({ removes_most: true });
      const path = ofAcme(world, '/directory/reconcile');
      const another = { plan_id: 'recon_01hq0000000000000000000999', remove_most: true };
      expect(refusal(await owner.post(path, another))).toEqual([409, 'reconciliation.not_planned']);
      const refused = await owner.post(path, { plan_id: reconciliation.id });
      expect(refusal(refused)).toEqual([422, 'reconciliation.removes_most']);
      expect(refused.body.error.details.people_leaving).toBeGreaterThan(10);
      await world.settle();
      expect((await member.get('/v1/whoami')).status).toBe(200);

      expect((await apply(world, owner, { remove_most: true })).reconciliation.state).toBe('done');
      expect((await member.get('/v1/whoami')).status).toBe(401);
    }));

  it('only makes the schedule warn', async () => {
    const warnings: string[] = [];
    const log = { debug() {}, info() {}, error() {}, warn: (message: string) => void warnings.push(message) };
    await inWorld(
      async (world) => {
        const owner = await world.signIn(olivia);
        await crowd(world);
        await schedule(world);
        const { reconciliation } = await shownTo(owner, ofAcme(world, '/directory/reconcile'));
        expect(reconciliation).toMatchObject({ state: 'planned', by_schedule: true, settled: 0 });
        expect(warnings).toContainEqual(expect.stringContaining('most of a directory would be removed'));
        expect((await memberNamed(owner, world.acme, dora)).status).toBe('active');
      },
      { log },
    );
  });
});

describe('a reconciliation', () => {
  it('is one at a time, and a plan is carried out once', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const path = ofAcme(world, '/directory/reconcile');
      expect(refusal(await owner.get(path))).toEqual([404, 'reconciliation.not_found']);
      await world.outage('down');
      expect((await owner.post(path, {})).status).toBe(202);
      await world.settle();
      expect(refusal(await owner.post(path, {}))).toEqual([409, 'reconciliation.under_way']);
      const { reconciliation } = await shownTo(owner, path);
      expect(refusal(await owner.post(path, { plan_id: reconciliation.id }))).toEqual([
        409,
        'reconciliation.not_planned',
      ]);
      await world.outage('none');
      world.clock.turn(minutes(2));
      await schedule(world);
      expect((await shownTo(owner, path)).reconciliation.state).toBe('done');
    }));

  it('is for who manages the organization', () =>
    inWorld(async (world) => {
      const member = await world.signIn(dora);
      const path = ofAcme(world, '/directory/reconcile');
      expect(refusal(await member.get(path))).toEqual([403, 'caller.scope_missing']);
      expect(refusal(await member.post(path, {}))).toEqual([403, 'caller.scope_missing']);
      const owner = await world.signIn(olivia);
      expect(refusal(await owner.post(ofGlobex(world, '/directory/reconcile'), {}))).toEqual([
        404,
        'organization.not_found',
      ]);
    }));
});

describe('on WorkOS', () => {
  it('a leaver and a newcomer whose webhooks and events are lost are found by the lists', async () => {
    await using world = await workosService();
    const { dashboard, stub, clock, settle } = world;
    const owner = dashboard.user('olivia@acme.test');
    const acme = dashboard.organization('Acme');
    dashboard.verifyDomain(acme.id, 'acme.test');
    dashboard.member(acme.id, owner.id, 'admin');
    const directory = dashboard.connectDirectory(acme.id);
    const engineers = directory.group('Engineers');
    directory.hire('olivia@acme.test');
    directory.hire('dora@acme.test');
    dashboard.user('dora@acme.test');
    await settle();
    await settle();
    const leaver = await world.signIn('dora@acme.test');

    // Nothing of this is delivered, nor will the feed tell it.
    clock.turn(1);
    world.endpointIsDown(true);
    const events = stub.events.entries.length;
    directory.terminate('dora@acme.test');
    directory.hire('nina@acme.test');
    directory.join('nina@acme.test', engineers);
    await settle();
    stub.events.entries.splice(events);
    world.endpointIsDown(false);

    clock.turn(minutes(10));
    await schedule(world);
    expect(refusal(await leaver.get('/v1/whoami'))).toEqual([401, 'session.ended']);
    const asked = world.asked().filter((request) => request.startsWith('GET /director'));
    expect(new Set(asked)).toEqual(new Set(['GET /directories', 'GET /directory_groups', 'GET /directory_users']));
  });
});
