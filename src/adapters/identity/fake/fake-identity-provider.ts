// The fake identity provider: keeps every promise of the port, for people and directories that live in a fake world.

import { createLocalJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';
import { z } from 'zod';
import { fakeDirectoryReader } from '#adapters/identity/fake/directory-reader.ts';
import { fakeInvitationPost } from '#adapters/identity/fake/invitation-post.ts';
import { accessTokenSeconds } from '#adapters/identity/fake/sessions.ts';
import { fakeSso } from '#adapters/identity/fake/sso-administration.ts';
import type { FakeWorld } from '#adapters/identity/fake/world.ts';
import type { FakeOrganization, FakeSession } from '#adapters/identity/fake/world-state.ts';
import { eventFrom, readEnvelope } from '#adapters/identity/wire/envelope.ts';
import { interpret } from '#adapters/identity/wire/interpret.ts';
import { verifySignature } from '#adapters/identity/wire/signature.ts';
import type { DirectoryReader } from '#application/ports/directory-reader.ts';
import type {
  Delivery,
  EventDeliveries,
  EventFeed,
  HostedLogin,
  IdentityProvider,
  InvitationPost,
  OrganizationRegistry,
  RegisteredOrganization,
  SessionAuthority,
  SessionTokens,
  SsoAdministration,
  TokenClaims,
  TokenPair,
} from '#application/ports/identity-provider.ts';
import { Refusal } from '#domain/shared/refusal.ts';

/** How far the clocks of signer and verifier may differ, in seconds. */
const skewSeconds = 5;

/** How long a call takes while the outage is `slow`: long enough to be felt, short of any sensible timeout. */
const slowMilliseconds = 2000;

const claimShape = z.object({
  sub: z.string().startsWith('user_'),
  sid: z.string().startsWith('session_'),
  client_id: z.string(),
  org_id: z.string().startsWith('org_').optional(),
  exp: z.number(),
});

const claimsFrom = (payload: JWTPayload, clientId: string): TokenClaims => {
  const claims = claimShape.safeParse(payload);
  if (!claims.success || claims.data.client_id !== clientId) throw new Refusal('session.token_invalid');
  const { sub, sid, org_id, exp } = claims.data;
  return { subject: sub, providerSession: sid, organization: org_id ?? null, expiresAt: new Date(exp * 1000) };
};

const registered = (organization: FakeOrganization): RegisteredOrganization => ({
  ref: organization.ref,
  domains: organization.domains.map(({ name, state, updatedAt }) => ({ name, state, asOf: new Date(updatedAt) })),
});

export const fakeLogoutUrl = (publicUrl: string, providerSession: string, returnTo: string): string => {
  const url = new URL('/fake-idp/logout', publicUrl);
  url.search = new URLSearchParams({ session_id: providerSession, return_to: returnTo }).toString();
  return url.href;
};

/** With its feed and its single sign-on for certain: what the fake can do is not optional. */
export class FakeIdentityProvider implements IdentityProvider {
  readonly name = 'fake';
  readonly login: HostedLogin;
  readonly tokens: SessionTokens;
  readonly sessions: SessionAuthority;
  readonly organizations: OrganizationRegistry;
  readonly invitations: InvitationPost;
  readonly deliveries: EventDeliveries;
  readonly feed: EventFeed;
  readonly sso: SsoAdministration;
  readonly directory: DirectoryReader;
  readonly #world: FakeWorld;

  constructor(world: FakeWorld, options: { readonly makesConnections?: boolean } = {}) {
    this.#world = world;
    this.login = this.#hostedLogin();
    this.tokens = this.#sessionTokens();
    this.sessions = this.#sessionAuthority();
    this.organizations = this.#organizationRegistry();
    this.invitations = fakeInvitationPost(world, () => this.#reach());
    this.deliveries = this.#eventDeliveries();
    this.feed = this.#eventFeed();
    this.sso = fakeSso(world, () => this.#reach(), options.makesConnections ?? false);
    this.directory = fakeDirectoryReader(world, () => this.#reach());
  }

  /** What every call that would cross the network goes through. */
  async #reach(): Promise<void> {
    switch (this.#world.outage().mode) {
      case 'down':
        throw new Refusal('identity.unavailable');
      case '429':
        throw new Refusal('identity.throttled');
      case 'slow':
        await this.#world.pause(slowMilliseconds);
        break;
      case 'none':
    }
  }

  async #pairOf(session: FakeSession): Promise<TokenPair> {
    return {
      accessToken: await this.#world.sessions.accessToken(session),
      refreshToken: session.refreshToken,
      expiresAt: new Date((Math.floor(Date.parse(session.issued.at) / 1000) + accessTokenSeconds) * 1000),
    };
  }

  #hostedLogin(): HostedLogin {
    return {
      urlFor: async ({ state, redirectUri, codeChallenge, organization, loginHint, connection, invitationToken }) => {
        const url = new URL('/fake-idp/authorize', this.#world.publicUrl);
        url.search = new URLSearchParams({
          client_id: this.#world.clientId,
          redirect_uri: redirectUri,
          response_type: 'code',
          state,
          code_challenge: codeChallenge,
          code_challenge_method: 'S256',
          ...(organization !== undefined && { organization }),
          ...(loginHint !== undefined && { login_hint: loginHint }),
          ...(connection !== undefined && { connection }),
          ...(invitationToken !== undefined && { invitation_token: invitationToken }),
        }).toString();
        return url.href;
      },
      redeem: async (proof) => {
        await this.#reach();
        const redeemed = await this.#world.sessions.redeem(proof);
        if (!redeemed) return undefined;
        const { session, person } = redeemed;
        return {
          subject: person.subject,
          email: person.email,
          emailVerified: person.emailVerified,
          name: person.name,
          organization: session.organization,
          providerSession: session.id,
          method: session.method,
          authenticatedAt: new Date(session.authenticatedAt),
          impersonator: session.impersonator,
          tokens: await this.#pairOf(session),
        };
      },
    };
  }

  /** The keys are at hand, so this needs no call and works through every outage. */
  #sessionTokens(): SessionTokens {
    const keys = createLocalJWKSet(this.#world.sessions.jwks());
    return {
      verify: async (accessToken) => {
        try {
          const { payload } = await jwtVerify(accessToken, keys, {
            algorithms: ['RS256'],
            issuer: this.#world.issuer,
            requiredClaims: ['sub', 'sid', 'client_id', 'exp', 'iat'],
            clockTolerance: skewSeconds,
            currentDate: this.#world.clock.now(),
          });
          return claimsFrom(payload, this.#world.clientId);
        } catch (thrown) {
          if (thrown instanceof errors.JWTExpired) throw new Refusal('session.token_expired');
          if (thrown instanceof errors.JOSEError) throw new Refusal('session.token_invalid');
          throw thrown;
        }
      },
    };
  }

  #sessionAuthority(): SessionAuthority {
    const { sessions } = this.#world;
    return {
      isAlive: async ({ providerSession, subject }) => {
        await this.#reach();
        const session = sessions.find(providerSession);
        return session !== undefined && session.subject === subject && sessions.isAlive(session);
      },
      refresh: async ({ refreshToken, organization }) => {
        await this.#reach();
        const outcome = await sessions.refresh(refreshToken, organization);
        if (outcome.is !== 'refreshed') return { is: outcome.is };
        const { session } = outcome;
        const tokens = await this.#pairOf(session);
        const claims: TokenClaims = {
          subject: session.subject,
          providerSession: session.id,
          organization: session.organization,
          expiresAt: tokens.expiresAt,
        };
        return { is: 'refreshed', claims, tokens };
      },
      end: async (providerSession) => {
        await this.#reach();
        await sessions.end(providerSession);
      },
      logoutUrl: (providerSession, returnTo) => fakeLogoutUrl(this.#world.publicUrl, providerSession, returnTo),
    };
  }

  #organizationRegistry(): OrganizationRegistry {
    return {
      ensure: async ({ id, name, domains }) => {
        await this.#reach();
        return registered(await this.#world.organizations.ensure({ externalId: id, name, domains }));
      },
      admit: async ({ organization, subject }) => {
        await this.#reach();
        await this.#world.organizations.admit(subject, organization);
      },
      dismiss: async ({ organization, subject }) => {
        await this.#reach();
        await this.#world.organizations.dismiss(subject, organization);
      },
    };
  }

  #eventDeliveries(): EventDeliveries {
    return {
      receive: async ({ body, signature }: Delivery) => {
        const secrets = [this.#world.webhookSecret];
        verifySignature({ body, header: signature, secrets, now: this.#world.clock.now() });
        return readEnvelope(body);
      },
      interpret,
    };
  }

  #eventFeed(): EventFeed {
    return {
      after: async (eventId, limit) => {
        await this.#reach();
        return this.#world.log(eventId, limit).map(({ event }) => eventFrom(event));
      },
    };
  }
}
