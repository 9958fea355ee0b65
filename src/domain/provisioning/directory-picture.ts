// What we know of a directory, kept so that any order, repetition or delay of the same events ends in the same picture.
//
// Every fact remembers the moment it was said. The newest wins; between a grant and a removal of the same instant the
// removal wins; among equals the event id decides. Deletions leave a tombstone, so late news resurrects nobody. A
// disconnected directory takes everybody and everything in it along: only what is said after it counts again.

import type { DirectoryEvent, DirectoryGroupFacts, DirectoryPerson } from '#domain/provisioning/directory-event.ts';
import type { OrganizationId, UserId } from '#domain/shared/ids.ts';

/** When something was said, and by which event: a total order over news. */
export interface Moment {
  readonly at: Date;
  readonly event: string;
}

export interface Directory {
  readonly id: string;
  readonly organizationId: OrganizationId;
  readonly name: string;
  readonly type: string;
  readonly connectedAt: Date | null;
  readonly disconnectedAt: Date | null;
}

export interface DirectoryUser {
  readonly id: string;
  readonly directoryId: string;
  readonly organizationId: OrganizationId;
  readonly idpId: string | null;
  readonly email: string | null;
  readonly name: string | null;
  readonly state: string;
  readonly described: Moment;
  readonly createdAt: Date | null;
  readonly deletedAt: Date | null;
  /** The user of ours who this is; null until access was granted for the first time. */
  readonly userId: UserId | null;
}

export interface DirectoryGroup {
  readonly id: string;
  readonly directoryId: string;
  readonly organizationId: OrganizationId;
  readonly name: string;
  readonly described: Moment;
  readonly createdAt: Date | null;
  readonly deletedAt: Date | null;
}

/** A person's place in a group, or the memory that it was taken away. */
export interface GroupLink {
  readonly directoryId: string;
  readonly organizationId: OrganizationId;
  readonly groupId: string;
  readonly directoryUserId: string;
  readonly present: boolean;
  readonly said: Moment;
}

/** The part of the directory that an event can touch, and nothing more. */
export interface DirectoryPicture {
  readonly directories: readonly Directory[];
  readonly users: readonly DirectoryUser[];
  readonly groups: readonly DirectoryGroup[];
  readonly links: readonly GroupLink[];
}

/** The records that an event changed; all empty when it brought no news. */
export type Learned = DirectoryPicture;

const isNewer = (heard: Moment, known: Moment): boolean =>
  heard.at.getTime() === known.at.getTime() ? heard.event > known.event : heard.at > known.at;

/** The moment of words that an event about something else quotes. It gives way to any event of the same instant. */
const quotedAt = (at: Date): Moment => ({ at, event: '' });
const isQuoted = (moment: Moment): boolean => moment.event === '';

interface PersonSaid {
  readonly idpId: string | null;
  readonly email: string | null;
  readonly name: string | null;
  readonly state: string;
  readonly described: Moment;
}

/** A total order over descriptions of one person, so that the same ones leave the same picture in every order. */
const outranks = (heard: PersonSaid, known: PersonSaid): boolean => {
  if (heard.described.at.getTime() !== known.described.at.getTime()) return heard.described.at > known.described.at;
  if (isQuoted(heard.described) !== isQuoted(known.described)) return isQuoted(known.described);
  if ((heard.state === 'active') !== (known.state === 'active')) return known.state === 'active';
  if (heard.described.event !== known.described.event) return heard.described.event > known.described.event;
  const words = ({ idpId, email, name, state }: PersonSaid) => JSON.stringify([idpId, email, name, state]);
  return words(heard) > words(known);
};

const later = (a: Date | null, b: Date | null): Date | null => (a && b ? (a > b ? a : b) : (a ?? b));

/** Alive: never deleted, or created anew after the deletion. Both at the same instant: deleted. */
const isAlive = (createdAt: Date | null, deletedAt: Date | null): boolean =>
  !deletedAt || (createdAt !== null && createdAt > deletedAt);

