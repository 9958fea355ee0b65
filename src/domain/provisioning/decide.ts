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
  /** Ids of the records of `picture.users` that are this person's (several after a re-creation, or with two directories). */
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
      readonly because: NoAccess | 'as_it_should_be' | 'not_the_directorys';
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

const lastSaid = (records: readonly DirectoryUser[]): Date =>
  new Date(
    Math.max(...records.flatMap(({ described, deletedAt }) => [described.at.getTime(), deletedAt?.getTime() ?? 0])),
  );

const standingOf = (
  person: KnownPerson,
  picture: DirectoryPicture,
  mappings: readonly RoleMapping[],
  policy: ProvisioningPolicy,
): StandingDecision[] => {
  const records = picture.users.filter(({ id }) => person.records.includes(id));
  // The record that speaks for the person: an active one before an inactive one, then the most recently described.
  const [speaker] = records.toSorted(
    (a, b) =>
      Number(isActive(picture, b)) - Number(isActive(picture, a)) ||
      b.described.at.getTime() - a.described.at.getTime() ||
      (a.id < b.id ? -1 : 1),
  );
  if (!speaker) return [];

  const current = person.membership?.status === 'active' ? person.membership : undefined;
  const access = accessOf(picture, records, mappings, policy);
  if (access.to === 'nothing') {
    if (!current) return [{ do: 'nothing', person: speaker, because: access.because }];
    // Somebody let in by hand after the directory last spoke of them is not the directory's to remove.
    if (current.managedBy !== 'directory' && current.createdAt > lastSaid(records)) {
      return [{ do: 'nothing', person: speaker, because: 'not_the_directorys' }];
    }
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
  const picture = withLearned(known.picture, learned);
  return { learned, standings: known.people.flatMap((person) => standingOf(person, picture, mappings, policy)) };
};

/** The same question without an event: after the mappings or the policy changed, or when reconciling. */
export const decideAnew = (
  known: Known,
  mappings: readonly RoleMapping[],
  policy: ProvisioningPolicy,
): readonly StandingDecision[] => known.people.flatMap((person) => standingOf(person, known.picture, mappings, policy));
