// What every place for reconciliations keeps: one run for each organization, its items in turn, and the questions that a reading asks.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linkKey, type ReconciliationItem } from '#application/ports/reconciliations.ts';
import type { Repositories, Scope } from '#application/ports/store.ts';
import type { Learned } from '#domain/provisioning/directory-picture.ts';
import type { Drift } from '#domain/provisioning/drift.ts';
import { planOf } from '#domain/provisioning/plan.ts';
import { beginReconciliation, type Reconciliation } from '#domain/provisioning/reconciliation.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';
import { groupMade, hired, joined, minute, monday, terminated } from '../support/words.ts';
import {
  countingIds,
  directoryGroupOf,
  directoryOf,
  directoryUserOf,
  fresh,
  linkOf,
  newId,
  organizationWith,
  type StoreKind,
  type StoreUnderTest,
} from './store-words.ts';

const across: Scope = { across: 'reconciliation' };

const aRun = (organizationId: OrganizationId, facts: Partial<Reconciliation> = {}): Reconciliation => ({
  ...beginReconciliation(
    { id: newId('recon'), organizationId, by: { kind: 'user', id: newId('user') }, unasked: false },
    monday,
  ),
  ...facts,
});

const anItem = (facts: Partial<ReconciliationItem> = {}): ReconciliationItem => ({
  kind: 'user',
  key: `directory_user_${fresh()}`,
  directoryId: 'directory_acme',
  active: false,
  address: null,
  drift: null,
  ...facts,
});

const nothing: Learned = { directories: [], users: [], groups: [], links: [] };

