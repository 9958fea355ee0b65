// The port's invitations, kept by the fake world: its mails lie in a mailbox that everybody may look into.

import type { FakeWorld } from '#adapters/identity/fake/world.ts';
import type { FakeInvitation } from '#adapters/identity/fake/world-state.ts';
import type { InvitationPost, SentInvitation } from '#application/ports/identity-provider.ts';

const sent = ({ id, expiresAt }: FakeInvitation): SentInvitation => ({ ref: id, expiresAt: new Date(expiresAt) });

/**
 * @param reach what every call that would cross the network goes through
 */
export const fakeInvitationPost = (world: FakeWorld, reach: () => Promise<void>): InvitationPost => ({
  async send({ organization, email, days, askedAt, inviter }) {
    await reach();
    const pending = world.invitations.pendingTo(organization, email);
    const current = pending.find(({ createdAt }) => new Date(createdAt) >= askedAt);
    for (const one of pending) if (one !== current) await world.invitations.revoke(one);
    if (current) return sent(current);
    const members = world.organizations.membersOf(organization);
    if (members.some((member) => member.email === email)) return 'member';
    return sent(await world.invitations.send({ organization, email, days, inviter }));
  },
  async withdraw({ organization, email }) {
    await reach();
    for (const one of world.invitations.pendingTo(organization, email)) await world.invitations.revoke(one);
  },
});
