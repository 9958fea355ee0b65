// Who a credential belongs to, right now: the question that is asked on every request.

import type { Activity } from '#application/access/activity.ts';
import { keyProof, type SessionProof, sessionProof } from '#application/access/proofs.ts';
import type { CallerCache } from '#application/ports/caller-cache.ts';
import type { IdentityProvider } from '#application/ports/identity-provider.ts';
import type { SessionStanding, Standings } from '#application/ports/read-models.ts';
import type { Clock, Digest, Networks } from '#application/ports/system.ts';
import type { UnitOfWork } from '#application/unit-of-work.ts';
import type { AuthenticateCaller } from '#application/use-cases.ts';
import { ApiKeySecret } from '#domain/access/api-key-secret.ts';
import type { Caller } from '#domain/access/caller.ts';
import { isExpired, type SessionEndReason } from '#domain/sessions/session.ts';
import type { SessionId } from '#domain/shared/ids.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { secondsAfter } from '#domain/shared/time.ts';

/** How long a verified token's signature is remembered; the token's own expiry is compared on every request. */
const tokenSeconds = 300;

const later = (a: Date, b: Date | undefined): Date => (b && b > a ? b : a);

export interface AuthenticationParts {
  readonly standings: Standings;
  readonly provider: IdentityProvider;
  readonly cache: CallerCache;
  readonly activity: Activity;
  readonly uow: UnitOfWork;
  readonly clock: Clock;
  readonly digest: Digest;
  readonly networks: Networks;
  /** For how many seconds an answer is trusted without asking again; 0 asks every time. */
  readonly trustSeconds: number;
}

export const authenticateCaller = (parts: AuthenticationParts): AuthenticateCaller => {
  const { standings, provider, cache, activity, clock, digest, networks, trustSeconds } = parts;

  return async (credential, from) => {
    switch (credential.kind) {
      case 'api_key':
        return byApiKey(credential.text, from.ip);
      case 'session_reference': {
        const key = digest.sha256(credential.reference);
        return bySession(`session ${key}`, () => standings.ofSessionReference(key));
      }
      case 'session_token':
        return byToken(credential.token);
    }
  };

  async function byApiKey(text: string, ip: string | null): Promise<Caller> {
    const secret = ApiKeySecret.parse(text, digest.crc32);
    const digests = digest.peppered(secret.reveal());
    const { caller, expiresAt, ipAllowlist } = await cache.through(`key ${digests[0]}`, async () => {
      const standing = await standings.ofApiKey(digests);
      if (!standing) throw new Refusal('api_key.unknown');
      const proof = keyProof(standing);
      return {
        value: proof,
        reliesOn: [proof.caller.apiKeyId, proof.caller.id, proof.caller.organizationId],
        seconds: trustSeconds,
      };
    });
    const now = clock.now();
    if (expiresAt && now >= expiresAt) throw new Refusal('api_key.expired');
    if (ipAllowlist.length > 0 && !(ip && networks.contains(ipAllowlist, ip))) {
      throw new Refusal('api_key.address_not_allowed');
    }
    activity.used(caller.apiKeyId, now);
    return caller;
  }

  async function byToken(token: string): Promise<Caller> {
    const verify = async () => ({
      value: await provider.tokens.verify(token),
      reliesOn: [],
      seconds: tokenSeconds,
    });
    const claims = await cache.through(`token ${digest.sha256(token)}`, verify, 'node');
    if (clock.now() >= claims.expiresAt) throw new Refusal('session.token_expired');
    const key = `provider-session ${provider.name} ${claims.providerSession}`;
    const proof = await liveProof(key, () => standings.ofProviderSession(provider.name, claims.providerSession));
    if (proof.subject !== claims.subject) throw new Refusal('session.token_invalid');
    if (proof.organizationRef !== claims.organization) throw new Refusal('session.organization_changed');
    return proof.caller;
  }

  async function bySession(key: string, read: () => Promise<SessionStanding | undefined>): Promise<Caller> {
    return (await liveProof(key, read)).caller;
  }

  /** A proof whose idle window slides with this very use, and which the provider confirmed within the trusted time. */
  async function liveProof(key: string, read: () => Promise<SessionStanding | undefined>): Promise<SessionProof> {
    const prove = () => cache.through(key, () => proofOf(read));
    let proof = await prove();
    if (isExpired(proof, clock.now())) {
      // Perhaps another node saw the person since; only the database knows.
      await cache.forget([proof.caller.sessionId]);
      proof = await prove();
    }
    await confirmed(proof);
    const now = clock.now();
    proof.lastSeenAt = now;
    activity.seen(proof.caller.sessionId, now);
    return proof;
  }

  async function proofOf(read: () => Promise<SessionStanding | undefined>) {
    const standing = await read();
    if (!standing) throw new Refusal('session.unknown');
    const { session } = standing;
    // The row lags behind by what is not written down yet: a person in the middle of their work must not expire.
    const lastSeenAt = later(session.lastSeenAt, activity.sightingOf(session.id));
    try {
      const proof = sessionProof({ ...standing, session: { ...session, lastSeenAt } }, clock.now());
      const { id, sessionId, organizationId } = proof.caller;
      return {
        value: proof,
        reliesOn: organizationId ? [sessionId, id, organizationId] : [sessionId, id],
        seconds: trustSeconds,
      };
    } catch (refusal) {
      if (refusal instanceof Refusal && refusal.reason === 'session.expired') await end(session.id, 'expired');
      throw refusal;
    }
  }

  /** Asks the provider whether its side still lives, unless it said so (or signed the person in) within the trusted time. */
  async function confirmed(proof: SessionProof): Promise<void> {
    const { sessionId } = proof.caller;
    if (clock.now() < secondsAfter(proof.startedAt, trustSeconds)) return;
    await cache.through(`alive ${sessionId}`, async () => {
      if (!(await provider.sessions.isAlive(proof))) {
        await end(sessionId, 'provider_ended');
        throw new Refusal('session.ended');
      }
      return { value: true, reliesOn: [sessionId], seconds: spread(sessionId) };
    });
  }

  /** Up to a tenth less than the trusted time, each session its own: after a deployment they do not all ask the provider at once. */
  function spread(sessionId: SessionId): number {
    const fraction = Number.parseInt(digest.sha256(sessionId).slice(0, 8), 16) / 0xffffffff;
    return Math.floor(trustSeconds * (1 - fraction / 10));
  }

  function end(sessionId: SessionId, because: SessionEndReason): Promise<void> {
    const act = {
      actor: { kind: 'system', id: null },
      source: { via: 'http', ip: null, userAgent: null, requestId: null },
    } as const;
    return parts.uow.run({ across: 'own_session' }, act, async (tx) => {
      const session = await tx.sessions.get(sessionId);
      if (!session) return;
      session.end(because, clock.now());
      await tx.save(session);
    });
  }
};
