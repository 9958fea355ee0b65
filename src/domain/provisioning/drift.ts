// What separates the picture of a directory from what its provider lists now, told as the events that nobody heard. Pure.
//
// Everything is said as of one moment, the listing's, which is never later than the reading. So the picture's own rule
// applies, the newest word wins: news that is younger than the listing stands, whether it came before or comes after.

import type { DirectoryEvent, DirectoryGroupFacts, DirectoryPerson } from '#domain/provisioning/directory-event.ts';
import {
  type Directory,
  type DirectoryGroup,
  type DirectoryPicture,
  type DirectoryUser,
  type GroupLink,
  isConnected,
  isPresent,
  isSaid,
  type Moment,
  stands,
} from '#domain/provisioning/directory-picture.ts';
import { earlier } from '#domain/shared/time.ts';

/** A directory as the provider lists it now. */
export interface ListedDirectory {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  /** `unsettled`: it is being set up or taken down, and its lists prove nothing, neither who is in nor who is out. */
  readonly state: 'connected' | 'unsettled';
}

/** A reading of what the provider lists. */
export interface Listing {
  /** Names the reading, and with it the words that follow from it. */
  readonly id: string;
  /** Not after the moment of the reading by the provider's own clock: what happened later is news to it. */
  readonly asOf: Date;
}

/** A part of what one directory lists. */
export interface ListedPart {
  readonly directoryId: string;
  readonly groups: readonly DirectoryGroupFacts[];
  readonly users: readonly DirectoryPerson[];
  readonly members: readonly { readonly group: DirectoryGroupFacts; readonly user: DirectoryPerson }[];
}

/** Kinds of change, in the order in which they are made: who comes before who goes, so that nobody is out in between. */
export const changes = [
  'directory.connect',
  'group.create',
  'group.rename',
  'person.provision',
  'person.update',
  'member.add',
  'member.remove',
  'group.delete',
  'person.deprovision',
  'directory.disconnect',
] as const;
export type Change = (typeof changes)[number];

export interface Drift {
  readonly change: Change;
  /** Heard, it makes the picture agree in this. */
  readonly event: DirectoryEvent;
}

const said = ({ id, asOf }: Listing, directoryId: string, ...about: readonly string[]) => ({
  id: [id, ...about].join(' '),
  directoryId,
  at: asOf,
});

/** Whether any of these was said at that moment or later. */
const anySince = (at: Date, moments: readonly (Date | Moment | null | undefined)[]): boolean =>
  moments.some((moment) => {
    const when = moment && 'at' in moment ? moment.at : moment;
    return when instanceof Date && when >= at;
  });

/**
 * Whether the directory has meanwhile said something of the same thing that this listing could not know. Then its own word
 * stands, and nothing is made of the listing's.
 */
export const isOvertaken = (picture: DirectoryPicture, event: DirectoryEvent): boolean => {
  const directory = picture.directories.find(({ id }) => id === event.directoryId);
  const user = 'user' in event ? picture.users.find(({ id }) => id === event.user.id) : undefined;
  const group = 'group' in event ? picture.groups.find(({ id }) => id === event.group.id) : undefined;
  if (event.kind === 'directory.connected')
    return anySince(event.at, [directory?.connectedAt, directory?.disconnectedAt]);
  // Connected anew since, it was still away in between, and what it held before went with that.
  if (event.kind === 'directory.disconnected') return anySince(event.at, [directory?.disconnectedAt]);

  const ends = [directory?.disconnectedAt, user?.deletedAt, group?.deletedAt];
  if ('user' in event && 'group' in event) {
    const link = picture.links.find(
      ({ groupId, directoryUserId }) => groupId === event.group.id && directoryUserId === event.user.id,
    );
    return anySince(event.at, [...ends, link?.said]);
  }
  // Whoever was described since was there since; but only a creation says so of somebody who had been deleted before.
  const isCreation = event.kind === 'user.created' || event.kind === 'group.created';
  const lifeSigns = isCreation ? [] : [user?.described, user?.createdAt, group?.described, group?.createdAt];
  return anySince(event.at, [...ends, ...lifeSigns]);
};

const standing = (picture: DirectoryPicture, found: readonly Drift[]): readonly Drift[] =>
  found.filter(({ event }) => !isOvertaken(picture, event));

/**
 * @param known the directories that were known before the provider was asked
 * @param listed all that it lists; a known one that is not among them was deleted, whatever else was connected instead
 */
export const driftOfDirectories = (
  known: readonly Directory[],
  listed: readonly ListedDirectory[],
  listing: Listing,
): readonly Drift[] => {
  const came = listed.filter((directory) => {
    if (directory.state !== 'connected') return false;
    const before = known.find(({ id }) => id === directory.id);
    if (!before || !isConnected(before)) return true;
    return before.name !== directory.name || before.type !== directory.type;
  });
  const gone = known.filter(
    (directory) =>
      isConnected(directory) &&
      !anySince(listing.asOf, [directory.connectedAt]) &&
      !listed.some(({ id }) => id === directory.id),
  );
  return standing({ directories: known, users: [], groups: [], links: [] }, [
    ...came.map(({ id, name, type }): Drift => {
      const event: DirectoryEvent = { ...said(listing, id, 'connected'), kind: 'directory.connected', name, type };
      return { change: 'directory.connect', event };
    }),
    ...gone.map(({ id }): Drift => {
      const event: DirectoryEvent = { ...said(listing, id, 'disconnected'), kind: 'directory.disconnected' };
      return { change: 'directory.disconnect', event };
    }),
  ]);
};