export const isConnected = (directory: Directory | undefined): boolean =>
  !directory || isAlive(directory.connectedAt, directory.disconnectedAt);

export const isPresent = (record: Pick<DirectoryUser | DirectoryGroup, 'createdAt' | 'deletedAt'>): boolean =>
  isAlive(record.createdAt, record.deletedAt);

const learnUser = (
  known: DirectoryUser | undefined,
  person: DirectoryPerson,
  said: Moment,
  event: DirectoryEvent,
  organizationId: OrganizationId,
): DirectoryUser => {
  const { idpId, email, name, state } = person;
  const heard: PersonSaid = { idpId, email, name, state, described: said };
  const base = known ?? {
    ...heard,
    id: person.id,
    directoryId: event.directoryId,
    organizationId,
    createdAt: null,
    deletedAt: null,
    userId: null,
  };
  return {
    ...base,
    ...(outranks(heard, base) && heard),
    createdAt: event.kind === 'user.created' ? later(base.createdAt, event.at) : base.createdAt,
    deletedAt: event.kind === 'user.deleted' ? later(base.deletedAt, event.at) : base.deletedAt,
  };
};

const learnGroup = (
  known: DirectoryGroup | undefined,
  group: DirectoryGroupFacts,
  said: Moment,
  event: DirectoryEvent,
  organizationId: OrganizationId,
): DirectoryGroup => {
  const base = known ?? {
    id: group.id,
    directoryId: event.directoryId,
    organizationId,
    name: group.name,
    described: said,
    createdAt: null,
    deletedAt: null,
  };
  const sameMoment = said.at.getTime() === base.described.at.getTime() && said.event === base.described.event;
  const newer = sameMoment ? group.name > base.name : isNewer(said, base.described);
  return {
    ...base,
    ...(newer && { name: group.name, described: said }),
    createdAt: event.kind === 'group.created' ? later(base.createdAt, event.at) : base.createdAt,
    deletedAt: event.kind === 'group.deleted' ? later(base.deletedAt, event.at) : base.deletedAt,
  };
};

const learnLink = (known: GroupLink | undefined, heard: GroupLink): GroupLink => {
  if (!known) return heard;
  const sameInstant = heard.said.at.getTime() === known.said.at.getTime();
  if (sameInstant && heard.present !== known.present) return heard.present ? known : heard;
  return isNewer(heard.said, known.said) ? heard : known;
};

const learnDirectory = (
  known: Directory | undefined,
  event: DirectoryEvent,
  organizationId: OrganizationId,
): Directory => {
  const base = known ?? {
    id: event.directoryId,
    organizationId,
    name: event.directoryId,
    type: 'unknown',
    connectedAt: null,
    disconnectedAt: null,
  };
  if (event.kind === 'directory.connected') {
    const words = ({ name, type }: { readonly name: string; readonly type: string }) => JSON.stringify([name, type]);
    const sameInstant = event.at.getTime() === base.connectedAt?.getTime();
    const newest = !base.connectedAt || (sameInstant ? words(event) > words(base) : event.at > base.connectedAt);
    return {
      ...base,
      ...(newest && { name: event.name, type: event.type }),
      connectedAt: later(base.connectedAt, event.at),
    };
  }
  return event.kind === 'directory.disconnected'
    ? { ...base, disconnectedAt: later(base.disconnectedAt, event.at) }
    : base;
};

const sameRecord = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Replaces or adds records by identity. */
const withRecords = <R>(records: readonly R[], changed: readonly R[], keyOf: (record: R) => string): R[] => {
  const byKey = new Map(records.map((record) => [keyOf(record), record]));
  for (const record of changed) byKey.set(keyOf(record), record);
  return [...byKey.values()];
};

const linkKey = (link: GroupLink): string => `${link.groupId} ${link.directoryUserId}`;

