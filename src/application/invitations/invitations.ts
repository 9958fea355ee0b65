// What an organization's people managers do about invitations: send one, look at them, send it again, take it back.

import { acting, actingOnce, permitted } from '#application/access/permitted.ts';
import { directoryDecides } from '#application/invitations/accept.ts';
import type { InvitationUseCases, Invite } from '#application/invitations/invitation-use-cases.ts';
import type { ReadModels } from '#application/ports/read-models.ts';
import type { Clock, Ids } from '#application/ports/system.ts';
import type { Transaction, UnitOfWork } from '#application/unit-of-work.ts';
import { asPerson, type CallerIn } from '#domain/access/caller.ts';
import { Invitation, type InvitationState, standingOf } from '#domain/invitations/invitation.ts';
import { type ActingMember, mayInvite } from '#domain/memberships/ownership.ts';
import type { InvitationId, OrganizationId } from '#domain/shared/ids.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { type Email, parseEmail } from '#domain/users/email.ts';

export const invite =
  (uow: UnitOfWork, clock: Clock, ids: Ids): Invite =>
  async (caller, { organizationId, email: text, role }, source) =>
    actingOnce(uow, caller, organizationId, 'users:manage', source, async (tx, inside) => {
      const email = parseEmail(text);
      if (!email) throw new Refusal('request.invalid', { issues: ['email: is not an e-mail address'] });
      const actor = actorIn(inside);
      mayInvite(actor, role);
      await refuseMembers(tx, organizationId, email);
      const at = clock.now();
      const earlier = await tx.invitations.pendingTo(organizationId, email);
      if (earlier?.isOpenAt(at)) throw new Refusal('invitation.already_sent', { invitation: earlier.state.id });
      earlier?.lapse(at);
      if (earlier) await tx.save(earlier);
      const facts = { id: ids.next('inv'), organizationId, email, role, invitedBy: actor.userId, at };
      const invitation = Invitation.send(facts);
      await tx.save(invitation);
      return invitation.state;
    });

export const listInvitations =
  (readModels: ReadModels, clock: Clock): InvitationUseCases['listInvitations'] =>
  async (caller, organizationId, { status }, page) => {
    permitted(caller, organizationId, 'users:manage');
    const at = clock.now();
    const { items, next } = await readModels.invitations(organizationId, { status, at }, page);
    return { items: items.map((state) => asItStands(state, at)), next };
  };

export const resendInvitation =
  (uow: UnitOfWork, clock: Clock): InvitationUseCases['resendInvitation'] =>
  async (caller, organizationId, id, source) =>
    actingOnce(uow, caller, organizationId, 'users:manage', source, async (tx, inside) => {
      const invitation = await invitationOf(tx, organizationId, id);
      const actor = actorIn(inside);
      mayInvite(actor, invitation.state.role);
      invitation.resend(actor.userId, clock.now());
      await refuseMembers(tx, organizationId, invitation.state.email);
      await tx.save(invitation);
      return invitation.state;
    });

export const revokeInvitation =
  (uow: UnitOfWork, clock: Clock): InvitationUseCases['revokeInvitation'] =>
  async (caller, organizationId, id, source) =>
    acting(uow, caller, organizationId, 'users:manage', source, async (tx, inside) => {
      const invitation = await invitationOf(tx, organizationId, id);
      mayInvite(actorIn(inside), invitation.state.role);
      invitation.lapse(clock.now());
      invitation.revoke('revoked_by_member');
      await tx.save(invitation);
    });

/** An agent cannot: an invitation is answered for by somebody who can be asked. */
const actorIn = (caller: CallerIn): ActingMember => {
  const { id: userId, role } = asPerson(caller);
  return { userId, role };
};

const asItStands = (state: InvitationState, at: Date): InvitationState => ({ ...state, status: standingOf(state, at) });

const invitationOf = async (tx: Transaction, organizationId: OrganizationId, id: InvitationId): Promise<Invitation> => {
  const invitation = await tx.invitations.get(organizationId, id);
  if (!invitation) throw new Refusal('invitation.not_found');
  return invitation;
};

/** Who is in needs none, and about whom a directory names it decides (0004): an invitation is no way around it. */
const refuseMembers = async (tx: Transaction, organizationId: OrganizationId, email: Email): Promise<void> => {
  const people = (await tx.users.byEmail(email)).map(({ state }) => state.id);
  const standings = await tx.memberships.ofUsers(organizationId, people);
  if (standings.some(({ state }) => state.status === 'active')) throw new Refusal('invitation.already_member');
  if (await directoryDecides(tx, organizationId, { email, people })) throw new Refusal('invitation.directory_decides');
};
