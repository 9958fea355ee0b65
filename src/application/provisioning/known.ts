// Gathers what `decide` must know: the part of the directory that an event touches, and the people behind it.

import type { Repositories } from '#application/ports/store.ts';
import type { Known, KnownPerson } from '#domain/provisioning/decide.ts';
import type { DirectoryEvent } from '#domain/provisioning/directory-event.ts';
import type { DirectoryUser } from '#domain/provisioning/directory-picture.ts';
import type { OrganizationId, UserId } from '#domain/shared/ids.ts';
import { parseEmail } from '#domain/users/email.ts';

/** A directory record, or the announcement of one that we do not have yet. */
type Announced = Pick<DirectoryUser, 'id' | 'directoryId' | 'idpId' | 'email'> & { readonly userId: UserId | null };

export const knownFor = async (
  tx: Repositories,
  organizationId: OrganizationId,
  event: DirectoryEvent,
): Promise<Known> => {
  const touched = await recordsTouchedBy(tx, organizationId, event);
  const known = await knownOf(tx, organizationId, touched);
  // The event's own directory and group belong in the picture also while nobody is linked to them.
  const directory = await tx.directory.directory(organizationId, event.directoryId);
  const group = 'group' in event ? await tx.directory.group(organizationId, event.group.id) : undefined;
  const { directories, groups } = known.picture;
  return {
    ...known,
    picture: {
      ...known.picture,
      directories:
        directory && !directories.some(({ id }) => id === directory.id) ? [...directories, directory] : directories,
      groups: group && !groups.some(({ id }) => id === group.id) ? [...groups, group] : groups,
    },
  };
};

/** Everybody whom any directory of the organization ever named. */
export const knownOfAll = async (tx: Repositories, organizationId: OrganizationId): Promise<Known> =>
  knownOf(tx, organizationId, await tx.directory.usersOfOrganization(organizationId));

const recordsTouchedBy = async (
  tx: Repositories,
  organizationId: OrganizationId,
  event: DirectoryEvent,
): Promise<readonly Announced[]> => {
  switch (event.kind) {
    case 'directory.connected':
    case 'directory.disconnected':
      return tx.directory.usersOfDirectory(organizationId, event.directoryId);
    case 'group.created':
    case 'group.updated':
    case 'group.deleted':
      return tx.directory.usersOfGroup(organizationId, event.group.id);
    default: {
      const record = await tx.directory.user(organizationId, event.user.id);
      const { id, idpId, email } = event.user;
      return [record ?? { id, idpId, email, directoryId: event.directoryId, userId: null }];
    }
  }
};

const knownOf = async (
  tx: Repositories,
  organizationId: OrganizationId,
  touched: readonly Announced[],
): Promise<Known> => {
  const people = new Map<string, { records: Map<string, DirectoryUser | null>; userId: UserId | null }>();
  for (const record of touched) {
    const userId = record.userId ?? (await userBehind(tx, organizationId, record));
    const key = userId ?? record.id;
    const person = people.get(key) ?? { records: new Map(), userId };
    person.records.set(record.id, 'described' in record ? (record as DirectoryUser) : null);
    people.set(key, person);
  }

  const userIds = [...people.values()].flatMap(({ userId }) => userId ?? []);
  const memberships = await tx.memberships.ofUsers(organizationId, userIds);
  for (const sibling of await tx.directory.recordsOf(organizationId, userIds)) {
    const person = sibling.userId && people.get(sibling.userId);
    if (person && !person.records.get(sibling.id)) person.records.set(sibling.id, sibling);
  }

  const known: KnownPerson[] = [...people.values()].map(({ records, userId }) => ({
    records: [...records.keys()],
    membership: memberships.find(({ state }) => state.userId === userId)?.state,
  }));
  const records = [...people.values()].flatMap(({ records: theirs }) => [...theirs.values()]).filter((r) => r !== null);
  return { organizationId, people: known, picture: await tx.directory.pictureOf(organizationId, records) };
};

/** Which user of ours an unlinked record means: the one behind an earlier record of the same person, or whose address it is. */
const userBehind = async (
  tx: Repositories,
  organizationId: OrganizationId,
  record: Announced,
): Promise<UserId | null> => {
  if (record.idpId !== null) {
    const earlier = await tx.directory.withIdpId(organizationId, record.directoryId, record.idpId);
    const linked = earlier.find(({ userId }) => userId !== null)?.userId;
    if (linked) return linked;
  }
  const email = record.email === null ? undefined : parseEmail(record.email);
  const [oldest] = email ? await tx.users.byEmail(email) : [];
  return oldest?.state.id ?? null;
};
