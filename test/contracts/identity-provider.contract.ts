// What every identity provider promises, one clause at a time. An adapter brings a world in which people sign in and things happen.

import { createHash, randomBytes } from 'node:crypto';
import {
  decodeJwt,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWTPayload,
  SignJWT,
} from 'jose';
import { describe, expect, it } from 'vitest';
import {
  type Delivery,
  type IdentityProvider,
  type ProvenIdentity,
  type Refreshed,
  type SsoAdministration,
  setupIntents,
} from '#application/ports/identity-provider.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';
import { directoryClauses } from './directory-clauses.ts';

/** Each clause gets a world of its own. */
export interface ProviderWorld {
  readonly provider: IdentityProvider;
  now(): Date;
  /** Turns the clock that the provider reads. */
  passTime(seconds: number): void;
  /** The person who signs in; known to the provider, and not by a domain of any of the places below. */
  readonly person: { readonly email: string; readonly name: string };
  /** Organizations by the provider's names. */
  readonly places: {
    /** The person's; where they go by themselves. */
    readonly home: string;
    /** The person's too. */
    readonly second: string;
    /** Not the person's. */
    readonly closed: string;
    /** The person's, but only by single sign-on, which `signIn` does not do. Undefined where that cannot be arranged. */
    readonly strict?: string | undefined;
  };
  /** The person completes the hosted login; what comes back is the authorization code. */
  signIn(codeChallenge: string): Promise<string>;
  /** Single sign-on, for providers that administer it. */
  readonly connection?:
    | {
        /** An active connection of `places.strict`. */
        readonly id: string;
        /** The person signs in through it; what comes back is the authorization code. */
        signIn(codeChallenge: string): Promise<string>;
      }
    | undefined;
  /** Signs claims as the provider signs its tokens. */
  signToken(claims: JWTPayload): Promise<string>;
  /** Signs a body as the provider signs its deliveries, now. */
  signDelivery(body: Uint8Array): Delivery;
  /** The home's directory hires somebody; what was sent about it, in order. */
  hire(email: string): Promise<readonly Delivery[]>;
  /** What the link carries in the newest mail to that address. */
  mailTo(email: string): string;
  /**
   * The person behind that address follows such a link and completes the hosted login; what comes back is the authorization
   * code. Rejects where the provider's pages let nobody go on.
   */
  takeUp(email: string, invitationToken: string, codeChallenge: string): Promise<string>;
  /** Takes the provider down or up. Undefined where that cannot be arranged. */
  outage?: ((mode: 'down' | 'throttled' | 'none') => Promise<void>) | undefined;
}

export interface Clause {
  readonly promise: string;
  /** Why this world cannot show it; undefined when it can. */
  readonly missing?: (world: ProviderWorld) => string | undefined;
  readonly check: (world: ProviderWorld) => Promise<void>;
}

const codeVerifier = 'a-verifier-of-forty-three-characters-or-more-0123456789';
const s256 = (verifier: string): string => createHash('sha256').update(verifier).digest('base64url');
const browser = { ip: '203.0.113.7', userAgent: 'contract' };

const signedIn = async (world: ProviderWorld): Promise<ProvenIdentity> => {
  const code = await world.signIn(s256(codeVerifier));
  const identity = await world.provider.login.redeem({ code, codeVerifier, ...browser });
  if (!identity) throw new Error('a fresh code with its verifier was not redeemed');
  return identity;
};

const refreshed = async (
  world: ProviderWorld,
  refreshToken: string,
  organization?: string,
): Promise<Extract<Refreshed, { is: 'refreshed' }>> => {
  const outcome = await world.provider.sessions.refresh({ refreshToken, organization });
  if (outcome.is !== 'refreshed') throw new Error(`a good refresh token earned "${outcome.is}"`);
  return outcome;
};

const refusal = (reason: string) => expect.objectContaining({ name: 'Refusal', reason });
const refuses = (token: string, { provider }: ProviderWorld, reason = 'session.token_invalid') =>
  expect(provider.tokens.verify(token)).rejects.toEqual(refusal(reason));

/** A token as the provider would sign it, but for one thing. */
const almost = async (world: ProviderWorld, different: (claims: JWTPayload) => JWTPayload): Promise<string> =>
  world.signToken(different(decodeJwt((await signedIn(world)).tokens.accessToken)));

