// What a standing proves: from rows read at one moment to a caller, or to the reason why not.

import type { KeyStanding, SessionStanding } from '#application/ports/read-models.ts';
import type { AgentCaller, UserCaller } from '#domain/access/caller.ts';
import { scopesOf } from '#domain/memberships/role.ts';
import { isExpired } from '#domain/sessions/session.ts';
import { Refusal } from '#domain/shared/refusal.ts';

/** A session that was good when it was read. `lastSeenAt` moves with use, so that the idle window slides without a read. */
export interface SessionProof {
  readonly caller: UserCaller;
  readonly provider: string;
  readonly providerSession: string;
  readonly subject: string;
  /** How the provider calls the organization; compared with what a token claims. */
  readonly organizationRef: string | null;
  readonly idleSeconds: number;
  readonly absoluteExpiresAt: Date;
  readonly startedAt: Date;
  lastSeenAt: Date;
}

export interface KeyProof {
  readonly caller: AgentCaller;
  readonly expiresAt: Date | null;
  readonly ipAllowlist: readonly string[];
}

/**
 * @throws Refusal `session.ended`, `session.expired`, `user.not_active`, `organization.not_active`, `membership.not_active`
 */
export const sessionProof = ({ session, user, membership, organization }: SessionStanding, now: Date): SessionProof => {
  if (session.status !== 'active') throw new Refusal('session.ended');
  if (isExpired(session, now)) throw new Refusal('session.expired');
  if (user.status !== 'active') throw new Refusal('user.not_active');
  if (session.organizationId !== null) {
    if (organization?.status !== 'active') throw new Refusal('organization.not_active');
    if (membership?.status !== 'active') throw new Refusal('membership.not_active');
  }
  const role = membership?.role ?? null;
  return {
    caller: {
      kind: 'user',
      id: user.id,
      organizationId: session.organizationId,
      role,
      scopes: role ? scopesOf(role) : [],
      sessionId: session.id,
      impersonator: session.impersonator,
    },
    provider: session.provider,
    providerSession: session.providerSession,
    subject: user.identities.find(({ provider }) => provider === session.provider)?.subject ?? '',
    organizationRef: organization?.provider?.provider === session.provider ? organization.provider.id : null,
    idleSeconds: session.idleSeconds,
    absoluteExpiresAt: session.absoluteExpiresAt,
    startedAt: session.startedAt,
    lastSeenAt: session.lastSeenAt,
  };
};

/**
 * @throws Refusal `api_key.revoked`, `agent.not_active`, `organization.not_active`
 */
export const keyProof = ({ key, agent, organization }: KeyStanding): KeyProof => {
  if (key.status === 'revoked') throw new Refusal('api_key.revoked');
  if (key.status === 'expired') throw new Refusal('api_key.expired');
  if (agent.status !== 'active') throw new Refusal('agent.not_active');
  if (organization.status !== 'active') throw new Refusal('organization.not_active');
  return {
    caller: {
      kind: 'agent',
      id: agent.id,
      organizationId: key.organizationId,
      scopes: key.scopes,
      mode: key.mode,
      apiKeyId: key.id,
    },
    expiresAt: key.expiresAt,
    ipAllowlist: key.ipAllowlist,
  };
};