/** The records that change when this event is heard. Hearing it twice, or after newer news, changes none. */
export const learn = (picture: DirectoryPicture, event: DirectoryEvent, organizationId: OrganizationId): Learned => {
  const said: Moment = { at: event.at, event: event.id };
  const onlyNews = <R>(known: R | undefined, now: R): R[] => (sameRecord(known, now) ? [] : [now]);

  const knownDirectory = picture.directories.find(({ id }) => id === event.directoryId);
  const directories = onlyNews(knownDirectory, learnDirectory(knownDirectory, event, organizationId));
  const learned: Learned = { directories, users: [], groups: [], links: [] };
  if (event.kind === 'directory.connected' || event.kind === 'directory.disconnected') return learned;

  // Inside a membership event the person and the group are only quoted: their own record's time counts, and any event about them is newer.
  const quoted = event.kind === 'group.member_added' || event.kind === 'group.member_removed';
  const person = 'user' in event ? event.user : undefined;
  const group = 'group' in event ? event.group : undefined;
  const momentOf = (updatedAt: Date): Moment => (quoted ? quotedAt(updatedAt) : said);

  const knownUser = person && picture.users.find(({ id }) => id === person.id);
  const users = person
    ? onlyNews(knownUser, learnUser(knownUser, person, momentOf(person.updatedAt), event, organizationId))
    : [];
  const knownGroup = group && picture.groups.find(({ id }) => id === group.id);
  const groups = group
    ? onlyNews(knownGroup, learnGroup(knownGroup, group, momentOf(group.updatedAt), event, organizationId))
    : [];
  if (!quoted || !person || !group) return { ...learned, users, groups };

  const knownLink = picture.links.find((link) => link.groupId === group.id && link.directoryUserId === person.id);
  const heard: GroupLink = {
    directoryId: event.directoryId,
    organizationId,
    groupId: group.id,
    directoryUserId: person.id,
    present: event.kind === 'group.member_added',
    said,
  };
  return { directories, users, groups, links: onlyNews(knownLink, learnLink(knownLink, heard)) };
};

export const withLearned = (picture: DirectoryPicture, learned: Learned): DirectoryPicture => ({
  directories: withRecords(picture.directories, learned.directories, ({ id }) => id),
  users: withRecords(picture.users, learned.users, ({ id }) => id),
  groups: withRecords(picture.groups, learned.groups, ({ id }) => id),
  links: withRecords(picture.links, learned.links, linkKey),
});

const directoryOf = (picture: DirectoryPicture, record: Pick<DirectoryUser, 'directoryId'>): Directory | undefined =>
  picture.directories.find(({ id }) => id === record.directoryId);

const saidAfter = (moment: Moment, end: Date | null | undefined): boolean => !end || moment.at > end;

/** Whether the directory spoke of the person since it was last disconnected. */
export const isSaid = (picture: DirectoryPicture, user: DirectoryUser): boolean =>
  saidAfter(user.described, directoryOf(picture, user)?.disconnectedAt);

/**
 * Whether the directory lets this person in right now: connected, present, active in so many words, and said so since it
 * was last disconnected. Somebody who left while it was away is not reported as gone; they are just not mentioned again.
 */
export const isActive = (picture: DirectoryPicture, user: DirectoryUser): boolean => {
  const connected = isConnected(directoryOf(picture, user));
  return connected && isSaid(picture, user) && isPresent(user) && user.state === 'active';
};

/** Whether the person's place in a group counts: given, and neither group, person nor directory went away since. */
export const stands = (picture: DirectoryPicture, user: DirectoryUser, link: GroupLink): boolean => {
  const group = picture.groups.find(({ id }) => id === link.groupId);
  if (!link.present || link.directoryUserId !== user.id || !group || !isPresent(group)) return false;
  const ends = [group.deletedAt, user.deletedAt, directoryOf(picture, user)?.disconnectedAt];
  return ends.every((end) => saidAfter(link.said, end));
};

/** The groups in which the person stands. */
export const groupsOf = (picture: DirectoryPicture, user: DirectoryUser): Set<string> => {
  const theirs = picture.links.filter((link) => link.directoryUserId === user.id && stands(picture, user, link));
  return new Set(theirs.map((link) => link.groupId));
};
