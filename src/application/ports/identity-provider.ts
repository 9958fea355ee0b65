// Whoever vouches for people. Hosted login, tokens, sessions, organizations, and what it tells us by events: in our words only.

import type { DirectoryReader } from '#application/ports/directory-reader.ts';
import type { ProviderEvent } from '#application/provisioning/provider-event.ts';
import type { DomainClaim } from '#domain/organizations/organization.ts';
import type { Impersonator, SignInMethod } from '#domain/sessions/session.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';

/**
 * A missing capability is `undefined`, never a stub that throws. Every method may throw Refusal `identity.unavailable` or
 * `identity.throttled`; no method returns the provider's own types. Where the provider names an organization or a person,
 * the name is the provider's (`ref`, `subject`), not ours.
 */
export interface IdentityProvider {
  /** Stable and lower case; stored beside every reference to the provider. */
  readonly name: string;
  readonly login: HostedLogin;
  readonly tokens: SessionTokens;
  readonly sessions: SessionAuthority;
  readonly organizations: OrganizationRegistry;
  readonly invitations: InvitationPost;
  /** How this provider's deliveries and feed entries are read. */
  readonly deliveries: EventDeliveries;
  /** The ordered list of everything the provider said, to heal what a webhook lost. */
  readonly feed?: EventFeed;
  /** How an organization's own single sign-on is set up, tested and removed. */
  readonly sso?: SsoAdministration;
  /** What it lists of the organizations' directories now, to heal what neither webhook nor feed brought. */
  readonly directory?: DirectoryReader;
}

export interface LoginRequest {
  /** Echoed back to the callback; ours to check. */
  readonly state: string;
  readonly redirectUri: string;
  /** PKCE (RFC 7636), S256 of the verifier that `redeem` will bring. */
  readonly codeChallenge: string;
  /** The provider's name of the organization to sign in to; its policies apply. */
  readonly organization?: string | undefined;
  /** An address to start with; a hint, never a proof. */
  readonly loginHint?: string | undefined;
  /** The connection to sign in through, past every page that chooses one; then no organization is named. For providers with `sso`. */
  readonly connection?: string | undefined;
  /** The provider's invitation that this sign-in accepts, as its e-mail carried it; a secret until it is used. */
  readonly invitationToken?: string | undefined;
}

/** What a successful sign-in proves. */
export interface ProvenIdentity {
  readonly subject: string;
  readonly email: string;
  readonly emailVerified: boolean;
  readonly name: string | null;
  /** The provider's organization in whose context the person signed in, if any. */
  readonly organization: string | null;
  /** The provider's id of its session. */
  readonly providerSession: string;
  readonly method: SignInMethod;
  readonly authenticatedAt: Date;
  readonly impersonator: Impersonator | null;
  readonly tokens: TokenPair;
}

/** The client's half of the session. Held in memory between the wire and the seal; never stored, never logged. */
export interface TokenPair {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** When the access token stops being good. */
  readonly expiresAt: Date;
}

export interface HostedLogin {
  /** Where to send the browser. No request is made. */
  urlFor(request: LoginRequest): Promise<string>;
  /** A code is good once, and only with the verifier it was asked for; otherwise undefined. */
  redeem(proof: {
    readonly code: string;
    readonly codeVerifier: string;
    readonly ip: string | null;
    readonly userAgent: string | null;
    /** The provider's organization that the login was asked for: a preference, should the provider leave the choice to us. */
    readonly organization?: string | undefined;
    /** The invitation that the login was asked for. */
    readonly invitationToken?: string | undefined;
  }): Promise<ProvenIdentity | undefined>;
}

/** What a verified access token says. */
export interface TokenClaims {
  readonly subject: string;
  readonly providerSession: string;
  readonly organization: string | null;
  readonly expiresAt: Date;
}

export interface SessionTokens {
  /**
   * Checks signature, issuer, audience or client, time, and shape.
   * @throws Refusal `session.token_invalid`, `session.token_expired`, or `identity.unavailable` when the keys cannot be had
   */
  verify(accessToken: string): Promise<TokenClaims>;
}

/** The outcome of a refresh. A fault on the way throws `identity.unavailable`: it never means that the session is over. */
export type Refreshed =
  | { readonly is: 'refreshed'; readonly claims: TokenClaims; readonly tokens: TokenPair }
  /** The session is over, or this refresh token was replaced long ago. */
  | { readonly is: 'over' }
  /** The organization asks for more than a refresh can prove (SSO, MFA); send the person to the hosted login. */
  | { readonly is: 'interaction_required' }
  /** The person does not belong to that organization, says the provider. */
  | { readonly is: 'not_a_member' };

export interface SessionAuthority {
  /** Whether the provider's side of the session still lives. */
  isAlive(session: { readonly providerSession: string; readonly subject: string }): Promise<boolean>;
  /** Trades a refresh token for a new pair, in the same organization or, if named, another. */
  refresh(request: { readonly refreshToken: string; readonly organization?: string | undefined }): Promise<Refreshed>;
  /** Ends the provider's side. Ending a session that has ended is not an error. */
  end(providerSession: string): Promise<void>;
  /** Where to send the browser so that the provider forgets the person too; undefined when there is nothing to visit. */
  logoutUrl(providerSession: string, returnTo: string): string | undefined;
}

