// What an access token of WorkOS proves: checked here, on every count, without asking WorkOS.

import { decodeJwt, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { z } from 'zod';
import type { SessionTokens, TokenClaims } from '#application/ports/identity-provider.ts';
import type { Clock, Log } from '#application/ports/system.ts';
import { Refusal } from '#domain/shared/refusal.ts';

/** How far WorkOS' clock and ours may differ, in seconds. */
const skewSeconds = 5;

/**
 * What a code or a refresh token consists of (RFC 6749 appendix A.11 and A.17). Anything else was never issued, and WorkOS need
 * not be asked: what its programs make of a stranger's odd bytes could look like an outage.
 */
export const couldBeIssued = (text: string): boolean => /^[\x20-\x7e]+$/.test(text) && text.trim() !== '';

const claimShape = z.object({
  iss: z.string(),
  sub: z.string().regex(/^user_\w{1,100}$/),
  sid: z.string().regex(/^session_\w{1,100}$/),
  client_id: z.string().optional(),
  aud: z.union([z.string(), z.array(z.string())]).optional(),
  org_id: z
    .string()
    .regex(/^org_\w{1,100}$/)
    .optional(),
  exp: z.number(),
  iat: z.number(),
  auth_time: z.number().optional().catch(undefined),
});

/** A token's claims, and when the person last proved who they are, if the token says so. */
export interface SignInClaims extends TokenClaims {
  readonly authenticatedAt: Date | undefined;
}

export interface WorkosTokens extends SessionTokens {
  /**
   * Reads a token that WorkOS has just handed to us over its own connection. Its signature proves nothing more than that
   * connection did (OpenID Connect Core §3.1.3.7, item 6), and asking for keys now could fail after the refresh token was spent.
   * @throws Refusal `identity.unavailable` when it is not a token that we would accept later; the log says why
   */
  justIssued(accessToken: string): SignInClaims;
}

export interface WorkosTokensOptions {
  readonly keys: JWTVerifyGetKey;
  readonly clientId: string;
  /** Compared exactly: WorkOS has environments with different issuers, some with a slash at the end. */
  readonly issuers: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
}

export const workosTokens = ({ keys, clientId, issuers, clock, log }: WorkosTokensOptions): WorkosTokens => {
  const saidIssuers = new Set<string>();

  /** Undefined when it is not ours. Call it only with what WorkOS has signed or handed out. */
  const claimsFrom = (payload: JWTPayload): SignInClaims | undefined => {
    const read = claimShape.safeParse(payload);
    if (!read.success) return undefined;
    const { iss, sub, sid, org_id, exp, auth_time, client_id, aud } = read.data;
    // WorkOS names the application in `client_id`; its older emulator only in the standard audience (RFC 7519 §4.1.3).
    if (client_id === undefined ? ![aud].flat().includes(clientId) : client_id !== clientId) return undefined;
    if (!issuers.includes(iss)) {
      if (!saidIssuers.has(iss) && saidIssuers.size < 10) {
        saidIssuers.add(iss);
        log.error('A token that WorkOS made for us names an issuer that is not configured. Check WORKOS_ISSUERS.', {
          iss,
        });
      }
      return undefined;
    }
    return {
      subject: sub,
      providerSession: sid,
      organization: org_id ?? null,
      expiresAt: new Date(exp * 1000),
      authenticatedAt: auth_time === undefined ? undefined : new Date(auth_time * 1000),
    };
  };

  return {
    async verify(accessToken) {
      const now = clock.now();
      try {
        const { payload } = await jwtVerify(accessToken, keys, {
          algorithms: ['RS256'],
          requiredClaims: ['iss', 'sub', 'sid', 'exp', 'iat'],
          clockTolerance: skewSeconds,
          currentDate: now,
        });
        const claims = claimsFrom(payload);
        const issuedAhead = Number(payload.iat) * 1000 - now.getTime() > skewSeconds * 1000;
        if (!claims || issuedAhead) throw new Refusal('session.token_invalid');
        const { subject, providerSession, organization, expiresAt } = claims;
        return { subject, providerSession, organization, expiresAt };
      } catch (thrown) {
        if (thrown instanceof errors.JWTExpired) throw new Refusal('session.token_expired');
        if (thrown instanceof errors.JOSEError) throw new Refusal('session.token_invalid');
        throw thrown;
      }
    },
    justIssued(accessToken) {
      const claims = claimsFrom(payloadOf(accessToken));
      if (claims) return claims;
      log.error('WorkOS issued a token that we would not accept. Check WORKOS_CLIENT_ID and WORKOS_ISSUERS.');
      throw new Refusal('identity.unavailable');
    },
  };
};

const payloadOf = (accessToken: string): JWTPayload => {
  try {
    return decodeJwt(accessToken);
  } catch {
    return {};
  }
};
