// Brings the provider's invitations to one address in line with ours: sends the mail of the open one, or takes back what is open there.

import type { IdentityProvider } from '#application/ports/identity-provider.ts';
import type { Store } from '#application/ports/store.ts';
import type { Clock, Log } from '#application/ports/system.ts';
import type { Act, UnitOfWork } from '#application/unit-of-work.ts';
import { type InvitationState, validDays } from '#domain/invitations/invitation.ts';
import type { InvitationId, OrganizationId } from '#domain/shared/ids.ts';

const act: Act = {
  actor: { kind: 'system', id: null },
  source: { via: 'job', ip: null, userAgent: null, requestId: null },
};

/**
 * By what is true now, not by what was true when it was written down: repeats and disorder end alike. The invitation only says
 * which address is meant; what counts is the one that is open for that address when this runs.
 */
export const alignInvitation = (
  store: Store,
  uow: UnitOfWork,
  provider: IdentityProvider,
  clock: Clock,
  log: Log,
): ((organizationId: OrganizationId, invitationId: InvitationId) => Promise<void>) => {
  return async (organizationId, invitationId) => {
    const now = await store.transact(organizationId, async (tx) => {
      const meant = await tx.invitations.get(organizationId, invitationId);
      const pending = meant && (await tx.invitations.pendingTo(organizationId, meant.state.email));
      const inviter = pending && (await tx.users.get(pending.state.invitedBy));
      return {
        organization: (await tx.organizations.get(organizationId))?.state,
        email: meant?.state.email,
        open: pending?.isOpenAt(clock.now()) ? pending.state : undefined,
        inviter: inviter?.state.identities.find((identity) => identity.provider === provider.name)?.subject ?? null,
      };
    });
    if (now.email === undefined || now.organization?.status !== 'active') return;
    const ref = now.organization.provider;
    if (ref === null) throw new Error('the organization is not registered at the provider yet');
    if (ref.provider !== provider.name) return;
    if (!now.open) return provider.invitations.withdraw({ organization: ref.id, email: now.email });
    // Sent already, for this very asking: it was carried out before.
    if (now.open.sentAt !== null) return;
    await send(now.open, ref.id, now.inviter);
  };

  async function send(open: InvitationState, organization: string, inviter: string | null): Promise<void> {
    const { id, organizationId, email, askedAt } = open;
    const sent = await provider.invitations.send({ organization, email, days: validDays, askedAt, inviter });
    if (sent === 'member') {
      log.info('the provider counts the invited person in already; they sign in without a mail', { invitation: id });
      return;
    }
    const stillOpen = await uow.run(organizationId, act, async (tx) => {
      const ours = await tx.invitations.get(organizationId, id);
      if (ours?.state.status !== 'pending') return false;
      // Asked for once more while the mail was on its way: that asking has an effect of its own.
      if (ours.state.askedAt.getTime() !== askedAt.getTime()) return true;
      ours.wasSent({ provider: provider.name, id: sent.ref }, sent.expiresAt, clock.now());
      await tx.save(ours);
      return true;
    });
    // Taken back while the mail went out. If it was accepted instead, there is nothing left to take back.
    if (!stillOpen) await provider.invitations.withdraw({ organization, email });
  }
};
