// One step of reading what the provider lists: a page, what of it is news, and where the reading goes on.

import type { DirectoryReader, ListedPage } from '#application/ports/directory-reader.ts';
import { linkKey, type ReconciliationItem } from '#application/ports/reconciliations.ts';
import type { Repositories, Store } from '#application/ports/store.ts';
import type { DirectoryGroupFacts, DirectoryPerson } from '#domain/provisioning/directory-event.ts';
import type { DirectoryPicture } from '#domain/provisioning/directory-picture.ts';
import {
  type Drift,
  driftOf,
  driftOfDirectories,
  driftOfUnlisted,
  type ListedPart,
  type Listing,
} from '#domain/provisioning/drift.ts';
import { type Plan, planOf } from '#domain/provisioning/plan.ts';
import type { Progress, Reconciliation } from '#domain/provisioning/reconciliation.ts';
import { parseEmail } from '#domain/users/email.ts';

export interface Read {
  readonly progress: Progress;
  /** What the first answer of the provider says of the run. */
  readonly began?: Pick<Reconciliation, 'asOf' | 'directories'>;
  /** The last step has it. */
  readonly plan?: Plan;
}

/** The rest of a step, once the provider has answered: in one transaction, with what is known then. */
type Conclude = (tx: Repositories) => Promise<Read>;
type Place<At extends Progress['at']> = Progress & { readonly at: At };
type Step<At extends Progress['at']> = (run: Reconciliation, at: Place<At>) => Promise<Conclude>;

/** So many known records are held against the list at once. */
const batch = 500;

type In<K extends keyof ListedPart> = Pick<ListedPart, K>;

/**
 * @param organization the provider's name of it
 * @returns what the step ends with; the provider has been asked by then
 */
export const readStep = (
  store: Store,
  reader: DirectoryReader,
  organization: string,
  run: Reconciliation,
): Promise<Conclude> => {
  const { progress } = run;
  switch (progress.at) {
    case 'directories':
      return readDirectories(store, reader, organization, run);
    case 'groups':
      return readGroups(reader)(run, progress);
    case 'users':
      return readUsers(reader)(run, progress);
    case 'members':
      return readMembers(reader)(run, progress);
    case 'unlisted':
      return lookAtUnlisted(run, progress);
    case 'sum':
      return sum(run);
  }
};

const listingOf = ({ id, asOf }: Reconciliation): Listing => {
  if (!asOf) throw new Error('the reading has no moment yet');
  return { id, asOf };
};

const readable = ({ directories }: Pick<Reconciliation, 'directories'>): string[] =>
  directories.filter(({ state }) => state === 'connected').map(({ id }) => id);

const firstOf = (id: string): Progress => ({ at: 'groups', directory: id, from: null });
const unlisted: Progress = { at: 'unlisted', kind: 'links', from: null };

const afterDirectory = (run: Reconciliation, id: string): Progress => {
  const ids = readable(run);
  const next = ids[ids.indexOf(id) + 1];
  return next === undefined ? unlisted : firstOf(next);
};

const itemOf = (
  kind: ReconciliationItem['kind'],
  key: string,
  directoryId: string,
  drift: Drift | undefined,
): ReconciliationItem => ({ kind, key, directoryId, active: false, address: null, drift: drift ?? null });

const personItem = (person: DirectoryPerson, directoryId: string, drift: Drift | undefined): ReconciliationItem => {
  const active = person.state === 'active';
  const address = active && person.email !== null ? (parseEmail(person.email) ?? null) : null;
  return { ...itemOf('user', person.id, directoryId, drift), active, address };
};

