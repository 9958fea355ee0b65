// Signing in: the browser goes to AuthKit's hosted page and comes back with a code, and the code becomes a proven person.

import type { AuthenticationResponse, WorkOS } from '@workos-inc/node';
import { type WorkosNo, whenNo } from '#adapters/identity/workos/failures.ts';
import { couldBeIssued, type WorkosTokens } from '#adapters/identity/workos/session-tokens.ts';
import type { Transport } from '#adapters/identity/workos/transport.ts';
import type { HostedLogin, ProvenIdentity } from '#application/ports/identity-provider.ts';
import type { Clock } from '#application/ports/system.ts';
import type { SignInMethod } from '#domain/sessions/session.ts';
import { Refusal } from '#domain/shared/refusal.ts';

export interface HostedLoginParts {
  readonly transport: Transport;
  readonly tokens: WorkosTokens;
  readonly clock: Clock;
}

type Proof = Parameters<HostedLogin['redeem']>[0];

export const hostedLogin = ({ transport, tokens, clock }: HostedLoginParts): HostedLogin => ({
  async urlFor({ state, redirectUri, codeChallenge, organization, loginHint, connection, invitationToken }) {
    // AuthKit's page, also when the organization is known: it applies that organization's rules and leads on to its SSO. A
    // connection that is named is entered directly; WorkOS takes either of them, not both.
    const where =
      connection === undefined
        ? { provider: 'authkit', ...(organization !== undefined && { organizationId: organization }) }
        : { connectionId: connection };
    return transport.addresses.getAuthorizationUrl({
      ...where,
      redirectUri,
      state,
      codeChallenge,
      codeChallengeMethod: 'S256',
      ...(loginHint !== undefined && { loginHint }),
      ...(invitationToken !== undefined && { invitationToken }),
    });
  },

  async redeem(proof) {
    const { code, codeVerifier, invitationToken } = proof;
    const invitation = invitationToken === undefined ? {} : { invitationToken };
    // The SDK takes a blank verifier for a mistake of ours.
    if (!couldBeIssued(code) || codeVerifier.trim() === '') return undefined;
    const answered = await transport.interactive
      .ask('redeem a code', ({ userManagement }) =>
        userManagement.authenticateWithCode({ code, codeVerifier, ...invitation, ...whereFrom(proof) }),
      )
      .catch(
        whenNo<Promise<AuthenticationResponse | undefined> | undefined>({
          ...notGood,
          selection_required: (no) => choosing(transport, proof, no),
          ...letNobodyIn,
        }),
      );
    return answered && identityFrom(answered, tokens, clock);
  },
});

/** Spent, too old, or never a code at all: whatever a stranger puts into the callback is a no and no fault. */
const notGood = { over: () => undefined, invalid: () => undefined, not_found: () => undefined };

const denied = (no: WorkosNo): never => {
  throw new Refusal('sign_in.denied', { provider_error: no.facts.code ?? no.kind });
};

/** Its own pages ask for all that is missing, so a code that comes with more questions is a sign-in that failed. */
const letNobodyIn = { denied, interaction_required: denied, not_a_member: denied, forbidden: denied };

const whereFrom = ({ ip, userAgent }: Proof): { ipAddress?: string; userAgent?: string } => ({
  ...(ip !== null && { ipAddress: ip }),
  ...(userAgent !== null && { userAgent }),
});

/**
 * AuthKit's page lets the person choose, so this is met only when the page was passed by (a direct connection). The
 * organization that the sign-in was for, if the person has it, or else the first; a wrong guess is mended by switching.
 */
const choosing = async (
  transport: Transport,
  proof: Proof,
  no: WorkosNo,
): Promise<AuthenticationResponse | undefined> => {
  const pending = no.pendingSelection();
  const [first] = pending?.organizations ?? [];
  if (!pending || first === undefined) return denied(no);
  const wanted = pending.organizations.find((organization) => organization === proof.organization);
  const choose = ({ userManagement }: WorkOS) =>
    userManagement.authenticateWithOrganizationSelection({
      organizationId: wanted ?? first,
      pendingAuthenticationToken: pending.token,
      ...whereFrom(proof),
    });
  return transport.interactive.ask('choose an organization', choose).catch(
    whenNo<AuthenticationResponse | undefined>({
      ...notGood,
      selection_required: denied,
      ...letNobodyIn,
    }),
  );
};

/** Everything else, such as a magic link, a passkey or a social account, proves less than SSO and is no password. */
const methodOf = (authenticationMethod: string | undefined): SignInMethod => {
  if (authenticationMethod === 'SSO') return 'sso';
  return authenticationMethod === 'Password' ? 'password' : 'other';
};

const identityFrom = (answered: AuthenticationResponse, tokens: WorkosTokens, clock: Clock): ProvenIdentity => {
  const { user, accessToken, refreshToken, impersonator, authenticationMethod } = answered;
  const claims = tokens.justIssued(accessToken);
  return {
    subject: user.id,
    email: user.email,
    emailVerified: user.emailVerified === true,
    name: user.name?.trim() || [user.firstName, user.lastName].filter(Boolean).join(' ').trim() || null,
    organization: claims.organization,
    providerSession: claims.providerSession,
    method: methodOf(authenticationMethod),
    authenticatedAt: claims.authenticatedAt ?? clock.now(),
    impersonator: impersonator ? { email: impersonator.email, reason: impersonator.reason ?? null } : null,
    tokens: { accessToken, refreshToken, expiresAt: claims.expiresAt },
  };
};
