// Who may change whom. One owner per organization; nobody raises themself; nobody edits whom the directory manages.

import type { MembershipState } from '#domain/memberships/membership.ts';
import type { AssignableRole, Role } from '#domain/memberships/role.ts';
import type { UserId } from '#domain/shared/ids.ts';
import { Refusal } from '#domain/shared/refusal.ts';

/** The person who acts: their id and their role in the organization in question. */
export interface ActingMember {
  readonly userId: UserId;
  readonly role: Role;
}

/**
 * Whether this member's role may be changed to that one.
 * @throws Refusal with the rule that forbids it.
 */
export const mayChangeRole = (actor: ActingMember, target: MembershipState, to: AssignableRole): void => {
  if (target.status === 'revoked') throw new Refusal('membership.revoked', { member: target.id });
  if (target.userId === actor.userId) throw new Refusal('membership.nobody_raises_themself');
  if (target.role === 'owner') throw new Refusal('membership.owner_stays');
  if (target.managedBy === 'directory') throw new Refusal('membership.directory_managed', { member: target.id });
  const touchesAdmins = to === 'admin' || target.role === 'admin';
  if (touchesAdmins && actor.role !== 'owner') throw new Refusal('membership.only_owner_makes_admins');
};

/**
 * Whether somebody may be asked in with that role, or such an invitation sent again or taken back: as for changing a role.
 * @throws Refusal with the rule that forbids it.
 */
export const mayInvite = (actor: ActingMember, as: AssignableRole): void => {
  if (as === 'admin' && actor.role !== 'owner') throw new Refusal('membership.only_owner_makes_admins');
};

/**
 * Whether this member may be removed by hand.
 * @throws Refusal with the rule that forbids it.
 */
export const mayRemove = (actor: ActingMember, target: MembershipState): void => {
  if (target.role === 'owner') throw new Refusal('membership.owner_stays');
  if (target.managedBy === 'directory') throw new Refusal('membership.directory_managed', { member: target.id });
  if (target.role === 'admin' && actor.role !== 'owner' && target.userId !== actor.userId) {
    throw new Refusal('membership.only_owner_makes_admins');
  }
};

/** When the owner is gone: the longest-standing active admin, or nobody. */
export const successorAmong = (members: readonly MembershipState[]): MembershipState | undefined =>
  members
    .filter((member) => member.status === 'active' && member.role === 'admin')
    .toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || (a.id < b.id ? -1 : 1))[0];
