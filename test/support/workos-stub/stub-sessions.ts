// The stub's sign-ins and sessions: codes with PKCE, tokens signed with keys that can be replaced, refreshing with 30 seconds of grace.

import { createHash, randomBytes } from 'node:crypto';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { newId, notFound, ok, pageOf, type StubAnswer, StubError, type StubRequest, text } from './stub-answers.ts';
import type { StubConnections } from './stub-connections.ts';
import type { StubInvitations } from './stub-invitations.ts';
import type { StubOrganizations, StubUser } from './stub-organizations.ts';

/** How long a code, an access token and a replaced refresh token are good, in seconds. */
const codeSeconds = 600;
const accessTokenSeconds = 300;
const graceSeconds = 30;

export interface StubSession {
  readonly id: string;
  readonly user: string;
  readonly method: string;
  readonly impersonator: { readonly email: string; readonly reason: string | null } | undefined;
  readonly authenticatedAt: Date;
  organization: string | undefined;
  status: 'active' | 'expired' | 'revoked';
}

interface Code {
  readonly user: StubUser;
  readonly challenge: string | null;
  readonly organization: string | undefined;
  readonly at: Date;
  readonly how: SignInFacts;
}

/** How the next person signs in, where it is not by password. */
export interface SignInFacts {
  readonly method?: string | undefined;
  readonly impersonator?: StubSession['impersonator'];
  /** The code earns a question for the organization, with a pending token. */
  readonly mustChoose?: boolean | undefined;
}

interface RefreshToken {
  readonly session: StubSession;
  /** The answer that replaced it, and when. */
  replaced?: { readonly by: unknown; readonly at: Date } | undefined;
}

interface SigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

const newSigningKey = async (): Promise<SigningKey> => {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  const kid = newId('sso_oidc_key_pair');
  // WorkOS sends the certificate along; nobody here reads it.
  const certificate = { x5c: ['MA=='], 'x5t#S256': 'c3R1Yg' };
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, use: 'sig', alg: 'RS256', ...certificate } };
};

/** Making a key takes longer than most tests, so the worlds of a file share two. */
const sharedKeys = [newSigningKey(), newSigningKey()] as const;

const invalidGrant = (why: string): StubError => new StubError(400, { error: 'invalid_grant', error_description: why });

export interface StubSessionsOptions {
  readonly now: () => Date;
  readonly clientId: string;
  readonly apiKey: string;
  readonly issuer: string;
  readonly organizations: StubOrganizations;
  readonly connections: StubConnections;
  readonly invitations: StubInvitations;
  readonly onEvent: (name: string, data: unknown) => void;
}

export class StubSessions {
  readonly sessions: StubSession[] = [];
  /** How whoever signs in next does it. */
  nextSignIn: SignInFacts = {};
  readonly #options: StubSessionsOptions;
  readonly #codes = new Map<string, Code>();
  readonly #pending = new Map<string, Code>();
  readonly #refreshTokens = new Map<string, RefreshToken>();
  #keys: readonly SigningKey[] = [];

  private constructor(options: StubSessionsOptions) {
    this.#options = options;
  }

  static async open(options: StubSessionsOptions): Promise<StubSessions> {
    const sessions = new StubSessions(options);
    sessions.#keys = [await sharedKeys[0]];
    return sessions;
  }

  /** Signs with another key from now on. The old one is published further on, or not. */
  async rotateKeys({ keepOld = true } = {}): Promise<void> {
    const next = await sharedKeys[1];
    this.#keys = keepOld ? [next, ...this.#keys] : [next];
  }