const without = (claims: JWTPayload, name: string): JWTPayload =>
  Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name));

const anOrganization = (id: string, domains: readonly string[] = []) => ({
  id: id as OrganizationId,
  name: `Organization ${id}`,
  domains,
});

const flipped = (text: string): string =>
  text.replace(/[0-9a-f]$/, (digit) => (Number.parseInt(digit, 16) ^ 1).toString(16));

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const needsStrict = ({ places }: ProviderWorld): string | undefined =>
  places.strict === undefined ? 'this world has no organization that insists on single sign-on' : undefined;
const needsFeed = ({ provider }: ProviderWorld): string | undefined =>
  provider.feed === undefined ? 'this provider has no feed' : undefined;
const needsOutage = ({ outage }: ProviderWorld): string | undefined =>
  outage === undefined ? 'this world cannot take its provider down' : undefined;

const needsSso = ({ provider, connection, places }: ProviderWorld): string | undefined => {
  if (provider.sso === undefined) return 'this provider does not administer single sign-on';
  return connection === undefined || places.strict === undefined ? 'this world has no connection' : undefined;
};
const needsCreation = (world: ProviderWorld): string | undefined =>
  needsSso(world) ??
  (world.provider.sso?.createConnection ? undefined : 'this provider makes no connections from here');

const ssoOf = ({ provider, connection, places }: ProviderWorld) => {
  if (!provider.sso || !connection || places.strict === undefined) throw new Error('there is no single sign-on');
  return { sso: provider.sso, connection, strict: places.strict };
};

const feedOf = ({ provider }: ProviderWorld) => {
  if (!provider.feed) throw new Error('this provider has no feed');
  return provider.feed;
};

const loginClauses: readonly Clause[] = [
  {
    promise: 'the login address carries the request as it was made',
    check: async ({ provider, places, person }) => {
      const redirectUri = 'http://localhost:3000/auth/callback';
      const request = { state: 'state-1', redirectUri, codeChallenge: s256(codeVerifier) };
      const url = new URL(
        await provider.login.urlFor({ ...request, organization: places.home, loginHint: person.email }),
      );
      expect(Object.fromEntries(url.searchParams)).toMatchObject({
        response_type: 'code',
        state: 'state-1',
        redirect_uri: redirectUri,
        code_challenge: request.codeChallenge,
        code_challenge_method: 'S256',
        login_hint: person.email,
      });
      expect([...url.searchParams.values()]).toContain(places.home);
    },
  },
  {
    promise: 'a code is redeemed for the person, the place and the session that it stands for',
    check: async (world) => {
      const identity = await signedIn(world);
      expect(identity).toMatchObject({
        email: world.person.email,
        emailVerified: true,
        name: world.person.name,
        organization: world.places.home,
        method: 'password',
        impersonator: null,
      });
      expect(Math.abs(identity.authenticatedAt.getTime() - world.now().getTime())).toBeLessThan(5000);
      const again = await signedIn(world);
      expect(again.subject).toBe(identity.subject);
      expect(again.providerSession).not.toBe(identity.providerSession);
    },
  },
  {
    promise: 'a code is good once',
    check: async (world) => {
      const code = await world.signIn(s256(codeVerifier));
      const proof = { code, codeVerifier, ...browser };
      expect(await world.provider.login.redeem(proof)).toBeDefined();
      expect(await world.provider.login.redeem(proof)).toBeUndefined();
    },
  },
  {
    promise: 'a code is good for the verifier that it was asked for only',
    check: async (world) => {
      const code = await world.signIn(s256(codeVerifier));
      const stolen = { code, codeVerifier: `${codeVerifier}x`, ...browser };
      expect(await world.provider.login.redeem(stolen)).toBeUndefined();
    },
  },
  {
    promise: 'a code is good for ten minutes at most, and only if it was ever given',
    check: async (world) => {
      const code = await world.signIn(s256(codeVerifier));
      world.passTime(601);
      expect(await world.provider.login.redeem({ code, codeVerifier, ...browser })).toBeUndefined();
      expect(await world.provider.login.redeem({ code: 'never-given', codeVerifier, ...browser })).toBeUndefined();
    },
  },
];

const request = {
  state: 'state-1',
  redirectUri: 'http://localhost:3000/auth/callback',
  codeChallenge: s256(codeVerifier),
};

