// A session: one person's signed-in time in one browser or client. It starts, slides with use, may switch organization, and ends for good.

import type { SessionPolicy } from '#domain/organizations/session-policy.ts';
import type { OrganizationId, SessionId, UserId } from '#domain/shared/ids.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { earlier, secondsAfter } from '#domain/shared/time.ts';

export type SessionEndReason =
  | 'signed_out'
  /** The same browser signed in anew. */
  | 'replaced'
  | 'revoked_by_self'
  | 'revoked_by_admin'
  | 'provider_ended'
  | 'membership_ended'
  | 'user_deleted'
  | 'organization_deleted'
  | 'expired';

export type SignInMethod = 'sso' | 'password' | 'other';

/** Somebody of the provider's staff (or the customer's support) acting as the person. */
export interface Impersonator {
  readonly email: string;
  readonly reason: string | null;
}

export interface SessionState {
  readonly id: SessionId;
  readonly userId: UserId;
  /** Null until the person has chosen or founded an organization. */
  readonly organizationId: OrganizationId | null;
  readonly provider: string;
  /** The provider's id for its side of the session (`sid` in its tokens). */
  readonly providerSession: string;
  /** SHA-256 of the reference in the cookie; the reference itself is nowhere in our storage. */
  readonly referenceDigest: string;
  readonly method: SignInMethod;
  readonly remembered: boolean;
  /** Window of inactivity in seconds, fixed at the start from the organization's policy. */
  readonly idleSeconds: number;
  readonly startedAt: Date;
  /** When the person last proved who they are; refreshing does not move it. */
  readonly authenticatedAt: Date;
  readonly lastSeenAt: Date;
  readonly absoluteExpiresAt: Date;
  readonly status: 'active' | 'ended';
  readonly endedAt: Date | null;
  readonly endReason: SessionEndReason | null;
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly impersonator: Impersonator | null;
  readonly version: number;
}

/** The moment at which the session ends by itself if it is not used again: the idle window, never past the cap. */
export const expiryOf = (session: Pick<SessionState, 'lastSeenAt' | 'idleSeconds' | 'absoluteExpiresAt'>): Date =>
  earlier(secondsAfter(session.lastSeenAt, session.idleSeconds), session.absoluteExpiresAt);

/** Deadlines are exclusive: at the very moment of expiry the session is over. */
export const isExpired = (session: Parameters<typeof expiryOf>[0], now: Date): boolean => now >= expiryOf(session);

export type SessionEvent =
  | { readonly type: 'session.started'; readonly session: SessionState }
  | { readonly type: 'session.switched'; readonly session: SessionState; readonly before: SessionState }
  | { readonly type: 'session.ended'; readonly session: SessionState; readonly because: SessionEndReason };

export class Session {
  readonly kind = 'session';
  #state: SessionState;
  #events: SessionEvent[] = [];

  private constructor(state: SessionState) {
    this.#state = state;
  }

  static start(facts: {
    id: SessionId;
    userId: UserId;
    organizationId: OrganizationId | null;
    provider: string;
    providerSession: string;
    referenceDigest: string;
    method: SignInMethod;
    remembered: boolean;
    policy: SessionPolicy;
    authenticatedAt: Date;
    ip: string | null;
    userAgent: string | null;
    impersonator: Impersonator | null;
    at: Date;
  }): Session {
    const session = new Session({
      id: facts.id,
      userId: facts.userId,
      organizationId: facts.organizationId,
      provider: facts.provider,
      providerSession: facts.providerSession,
      referenceDigest: facts.referenceDigest,
      method: facts.method,
      remembered: facts.remembered,
      idleSeconds: facts.remembered ? facts.policy.rememberedSeconds : facts.policy.idleSeconds,
      startedAt: facts.at,
      authenticatedAt: facts.authenticatedAt,
      lastSeenAt: facts.at,
      absoluteExpiresAt: secondsAfter(facts.at, facts.policy.absoluteSeconds),
      status: 'active',
      endedAt: null,
      endReason: null,
      ip: facts.ip,
      userAgent: facts.userAgent,
      impersonator: facts.impersonator,
      version: 0,
    });
    session.#events.push({ type: 'session.started', session: session.#state });
    return session;
  }

  static restore(state: SessionState): Session {
    return new Session(state);
  }

  /** Moves the session to another organization of the same person, under that organization's policy: no window grows past its start. */
  switchTo(organizationId: OrganizationId, policy: SessionPolicy): void {
    if (this.#state.status === 'ended') throw new Refusal('session.ended');
    const before = this.#state;
    if (before.organizationId === organizationId) return;
    this.#state = {
      ...before,
      organizationId,
      idleSeconds: before.remembered ? policy.rememberedSeconds : policy.idleSeconds,
      absoluteExpiresAt: earlier(secondsAfter(before.startedAt, policy.absoluteSeconds), before.absoluteExpiresAt),
    };
    this.#events.push({ type: 'session.switched', session: this.#state, before });
  }

  /** Ends it for good. Ending what has ended changes nothing. */
  end(because: SessionEndReason, at: Date): void {
    if (this.#state.status === 'ended') return;
    this.#state = { ...this.#state, status: 'ended', endedAt: at, endReason: because };
    this.#events.push({ type: 'session.ended', session: this.#state, because });
  }

  isOverAt(now: Date): boolean {
    return this.#state.status === 'ended' || isExpired(this.#state, now);
  }

  get state(): SessionState {
    return this.#state;
  }
  pullEvents(): SessionEvent[] {
    return this.#events.splice(0);
  }
}
