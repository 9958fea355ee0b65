// Reconciliations in memory, with the answers that the database gives.

import type { ReconciliationItem, ReconciliationStep, Reconciliations } from '#application/ports/reconciliations.ts';
import { linkKey } from '#application/ports/reconciliations.ts';
import { isActive, isConnected, isPresent } from '#domain/provisioning/directory-picture.ts';
import { type Change, changes } from '#domain/provisioning/drift.ts';
import { isUnderWay } from '#domain/provisioning/reconciliation.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';
import type { MemoryRun } from './memory-run.ts';
import { recordKey } from './memory-tables.ts';

const copy = <T>(value: T): T => structuredClone(value);
const less = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** What PostgreSQL's `lower(btrim(…))` gives. */
const plain = (address: string): string => address.replace(/^ +| +$/g, '').toLowerCase();

export const memoryReconciliations = ({ drafts }: MemoryRun): Reconciliations => {
  const itemsOf = (organizationId: OrganizationId) =>
    drafts.reconciliationItems.where((item) => item.organizationId === organizationId);
  const itemKey = (organizationId: OrganizationId, { kind, key }: Pick<ReconciliationItem, 'kind' | 'key'>): string =>
    recordKey(organizationId, kind, key);
  const isItem = (organizationId: OrganizationId, kind: ReconciliationItem['kind'], key: string): boolean =>
    drafts.reconciliationItems.get(itemKey(organizationId, { kind, key })) !== undefined;

  return {
    of: async (organizationId) => copy(drafts.reconciliations.get(organizationId)),
    save: async (run) => drafts.reconciliations.put(run.organizationId, copy(run)),
    due: async (now, limit) =>
      drafts.reconciliations
        .where((run) => isUnderWay(run) && run.dueAt <= now)
        .toSorted((a, b) => a.dueAt.getTime() - b.dueAt.getTime() || less(a.organizationId, b.organizationId))
        .slice(0, limit)
        .map(({ organizationId }) => organizationId),
    async neglected(since, limit) {
      const connected = drafts.directories.where(isConnected).map(({ organizationId }) => organizationId);
      const waits = (id: OrganizationId): boolean => {
        const run = drafts.reconciliations.get(id);
        return (
          drafts.organizations.get(id)?.status === 'active' && (!run || (!isUnderWay(run) && run.startedAt < since))
        );
      };
      return [...new Set(connected)].filter(waits).toSorted(less).slice(0, limit);
    },

    async note(organizationId, items) {
      for (const item of items) {
        drafts.reconciliationItems.put(itemKey(organizationId, item), { ...copy(item), organizationId });
      }
    },
    async item(organizationId, kind, key) {
      const found = drafts.reconciliationItems.get(itemKey(organizationId, { kind, key }));
      if (!found) return undefined;
      const { organizationId: _, ...item } = found;
      return copy(item);
    },
    async clear(organizationId) {
      for (const item of itemsOf(organizationId)) drafts.reconciliationItems.remove(itemKey(organizationId, item));
    },
    async counts(organizationId) {
      const counts: Partial<Record<Change, number>> = {};
      for (const { drift } of itemsOf(organizationId)) {
        if (drift) counts[drift.change] = (counts[drift.change] ?? 0) + 1;
      }
      return counts;
    },
    async steps(organizationId, limit) {
      const turn = ({ drift }: ReconciliationStep): number => changes.indexOf(drift.change);
      return itemsOf(organizationId)
        .flatMap(({ organizationId: _, drift, ...item }) => (drift ? [{ ...item, drift }] : []))
        .toSorted((a, b) => turn(a) - turn(b) || less(a.kind, b.kind) || less(a.key, b.key))
        .slice(0, limit)
        .map(copy);
    },
    async settle(organizationId, steps) {
      for (const step of steps) {
        drafts.reconciliationItems.patch(itemKey(organizationId, step), (item) => ({ ...item, drift: null }));
      }
    },

    listedGroups: async (organizationId, directoryId, after, limit) =>
      itemsOf(organizationId)
        .filter(({ kind, key, directoryId: of }) => kind === 'group' && of === directoryId && key > (after ?? ''))
        .map(({ key }) => key)
        .toSorted(less)
        .slice(0, limit),
    unlistedUsers: async (organizationId, directoryIds, after, limit) =>
      drafts.directoryUsers
        .where(
          (user) =>
            user.organizationId === organizationId &&
            directoryIds.includes(user.directoryId) &&
            user.id > (after ?? '') &&
            isPresent(user) &&
            !isItem(organizationId, 'user', user.id),
        )
        .toSorted((a, b) => less(a.id, b.id))
        .slice(0, limit)
        .map(copy),
    unlistedGroups: async (organizationId, directoryIds, after, limit) =>
      drafts.directoryGroups
        .where(
          (group) =>
            group.organizationId === organizationId &&
            directoryIds.includes(group.directoryId) &&
            group.id > (after ?? '') &&
            isPresent(group) &&
            !isItem(organizationId, 'group', group.id),
        )
        .toSorted((a, b) => less(a.id, b.id))
        .slice(0, limit)
        .map(copy),
    async unlistedLinks(organizationId, directoryIds, after, limit) {
      const [afterGroup = '', afterUser = ''] = after?.split(' ') ?? [];
      return drafts.groupLinks
        .where(
          ({ organizationId: of, directoryId, present, groupId, directoryUserId }) =>
            of === organizationId &&
            present &&
            directoryIds.includes(directoryId) &&
            (groupId > afterGroup || (groupId === afterGroup && directoryUserId > afterUser)) &&
            isItem(organizationId, 'group', groupId) &&
            isItem(organizationId, 'user', directoryUserId) &&
            !isItem(organizationId, 'link', linkKey(groupId, directoryUserId)),
        )
        .toSorted((a, b) => less(a.groupId, b.groupId) || less(a.directoryUserId, b.directoryUserId))
        .slice(0, limit)
        .map(copy);
    },

    async headcount(organizationId, { asOf, listed, except }) {
      const directories = drafts.directories.where((directory) => directory.organizationId === organizationId);
      const picture = { directories, users: [], groups: [], links: [] };
      const active = itemsOf(organizationId).filter((item) => item.kind === 'user' && item.active);
      const ids = new Set(active.map(({ key }) => key));
      const addresses = new Set(active.flatMap(({ address }) => address ?? []));
      const people = new Set<string>();
      const leaving = new Set<string>();
      const staying = new Set<string>();
      const theirs = drafts.directoryUsers.where((user) => user.organizationId === organizationId);
      for (const user of theirs.filter((one) => isActive(picture, one) && !except.includes(one.directoryId))) {
        const address = user.email === null ? null : plain(user.email);
        const who = address ?? user.id;
        people.add(who);
        const stays = ids.has(user.id) || (address !== null && addresses.has(address)) || user.described.at >= asOf;
        (stays ? staying : leaving).add(who);
      }
      // The place of somebody who is gone already counts for nothing, and leaves no more.
      const there = new Set(theirs.filter((one) => isPresent(one) && one.state === 'active').map(({ id }) => id));
      const groups = drafts.directoryGroups.where(
        (group) => group.organizationId === organizationId && isPresent(group),
      );
      const open = new Set(groups.map(({ id }) => id));
      const places = drafts.groupLinks.where(
        (link) =>
          link.organizationId === organizationId &&
          link.present &&
          listed.includes(link.directoryId) &&
          there.has(link.directoryUserId) &&
          open.has(link.groupId),
      );
      const placesLeaving = places.filter(
        ({ groupId, directoryUserId, said }) =>
          said.at < asOf && !isItem(organizationId, 'link', linkKey(groupId, directoryUserId)),
      );
      return {
        people: people.size,
        peopleLeaving: [...leaving].filter((who) => !staying.has(who)).length,
        places: places.length,
        placesLeaving: placesLeaving.length,
      };
    },
  };
};