const ssoClauses: readonly Clause[] = [
  {
    promise: 'the login address carries an invitation on',
    check: async ({ provider }) => {
      const url = new URL(await provider.login.urlFor({ ...request, invitationToken: 'invitation-1' }));
      expect([...url.searchParams.values()]).toContain('invitation-1');
    },
  },
  {
    promise: 'the login address leads through a connection when one is named',
    missing: needsSso,
    check: async (world) => {
      const { connection } = ssoOf(world);
      const url = new URL(await world.provider.login.urlFor({ ...request, connection: connection.id }));
      const sent = [...url.searchParams.values()];
      expect(sent).toEqual(expect.arrayContaining([connection.id, request.state, request.codeChallenge]));
    },
  },
  {
    promise: 'whoever came through a connection came by single sign-on, to its organization',
    missing: needsSso,
    check: async (world) => {
      const { connection, strict } = ssoOf(world);
      const code = await connection.signIn(s256(codeVerifier));
      const identity = await world.provider.login.redeem({ code, codeVerifier, ...browser, organization: strict });
      expect(identity).toMatchObject({ email: world.person.email, method: 'sso', organization: strict });
    },
  },
  {
    promise: 'a set-up link is an address for each purpose, another one each time',
    missing: needsSso,
    check: async (world) => {
      const { sso, strict } = ssoOf(world);
      const returnTo = 'http://localhost:3000/settings';
      const links: string[] = [];
      for (const intent of [...setupIntents, ...setupIntents]) {
        links.push(await sso.setupLink({ organization: strict, intent, returnTo }));
      }
      for (const link of links) expect(new URL(link).protocol).toMatch(/^https?:$/);
      expect(new Set(links).size).toBe(links.length);
    },
  },
  {
    promise: 'the connections of an organization are listed as they are, and nobody else’s',
    missing: needsSso,
    check: async (world) => {
      const { sso, connection, strict } = ssoOf(world);
      expect(await sso.connections(strict)).toEqual([
        {
          id: connection.id,
          name: expect.stringMatching(/./),
          type: expect.stringMatching(/./),
          state: 'active',
          asOf: expect.any(Date),
        },
      ]);
      expect(await sso.connections(world.places.home)).toEqual([]);
    },
  },
  {
    promise: 'a connection that was removed is listed no more; removing it again, or one that never was, is no error',
    missing: needsSso,
    check: async (world) => {
      const { sso, connection, strict } = ssoOf(world);
      await sso.removeConnection(connection.id);
      expect(await sso.connections(strict)).toEqual([]);
      await expect(sso.removeConnection(connection.id)).resolves.toBeUndefined();
      await expect(sso.removeConnection('conn_never')).resolves.toBeUndefined();
    },
  },
  {
    promise: 'a connection that is made from here is one of the organization’s',
    missing: needsCreation,
    check: async (world) => {
      const { sso } = ssoOf(world);
      const organization = world.places.home;
      const name = 'Home IdP';
      const metadataUrl = 'https://idp.home.test/metadata';
      const made = await sso.createConnection?.({ organization, name, protocol: 'saml', metadataUrl });
      expect(made?.id).toMatch(/./);
      expect(await sso.connections(organization)).toEqual([made]);
    },
  },
];