export const reconciliationsContract = (name: string, kind: StoreKind): void => {
  describe(`${name} keeps the contract of reconciliations`, () => {
    let under: StoreUnderTest;
    beforeAll(async () => {
      under = await kind.open(countingIds);
    });
    afterAll(() => under.close());

    const within = <T>(id: OrganizationId, work: (tx: Repositories) => Promise<T>): Promise<T> =>
      under.store.transact(id, work);
    const anOrganization = async (status: 'active' | 'suspended' = 'active'): Promise<OrganizationId> => {
      const organization = organizationWith({ status });
      await under.store.transact({ across: 'founding' }, (tx) => tx.organizations.save(organization));
      return organization.state.id;
    };

    it('gives a run back as it was saved, the newest only, and none to another organization', async () => {
      const [ours, theirs] = [await anOrganization(), await anOrganization()];
      const run = aRun(ours, {
        state: 'planned',
        finishedAt: minute(1),
        asOf: minute(2),
        directories: [{ id: 'directory_acme', name: 'Acme Okta', type: 'okta', state: 'unsettled' }],
        progress: { at: 'members', directory: 'directory_acme', group: 'directory_group_1', from: 'here' },
        plan: planOf({ 'member.add': 3 }, { people: 1, peopleLeaving: 0, places: 2, placesLeaving: 0 }),
        settled: 4,
        holder: 'somebody',
        attempts: 2,
        note: 'it did not answer',
      });
      await within(ours, (tx) => tx.reconciliations.save(aRun(ours)));
      await within(ours, (tx) => tx.reconciliations.save(run));
      expect(await within(ours, (tx) => tx.reconciliations.of(ours))).toEqual(run);
      expect(await within(theirs, (tx) => tx.reconciliations.of(ours))).toBeUndefined();
      expect(await within(theirs, (tx) => tx.reconciliations.of(theirs))).toBeUndefined();
      await expect(within(theirs, (tx) => tx.reconciliations.save(run))).rejects.toThrow(/may not write/);
    });

    it('tells which are due: under way, and not in anybody’s hands', async () => {
      const runs: readonly Partial<Reconciliation>[] = [
        { dueAt: minute(2) },
        { dueAt: minute(1), state: 'applying' },
        { dueAt: minute(1), state: 'planned' },
        { dueAt: minute(1), state: 'done' },
        { dueAt: minute(1), state: 'failed' },
        { dueAt: minute(9) },
      ];
      const ids: OrganizationId[] = [];
      for (const facts of runs) {
        const id = await anOrganization();
        ids.push(id);
        await within(id, (tx) => tx.reconciliations.save(aRun(id, facts)));
      }
      const due = await under.store.transact(across, (tx) => tx.reconciliations.due(minute(3), 1000));
      expect(due.filter((id) => ids.includes(id))).toEqual([ids[1], ids[0]]);
      await expect(within(ids[0] as OrganizationId, (tx) => tx.reconciliations.due(monday, 1))).rejects.toThrow(
        /needs a scope across/,
      );
    });

    it('tells which are neglected: active, with a connected directory, and long without one', async () => {
      const cases = [
        { connected: true, expected: true },
        { connected: true, status: 'suspended' as const, expected: false },
        { connected: false, expected: false },
        { connected: true, run: { state: 'done', startedAt: minute(1) } as const, expected: true },
        { connected: true, run: { state: 'done', startedAt: minute(9) } as const, expected: false },
        { connected: true, run: { state: 'reading', startedAt: minute(1) } as const, expected: false },
      ];
      const expected: OrganizationId[] = [];
      const ids: OrganizationId[] = [];
      for (const { connected, status, run, expected: isOne } of cases) {
        const id = await anOrganization(status);
        ids.push(id);
        if (isOne) expected.push(id);
        const directory = { ...directoryOf(id), connectedAt: monday, disconnectedAt: connected ? null : minute(1) };
        await within(id, (tx) => tx.directory.save({ ...nothing, directories: [directory] }));
        if (run) await within(id, (tx) => tx.reconciliations.save(aRun(id, run)));
      }
      const found = await under.store.transact(across, (tx) => tx.reconciliations.neglected(minute(5), 1000));
      expect(found.filter((id) => ids.includes(id))).toEqual(expected.toSorted());
    });

    it('gives changes in the order of their kinds and then by key, until they are settled', async () => {
      const [id, other] = [await anOrganization(), await anOrganization()];
      const drifts: readonly Drift[] = [
        { change: 'person.deprovision', event: terminated('ada', 9) },
        { change: 'member.add', event: joined('bob', 'Staff', 3, { email: null, name: 'Bob \u0000' }) },
        { change: 'group.create', event: groupMade('Staff', 1) },
        { change: 'person.provision', event: hired('zoe', 2) },
        { change: 'person.provision', event: hired('bob', 2) },
      ];
      const keys = ['ada', 'staff bob', 'staff', 'zoe', 'bob'];
      const kinds = ['user', 'link', 'group', 'user', 'user'] as const;
      const items = drifts.map((drift, at) => anItem({ kind: kinds[at] ?? 'user', key: keys[at] ?? '', drift }));
      await within(id, (tx) => tx.reconciliations.note(id, [...items, anItem({ active: true, address: 'a@b.test' })]));
      await within(other, (tx) => tx.reconciliations.note(other, [anItem({ drift: drifts[0] ?? null })]));

      const steps = () => within(id, (tx) => tx.reconciliations.steps(id, 10));
      expect(await steps()).toEqual([items[2], items[4], items[3], items[1], items[0]]);
      expect((await within(id, (tx) => tx.reconciliations.steps(id, 2))).map(({ key }) => key)).toEqual([
        'staff',
        'bob',
      ]);
      expect(await within(id, (tx) => tx.reconciliations.counts(id))).toEqual({
        'group.create': 1,
        'person.provision': 2,
        'member.add': 1,
        'person.deprovision': 1,
      });
      expect(await within(id, (tx) => tx.reconciliations.item(id, 'user', 'zoe'))).toEqual(items[3]);
      expect(await within(other, (tx) => tx.reconciliations.item(id, 'user', 'zoe'))).toBeUndefined();

      await within(id, async (tx) => {
        await tx.reconciliations.settle(id, [
          { kind: 'group', key: 'staff' },
          { kind: 'user', key: 'bob' },
        ]);
        expect((await tx.reconciliations.steps(id, 1)).map(({ key }) => key)).toEqual(['zoe']);
      });
      expect((await steps()).map(({ key }) => key)).toEqual(['zoe', 'staff bob', 'ada']);
      // Noted again, it is replaced.
      await within(id, (tx) => tx.reconciliations.note(id, [anItem({ key: 'zoe' }), anItem({ key: 'ada' })]));
      expect((await steps()).map(({ key }) => key)).toEqual(['staff bob']);
      await within(id, (tx) => tx.reconciliations.clear(id));
      expect(await steps()).toEqual([]);
      expect(await within(other, (tx) => tx.reconciliations.counts(other))).toEqual({ 'person.deprovision': 1 });
    });

    /** A directory of four people and two groups, of which the list has two and one. */
    const half = async () => {
      const id = await anOrganization();
      const directory = { ...directoryOf(id), connectedAt: monday, disconnectedAt: null };
      const person = (who: string, facts = {}) =>
        directoryUserOf(directory, {
          id: `${who}-${id}`,
          idpId: null,
          email: `${who}@acme.test`,
          userId: null,
          ...facts,
        });
      const [ada, bob, cleo, dan] = [person('ada'), person('bob'), person('cleo'), person('dan')];
      const gone = person('gone', { deletedAt: minute(3) });
      const [staff, night] = [directoryGroupOf(directory), directoryGroupOf(directory)];
      const links = [linkOf(ada, staff), linkOf(bob, staff), linkOf(cleo, staff), linkOf(dan, night)];
      const left = linkOf(gone, staff); // a place that nobody took away when the person left
      await within(id, (tx) =>
        tx.directory.save({
          directories: [directory],
          users: [ada, bob, cleo, dan, gone],
          groups: [staff, night],
          links: [...links, left],
        }),
      );
      await within(id, (tx) =>
        tx.reconciliations.note(id, [
          anItem({ key: ada.id, directoryId: directory.id, active: true, address: 'ada@acme.test' }),
          anItem({ key: bob.id, directoryId: directory.id }),
          anItem({ kind: 'group', key: staff.id, directoryId: directory.id }),
          anItem({ kind: 'link', key: linkKey(staff.id, ada.id), directoryId: directory.id }),
        ]),
      );
      return { id, directory, ada, bob, cleo, dan, staff, night, links };
    };

    it('knows records by their ids, and all directories', async () => {
      const { id, directory, ada, dan, staff } = await half();
      const other = await anOrganization();
      await within(id, async ({ directory: records }) => {
        expect(await records.directories(id)).toEqual([directory]);
        expect(await records.usersById(id, [dan.id, 'nobody', ada.id])).toEqual(expect.arrayContaining([ada, dan]));
        expect(await records.groupsById(id, [staff.id, 'none'])).toEqual([staff]);
      });
      await within(other, async ({ directory: records }) => {
        expect(await records.directories(id)).toEqual([]);
        expect(await records.usersById(id, [ada.id])).toEqual([]);
        expect(await records.groupsById(id, [staff.id])).toEqual([]);
      });
    });

    it('finds what is known and was not listed, page by page', async () => {
      const { id, directory, bob, cleo, dan, staff, night, links } = await half();
      await within(id, async ({ reconciliations }) => {
        const { id: at } = directory;
        const listed = [at];
        expect(await reconciliations.listedGroups(id, at, null, 10)).toEqual([staff.id]);
        expect(await reconciliations.listedGroups(id, at, staff.id, 10)).toEqual([]);
        expect(await reconciliations.unlistedUsers(id, listed, null, 10)).toEqual([cleo, dan]);
        expect(await reconciliations.unlistedUsers(id, listed, null, 1)).toEqual([cleo]);
        expect(await reconciliations.unlistedUsers(id, listed, cleo.id, 10)).toEqual([dan]);
        expect(await reconciliations.unlistedUsers(id, ['directory_other'], null, 10)).toEqual([]);
        expect(await reconciliations.unlistedGroups(id, listed, null, 10)).toEqual([night]);
        expect(await reconciliations.unlistedGroups(id, listed, night.id, 10)).toEqual([]);
        // Of a person or a group that was not listed, that says it all.
        expect(await reconciliations.unlistedLinks(id, listed, null, 10)).toEqual([links[1]]);
        expect(await reconciliations.unlistedLinks(id, listed, linkKey(staff.id, bob.id), 10)).toEqual([]);
        expect(await reconciliations.unlistedLinks(id, [], null, 10)).toEqual([]);
      });
    });

    it('counts heads: who is active, and who is not listed under any id, nor was spoken of since', async () => {
      const { id, directory, dan } = await half();
      const reading = { asOf: minute(60), listed: [directory.id], except: [] as string[] };
      const heads = (more = {}) => within(id, (tx) => tx.reconciliations.headcount(id, { ...reading, ...more }));
      expect(await heads()).toEqual({ people: 4, peopleLeaving: 3, places: 4, placesLeaving: 3 });
      expect(await heads({ asOf: monday })).toEqual({ people: 4, peopleLeaving: 0, places: 4, placesLeaving: 0 });
      expect(await heads({ except: [directory.id] })).toMatchObject({ people: 0, peopleLeaving: 0 });
      expect(await heads({ listed: [] })).toMatchObject({ places: 0, placesLeaving: 0 });
      // Listed under another id, by the same address.
      await within(id, (tx) =>
        tx.reconciliations.note(id, [anItem({ active: true, address: 'dan@acme.test', directoryId: 'anew' })]),
      );
      expect(await heads()).toMatchObject({ people: 4, peopleLeaving: 2 });
      await within(id, (tx) =>
        tx.directory.save({ ...nothing, users: [{ ...dan, email: ' Dan@ACME.test ' }], directories: [] }),
      );
      expect(await heads()).toMatchObject({ people: 4, peopleLeaving: 2 });
      // Away, it has nobody.
      const away = { ...directory, disconnectedAt: minute(50) };
      await within(id, (tx) => tx.directory.save({ ...nothing, directories: [away] }));
      expect(await heads()).toMatchObject({ people: 0, peopleLeaving: 0 });
    });
  });
};
