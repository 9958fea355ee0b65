// Signing in and what follows from it: codes, sessions, refresh tokens, and the access tokens that the world signs.

import { createHash, randomBytes } from 'node:crypto';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { invitationBehind, isGood, takeUp } from '#adapters/identity/fake/invitations.ts';
import type { Journal } from '#adapters/identity/fake/journal.ts';
import type { FakePeople } from '#adapters/identity/fake/people.ts';
import { describePerson, endSession, enlist, isAlive } from '#adapters/identity/fake/ripples.ts';
import {
  belongs,
  hasSso,
  judgeSignIn,
  mayReaddress,
  recordsOf,
  type SignInRefusal,
} from '#adapters/identity/fake/sign-in-rules.ts';
import { sessionOnWire } from '#adapters/identity/fake/wire-payloads.ts';
import type {
  FakeMethod,
  FakeOrganization,
  FakeSession,
  Person,
  SignInCode,
} from '#adapters/identity/fake/world-state.ts';
import { parseEmail } from '#domain/users/email.ts';

export interface SignInRequest {
  readonly email: string;
  readonly method: FakeMethod;
  /** PKCE, S256. */
  readonly codeChallenge: string;
  /** The fake's ref of the organization to enter. */
  readonly organization?: string | undefined;
  /** Of the mail whose link was followed. */
  readonly invitationToken?: string | undefined;
  /** Somebody else acting as this person. */
  readonly impersonator?: { readonly email: string; readonly reason: string | null } | undefined;
}

export type SignInOutcome =
  | { readonly is: 'signed_in'; readonly code: string; readonly person: Person }
  | { readonly is: 'refused'; readonly because: SignInRefusal };

export type SessionRefresh =
  | { readonly is: 'refreshed'; readonly session: FakeSession }
  | { readonly is: 'over' | 'interaction_required' | 'not_a_member' };

/** How long an access token is good, in seconds. */
export const accessTokenSeconds = 300;
const codeSeconds = 600;
const replayGraceSeconds = 30;
const sessionSeconds = 30 * 24 * 3600;

/** A key with which a world signs. Making one takes a noticeable part of a second. */
export const newSigningKey = async (): Promise<JWK> => {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  return { ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: `fake_${randomBytes(6).toString('hex')}` };
};

const secret = (): string => randomBytes(24).toString('base64url');

export interface Signer {
  readonly issuer: string;
  readonly clientId: string;
  readonly key: CryptoKey | Uint8Array;
}

export class FakeSessions {
  readonly #journal: Journal;
  readonly #people: FakePeople;
  readonly #signer: Signer;

  constructor(journal: Journal, people: FakePeople, signer: Signer) {
    this.#journal = journal;
    this.#people = people;
    this.#signer = signer;
  }

  /** Undefined when there never was such a session. */
  find(id: string): FakeSession | undefined {
    return this.#journal.state.sessions.find((session) => session.id === id);
  }

  all(): readonly FakeSession[] {
    return this.#journal.state.sessions;
  }

