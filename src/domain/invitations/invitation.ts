// An invitation: an organization asks the person behind an e-mail address in, with a role, for seven days. Only that address can take it up.

import type { AssignableRole } from '#domain/memberships/role.ts';
import type { InvitationId, OrganizationId, UserId } from '#domain/shared/ids.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { earlier, secondsAfter } from '#domain/shared/time.ts';
import type { Email } from '#domain/users/email.ts';

/** How long an invitation is good, counted from the moment at which its mail went out (until then, from the asking). */
export const validDays = 7;

const endOfValidity = (from: Date): Date => secondsAfter(from, validDays * 24 * 3600);

/** Why nobody can take it up any more; shown in the audit trail. */
export type RevocationReason =
  | 'revoked_by_member'
  /** Whoever sent it has left: what a leaver began does not let in whom they chose. */
  | 'inviter_left'
  /** The invited person's access ended: an older invitation is no way back. */
  | 'access_ended'
  | 'directory_let_them_in'
  | 'provider_says_so';

export interface InvitationState {
  readonly id: InvitationId;
  readonly organizationId: OrganizationId;
  readonly email: Email;
  readonly role: AssignableRole;
  /** As it was last decided; that time ran out shows in `standingOf` only. */
  readonly status: 'pending' | 'accepted' | 'revoked' | 'expired';
  readonly invitedBy: UserId;
  /** When somebody last asked for it to be sent. */
  readonly askedAt: Date;
  /** When the provider sent the mail that was asked for; null until it has. */
  readonly sentAt: Date | null;
  readonly expiresAt: Date;
  readonly acceptedBy: UserId | null;
  /** The provider's name of it, once it was sent. */
  readonly provider: { readonly provider: string; readonly id: string } | null;
  readonly createdAt: Date;
  readonly version: number;
}

export type InvitationEvent =
  | { readonly type: 'invitation.sent' | 'invitation.expired'; readonly invitation: InvitationState }
  | {
      readonly type: 'invitation.resent' | 'invitation.accepted';
      readonly invitation: InvitationState;
      readonly before: InvitationState;
    }
  | {
      readonly type: 'invitation.revoked';
      readonly invitation: InvitationState;
      readonly before: InvitationState;
      readonly because: RevocationReason;
    };

/** What an invitation is at that moment. */
export const standingOf = (state: InvitationState, at: Date): InvitationState['status'] =>
  state.status === 'pending' && at >= state.expiresAt ? 'expired' : state.status;

export class Invitation {
  readonly kind = 'invitation';
  #state: InvitationState;
  #events: InvitationEvent[] = [];

  private constructor(state: InvitationState) {
    this.#state = state;
  }

  static send(facts: {
    id: InvitationId;
    organizationId: OrganizationId;
    email: Email;
    role: AssignableRole;
    invitedBy: UserId;
    at: Date;
  }): Invitation {
    const { at, ...rest } = facts;
    const invitation = new Invitation({
      ...rest,
      status: 'pending',
      askedAt: at,
      sentAt: null,
      expiresAt: endOfValidity(at),
      acceptedBy: null,
      provider: null,
      createdAt: at,
      version: 0,
    });
    invitation.#events.push({ type: 'invitation.sent', invitation: invitation.#state });
    return invitation;
  }

  static restore(state: InvitationState): Invitation {
    return new Invitation(state);
  }

  isOpenAt(moment: Date): boolean {
    return standingOf(this.#state, moment) === 'pending';
  }

  /**
   * Another mail and seven more days, also when the first seven are over. The mail before is forgotten.
   * @throws Refusal `invitation.accepted`, `invitation.not_open`
   */
  resend(by: UserId, at: Date): void {
    this.#refuseWhenClosed();
    const before = this.#state;
    const asked = { invitedBy: by, askedAt: at, sentAt: null, provider: null, expiresAt: endOfValidity(at) };
    this.#state = { ...before, ...asked };
    this.#events.push({ type: 'invitation.resent', invitation: this.#state, before });
  }

  /** The provider sent the mail. It ends here when it ends there, and never more than seven days after it was sent. */
  wasSent(provider: InvitationState['provider'], until: Date, at: Date): void {
    if (this.#state.status !== 'pending') return;
    this.#state = { ...this.#state, provider, sentAt: at, expiresAt: earlier(until, endOfValidity(at)) };
  }

  /**
   * Whether this person may is asked before; when it happened counts, not when we heard of it. Twice changes nothing.
   * @throws Refusal `invitation.not_open`
   */
  accept(by: UserId, at: Date): void {
    if (this.#state.status === 'accepted' && this.#state.acceptedBy === by) return;
    if (!this.isOpenAt(at)) throw new Refusal('invitation.not_open', { invitation: this.#state.id });
    const before = this.#state;
    this.#state = { ...before, status: 'accepted', acceptedBy: by };
    this.#events.push({ type: 'invitation.accepted', invitation: this.#state, before });
  }

  /**
   * Nobody can take it up any more. One that is not pending any more stays as it is.
   * @throws Refusal `invitation.accepted`: then there is a member, to be removed as members are
   */
  revoke(because: RevocationReason): void {
    if (this.#state.status === 'accepted') throw new Refusal('invitation.accepted', { invitation: this.#state.id });
    if (this.#state.status !== 'pending') return;
    const before = this.#state;
    this.#state = { ...before, status: 'revoked' };
    this.#events.push({ type: 'invitation.revoked', invitation: this.#state, before, because });
  }

  /** Writes down that its time ran out, which makes room for another one to the same address. */
  lapse(at: Date): void {
    if (this.#state.status !== 'pending' || this.isOpenAt(at)) return;
    this.#state = { ...this.#state, status: 'expired' };
    this.#events.push({ type: 'invitation.expired', invitation: this.#state });
  }

  #refuseWhenClosed(): void {
    const { status, id } = this.#state;
    if (status === 'accepted') throw new Refusal('invitation.accepted', { invitation: id });
    if (status !== 'pending') throw new Refusal('invitation.not_open', { invitation: id });
  }

  get state(): InvitationState {
    return this.#state;
  }
  pullEvents(): InvitationEvent[] {
    return this.#events.splice(0);
  }
}
