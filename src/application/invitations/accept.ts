// How an invitation becomes a membership, and how it ends without one. Asked at every arrival and by the provider's events.

import type { Repositories } from '#application/ports/store.ts';
import type { Ids } from '#application/ports/system.ts';
import type { Transaction } from '#application/unit-of-work.ts';
import type { Invitation, RevocationReason } from '#domain/invitations/invitation.ts';
import { Membership } from '#domain/memberships/membership.ts';
import { lastSaid } from '#domain/provisioning/decide.ts';
import { isConnected, isPresent } from '#domain/provisioning/directory-picture.ts';
import type { OrganizationId, UserId } from '#domain/shared/ids.ts';
import type { Email } from '#domain/users/email.ts';

/**
 * Whether a directory governs this address here, so that no invitation lets it in: a connected one has the person, whatever it
 * says of them; or one spoke of them since that moment, if only to say that they left.
 */
export const directoryDecides = async (
  tx: Repositories,
  organizationId: OrganizationId,
  who: { readonly email: Email; readonly people: readonly UserId[] },
  since?: Date,
): Promise<boolean> => {
  const byAddress = await tx.directory.withEmail(organizationId, who.email);
  const linked = await tx.directory.recordsOf(organizationId, who.people);
  const records = [...byAddress, ...linked.filter(({ id }) => !byAddress.some((known) => known.id === id))];
  if (records.length === 0) return false;
  const picture = await tx.directory.pictureOf(organizationId, records);
  const connected = new Set(picture.directories.filter(isConnected).map(({ id }) => id));
  if (records.some((record) => isPresent(record) && connected.has(record.directoryId))) return true;
  return since !== undefined && lastSaid(picture, records) >= since;
};

/**
 * Takes up the open invitation of somebody who has proved to have this address, if there is one: they are a member afterwards,
 * with its role. For somebody who is in already it is only closed, and their role stays.
 *
 * @param at when they took it up: it must have been open then
 */
export const acceptInvitation = async (
  tx: Transaction,
  organizationId: OrganizationId,
  guest: { readonly userId: UserId; readonly email: Email },
  ids: Ids,
  at: Date,
): Promise<'joined' | 'was_in' | 'directory_decides' | 'none_open'> => {
  const { userId, email } = guest;
  const invitation = await tx.invitations.pendingTo(organizationId, email);
  if (!invitation?.isOpenAt(at)) return 'none_open';
  const standing = await tx.memberships.ofUser(organizationId, userId);
  const isIn = standing?.state.status === 'active';
  const { askedAt, role } = invitation.state;
  if (!isIn && (await directoryDecides(tx, organizationId, { email, people: [userId] }, askedAt))) {
    return 'directory_decides';
  }
  invitation.accept(userId, at);
  await tx.save(invitation);
  if (isIn) return 'was_in';
  await tx.save(Membership.grant({ id: ids.next('mem'), organizationId, userId, role, managedBy: 'hand', at }));
  return 'joined';
};

/** Ends the pending invitation to this address, if there is one. */
export const closeInvitation = async (
  tx: Transaction,
  organizationId: OrganizationId,
  email: Email,
  because: RevocationReason,
): Promise<void> => closeAll(tx, [await tx.invitations.pendingTo(organizationId, email)], because);

/** When somebody's access ends: an older invitation must not bring them back, nor let in whom they chose. */
export const closeInvitationsOfLeaver = async (
  tx: Transaction,
  organizationId: OrganizationId,
  userId: UserId,
): Promise<void> => {
  const user = await tx.users.get(userId);
  if (user) await closeInvitation(tx, organizationId, user.state.email, 'access_ended');
  await closeAll(tx, await tx.invitations.pendingBy(organizationId, userId), 'inviter_left');
};

const closeAll = async (
  tx: Transaction,
  invitations: readonly (Invitation | undefined)[],
  because: RevocationReason,
): Promise<void> => {
  for (const invitation of invitations) {
    if (!invitation) continue;
    invitation.revoke(because);
    await tx.save(invitation);
  }
};