const tokenClauses: readonly Clause[] = [
  {
    promise: 'its access token says who, which session, which organization and until when',
    check: async (world) => {
      const { tokens, subject, providerSession } = await signedIn(world);
      expect(await world.provider.tokens.verify(tokens.accessToken)).toEqual({
        subject,
        providerSession,
        organization: world.places.home,
        expiresAt: tokens.expiresAt,
      });
      expect(tokens.expiresAt.getTime()).toBeGreaterThan(world.now().getTime());
    },
  },
  {
    promise: 'a token that has expired is refused as expired',
    check: async (world) => {
      const { tokens } = await signedIn(world);
      world.passTime((tokens.expiresAt.getTime() - world.now().getTime()) / 1000 + 30);
      await refuses(tokens.accessToken, world, 'session.token_expired');
    },
  },
  {
    promise: 'a token that somebody else signed is refused, also under the key id of the provider',
    check: async (world) => {
      const { accessToken } = (await signedIn(world)).tokens;
      const { privateKey } = await generateKeyPair('RS256');
      const { kid } = decodeProtectedHeader(accessToken);
      const header = { alg: 'RS256', ...(kid !== undefined && { kid }) };
      await refuses(await new SignJWT(decodeJwt(accessToken)).setProtectedHeader(header).sign(privateKey), world);
      const unknownKey = { alg: 'RS256', kid: 'nobody-knows' };
      await refuses(await new SignJWT(decodeJwt(accessToken)).setProtectedHeader(unknownKey).sign(privateKey), world);
    },
  },
  {
    promise: 'a token without a signature, or with a shared-secret one, is refused',
    check: async (world) => {
      const { accessToken } = (await signedIn(world)).tokens;
      const [, payload] = accessToken.split('.');
      const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
      await refuses(`${none}.${payload}.`, world);
      const secret = await importJWK(await exportJWK(randomBytes(32)), 'HS256');
      const { kid } = decodeProtectedHeader(accessToken);
      const header = { alg: 'HS256', ...(kid !== undefined && { kid }) };
      await refuses(await new SignJWT(decodeJwt(accessToken)).setProtectedHeader(header).sign(secret), world);
    },
  },
  {
    promise: 'a token that was changed after signing, or is none, is refused',
    check: async (world) => {
      const { accessToken } = (await signedIn(world)).tokens;
      const [header, , signature] = accessToken.split('.');
      const claims = { ...decodeJwt(accessToken), org_id: world.places.closed };
      const changed = Buffer.from(JSON.stringify(claims)).toString('base64url');
      await refuses(`${header}.${changed}.${signature}`, world);
      await refuses('not.a.token', world);
      await refuses('', world);
    },
  },
  {
    promise: 'a genuine token of another issuer is refused',
    check: async (world) =>
      refuses(await almost(world, (claims) => ({ ...claims, iss: 'https://issuer.example' })), world),
  },
  {
    promise: 'a genuine token for another client is refused',
    check: async (world) =>
      refuses(
        await almost(world, (claims) => ({ ...claims, client_id: 'client_of_somebody', aud: 'client_of_somebody' })),
        world,
      ),
  },
  {
    promise: 'a genuine token that names no session, no person or no end is refused',
    check: async (world) => {
      for (const name of ['sid', 'sub', 'exp']) {
        await refuses(await almost(world, (claims) => without(claims, name)), world);
      }
    },
  },
];