const readDirectories = async (
  store: Store,
  reader: DirectoryReader,
  organization: string,
  run: Reconciliation,
): Promise<Conclude> => {
  const { organizationId } = run;
  // Before the provider is asked: one that we hear of while it answers is not gone because it is not in the answer.
  const known = await store.transact(organizationId, (tx) => tx.directory.directories(organizationId));
  const began = await reader.directories(organization);
  return async (tx) => {
    await tx.reconciliations.clear(organizationId);
    const drifts = driftOfDirectories(known, began.directories, { id: run.id, asOf: began.asOf });
    const ids = new Set([...began.directories.map(({ id }) => id), ...drifts.map(({ event }) => event.directoryId)]);
    const items = [...ids].map((id) =>
      itemOf(
        'directory',
        id,
        id,
        drifts.find(({ event }) => event.directoryId === id),
      ),
    );
    await tx.reconciliations.note(organizationId, items);
    const [first] = readable(began);
    return { progress: first === undefined ? { at: 'sum' } : firstOf(first), began };
  };
};

/** The picture around these people, with the directory itself and these groups, linked to anybody or not. */
const pictureAround = async (
  tx: Repositories,
  { organizationId }: Reconciliation,
  userIds: readonly string[],
  groupIds: readonly string[],
): Promise<DirectoryPicture> => {
  const users = await tx.directory.usersById(organizationId, userIds);
  const picture = await tx.directory.pictureOf(organizationId, users);
  const others = groupIds.filter((id) => !picture.groups.some((group) => group.id === id));
  const groups = others.length === 0 ? [] : await tx.directory.groupsById(organizationId, others);
  const directories = await tx.directory.directories(organizationId);
  return { ...picture, directories, groups: [...picture.groups, ...groups] };
};

const partOf = (directoryId: string, part: Partial<In<'groups' | 'users' | 'members'>>): ListedPart => ({
  directoryId,
  groups: [],
  users: [],
  members: [],
  ...part,
});

const readGroups =
  (reader: DirectoryReader): Step<'groups' | 'users'> =>
  async (run, { directory, from }) => {
    const { items: groups, next }: ListedPage<DirectoryGroupFacts> = await reader.groups(directory, from);
    return async (tx) => {
      const ids = groups.map(({ id }) => id);
      const drifts = driftOf(await pictureAround(tx, run, [], ids), partOf(directory, { groups }), listingOf(run));
      const items = ids.map((id) =>
        itemOf(
          'group',
          id,
          directory,
          drifts.find(({ event }) => 'group' in event && event.group.id === id),
        ),
      );
      await tx.reconciliations.note(run.organizationId, items);
      return {
        progress: next === null ? { at: 'users', directory, from: null } : { at: 'groups', directory, from: next },
      };
    };
  };

const personItems = (users: readonly DirectoryPerson[], directory: string, drifts: readonly Drift[]) =>
  users.map((user) => {
    const aboutThem = ({ event }: Drift): boolean =>
      'user' in event && !('group' in event) && event.user.id === user.id;
    return personItem(user, directory, drifts.find(aboutThem));
  });

const readUsers =
  (reader: DirectoryReader): Step<'groups' | 'users'> =>
  async (run, { directory, from }) => {
    const { items: users, next } = await reader.users(directory, from);
    return async (tx) => {
      const ids = users.map(({ id }) => id);
      const drifts = driftOf(await pictureAround(tx, run, ids, []), partOf(directory, { users }), listingOf(run));
      await tx.reconciliations.note(run.organizationId, personItems(users, directory, drifts));
      return {
        progress:
          next === null
            ? { at: 'members', directory, group: null, from: null }
            : { at: 'users', directory, from: next },
      };
    };
  };