  isAlive(session: FakeSession): boolean {
    return isAlive(this.#journal, session);
  }

  /** The public keys, as a JSON Web Key Set (RFC 7517). */
  jwks(): { keys: JWK[] } {
    const { kty, n, e, alg, use, kid } = this.#journal.state.signingKey;
    return { keys: [JSON.parse(JSON.stringify({ kty, n, e, alg, use, kid }))] };
  }

  /**
   * What the hosted page does once somebody has said who they are: a code that is good once, for ten minutes, or the reason
   * why not. A newcomer with an address that nobody governs is created by signing in with a password; somebody whom a
   * directory knows, by signing in with single sign-on.
   */
  async signIn(request: SignInRequest): Promise<SignInOutcome> {
    const email = parseEmail(request.email);
    if (!email) return { is: 'refused', because: 'not_an_address' };
    const invitation = invitationBehind(this.#journal, request.invitationToken);
    if (request.invitationToken !== undefined) {
      if (!invitation || !isGood(this.#journal, invitation)) return { is: 'refused', because: 'invitation_not_good' };
      if (invitation.email !== email) return { is: 'refused', because: 'invitation_for_somebody_else' };
    }
    const verdict = judgeSignIn(this.#journal.state, {
      email,
      method: request.method,
      organization: invitation?.organization ?? request.organization,
      invited: invitation?.state === 'pending',
    });
    if (verdict.may === 'not_enter') return { is: 'refused', because: verdict.because };

    const { organization } = verdict;
    const person =
      verdict.person ??
      (await this.#people.add({ email, name: this.#nameInDirectory(email), password: request.method === 'password' }));
    if (organization && invitation) takeUp(this.#journal, invitation, person, organization);
    if (organization) this.#arrive(person, organization, request.method);
    person.lastOrganization = organization?.ref ?? person.lastOrganization;
    person.lastSignInAt = this.#journal.now();
    this.#forgetOldCodes();
    const code: SignInCode = {
      code: secret(),
      subject: person.subject,
      organization: organization?.ref ?? null,
      method: request.method,
      provenBy: request.method === 'sso' ? (organization?.ref ?? null) : null,
      codeChallenge: request.codeChallenge,
      issuedAt: this.#journal.now(),
      impersonator: request.impersonator ?? null,
    };
    this.#journal.state.codes.push(code);
    this.#journal.sayLater({
      name: `authentication.${request.method}_succeeded`,
      data: {
        type: request.method,
        status: 'succeeded',
        user_id: person.subject,
        email: person.email,
        ip_address: null,
        user_agent: null,
        ...(request.method === 'sso' && {
          sso: {
            organization_id: organization?.ref ?? null,
            connection_id: organization?.connection?.id ?? null,
            session_id: null,
          },
        }),
      },
    });
    await this.#journal.saved();
    return { is: 'signed_in', code: code.code, person };
  }

  /** Spends a code, right or wrong: a verifier that does not fit costs the code too. Undefined when it was not good. */
  async redeem(proof: {
    readonly code: string;
    readonly codeVerifier: string;
    readonly ip: string | null;
    readonly userAgent: string | null;
  }): Promise<{ readonly session: FakeSession; readonly person: Person } | undefined> {
    const code = this.#journal.state.codes.find((one) => one.code === proof.code);
    if (!code) return undefined;
    this.#journal.state.codes.splice(this.#journal.state.codes.indexOf(code), 1);
    await this.#journal.saved();
    const challenge = createHash('sha256').update(proof.codeVerifier).digest('base64url');
    const person = this.#journal.state.people.find(({ subject }) => subject === code.subject);
    const stale = this.#journal.secondsSince(code.issuedAt) >= codeSeconds;
    if (challenge !== code.codeChallenge || stale || !person || person.terminated) return undefined;

    const session: FakeSession = {
      id: this.#journal.id('session'),
      subject: code.subject,
      organization: code.organization,
      method: code.method,
      provenBy: code.provenBy,
      authenticatedAt: code.issuedAt,
      expiresAt: this.#journal.secondsFromNow(sessionSeconds),
      endedAt: null,
      ...this.#newPair(),
      replaced: null,
      ip: proof.ip,
      userAgent: proof.userAgent,
      impersonator: code.impersonator,
      ...this.#journal.born(),
    };
    this.#journal.state.sessions.push(session);
    this.#journal.sayLater({ name: 'session.created', data: sessionOnWire(session) });
    await this.#journal.saved();
    return { session, person };
  }

  /**
   * Replaces the refresh token. The one just replaced earns the same pair again for thirty seconds, because its answer may
   * have been lost on the way; later it earns nothing, and the session lives on with the newer token.
   */
  async refresh(refreshToken: string, organizationRef: string | undefined): Promise<SessionRefresh> {
    const session = this.#journal.state.sessions.find(
      (one) => one.refreshToken === refreshToken || one.replaced?.token === refreshToken,
    );
    if (!session || !this.isAlive(session)) return { is: 'over' };
    const person = this.#journal.state.people.find(({ subject }) => subject === session.subject);
    const repeated = session.refreshToken !== refreshToken;
    if (!person || (repeated && !this.#withinGrace(session))) return { is: 'over' };

    const target = organizationRef ?? session.organization;
    if (target !== null && target !== session.organization) {
      const organization = this.#journal.state.organizations.find(({ ref }) => ref === target);
      const email = parseEmail(person.email);
      if (
        !organization ||
        !email ||
        belongs(this.#journal.state, organization, { email, subject: person.subject }) !== 'yes'
      ) {
        return { is: 'not_a_member' };
      }
    }
    const asked = this.#journal.state.organizations.find(({ ref }) => ref === organizationRef);
    if (asked && hasSso(asked) && session.provenBy !== asked.ref) return { is: 'interaction_required' };

    if (repeated && target === session.organization) return { is: 'refreshed', session };
    session.organization = target;
    session.replaced = { token: session.refreshToken, at: this.#journal.now() };
    Object.assign(session, this.#newPair(), { updatedAt: this.#journal.now() });
    await this.#journal.saved();
    return { is: 'refreshed', session };
  }

  /** Ends a session. One that has ended, or never was, is left alone. */
  async end(id: string): Promise<void> {
    const session = this.find(id);
    if (session && this.isAlive(session)) endSession(this.#journal, session);
    await this.#journal.saved();
  }

  /** The access token of the session's present pair. */
  accessToken(session: FakeSession): Promise<string> {
    const role = this.#journal.state.memberships.find(
      ({ subject, organization }) => subject === session.subject && organization === session.organization,
    )?.role;
    const issuedAt = Math.floor(Date.parse(session.issued.at) / 1000);
    return this.sign({
      iss: this.#signer.issuer,
      sub: session.subject,
      sid: session.id,
      jti: session.issued.jti,
      client_id: this.#signer.clientId,
      ...(session.organization !== null && { org_id: session.organization }),
      ...(role !== undefined && { role }),
      ...(session.impersonator && { act: { sub: session.impersonator.email } }),
      auth_time: Math.floor(Date.parse(session.authenticatedAt) / 1000),
      iat: issuedAt,
      exp: issuedAt + accessTokenSeconds,
    });
  }

  /** Signs any claims with the world's key: what a test needs to make a token that is wrong in one thing only. */
  sign(claims: JWTPayload): Promise<string> {
    const kid = this.#journal.state.signingKey['kid'];
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...(typeof kid === 'string' && { kid }) })
      .sign(this.#signer.key);
  }

  #forgetOldCodes(): void {
    const { state } = this.#journal;
    state.codes = state.codes.filter(({ issuedAt }) => this.#journal.secondsSince(issuedAt) < codeSeconds);
  }

  #withinGrace({ replaced }: FakeSession): boolean {
    return replaced !== null && this.#journal.secondsSince(replaced.at) < replayGraceSeconds;
  }

  #newPair(): Pick<FakeSession, 'refreshToken' | 'issued'> {
    return {
      refreshToken: secret(),
      issued: { jti: this.#journal.id('jti').slice('jti_'.length), at: this.#journal.now() },
    };
  }

  #nameInDirectory(email: string): string | null {
    const users = this.#journal.state.directories.flatMap((directory) => directory.users);
    return users.find((user) => user.email === email && user.state === 'active')?.name ?? null;
  }

  /** What single sign-on brings along: who the directory says this is now, and a place among the members. */
  #arrive(person: Person, organization: FakeOrganization, method: FakeMethod): void {
    if (method !== 'sso') return;
    const records = recordsOf(this.#journal.state, organization.ref, person).filter(
      ({ user }) => user.state === 'active',
    );
    for (const { user } of records) user.subject = person.subject;
    const [speaker] = records;
    const taken = this.#journal.state.people.some((other) => other !== person && other.email === speaker?.user.email);
    const entitled = speaker && mayReaddress(organization, person.email, speaker.user.email);
    if (speaker && entitled && !taken) describePerson(this.#journal, person, speaker.user.email, speaker.user.name);
    enlist(this.#journal, person, organization, 'member');
  }
}