const sessionClauses: readonly Clause[] = [
  {
    promise: 'a refresh gives a new pair for the same session, in the same organization',
    check: async (world) => {
      const { tokens, subject, providerSession } = await signedIn(world);
      world.passTime(60);
      const next = await refreshed(world, tokens.refreshToken);
      expect(next.claims).toMatchObject({ subject, providerSession, organization: world.places.home });
      expect(next.tokens.refreshToken).not.toBe(tokens.refreshToken);
      expect(next.tokens.expiresAt.getTime()).toBeGreaterThan(tokens.expiresAt.getTime());
      expect(await world.provider.tokens.verify(next.tokens.accessToken)).toEqual(next.claims);
      expect((await refreshed(world, next.tokens.refreshToken)).claims.providerSession).toBe(providerSession);
    },
  },
  {
    promise: 'a refresh token that was replaced long ago, or never given, is over',
    check: async (world) => {
      const { tokens } = await signedIn(world);
      await refreshed(world, tokens.refreshToken);
      world.passTime(3600);
      const { sessions } = world.provider;
      expect(await sessions.refresh({ refreshToken: tokens.refreshToken })).toEqual({ is: 'over' });
      expect(await sessions.refresh({ refreshToken: 'never-given' })).toEqual({ is: 'over' });
    },
  },
  {
    promise: 'a refresh moves the session to another organization of the person',
    check: async (world) => {
      const { tokens, providerSession } = await signedIn(world);
      const moved = await refreshed(world, tokens.refreshToken, world.places.second);
      expect(moved.claims).toMatchObject({ providerSession, organization: world.places.second });
      expect((await world.provider.tokens.verify(moved.tokens.accessToken)).organization).toBe(world.places.second);
      const stayed = await refreshed(world, moved.tokens.refreshToken);
      expect(stayed.claims.organization).toBe(world.places.second);
    },
  },
  {
    promise: 'nobody moves to an organization that they do not belong to, and the session does not suffer',
    check: async (world) => {
      const { tokens } = await signedIn(world);
      const { refreshToken } = tokens;
      const { sessions } = world.provider;
      expect(await sessions.refresh({ refreshToken, organization: world.places.closed })).toEqual({
        is: 'not_a_member',
      });
      expect((await refreshed(world, refreshToken)).claims.organization).toBe(world.places.home);
    },
  },
  {
    promise: 'an organization that insists on single sign-on asks for it, and the session does not suffer',
    missing: needsStrict,
    check: async (world) => {
      const { tokens } = await signedIn(world);
      const { refreshToken } = tokens;
      const { sessions } = world.provider;
      expect(await sessions.refresh({ refreshToken, organization: world.places.strict })).toEqual({
        is: 'interaction_required',
      });
      expect((await refreshed(world, refreshToken)).claims.organization).toBe(world.places.home);
    },
  },
  {
    promise: 'a session lives until it is ended; one that never was does not',
    check: async (world) => {
      const { providerSession, subject } = await signedIn(world);
      const { sessions } = world.provider;
      expect(await sessions.isAlive({ providerSession, subject })).toBe(true);
      expect(await sessions.isAlive({ providerSession: `${providerSession.slice(0, -3)}XXX`, subject })).toBe(false);
    },
  },
  {
    promise: 'ending a session ends it, for refreshing too, and no other',
    check: async (world) => {
      const { providerSession, subject, tokens } = await signedIn(world);
      const other = await signedIn(world);
      const { sessions } = world.provider;
      await sessions.end(providerSession);
      expect(await sessions.isAlive({ providerSession, subject })).toBe(false);
      expect(await sessions.refresh({ refreshToken: tokens.refreshToken })).toEqual({ is: 'over' });
      expect(await sessions.isAlive({ providerSession: other.providerSession, subject })).toBe(true);
    },
  },
  {
    promise: 'ending what has ended, or never was, is no error',
    check: async (world) => {
      const { providerSession } = await signedIn(world);
      const { sessions } = world.provider;
      await sessions.end(providerSession);
      await expect(sessions.end(providerSession)).resolves.toBeUndefined();
      await expect(sessions.end(`${providerSession.slice(0, -3)}XXX`)).resolves.toBeUndefined();
    },
  },
  {
    promise: 'where there is a logout address, it names the session and where to return',
    check: async (world) => {
      const { providerSession } = await signedIn(world);
      const returnTo = 'http://localhost:3000/';
      const address = world.provider.sessions.logoutUrl(providerSession, returnTo);
      if (address === undefined) return; // nothing to visit is an answer too
      expect([...new URL(address).searchParams.values()]).toEqual(expect.arrayContaining([providerSession, returnTo]));
    },
  },
];

const organizationClauses: readonly Clause[] = [
  {
    promise: 'an organization has one counterpart, however often it is asked for',
    check: async ({ provider: { organizations } }) => {
      const first = await organizations.ensure(anOrganization('org_one', ['one.test']));
      const again = await organizations.ensure(anOrganization('org_one', ['one.test']));
      const other = await organizations.ensure(anOrganization('org_other'));
      expect(again.ref).toBe(first.ref);
      expect(other.ref).not.toBe(first.ref);
      expect(first.domains.map(({ name }) => name)).toEqual(['one.test']);
      expect(again.domains.map(({ name }) => name)).toEqual(['one.test']);
    },
  },
  {
    promise: 'two askers at once get the same counterpart',
    check: async ({ provider: { organizations } }) => {
      const both = await Promise.all([1, 2].map(() => organizations.ensure(anOrganization('org_both'))));
      expect(new Set(both.map(({ ref }) => ref)).size).toBe(1);
    },
  },
  {
    promise: 'somebody admitted belongs; admitting again changes nothing',
    check: async (world) => {
      const { subject, tokens } = await signedIn(world);
      const member = { organization: world.places.closed, subject };
      await world.provider.organizations.admit(member);
      await world.provider.organizations.admit(member);
      const moved = await refreshed(world, tokens.refreshToken, world.places.closed);
      expect(moved.claims.organization).toBe(world.places.closed);
    },
  },
  {
    promise: 'somebody dismissed does not belong any more; dismissing again, or somebody who never did, is no error',
    check: async (world) => {
      const { subject, tokens } = await signedIn(world);
      const { organizations, sessions } = world.provider;
      await organizations.dismiss({ organization: world.places.second, subject });
      await organizations.dismiss({ organization: world.places.second, subject });
      await organizations.dismiss({ organization: world.places.closed, subject });
      const { refreshToken } = tokens;
      expect(await sessions.refresh({ refreshToken, organization: world.places.second })).toEqual({
        is: 'not_a_member',
      });
    },
  },
];