const ofGroup = (
  picture: DirectoryPicture,
  part: ListedPart,
  group: DirectoryGroupFacts,
  listing: Listing,
): Drift[] => {
  const known = picture.groups.find(({ id }) => id === group.id);
  const isNew = !known || !isPresent(known);
  if (!isNew && known.name === group.name) return [];
  const words = said(listing, part.directoryId, group.id);
  return isNew
    ? [{ change: 'group.create', event: { ...words, kind: 'group.created', group } }]
    : [{ change: 'group.rename', event: { ...words, kind: 'group.updated', group } }];
};

const ofUser = (picture: DirectoryPicture, part: ListedPart, user: DirectoryPerson, listing: Listing): Drift[] => {
  const known = picture.users.find(({ id }) => id === user.id);
  const isNew = !known || !isPresent(known) || !isSaid(picture, known);
  const same = (['idpId', 'email', 'name', 'state'] as const).every((word) => known?.[word] === user[word]);
  if (!isNew && same) return [];
  const was = !isNew && known.state === 'active';
  const is = user.state === 'active';
  const change = is === was ? 'person.update' : is ? 'person.provision' : 'person.deprovision';
  const words = said(listing, part.directoryId, user.id);
  return [
    {
      change: isNew && !is ? 'person.update' : change,
      event: { ...words, kind: isNew ? 'user.created' : 'user.updated', user },
    },
  ];
};

/** As the listing has them, but not younger than it: a quoted record must not outrank news of its own. */
const quoted = <R extends { readonly updatedAt: Date }>(record: R, { asOf }: Listing): R => ({
  ...record,
  updatedAt: earlier(record.updatedAt, asOf),
});

const ofMember = (
  picture: DirectoryPicture,
  part: ListedPart,
  { group, user }: ListedPart['members'][number],
  listing: Listing,
): Drift[] => {
  const known = picture.users.find(({ id }) => id === user.id);
  const link = picture.links.find(
    ({ groupId, directoryUserId }) => groupId === group.id && directoryUserId === user.id,
  );
  if (known && link && stands(picture, known, link)) return [];
  const event: DirectoryEvent = {
    ...said(listing, part.directoryId, group.id, user.id),
    kind: 'group.member_added',
    user: quoted(user, listing),
    group: quoted(group, listing),
  };
  return [{ change: 'member.add', event }];
};

/** What is listed, and is not so in the picture. The picture must hold all that is known of what the part names. */
export const driftOf = (picture: DirectoryPicture, part: ListedPart, listing: Listing): readonly Drift[] =>
  standing(picture, [
    ...part.groups.flatMap((group) => ofGroup(picture, part, group, listing)),
    ...part.users.flatMap((user) => ofUser(picture, part, user, listing)),
    ...part.members.flatMap((member) => ofMember(picture, part, member, listing)),
  ]);

/** Records that are known of directories which were read to the end, and were not listed there. */
export interface Unlisted {
  readonly groups: readonly DirectoryGroup[];
  readonly users: readonly DirectoryUser[];
  /** Only those of which both the group and the person were listed: else these say it all. */
  readonly links: readonly GroupLink[];
}

const personOf = ({ id, idpId, email, name, state, described }: DirectoryUser): DirectoryPerson => ({
  id,
  idpId,
  email,
  name,
  state,
  updatedAt: described.at,
});

const factsOf = ({ id, name, described }: DirectoryGroup): DirectoryGroupFacts => ({
  id,
  name,
  updatedAt: described.at,
});

/** What is so in the picture, and is not listed. The picture must hold all that is known of these records. */
export const driftOfUnlisted = (picture: DirectoryPicture, unlisted: Unlisted, listing: Listing): readonly Drift[] => {
  const links = unlisted.links.flatMap((link): Drift[] => {
    const user = picture.users.find(({ id }) => id === link.directoryUserId);
    const group = picture.groups.find(({ id }) => id === link.groupId);
    if (!user || !group || !stands(picture, user, link)) return [];
    const words = said(listing, link.directoryId, link.groupId, link.directoryUserId);
    const event: DirectoryEvent = {
      ...words,
      kind: 'group.member_removed',
      user: personOf(user),
      group: factsOf(group),
    };
    return [{ change: 'member.remove', event }];
  });
  const groups = unlisted.groups.filter(isPresent).map((group): Drift => {
    const words = said(listing, group.directoryId, group.id);
    return { change: 'group.delete', event: { ...words, kind: 'group.deleted', group: factsOf(group) } };
  });
  const users = unlisted.users.filter(isPresent).map((user): Drift => {
    const words = said(listing, user.directoryId, user.id);
    return { change: 'person.deprovision', event: { ...words, kind: 'user.deleted', user: personOf(user) } };
  });
  return standing(picture, [...links, ...groups, ...users]);
};