export interface RegisteredOrganization {
  /** The provider's name for it. */
  readonly ref: string;
  readonly domains: readonly DomainClaim[];
}

export interface OrganizationRegistry {
  /** Finds or creates the provider's counterpart of our organization. Asking again gives the same one. */
  ensure(organization: {
    readonly id: OrganizationId;
    readonly name: string;
    readonly domains: readonly string[];
  }): Promise<RegisteredOrganization>;
  /** Makes the person a member at the provider, so that they can sign in to the organization. Again: nothing changes. */
  admit(member: { readonly organization: string; readonly subject: string }): Promise<void>;
  /** Ends that membership at the provider. Somebody who is no member (any more) is not an error. */
  dismiss(member: { readonly organization: string; readonly subject: string }): Promise<void>;
}

/** An invitation as the provider sent it. Its link, and the token in it, stay between the provider and the mailbox. */
export interface SentInvitation {
  readonly ref: string;
  /** When the provider stops accepting it. */
  readonly expiresAt: Date;
}

/** The mail that asks somebody in. Who belongs, and with which role, is decided here; the provider proves whose mailbox it was. */
export interface InvitationPost {
  /**
   * Sees to it that the address has a mail, sent at or after `askedAt`, whose invitation is good for about so many days. Asking
   * again with the same moment sends nothing again, as far as the provider can tell; older invitations to the same address
   * and organization end. `member`: the provider counts them in already, so there is nothing to accept; they just sign in.
   */
  send(invitation: {
    /** The provider's name of the organization. */
    readonly organization: string;
    readonly email: string;
    readonly days: number;
    readonly askedAt: Date;
    /** Whom the mail names, by the provider's name of them; null: nobody. */
    readonly inviter: string | null;
  }): Promise<SentInvitation | 'member'>;
  /** Ends every open invitation of this address to this organization. That there is none is no error. */
  withdraw(invitation: { readonly organization: string; readonly email: string }): Promise<void>;
}

/** What one visits the provider's set-up pages for. */
export const setupIntents = ['sso', 'domain_verification', 'dsync', 'certificate_renewal'] as const;
export type SetupIntent = (typeof setupIntents)[number];

/** A connection as the provider lists it now. */
export interface ListedConnection {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  /** Whatever is not active lets nobody in: drafts count as inactive. */
  readonly state: 'active' | 'inactive';
  readonly asOf: Date;
}

/** What the customer's identity provider hands out. The client secret goes to the provider and nowhere else. */
export type ConnectionDetails =
  | { readonly protocol: 'saml'; readonly metadataUrl: string }
  | {
      readonly protocol: 'oidc';
      readonly discoveryUrl: string;
      readonly clientId: string;
      readonly clientSecret: string;
    };

export interface SsoAdministration {
  /**
   * The address of the provider's own pages, on which the organization's IT admin does one thing. It lets in whoever has it
   * and is good for about five minutes: pass it on at once; never store it, never log it.
   */
  setupLink(request: {
    /** The provider's name of the organization. */
    readonly organization: string;
    readonly intent: SetupIntent;
    /** Where its pages lead back to. */
    readonly returnTo: string;
  }): Promise<string>;
  /** All connections of the organization that there are now, also those that are not finished. */
  connections(organization: string): Promise<readonly ListedConnection[]>;
  /** Nobody signs in through it any more. One that is gone is not an error. */
  removeConnection(id: string): Promise<void>;
  /**
   * Makes a connection from here, where the provider offers that and it is switched on.
   * @throws Refusal `connection.refused` when the provider does not take the details
   */
  readonly createConnection?: (
    request: { readonly organization: string; readonly name: string } & ConnectionDetails,
  ) => Promise<ListedConnection>;
}

/** A delivery as it came over the wire: nothing has parsed it. */
export interface Delivery {
  readonly body: Uint8Array;
  /** The signature header, if there was one. */
  readonly signature: string | undefined;
}

/** An authentic event, enough to store it: its payload is kept whole and read again when it is applied. */
export interface HeardEvent {
  /** The provider's id of the event; the same in a repeated delivery and in the feed. */
  readonly id: string;
  readonly name: string;
  readonly occurredAt: Date;
  /** The provider's organization that it is about, if it says so. */
  readonly organization: string | null;
  readonly payload: Readonly<Record<string, unknown>>;
}

export interface EventDeliveries {
  /**
   * Verifies the signature over the raw bytes and the time window, then reads the envelope.
   * @throws Refusal `delivery.unverified`, or `delivery.malformed` for something authentic that is no event
   */
  receive(delivery: Delivery): Promise<HeardEvent>;
  /** What a stored payload means to us. Pure; unknown names and shapes become `ignored`, with the reason. */
  interpret(payload: Readonly<Record<string, unknown>>): ProviderEvent;
}

export interface EventFeed {
  /** Events after that one, oldest first; from the beginning without it. Empty when there is no more. */
  after(eventId: string | undefined, limit: number): Promise<readonly HeardEvent[]>;
}