/** The delivery that says whom the directory hired. */
const hiring = async (world: ProviderWorld, email: string): Promise<Delivery> => {
  for (const delivery of await world.hire(email)) {
    const { payload } = await world.provider.deliveries.receive(delivery);
    const meaning = world.provider.deliveries.interpret(payload);
    if (meaning.about === 'directory' && meaning.event.kind === 'user.created') return delivery;
  }
  throw new Error('no delivery said that somebody was hired');
};

/** Sends one to somebody whom the provider does not know, to the home. */
const inviting = (world: ProviderWorld, wish: { readonly email?: string; readonly askedAt?: Date } = {}) =>
  world.provider.invitations.send({
    organization: world.places.home,
    email: 'nina@elsewhere.test',
    days: 7,
    askedAt: world.now(),
    inviter: null,
    ...wish,
  });

/** Rejects, or gives nothing, when the link leads nowhere any more. */
const takenUp = async (
  world: ProviderWorld,
  email: string,
  invitationToken = world.mailTo(email),
): Promise<ProvenIdentity | undefined> => {
  const code = await world.takeUp(email, invitationToken, s256(codeVerifier));
  return world.provider.login.redeem({ code, codeVerifier, ...browser, invitationToken });
};

const invitationClauses: readonly Clause[] = [
  {
    promise:
      'an invitation is good for as many days as asked, and whoever takes it up arrives there, with a proved address',
    check: async (world) => {
      const sent = await inviting(world);
      if (sent === 'member') throw new Error('a stranger is no member');
      expect(sent.ref).toMatch(/./);
      const days = (sent.expiresAt.getTime() - world.now().getTime()) / (24 * 3600 * 1000);
      expect(Math.abs(days - 7)).toBeLessThan(0.01);
      expect(Object.keys(sent).toSorted()).toEqual(['expiresAt', 'ref']);
      const identity = await takenUp(world, 'nina@elsewhere.test');
      expect(identity).toMatchObject({
        email: 'nina@elsewhere.test',
        emailVerified: true,
        organization: world.places.home,
      });
    },
  },
  {
    promise: 'the same asking sends one mail, however often it is repeated',
    check: async (world) => {
      const askedAt = world.now();
      const first = await inviting(world, { askedAt });
      world.passTime(5);
      expect(await inviting(world, { askedAt })).toEqual(first);
    },
  },
  {
    promise: 'a later asking sends another one, good for its own time, and ends the one before',
    check: async (world) => {
      const first = await inviting(world);
      const stale = world.mailTo('nina@elsewhere.test');
      world.passTime(3600);
      const second = await inviting(world);
      if (first === 'member' || second === 'member') throw new Error('a stranger is no member');
      expect(second.ref).not.toBe(first.ref);
      expect(second.expiresAt.getTime() - first.expiresAt.getTime()).toBeGreaterThan(3000 * 1000);
      await expect(takenUp(world, 'nina@elsewhere.test', stale)).rejects.toThrow();
      expect(await takenUp(world, 'nina@elsewhere.test')).toBeDefined();
    },
  },
  {
    promise: 'an invitation that was withdrawn lets nobody in; withdrawing again, or where there is none, is no error',
    check: async (world) => {
      await inviting(world);
      const address = { organization: world.places.home, email: 'nina@elsewhere.test' };
      await world.provider.invitations.withdraw(address);
      await world.provider.invitations.withdraw(address);
      await world.provider.invitations.withdraw({ ...address, organization: world.places.closed });
      await expect(takenUp(world, 'nina@elsewhere.test')).rejects.toThrow();
      expect(await inviting(world)).not.toBe('member');
    },
  },
  {
    promise: 'whoever belongs already needs no invitation; whoever was dismissed does again',
    check: async (world) => {
      const { email } = world.person;
      const { subject } = await signedIn(world);
      expect(await inviting(world, { email })).toBe('member');
      await world.provider.organizations.dismiss({ organization: world.places.home, subject });
      expect(await inviting(world, { email })).toMatchObject({ ref: expect.stringMatching(/./) });
      expect(await takenUp(world, email)).toMatchObject({ subject, organization: world.places.home });
    },
  },
];

