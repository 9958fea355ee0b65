// Brings an organization into line with what its directory said. Hearing it twice changes nothing.

import type { Clock, Ids } from '#application/ports/system.ts';
import { carryOutAll } from '#application/provisioning/carry-out.ts';
import { knownFor } from '#application/provisioning/known.ts';
import type { Transaction } from '#application/unit-of-work.ts';
import type { LearnedEvent } from '#domain/events.ts';
import type { Organization } from '#domain/organizations/organization.ts';
import { decide, type Known } from '#domain/provisioning/decide.ts';
import type { DirectoryEvent } from '#domain/provisioning/directory-event.ts';
import {
  type DirectoryPicture,
  type DirectoryUser,
  isConnected,
  isPresent,
  type Learned,
} from '#domain/provisioning/directory-picture.ts';

/**
 * Whether it brought news.
 * @param isOvertaken what is known by now may make the event void; then nothing is learned of it
 */
export const applyDirectoryEvent = async (
  tx: Transaction,
  organization: Organization,
  event: DirectoryEvent,
  ids: Ids,
  clock: Clock,
  isOvertaken: (picture: DirectoryPicture) => boolean = () => false,
): Promise<boolean> => {
  const organizationId = organization.state.id;
  const known = await knownFor(tx, organizationId, event);
  if (isOvertaken(known.picture)) return false;
  const mappings = await tx.roleMappings.of(organizationId);
  const decision = decide(event, known, mappings, organization.state.provisioningPolicy);

  const users = decision.learned.users.map((record) => linked(known, record));
  await tx.directory.save({ ...decision.learned, users });
  const news = newsIn(known.picture, decision.learned);
  tx.tell(...news);
  await carryOutAll(tx, { organization, said: event.at, now: clock.now(), ids }, decision.standings);
  return news.length > 0;
};

/** A further record of somebody whom another record here names already is theirs from the start, whichever speaks for them. */
const linked = (known: Known, record: DirectoryUser): DirectoryUser => {
  if (record.userId !== null) return record;
  const theirs = known.people.find(({ records }) => records.includes(record.id))?.records ?? [];
  const sibling = known.picture.users.find(({ id, userId }) => userId !== null && theirs.includes(id));
  return { ...record, userId: sibling?.userId ?? null };
};

/** What the trail should say of what was learned: one line for each record whose meaning changed, none for mere repetition. */
const newsIn = (before: DirectoryPicture, learned: Learned): LearnedEvent[] => {
  const news: LearnedEvent[] = [];
  for (const directory of learned.directories) {
    const known = before.directories.find(({ id }) => id === directory.id);
    if (!known || isConnected(known) !== isConnected(directory)) {
      news.push({ type: isConnected(directory) ? 'directory.connected' : 'directory.disconnected', directory });
    }
  }
  for (const person of learned.users) {
    const known = before.users.find(({ id }) => id === person.id) ?? null;
    const has = isPresent(person) && person.state === 'active';
    const had = known !== null && isPresent(known) && known.state === 'active';
    if (has && !had) news.push({ type: 'directory_user.provisioned', person, before: known });
    else if (!has && (had || known === null))
      news.push({ type: 'directory_user.deprovisioned', person, before: known });
    else if (known && (known.email !== person.email || known.name !== person.name || known.state !== person.state)) {
      news.push({ type: 'directory_user.updated', person, before: known });
    }
  }
  for (const group of learned.groups) {
    const known = before.groups.find(({ id }) => id === group.id) ?? null;
    if (!isPresent(group)) {
      if (!known || isPresent(known)) news.push({ type: 'directory_group.deleted', group, before: known });
    } else if (!known || !isPresent(known)) news.push({ type: 'directory_group.created', group, before: known });
    else if (known.name !== group.name) news.push({ type: 'directory_group.renamed', group, before: known });
  }
  for (const link of learned.links) {
    const known = before.links.find(
      (other) => other.groupId === link.groupId && other.directoryUserId === link.directoryUserId,
    );
    if ((known?.present ?? false) === link.present) continue;
    news.push({ type: link.present ? 'directory_group.member_added' : 'directory_group.member_removed', link });
  }
  return news;
};