const readMembers =
  (reader: DirectoryReader): Step<'members'> =>
  async (run, { directory, group, from }) => {
    const { organizationId } = run;
    const groupAfter = async (tx: Repositories): Promise<Progress> => {
      const [next] = await tx.reconciliations.listedGroups(organizationId, directory, group, 1);
      return next === undefined
        ? afterDirectory(run, directory)
        : { at: 'members', directory, group: next, from: null };
    };
    if (group === null) return async (tx) => ({ progress: await groupAfter(tx) });

    const { items: users, next } = await reader.members({ directory, group }, from);
    return async (tx) => {
      const ids = users.map(({ id }) => id);
      const picture = await pictureAround(tx, run, ids, [group]);
      const facts = await groupFacts(tx, run, picture, group);
      const members = users.map((user) => ({ group: facts, user }));
      // Somebody who came while we read is in the group already, and was not among the people.
      const drifts = driftOf(picture, partOf(directory, { users, members }), listingOf(run));
      const links = ids.map((id) => {
        const aboutLink = ({ event }: Drift): boolean => 'user' in event && 'group' in event && event.user.id === id;
        return itemOf('link', linkKey(group, id), directory, drifts.find(aboutLink));
      });
      await tx.reconciliations.note(organizationId, [...personItems(users, directory, drifts), ...links]);
      return { progress: next === null ? await groupAfter(tx) : { at: 'members', directory, group, from: next } };
    };
  };

/** What the group is called: by the picture, or by the change that will bring it there. */
const groupFacts = async (
  tx: Repositories,
  { organizationId, asOf }: Reconciliation,
  { groups }: DirectoryPicture,
  id: string,
): Promise<DirectoryGroupFacts> => {
  const known = groups.find((group) => group.id === id);
  if (known) return { id, name: known.name, updatedAt: known.described.at };
  const { drift } = (await tx.reconciliations.item(organizationId, 'group', id)) ?? {};
  const facts = drift && 'group' in drift.event ? drift.event.group : undefined;
  return facts ?? { id, name: id, updatedAt: asOf ?? new Date(0) };
};

const kinds = ['links', 'groups', 'users'] as const;
const none = { links: [], groups: [], users: [] };

const lookAtUnlisted: Step<'unlisted'> = async (run, { kind, from }) => {
  const { organizationId } = run;
  const ids = readable(run);
  return async (tx) => {
    const { reconciliations } = tx;
    const links = kind === 'links' ? await reconciliations.unlistedLinks(organizationId, ids, from, batch) : [];
    const groups = kind === 'groups' ? await reconciliations.unlistedGroups(organizationId, ids, from, batch) : [];
    const users = kind === 'users' ? await reconciliations.unlistedUsers(organizationId, ids, from, batch) : [];
    const people = [...links.map(({ directoryUserId }) => directoryUserId), ...users.map(({ id }) => id)];
    const groupIds = [...links.map(({ groupId }) => groupId), ...groups.map(({ id }) => id)];
    const picture = await pictureAround(tx, run, people, groupIds);
    const drifts = driftOfUnlisted(picture, { ...none, links, groups, users }, listingOf(run));
    await reconciliations.note(organizationId, drifts.map(unlistedItem));

    const keys = [
      ...links.map((link) => linkKey(link.groupId, link.directoryUserId)),
      ...[...groups, ...users].map(({ id }) => id),
    ];
    const next = kinds[kinds.indexOf(kind) + 1];
    if (keys.length === batch) return { progress: { at: 'unlisted', kind, from: keys.at(-1) ?? null } };
    return { progress: next === undefined ? { at: 'sum' } : { at: 'unlisted', kind: next, from: null } };
  };
};

const unlistedItem = (drift: Drift): ReconciliationItem => {
  const { event } = drift;
  if ('user' in event && 'group' in event) {
    return itemOf('link', linkKey(event.group.id, event.user.id), event.directoryId, drift);
  }
  return 'user' in event
    ? itemOf('user', event.user.id, event.directoryId, drift)
    : itemOf('group', 'group' in event ? event.group.id : event.directoryId, event.directoryId, drift);
};

const sum = async (run: Reconciliation): Promise<Conclude> => {
  const { organizationId, directories } = run;
  return async (tx) => {
    const unsettled = directories.filter(({ state }) => state === 'unsettled').map(({ id }) => id);
    const reading = { asOf: listingOf(run).asOf, listed: readable(run), except: unsettled };
    const headcount = await tx.reconciliations.headcount(organizationId, reading);
    return { progress: { at: 'sum' }, plan: planOf(await tx.reconciliations.counts(organizationId), headcount) };
  };
};
