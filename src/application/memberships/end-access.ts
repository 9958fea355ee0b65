// Where a leaver loses access: the membership ends, their sessions and the keys they made here end, and an ownership they held finds a successor.

import { closeInvitationsOfLeaver } from '#application/invitations/accept.ts';
import { endEach } from '#application/sessions/end-sessions.ts';
import type { Transaction } from '#application/unit-of-work.ts';
import type { LeavingReason, Membership } from '#domain/memberships/membership.ts';
import { successorAmong } from '#domain/memberships/ownership.ts';
import type { Organization } from '#domain/organizations/organization.ts';

/**
 * Ends one person's access to one organization, and to no other. All in the caller's transaction: with its commit, every
 * session of theirs here is refused, every key whose secret was shown to them, and every invitation to them or by them. Ending what has ended changes nothing.
 *
 * @param said when the ending was decided where it was decided (the directory's clock); `now` is ours
 */
export const endAccess = async (
  tx: Transaction,
  organization: Organization,
  membership: Membership,
  because: LeavingReason,
  said: Date,
  now: Date,
): Promise<void> => {
  if (membership.state.status === 'revoked') return;
  const { organizationId, userId, role } = membership.state;
  membership.revoke(because, said);
  await tx.save(membership);
  await endEach(tx, await tx.sessions.activeOfUserIn(organizationId, userId), 'membership_ended', now);
  const keys = await tx.apiKeys.activeMadeBy(organizationId, userId);
  for (const key of keys) key.revoke(now);
  await tx.save(...keys);
  await closeInvitationsOfLeaver(tx, organizationId, userId);
  if (role === 'owner') await findSuccessor(tx, organization, membership, now);
};

const findSuccessor = async (
  tx: Transaction,
  organization: Organization,
  gone: Membership,
  now: Date,
): Promise<void> => {
  const admins = await tx.memberships.withRole(organization.state.id, 'admin');
  const heir = successorAmong(admins.map(({ state }) => state));
  const successor = admins.find(({ state }) => state.id === heir?.id);
  if (!successor) {
    organization.loseOwner();
    await tx.save(organization);
    return;
  }
  successor.changeRole('owner', now);
  organization.passOwnership(successor.state.userId, gone.state.userId);
  await tx.save(successor, organization);
};