const deliveryClauses: readonly Clause[] = [
  {
    promise: 'an authentic delivery is read, and means what happened',
    check: async (world) => {
      const delivery = await hiring(world, 'new@home.test');
      const heard = await world.provider.deliveries.receive(delivery);
      expect(heard.organization).toBe(world.places.home);
      expect(heard.occurredAt).toBeInstanceOf(Date);
      expect(world.provider.deliveries.interpret(heard.payload)).toMatchObject({
        about: 'directory',
        organization: world.places.home,
        event: { id: heard.id, kind: 'user.created', user: { email: 'new@home.test', state: 'active' } },
      });
      const stored = JSON.parse(JSON.stringify(heard.payload));
      expect(world.provider.deliveries.interpret(stored)).toEqual(world.provider.deliveries.interpret(heard.payload));
    },
  },
  {
    promise: 'a delivery with another body, another signature or none is refused',
    check: async (world) => {
      const { body, signature = '' } = await hiring(world, 'new@home.test');
      const { deliveries } = world.provider;
      const unverified = refusal('delivery.unverified');
      const otherBody = bytes(new TextDecoder().decode(body).replace('new@', 'bad@'));
      await expect(deliveries.receive({ body: otherBody, signature })).rejects.toEqual(unverified);
      await expect(deliveries.receive({ body, signature: flipped(signature) })).rejects.toEqual(unverified);
      await expect(deliveries.receive({ body, signature: 'garbage' })).rejects.toEqual(unverified);
      await expect(deliveries.receive({ body, signature: undefined })).rejects.toEqual(unverified);
    },
  },
  {
    promise: 'a delivery replayed an hour later is refused',
    check: async (world) => {
      const delivery = await hiring(world, 'new@home.test');
      world.passTime(3600);
      await expect(world.provider.deliveries.receive(delivery)).rejects.toEqual(refusal('delivery.unverified'));
    },
  },
  {
    promise: 'something authentic that is no event is refused as malformed',
    check: async (world) => {
      for (const body of ['not json', '[]', '{}', '{"id":"event_1","event":"user.created"}']) {
        const delivery = world.signDelivery(bytes(body));
        await expect(world.provider.deliveries.receive(delivery)).rejects.toEqual(refusal('delivery.malformed'));
      }
    },
  },
  {
    promise: 'an event that nobody follows, or that cannot be read, means nothing, with the reason',
    check: async (world) => {
      const { payload } = await world.provider.deliveries.receive(await hiring(world, 'new@home.test'));
      const strange = [
        { ...payload, event: 'weather.changed' },
        { ...payload, data: null },
        { ...payload, data: { id: 7 } },
        {},
      ];
      for (const one of strange) {
        expect(world.provider.deliveries.interpret(one)).toEqual({ about: 'nothing', because: expect.any(String) });
      }
    },
  },
];

const feedClauses: readonly Clause[] = [
  {
    promise: 'the feed tells everything that was delivered, under the same ids, oldest first',
    missing: needsFeed,
    check: async (world) => {
      const deliveries = [...(await world.hire('first@home.test')), ...(await world.hire('second@home.test'))];
      const heard = await Promise.all(deliveries.map((delivery) => world.provider.deliveries.receive(delivery)));
      expect(heard.length).toBeGreaterThan(1);
      const told = await feedOf(world).after(undefined, 1000);
      const ids = heard.map(({ id }) => id);
      expect(told.filter(({ id }) => ids.includes(id))).toEqual(heard);
    },
  },
  {
    promise: 'the feed goes on after any of its events, in pieces of at most the asked size, until there is no more',
    missing: needsFeed,
    check: async (world) => {
      await world.hire('first@home.test');
      await world.hire('second@home.test');
      const feed = feedOf(world);
      const whole = await feed.after(undefined, 1000);
      const pieces: string[] = [];
      for (let last: string | undefined; pieces.length <= whole.length; ) {
        const piece = await feed.after(last, 2);
        expect(piece.length).toBeLessThanOrEqual(2);
        pieces.push(...piece.map(({ id }) => id));
        last = piece.at(-1)?.id;
        if (piece.length === 0) break;
      }
      expect(pieces).toEqual(whole.map(({ id }) => id));
    },
  },
];

