// Invitations of the fake world, and the mailbox in which they arrive: nobody here has a real one.

import { randomBytes } from 'node:crypto';
import type { Journal } from '#adapters/identity/fake/journal.ts';
import { enlist } from '#adapters/identity/fake/ripples.ts';
import { invitationOnWire, userOnWire } from '#adapters/identity/fake/wire-payloads.ts';
import { addressFrom, organizationIn } from '#adapters/identity/fake/world-complaint.ts';
import type { FakeInvitation, FakeOrganization, Person } from '#adapters/identity/fake/world-state.ts';

const daySeconds = 24 * 3600;

/** What an invitation is now: time runs out by itself. */
export const invitationState = (journal: Journal, invitation: FakeInvitation): FakeInvitation['state'] | 'expired' =>
  invitation.state === 'pending' && journal.now() >= invitation.expiresAt ? 'expired' : invitation.state;

/** Undefined when no mail ever had this token in it. */
export const invitationBehind = (journal: Journal, token: string | undefined): FakeInvitation | undefined =>
  token === undefined ? undefined : journal.state.invitations.find((invitation) => invitation.token === token);

/** Whether this link still leads in; for whoever took it up already it does, as for anybody who clicks twice. */
export const isGood = (journal: Journal, invitation: FakeInvitation): boolean =>
  ['pending', 'accepted'].includes(invitationState(journal, invitation));

/** The person followed the link and signed in: who reads the mailbox has the address, and is on the list of members now. */
export const takeUp = (
  journal: Journal,
  invitation: FakeInvitation,
  person: Person,
  organization: FakeOrganization,
): void => {
  if (invitationState(journal, invitation) !== 'pending') return;
  Object.assign(invitation, { state: 'accepted', acceptedAt: journal.now(), acceptedBy: person.subject });
  invitation.updatedAt = journal.now();
  if (!person.emailVerified) {
    Object.assign(person, { emailVerified: true, updatedAt: journal.now() });
    const context = { previous_attributes: { email_verified: false } };
    journal.sayLater({ name: 'user.updated', data: userOnWire(person), context });
  }
  journal.sayLater({ name: 'invitation.accepted', data: invitationOnWire(invitation, 'accepted') });
  enlist(journal, person, organization, 'member');
};

export class FakeInvitations {
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** Oldest first, whatever became of them. */
  all(): readonly FakeInvitation[] {
    return this.#journal.state.invitations;
  }

  stateOf(invitation: FakeInvitation): FakeInvitation['state'] | 'expired' {
    return invitationState(this.#journal, invitation);
  }

  /** The invitation whose link was followed. */
  behind(token: string | undefined): FakeInvitation | undefined {
    return invitationBehind(this.#journal, token);
  }

  isGood(invitation: FakeInvitation): boolean {
    return isGood(this.#journal, invitation);
  }

  pendingTo(organization: string, email: string): readonly FakeInvitation[] {
    return this.all().filter(
      (one) => one.organization === organization && one.email === email && this.stateOf(one) === 'pending',
    );
  }

  /** Puts a mail into the mailbox of that address. */
  async send(facts: {
    readonly organization: string;
    readonly email: string;
    readonly days: number;
    readonly inviter: string | null;
  }): Promise<FakeInvitation> {
    const invitation: FakeInvitation = {
      id: this.#journal.id('invitation'),
      organization: organizationIn(this.#journal.state, facts.organization).ref,
      email: addressFrom(facts.email),
      inviter: facts.inviter,
      token: randomBytes(18).toString('base64url'),
      state: 'pending',
      expiresAt: this.#journal.secondsFromNow(facts.days * daySeconds),
      acceptedAt: null,
      acceptedBy: null,
      revokedAt: null,
      ...this.#journal.born(),
    };
    this.#journal.state.invitations.push(invitation);
    this.#journal.sayLater({ name: 'invitation.created', data: invitationOnWire(invitation, 'pending') });
    await this.#journal.saved();
    return invitation;
  }

  /** One that is not open any more is left alone. */
  async revoke(invitation: FakeInvitation): Promise<void> {
    if (this.stateOf(invitation) !== 'pending') return;
    Object.assign(invitation, { state: 'revoked', revokedAt: this.#journal.now(), updatedAt: this.#journal.now() });
    this.#journal.sayLater({ name: 'invitation.revoked', data: invitationOnWire(invitation, 'revoked') });
    await this.#journal.saved();
  }
}
