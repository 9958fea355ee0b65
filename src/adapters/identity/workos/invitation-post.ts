// Invitations at WorkOS: it sends the mail and proves the mailbox. Brought about by looking first, so that repeats end alike.

import type { Invitation, OrganizationMembership } from '@workos-inc/node';
import { type WorkosNo, whenNo } from '#adapters/identity/workos/failures.ts';
import type { Lane } from '#adapters/identity/workos/transport.ts';
import type { InvitationPost, SentInvitation } from '#application/ports/identity-provider.ts';

type Wanted = Parameters<InvitationPost['send']>[0];
type Address = Parameters<InvitationPost['withdraw']>[0];

/** Its token and its link are left behind: who has them could take the mailbox's part. */
const sent = ({ id, expiresAt }: Invitation): SentInvitation => ({ ref: id, expiresAt: new Date(expiresAt) });

export const invitationPost = ({ lane }: { readonly lane: Lane }): InvitationPost => {
  /** Newest first. All states are listed; only what is pending can be taken up. */
  const pendingOf = async ({ organization, email }: Address): Promise<readonly Invitation[]> => {
    const asked = { organizationId: organization, email, limit: 100, order: 'desc' } as const;
    const { data } = await lane.ask('list the invitations of an address', ({ userManagement }) =>
      userManagement.listInvitations(asked),
    );
    return data.filter(({ state }) => state === 'pending');
  };

  const revoke = async (invitation: Invitation, address: Address): Promise<void> => {
    // Taken up, taken back or run out meanwhile: then it is open no more, which is all that was wanted.
    const look = async (no: unknown): Promise<void> => {
      if ((await pendingOf(address)).some(({ id }) => id === invitation.id)) throw no;
    };
    await lane
      .ask('revoke an invitation', ({ userManagement }) => userManagement.revokeInvitation(invitation.id))
      .then(() => undefined)
      .catch(whenNo<Promise<void>>({ conflict: look, invalid: look, not_found: look }));
  };

  /** The role goes unsaid: roles are decided here, not there. */
  const post = ({ organization, email, days, inviter }: Wanted): Promise<Invitation> =>
    lane.ask('send an invitation', ({ userManagement }) =>
      userManagement.sendInvitation({
        organizationId: organization,
        email,
        expiresInDays: days,
        ...(inviter !== null && { inviterUserId: inviter }),
      }),
    );

  const membershipsOf = async ({ organization, email }: Address): Promise<readonly OrganizationMembership[]> => {
    const users = await lane.ask(
      'find a user by address',
      async ({ userManagement }) => (await userManagement.listUsers({ email, limit: 100 })).data,
    );
    const statuses: OrganizationMembership['status'][] = ['active', 'inactive', 'pending'];
    const all = await Promise.all(
      users.map(({ id: userId }) =>
        lane.ask('list the memberships of a user', async ({ userManagement }) => {
          const asked = { organizationId: organization, userId, statuses, limit: 100 };
          return (await userManagement.listOrganizationMemberships(asked)).data;
        }),
      ),
    );
    return all.flat();
  };

  /** WorkOS says "already": invited by somebody who was faster, or a member, or one who was deactivated when they left us. */
  const already =
    (wanted: Wanted, mayClear: boolean) =>
    async (no: WorkosNo): Promise<SentInvitation | 'member'> => {
      const [newest] = await pendingOf(wanted);
      if (newest) return sent(newest);
      const memberships = await membershipsOf(wanted);
      if (memberships.some(({ status, directoryManaged }) => status === 'active' || directoryManaged)) return 'member';
      if (memberships.length === 0 || !mayClear) throw no;
      // What remained of their former membership stands in the way of a new one.
      for (const { id } of memberships) {
        await lane
          .ask('delete a former membership', ({ userManagement }) => userManagement.deleteOrganizationMembership(id))
          .catch(whenNo<void>({ not_found: () => undefined }));
      }
      return post(wanted)
        .then(sent)
        .catch(whenNo<Promise<SentInvitation | 'member'>>({ conflict: already(wanted, false) }));
    };

  return {
    async send(wanted) {
      const pending = await pendingOf(wanted);
      // Sent for this very asking by an attempt whose answer was lost.
      const current = pending.find(({ createdAt }) => new Date(createdAt) >= wanted.askedAt);
      // Replaced rather than resent: a resent invitation keeps its old end, and its old link.
      for (const one of pending) if (one !== current) await revoke(one, wanted);
      if (current) return sent(current);
      return post(wanted)
        .catch(
          whenNo<Promise<Invitation>>({
            // Whoever invites may be unknown there by now; then the mail names nobody.
            not_found: (no) => (wanted.inviter === null ? Promise.reject(no) : post({ ...wanted, inviter: null })),
          }),
        )
        .then(sent)
        .catch(whenNo<Promise<SentInvitation | 'member'>>({ conflict: already(wanted, true) }));
    },

    async withdraw(address) {
      for (const invitation of await pendingOf(address)) await revoke(invitation, address);
    },
  };
};