  async sign(claims: JWTPayload): Promise<string> {
    const [key] = this.#keys;
    if (!key) throw new Error('the stub has no key');
    return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: key.kid }).sign(key.privateKey);
  }

  addSession(user: string, facts: Partial<StubSession> = {}): StubSession {
    const session: StubSession = {
      id: newId('session'),
      user,
      method: 'Password',
      impersonator: undefined,
      authenticatedAt: this.#options.now(),
      organization: undefined,
      status: 'active',
      ...facts,
    };
    this.sessions.push(session);
    return session;
  }

  end(session: StubSession): void {
    session.status = 'revoked';
    this.#options.onEvent('session.revoked', this.#wireOf(session));
  }

  async handle(request: StubRequest): Promise<StubAnswer | undefined> {
    const { method, path, query } = request;
    if (method === 'GET' && path === '/user_management/authorize') return this.#authorize(query);
    if (method === 'POST' && path === '/user_management/authenticate') return this.#authenticate(request);
    if (method === 'GET' && path === `/sso/jwks/${this.#options.clientId}`)
      return ok({ keys: this.#keys.map(({ jwk }) => jwk) });
    const [, user] = /^\/user_management\/users\/([^/]+)\/sessions$/.exec(path) ?? [];
    if (method === 'GET' && user) {
      if (!this.#options.organizations.users.some(({ id }) => id === user)) throw notFound('User');
      return pageOf(
        this.sessions.filter((session) => session.user === user),
        query,
        (session) => this.#wireOf(session),
      );
    }
    if (method === 'POST' && path === '/user_management/sessions/revoke') return this.#revoke(request);
    return undefined;
  }

  /** Whom the hint names is signed in without a question: what a person would type has no place here. */
  #authorize(query: URLSearchParams): StubAnswer {
    const back = new URL(query.get('redirect_uri') ?? '');
    const state = query.get('state');
    if (state !== null) back.searchParams.set('state', state);
    const { organizations, invitations } = this.#options;
    const invitationToken = query.get('invitation_token');
    const user =
      organizations.users.find(({ email }) => email === query.get('login_hint')) ??
      invitations.signUp(invitationToken, query.get('login_hint'));
    const connectionId = query.get('connection_id');
    const { connections } = this.#options.connections;
    const connection = connections.find(({ id }) => id === connectionId);
    if (connectionId !== null && query.has('organization_id')) {
      back.searchParams.set('error', 'ambiguous_connection_selector');
    } else if (connectionId !== null && connection?.state !== 'active') {
      back.searchParams.set('error', 'connection_invalid');
    } else if (!user || query.get('client_id') !== this.#options.clientId) {
      back.searchParams.set('error', 'access_denied');
    } else {
      const code = randomBytes(16).toString('hex');
      const organization =
        connection?.organization ?? query.get('organization_id') ?? invitations.behind(invitationToken)?.organization;
      const isThroughSso = connections.some((one) => one.organization === organization && one.state === 'active');
      const how = isThroughSso ? { method: 'SSO', ...this.nextSignIn } : this.nextSignIn;
      const challenge = query.get('code_challenge');
      this.#codes.set(code, { user, challenge, organization, at: this.#options.now(), how });
      this.nextSignIn = {};
      back.searchParams.set('code', code);
    }
    return { status: 302, headers: { location: back.href } };
  }

  #authenticate({ body }: StubRequest): Promise<StubAnswer> | StubAnswer {
    if (body['client_id'] !== this.#options.clientId || body['client_secret'] !== this.#options.apiKey) {
      throw new StubError(400, { error: 'invalid_client', error_description: 'The client is not known.' });
    }
    switch (body['grant_type']) {
      case 'authorization_code':
        return this.#redeem(text(body['code']), text(body['code_verifier']), text(body['invitation_token']));
      case 'refresh_token':
        return this.#refresh(text(body['refresh_token']), text(body['organization_id']) || undefined);
      case 'urn:workos:oauth:grant-type:organization-selection':
        return this.#select(text(body['pending_authentication_token']), text(body['organization_id']));
      default:
        throw new StubError(400, { error: 'invalid_request', error_description: 'The grant is not known.' });
    }
  }

  #redeem(text: string, verifier: string, invitationToken: string): Promise<StubAnswer> {
    const code = this.#codes.get(text);
    const age = code ? (this.#options.now().getTime() - code.at.getTime()) / 1000 : Number.POSITIVE_INFINITY;
    if (!code || age > codeSeconds) throw invalidGrant('The code is not good.');
    if (code.challenge !== createHash('sha256').update(verifier).digest('base64url')) {
      throw invalidGrant('The verifier does not fit.');
    }
    this.#codes.delete(text);
    if (invitationToken) this.#options.invitations.accept(invitationToken, code.user);
    if (!code.how.mustChoose) return this.#signIn(code, code.organization);
    const pending = randomBytes(16).toString('hex');
    this.#pending.set(pending, code);
    const theirs = this.#options.organizations.memberships.filter(({ user }) => user === code.user.id);
    throw new StubError(403, {
      code: 'organization_selection_required',
      message: 'Choose an organization.',
      pending_authentication_token: pending,
      organizations: theirs.map(({ organization }) => ({ id: organization, name: organization })),
    });
  }

  #select(token: string, organization: string): Promise<StubAnswer> {
    const code = this.#pending.get(token);
    if (!code) throw new StubError(400, { code: 'invalid_pending_authentication_token', message: 'Not good.' });
    this.#pending.delete(token);
    return this.#signIn(code, organization);
  }

  async #signIn({ user, how }: Code, organization: string | undefined): Promise<StubAnswer> {
    const { method = 'Password', impersonator } = how;
    const session = this.addSession(user.id, { method, impersonator, organization });
    this.#options.onEvent('session.created', this.#wireOf(session));
    return ok(await this.#answerFor(session, { authentication_method: method }));
  }

  async #refresh(text: string, organization: string | undefined): Promise<StubAnswer> {
    const token = this.#refreshTokens.get(text);
    if (token?.session.status !== 'active') throw invalidGrant('The refresh token is not good.');
    if (token.replaced) {
      const age = (this.#options.now().getTime() - token.replaced.at.getTime()) / 1000;
      if (age > graceSeconds) throw invalidGrant('The refresh token was replaced.');
      return ok(token.replaced.by);
    }
    this.#mayEnter(token.session, organization);
    if (organization !== undefined) token.session.organization = organization;
    const answer = await this.#answerFor(token.session);
    token.replaced = { by: answer, at: this.#options.now() };
    return ok(answer);
  }

  #mayEnter(session: StubSession, organization: string | undefined): void {
    if (organization === undefined) return;
    const { organizations } = this.#options;
    const known = organizations.organizations.find(({ id }) => id === organization);
    if (!known)
      throw new StubError(400, { error: 'organization_not_found', error_description: 'No such organization.' });
    if (!organizations.isMember(organization, session.user)) {
      throw new StubError(400, { error: 'organization_membership_not_found', error_description: 'Not a member.' });
    }
    if (known.refusesSwitch) throw new StubError(400, known.refusesSwitch);
  }

  async #answerFor(session: StubSession, more: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const user = this.#options.organizations.users.find(({ id }) => id === session.user);
    if (!user) throw notFound('User');
    const refreshToken = randomBytes(16).toString('hex');
    this.#refreshTokens.set(refreshToken, { session });
    return {
      user: this.#options.organizations.userWire(user),
      ...(session.organization !== undefined && { organization_id: session.organization }),
      access_token: await this.sign(this.claimsOf(session)),
      refresh_token: refreshToken,
      ...(session.impersonator && { impersonator: session.impersonator }),
      ...more,
    };
  }

  claimsOf(session: StubSession): JWTPayload {
    const now = Math.floor(this.#options.now().getTime() / 1000);
    return {
      iss: this.#options.issuer,
      sub: session.user,
      sid: session.id,
      jti: newId('jti'),
      client_id: this.#options.clientId,
      ...(session.organization !== undefined && { org_id: session.organization, role: 'member' }),
      ...(session.impersonator && { act: { sub: session.impersonator.email } }),
      auth_time: Math.floor(session.authenticatedAt.getTime() / 1000),
      iat: now,
      exp: now + accessTokenSeconds,
    };
  }

  #revoke({ body }: StubRequest): StubAnswer {
    const session = this.sessions.find(({ id }) => id === body['session_id']);
    if (!session) throw notFound('Session');
    if (session.status !== 'active')
      throw new StubError(400, { message: 'It has ended.', code: 'session_already_ended' });
    this.end(session);
    return { status: 200 };
  }

  #wireOf(session: StubSession): Readonly<Record<string, unknown>> & { readonly id: string } {
    const at = session.authenticatedAt.toISOString();
    return {
      object: 'session',
      id: session.id,
      user_id: session.user,
      ...(session.organization !== undefined && { organization_id: session.organization }),
      ip_address: null,
      user_agent: null,
      auth_method: 'password',
      status: session.status,
      expires_at: at,
      ended_at: session.status === 'active' ? null : at,
      created_at: at,
      updated_at: at,
    };
  }
}
