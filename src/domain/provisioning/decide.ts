// The heart of directory sync: an event, what is known, the mappings and the policy go in; what must change comes out. Pure.

import type { MembershipState } from '#domain/memberships/membership.ts';
import type { AssignableRole } from '#domain/memberships/role.ts';
import type { DirectoryEvent } from '#domain/provisioning/directory-event.ts';
import {
  type DirectoryPicture,
  type DirectoryUser,
  groupsOf,
  isActive,
  type Learned,
  learn,
  withLearned,
} from '#domain/provisioning/directory-picture.ts';
import type { ProvisioningPolicy } from '#domain/provisioning/provisioning-policy.ts';
import { firstMatch, type RoleMapping } from '#domain/provisioning/role-mapping.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';

/** One person as the organization sees them: every directory record that is theirs, and their standing, if any. */
export interface KnownPerson {
  /**
   * Ids of the directory records that are this person's, the one that the event brings included (several after a
   * re-creation, or with two directories).
   */
  readonly records: readonly string[];
  /** Their newest membership in this organization, revoked ones included. */
  readonly membership: MembershipState | undefined;
}

export interface Known {
  readonly organizationId: OrganizationId;
  readonly picture: DirectoryPicture;
  readonly people: readonly KnownPerson[];
}

export type NoAccess = 'not_active_in_directory' | 'outside_gate_group' | 'no_role' | 'no_email';

export type Access =
  | { readonly to: 'nothing'; readonly because: NoAccess }
  | { readonly to: 'role'; readonly role: AssignableRole; readonly throughGroup: string | null };

/** What must happen to one person's standing. */
export type StandingDecision =
  | {
      readonly do: 'grant';
      readonly person: DirectoryUser;
      readonly role: AssignableRole;
      readonly throughGroup: string | null;
    }
  | {
      readonly do: 'update';
      readonly person: DirectoryUser;
      readonly membership: MembershipState;
      readonly role: AssignableRole;
    }
  | {
      readonly do: 'revoke';
      readonly person: DirectoryUser;
      readonly membership: MembershipState;
      readonly because: NoAccess;
    }
  | {
      readonly do: 'nothing';
      readonly person: DirectoryUser;
      /** `only_a_removal`: access would follow from what is known, but news of a removal grants nothing. */
      readonly because: NoAccess | 'as_it_should_be' | 'not_the_directorys' | 'only_a_removal';
    };

export interface Decision {
  /** What to remember of the directory. */
  readonly learned: Learned;
  readonly standings: readonly StandingDecision[];
}

/** What the directory, the mappings and the policy together give one person. Depends on nothing else, so any history that ends in the same picture ends in the same access. */
export const accessOf = (
  picture: DirectoryPicture,
  records: readonly DirectoryUser[],
  mappings: readonly RoleMapping[],
  policy: ProvisioningPolicy,
): Access => {
  const active = records.filter((record) => isActive(picture, record));
  if (active.length === 0) return { to: 'nothing', because: 'not_active_in_directory' };
  if (active.every((record) => record.email === null)) return { to: 'nothing', because: 'no_email' };

  const groups = new Set(active.flatMap((record) => [...groupsOf(picture, record)]));
  if (policy.gateGroupId !== null && !groups.has(policy.gateGroupId))
    return { to: 'nothing', because: 'outside_gate_group' };

  const mapped = firstMatch(mappings, groups);
  if (mapped) return { to: 'role', role: mapped.role, throughGroup: mapped.groupId };
  return policy.defaultRole
    ? { to: 'role', role: policy.defaultRole, throughGroup: null }
    : { to: 'nothing', because: 'no_role' };
};

/** When the directory last spoke of the person: of themself, or of their place in a group. */
export const lastSaid = (picture: DirectoryPicture, records: readonly DirectoryUser[]): Date => {
  const ids = new Set(records.map(({ id }) => id));
  const moments = [
    ...records.flatMap(({ described, createdAt, deletedAt }) => [described.at, createdAt, deletedAt]),
    ...picture.links.filter(({ directoryUserId }) => ids.has(directoryUserId)).map(({ said }) => said.at),
  ];
  return new Date(Math.max(...moments.map((moment) => moment?.getTime() ?? 0)));
};

const standingOf = (
  person: KnownPerson,
  picture: DirectoryPicture,
  mappings: readonly RoleMapping[],
  policy: ProvisioningPolicy,
): StandingDecision[] => {
  const records = picture.users.filter(({ id }) => person.records.includes(id));
  // The record that speaks for the person: an active one before an inactive one, one with an address before one without,
  // then the most recently described.
  const weight = (record: DirectoryUser): number =>
    2 * Number(isActive(picture, record)) + Number(record.email !== null);
  const [speaker] = records.toSorted(
    (a, b) => weight(b) - weight(a) || b.described.at.getTime() - a.described.at.getTime() || (a.id < b.id ? -1 : 1),
  );
  if (!speaker) return [];

  const current = person.membership?.status === 'active' ? person.membership : undefined;
  // Somebody let in by hand after the directory last spoke of them is not the directory's: not to remove, and not to take
  // over, or else their fate would hang on the order in which its older news comes in.
  if (current && current.managedBy !== 'directory' && current.createdAt > lastSaid(picture, records)) {
    return [{ do: 'nothing', person: speaker, because: 'not_the_directorys' }];
  }
  const access = accessOf(picture, records, mappings, policy);
  if (access.to === 'nothing') {
    if (!current) return [{ do: 'nothing', person: speaker, because: access.because }];
    // An owner needs no group: only leaving ends an owner's access.
    if (current.role === 'owner' && access.because !== 'not_active_in_directory') {
      return [{ do: 'nothing', person: speaker, because: 'as_it_should_be' }];
    }
    return [{ do: 'revoke', person: speaker, membership: current, because: access.because }];
  }
  if (!current) return [{ do: 'grant', person: speaker, role: access.role, throughGroup: access.throughGroup }];
  const sameRole = current.role === access.role || current.role === 'owner';
  if (sameRole && current.managedBy === 'directory')
    return [{ do: 'nothing', person: speaker, because: 'as_it_should_be' }];
  return [{ do: 'update', person: speaker, membership: current, role: access.role }];
};

const removals: ReadonlySet<DirectoryEvent['kind']> = new Set([
  'user.deleted',
  'group.deleted',
  'group.member_removed',
  'directory.disconnected',
]);

/**
 * What follows from an event. A removal never grants; an event heard before, or overtaken by newer news, changes nothing;
 * from the moment the directory names a person it governs their standing here, also if they were let in by hand before.
 */
export const decide = (
  event: DirectoryEvent,
  known: Known,
  mappings: readonly RoleMapping[],
  policy: ProvisioningPolicy,
): Decision => {
  const learned = learn(known.picture, event, known.organizationId);
  if (Object.values(learned).every((records) => records.length === 0)) return { learned, standings: [] };
  const picture = withLearned(known.picture, learned);
  const standings = known.people.flatMap((person) => standingOf(person, picture, mappings, policy));
  const granting = !removals.has(event.kind);
  return {
    learned,
    standings: standings.map((standing) =>
      standing.do === 'grant' && !granting
        ? { do: 'nothing', person: standing.person, because: 'only_a_removal' }
        : standing,
    ),
  };
};

/** The same question without an event: after the mappings or the policy changed, or when reconciling. */
export const decideAnew = (
  known: Known,
  mappings: readonly RoleMapping[],
  policy: ProvisioningPolicy,
): readonly StandingDecision[] => known.people.flatMap((person) => standingOf(person, known.picture, mappings, policy));
