// An invitation by itself: for how long it is open, what ends it, and what it refuses.

import { describe, expect, it } from 'vitest';
import { Invitation, type InvitationState, standingOf } from '#domain/invitations/invitation.ts';
import { type ActingMember, mayInvite } from '#domain/memberships/ownership.ts';
import { assignableRoles } from '#domain/memberships/role.ts';
import { reasonOf } from '../support/refused.ts';
import { anEmail, anId, anInvitation, days, minute, monday } from '../support/words.ts';

const sent = (): Invitation =>
  Invitation.send({
    id: anId('inv'),
    organizationId: anId('org'),
    email: anEmail('guest@elsewhere.test'),
    role: 'analyst',
    invitedBy: anId('user'),
    at: monday,
  });
const with_ = (facts: Partial<InvitationState>): Invitation => Invitation.restore(anInvitation(facts));
const typesOf = (invitation: Invitation): readonly string[] => invitation.pullEvents().map(({ type }) => type);
const justBefore = (moment: Date): Date => new Date(moment.getTime() - 1);

describe('an invitation', () => {
  it('is open for seven days from the asking, and from the sending once it was sent', () => {
    const invitation = sent();
    expect(invitation.state).toEqual(anInvitation());
    expect([invitation.isOpenAt(justBefore(days(7))), invitation.isOpenAt(days(7))]).toEqual([true, false]);
    invitation.wasSent({ provider: 'fake', id: 'invitation_1' }, days(30), days(1));
    expect([invitation.isOpenAt(justBefore(days(8))), invitation.isOpenAt(days(8))]).toEqual([true, false]);
    expect(typesOf(invitation)).toEqual(['invitation.sent']);
  });

  it('ends earlier when it ends earlier at the provider', () => {
    const invitation = sent();
    invitation.wasSent({ provider: 'fake', id: 'invitation_1' }, days(3), monday);
    expect(standingOf(invitation.state, days(3))).toBe('expired');
  });

  it('was sent has no meaning for one that is not pending any more', () => {
    const revoked = with_({ status: 'revoked' });
    revoked.wasSent({ provider: 'fake', id: 'invitation_1' }, days(3), monday);
    expect(revoked.state).toEqual(anInvitation({ status: 'revoked' }));
  });

  it('is accepted once, by one person, while it is open', () => {
    const invitation = sent();
    invitation.accept(anId('user', 2), minute(5));
    invitation.accept(anId('user', 2), days(9));
    expect(invitation.state).toMatchObject({ status: 'accepted', acceptedBy: anId('user', 2) });
    expect(typesOf(invitation)).toEqual(['invitation.sent', 'invitation.accepted']);
    expect(reasonOf(() => invitation.accept(anId('user', 3), minute(6)))).toBe('invitation.not_open');
    expect(reasonOf(() => sent().accept(anId('user', 2), days(7)))).toBe('invitation.not_open');
  });

  it('is sent again for seven more days, by whoever asks, also after its time; the mail before is forgotten', () => {
    const invitation = with_({ sentAt: monday, provider: { provider: 'fake', id: 'invitation_1' } });
    invitation.resend(anId('user', 9), days(8));
    expect(invitation.state).toEqual(
      anInvitation({ invitedBy: anId('user', 9), askedAt: days(8), expiresAt: days(15), createdAt: monday }),
    );
    expect(typesOf(invitation)).toEqual(['invitation.resent']);
  });

  it.each([
    ['accepted', 'invitation.accepted'],
    ['revoked', 'invitation.not_open'],
    ['expired', 'invitation.not_open'],
  ] as const)('that is %s is not sent again', (status, reason) => {
    expect(reasonOf(() => with_({ status }).resend(anId('user'), monday))).toBe(reason);
  });

  it('is revoked once, with the reason; what is over stays as it is, and what was accepted is refused', () => {
    const invitation = sent();
    invitation.revoke('inviter_left');
    invitation.revoke('revoked_by_member');
    const [, revoked, ...others] = invitation.pullEvents();
    expect([revoked, others]).toMatchObject([{ type: 'invitation.revoked', because: 'inviter_left' }, []]);
    expect(invitation.isOpenAt(monday)).toBe(false);
    const expired = with_({ status: 'expired' });
    expired.revoke('revoked_by_member');
    expect([expired.state.status, expired.pullEvents()]).toEqual(['expired', []]);
    expect(reasonOf(() => with_({ status: 'accepted' }).revoke('inviter_left'))).toBe('invitation.accepted');
  });

  it('lapses only when its time has run out', () => {
    const invitation = sent();
    invitation.lapse(justBefore(days(7)));
    expect(invitation.state.status).toBe('pending');
    invitation.lapse(days(7));
    invitation.lapse(days(8));
    expect(invitation.state.status).toBe('expired');
    expect(typesOf(invitation)).toEqual(['invitation.sent', 'invitation.expired']);
  });
});

describe('whoever invites', () => {
  it('must be the owner to invite an admin; for every other role an admin is enough', () => {
    const [owner, admin] = (['owner', 'admin'] as const).map((role): ActingMember => ({ userId: anId('user'), role }));
    for (const role of assignableRoles) {
      if (owner) expect([role, reasonOf(() => mayInvite(owner, role))]).toEqual([role, 'allowed']);
      const verdict = role === 'admin' ? 'membership.only_owner_makes_admins' : 'allowed';
      if (admin) expect([role, reasonOf(() => mayInvite(admin, role))]).toEqual([role, verdict]);
    }
  });
});
