// The whole loop of directory sync in one small reducer: hear an event, decide, carry the decision out. No storage, no port.

import { Membership, type MembershipState } from '#domain/memberships/membership.ts';
import {
  type Decision,
  decide,
  decideAnew,
  type KnownPerson,
  type StandingDecision,
} from '#domain/provisioning/decide.ts';
import type { DirectoryEvent } from '#domain/provisioning/directory-event.ts';
import { type DirectoryPicture, type DirectoryUser, withLearned } from '#domain/provisioning/directory-picture.ts';
import { closedProvisioningPolicy, type ProvisioningPolicy } from '#domain/provisioning/provisioning-policy.ts';
import type { RoleMapping } from '#domain/provisioning/role-mapping.ts';
import { anId, days } from './words.ts';

export const emptyPicture: DirectoryPicture = { directories: [], users: [], groups: [], links: [] };

export interface Follower {
  readonly picture: DirectoryPicture;
  /** Newest membership by the customer's own id of the person (`okta-ada`). */
  readonly memberships: ReadonlyMap<string, MembershipState>;
  readonly mappings: readonly RoleMapping[];
  readonly policy: ProvisioningPolicy;
}

export const aFollower = (facts: Partial<Follower> = {}): Follower => ({
  picture: emptyPicture,
  memberships: new Map(),
  mappings: [],
  policy: closedProvisioningPolicy,
  ...facts,
});

const customersId = (record: Pick<DirectoryUser, 'idpId' | 'id'>): string => record.idpId ?? record.id;

/** Everybody whose standing the event can touch. */
const touchedBy = ({ picture }: Follower, event: DirectoryEvent): Set<string> => {
  const idOf = new Map(picture.users.map((record) => [record.id, customersId(record)]));
  if ('user' in event) return new Set([customersId(event.user)]);
  if ('group' in event) {
    const links = picture.links.filter((link) => link.groupId === event.group.id);
    return new Set(links.flatMap((link) => idOf.get(link.directoryUserId) ?? []));
  }
  return new Set(picture.users.filter((record) => record.directoryId === event.directoryId).map(customersId));
};

const known = (follower: Follower, people: Iterable<string>, event?: DirectoryEvent): KnownPerson[] =>
  [...people].map((who) => {
    const records = follower.picture.users.filter((record) => customersId(record) === who).map(({ id }) => id);
    const brought = event && 'user' in event ? [event.user.id] : [];
    return { records: [...new Set([...records, ...brought])], membership: follower.memberships.get(who) };
  });

/** When we carry decisions out: long after everything that a test lets happen. */
const now = days(300);

const carriedOut = (follower: Follower, standings: readonly StandingDecision[]): Follower => {
  const memberships = new Map(follower.memberships);
  for (const standing of standings) {
    const who = customersId(standing.person);
    if (standing.do === 'nothing') continue;
    if (standing.do === 'grant') {
      const { role } = standing;
      const ids = { id: anId('mem'), organizationId: anId('org'), userId: anId('user') };
      memberships.set(who, Membership.grant({ ...ids, role, managedBy: 'directory', at: now }).state);
      continue;
    }
    const membership = Membership.restore(standing.membership);
    if (standing.do === 'update') membership.followSource('directory', standing.role, now);
    else membership.revoke('directory_says_so', now);
    memberships.set(who, membership.state);
  }
  return { ...follower, memberships };
};

export const decisionOn = (follower: Follower, event: DirectoryEvent): Decision =>
  decide(
    event,
    {
      organizationId: anId('org'),
      picture: follower.picture,
      people: known(follower, touchedBy(follower, event), event),
    },
    follower.mappings,
    follower.policy,
  );

export const hear = (follower: Follower, event: DirectoryEvent): Follower => {
  const { learned, standings } = decisionOn(follower, event);
  return carriedOut({ ...follower, picture: withLearned(follower.picture, learned) }, standings);
};

export const hearAll = (follower: Follower, events: readonly DirectoryEvent[]): Follower =>
  events.reduce(hear, follower);

/** Looks at everybody again, as after a change of mappings or policy. */
export const lookAnew = (follower: Follower): Follower => {
  const everybody = new Set(follower.picture.users.map(customersId));
  const seen = { organizationId: anId('org'), picture: follower.picture, people: known(follower, everybody) };
  return carriedOut(follower, decideAnew(seen, follower.mappings, follower.policy));
};

/** The person's role, or `no access`. */
export const standingOf = (follower: Follower, who: string): string => {
  const membership = follower.memberships.get(`okta-${who}`);
  return membership?.status === 'active' ? membership.role : 'no access';
};

/** What must be equal whatever the order: the picture as sets, and everybody's access. */
export const endState = (follower: Follower) => {
  const sorted = (records: readonly object[]) =>
    records.map((record) => JSON.stringify(Object.entries(record).toSorted())).toSorted();
  const { directories, users, groups, links } = follower.picture;
  return {
    directories: sorted(directories),
    users: sorted(users),
    groups: sorted(groups),
    links: sorted(links),
    access: [...follower.memberships]
      .filter(([, { status }]) => status === 'active')
      .map(([who, { role, managedBy }]) => `${who} is ${role}, managed by ${managedBy}`)
      .toSorted(),
  };
};