const ssoCalls = (sso: SsoAdministration, organization: string): Readonly<Record<string, () => Promise<unknown>>> => ({
  setupLink: () => sso.setupLink({ organization, intent: 'sso', returnTo: 'http://localhost:3000/' }),
  connections: () => sso.connections(organization),
  removeConnection: () => sso.removeConnection('conn_never'),
});

/** Every call that needs the provider to answer. */
const remoteCalls = (
  world: ProviderWorld,
  identity: ProvenIdentity,
  code: string,
): Readonly<Record<string, () => Promise<unknown>>> => {
  const { login, sessions, organizations, invitations, feed, sso, directory } = world.provider;
  const { providerSession, subject, tokens } = identity;
  const member = { organization: world.places.home, subject };
  return {
    redeem: () => login.redeem({ code, codeVerifier, ...browser }),
    isAlive: () => sessions.isAlive({ providerSession, subject }),
    refresh: () => sessions.refresh({ refreshToken: tokens.refreshToken }),
    end: () => sessions.end(providerSession),
    ensure: () => organizations.ensure(anOrganization('org_late')),
    admit: () => organizations.admit(member),
    dismiss: () => organizations.dismiss(member),
    invite: () => inviting(world),
    withdraw: () => invitations.withdraw({ organization: world.places.home, email: 'nina@elsewhere.test' }),
    ...(feed && { feed: () => feed.after(undefined, 10) }),
    ...(sso && ssoCalls(sso, world.places.home)),
    ...(directory && { directories: () => directory.directories(world.places.home) }),
  };
};

const outageClauses: readonly Clause[] = [
  ...(['down', 'throttled'] as const).map((mode): Clause => {
    const reason = mode === 'down' ? 'identity.unavailable' : 'identity.throttled';
    return {
      promise: `while the provider is ${mode}, every call that needs it says ${reason}`,
      missing: needsOutage,
      check: async (world) => {
        const identity = await signedIn(world);
        const code = await world.signIn(s256(codeVerifier));
        await world.outage?.(mode);
        for (const [name, call] of Object.entries(remoteCalls(world, identity, code))) {
          await expect(Promise.resolve().then(call), name).rejects.toEqual(refusal(reason));
        }
      },
    };
  }),
  {
    promise: 'an outage ends nothing: what was refused during it works after it',
    missing: needsOutage,
    check: async (world) => {
      const { providerSession, subject, tokens } = await signedIn(world);
      const code = await world.signIn(s256(codeVerifier));
      const { login, sessions } = world.provider;
      await world.outage?.('down');
      await Promise.allSettled([
        login.redeem({ code, codeVerifier, ...browser }),
        sessions.refresh({ refreshToken: tokens.refreshToken }),
        sessions.isAlive({ providerSession, subject }),
      ]);
      await world.outage?.('none');
      expect(await sessions.isAlive({ providerSession, subject })).toBe(true);
      expect((await refreshed(world, tokens.refreshToken)).claims.providerSession).toBe(providerSession);
      expect(await login.redeem({ code, codeVerifier, ...browser })).toBeDefined();
    },
  },
  {
    promise: 'tokens are verified through an outage once the keys are known',
    missing: needsOutage,
    check: async (world) => {
      const { tokens, subject } = await signedIn(world);
      await world.provider.tokens.verify(tokens.accessToken);
      await world.outage?.('down');
      expect((await world.provider.tokens.verify(tokens.accessToken)).subject).toBe(subject);
    },
  },
];

export const clauses: readonly Clause[] = [
  ...loginClauses,
  ...ssoClauses,
  ...tokenClauses,
  ...sessionClauses,
  ...organizationClauses,
  ...invitationClauses,
  ...deliveryClauses,
  ...feedClauses,
  ...directoryClauses,
  ...outageClauses,
];

/** Run it for every provider. A clause that a world cannot show is skipped aloud, with the reason. */
export const identityProviderContract = (name: string, build: () => Promise<ProviderWorld>): void => {
  describe(`${name} keeps the identity provider contract`, () => {
    for (const { promise, missing, check } of clauses) {
      it(promise, async ({ skip }) => {
        const world = await build();
        const why = missing?.(world);
        if (why !== undefined) return skip(why);
        await check(world);
      });
    }
  });
};
