// The identity provider contract, run on the fake; and the proof that each of its clauses can fail.

import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import type { DirectoryReader } from '#application/ports/directory-reader.ts';
import type { HeardEvent, IdentityProvider, SsoAdministration } from '#application/ports/identity-provider.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { fakeProviderWorld } from '../adapters/fake/fake-provider-world.ts';
import { clauses, identityProviderContract, type ProviderWorld } from './identity-provider.contract.ts';

identityProviderContract('the fake', fakeProviderWorld);

/** A provider that is right in everything but one. */
interface Broken {
  readonly by: string;
  /** The promises that it breaks, by how they begin. */
  readonly breaks: readonly string[];
  readonly wrong: (provider: IdentityProvider, world: ProviderWorld) => Partial<IdentityProvider>;
}

const login = (provider: IdentityProvider, wrong: Partial<IdentityProvider['login']>) => ({
  login: { ...provider.login, ...wrong },
});
const tokens = (provider: IdentityProvider, wrong: Partial<IdentityProvider['tokens']>) => ({
  tokens: { ...provider.tokens, ...wrong },
});
const sessions = (provider: IdentityProvider, wrong: Partial<IdentityProvider['sessions']>) => ({
  sessions: { ...provider.sessions, ...wrong },
});
const organizations = (provider: IdentityProvider, wrong: Partial<IdentityProvider['organizations']>) => ({
  organizations: { ...provider.organizations, ...wrong },
});
const posting = (provider: IdentityProvider, wrong: Partial<IdentityProvider['invitations']>) => ({
  invitations: { ...provider.invitations, ...wrong },
});
const deliveries = (provider: IdentityProvider, wrong: Partial<IdentityProvider['deliveries']>) => ({
  deliveries: { ...provider.deliveries, ...wrong },
});
const sso = (provider: IdentityProvider, wrong: (whole: SsoAdministration) => Partial<SsoAdministration>) => {
  if (!provider.sso) throw new Error('the fake administers single sign-on');
  return { sso: { ...provider.sso, ...wrong(provider.sso) } };
};
const feed = ({ feed: whole }: IdentityProvider, wrong: (events: readonly HeardEvent[]) => readonly HeardEvent[]) => ({
  feed: { after: async (id: string | undefined, limit: number) => wrong((await whole?.after(id, limit)) ?? []) },
});

const directory = (
  provider: IdentityProvider,
  wrong: (whole: DirectoryReader) => Partial<DirectoryReader>,
): Partial<IdentityProvider> => {
  if (!provider.directory) throw new Error('the fake lists its directories');
  return { directory: { ...provider.directory, ...wrong(provider.directory) } };
};
/** Believes a token's claims without a look at its signature, but for what `unless` refuses. */
const credulous =
  (provider: IdentityProvider, unless: (token: string, claims: Record<string, unknown>) => boolean) =>
  async (token: string) => {
    let claims: ReturnType<typeof decodeJwt>;
    try {
      claims = decodeJwt(token);
    } catch {
      throw new Refusal('session.token_invalid');
    }
    if (unless(token, claims)) return provider.tokens.verify(token);
    return {
      subject: claims.sub ?? '',
      providerSession: String(claims['sid']),
      organization: typeof claims['org_id'] === 'string' ? claims['org_id'] : null,
      expiresAt: new Date((claims.exp ?? 0) * 1000),
    };
  };

const headerOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());

const brokenProviders: readonly Broken[] = [
  {
    by: 'a login address without the state',
    breaks: ['the login address carries the request'],
    wrong: (provider) =>
      login(provider, {
        urlFor: async (request) => (await provider.login.urlFor(request)).replace(/([?&])state=[^&]*/, '$1'),
      }),
  },
  {
    by: 'telling somebody else’s address',
    breaks: ['a code is redeemed for the person'],
    wrong: (provider) =>
      login(provider, {
        redeem: async (proof) => {
          const identity = await provider.login.redeem(proof);
          return identity && { ...identity, email: 'somebody@else.test' };
        },
      }),
  },
  {
    by: 'redeeming a code as often as it is shown',
    breaks: ['a code is good once'],
    wrong: (provider) => {
      const seen = new Map<string, ReturnType<IdentityProvider['login']['redeem']>>();
      const redeem: IdentityProvider['login']['redeem'] = (proof) => {
        const known = seen.get(proof.code) ?? provider.login.redeem(proof);
        seen.set(proof.code, known);
        return known;
      };
      return login(provider, { redeem });
    },
  },
  {
    by: 'ignoring the verifier',
    breaks: ['a code is good for the verifier'],
    wrong: (provider) =>
      login(provider, {
        redeem: (proof) => provider.login.redeem({ ...proof, codeVerifier: proof.codeVerifier.replace(/x$/, '') }),
      }),
  },
  {
    by: 'codes that never grow old',
    breaks: ['a code is good for ten minutes'],
    wrong: (provider, world) =>
      login(provider, {
        redeem: async (proof) => {
          world.passTime(-601);
          return provider.login.redeem(proof);
        },
      }),
  },
  {
    by: 'inviting for longer than asked',
    breaks: ['an invitation is good for as many days'],
    wrong: (provider) => posting(provider, { send: (wish) => provider.invitations.send({ ...wish, days: 30 }) }),
  },
  {
    by: 'sending a mail for every call',
    breaks: ['the same asking sends one mail'],
    wrong: (provider, world) =>
      posting(provider, { send: (wish) => provider.invitations.send({ ...wish, askedAt: world.now() }) }),
  },
  {
    by: 'resting on the first mail',
    breaks: ['a later asking sends another one'],
    wrong: (provider) =>
      posting(provider, { send: (wish) => provider.invitations.send({ ...wish, askedAt: new Date(0) }) }),
  },
  {
    by: 'leaving open what was withdrawn',
    breaks: ['an invitation that was withdrawn'],
    wrong: (provider) => posting(provider, { withdraw: async () => undefined }),
  },
  {
    by: 'telling of everybody that they belong',
    breaks: ['whoever belongs already needs no invitation'],
    wrong: (provider) => posting(provider, { send: async () => 'member' }),
  },
  {
    by: 'dropping the invitation',
    breaks: ['the login address carries an invitation'],
    wrong: (provider) =>
      login(provider, { urlFor: (request) => provider.login.urlFor({ ...request, invitationToken: undefined }) }),
  },
  {
    by: 'leading to the page that asks for a connection',
    breaks: ['the login address leads through'],
    wrong: (provider) =>
      login(provider, { urlFor: (request) => provider.login.urlFor({ ...request, connection: undefined }) }),
  },
  {
    by: 'calling every sign-in one by password',
    breaks: ['whoever came through a connection'],
    wrong: (provider) =>
      login(provider, {
        redeem: async (proof) => {
          const identity = await provider.login.redeem(proof);
          return identity && { ...identity, method: 'password' };
        },
      }),
  },
  {
    by: 'handing out one set-up link for all',
    breaks: ['a set-up link is an address'],
    wrong: (provider) => sso(provider, () => ({ setupLink: async () => 'https://setup.test/for-all' })),
  },
  {
    by: 'listing the connections of everybody',
    breaks: ['the connections of an organization'],
    wrong: (provider, world) =>
      sso(provider, (whole) => ({ connections: () => whole.connections(world.places.strict ?? '') })),
  },
  {
    by: 'removing nothing',
    breaks: ['a connection that was removed'],
    wrong: (provider) => sso(provider, () => ({ removeConnection: async () => undefined })),
  },
  {
    by: 'making connections that are not there',
    breaks: ['a connection that is made from here'],
    wrong: (provider, world) =>
      sso(provider, (whole) => ({
        createConnection: async () => ({
          ...((await whole.connections(world.places.strict ?? ''))[0] ?? {
            id: '',
            name: '',
            type: '',
            asOf: world.now(),
          }),
          state: 'active',
        }),
      })),
  },
  {
    by: 'losing the organization of a token',
    breaks: ['its access token says who'],
    wrong: (provider) =>
      tokens(provider, { verify: async (token) => ({ ...(await provider.tokens.verify(token)), organization: null }) }),
  },
  {
    by: 'calling an expired token invalid',
    breaks: ['a token that has expired'],
    wrong: (provider) =>
      tokens(provider, {
        verify: (token) =>
          provider.tokens.verify(token).catch(() => {
            throw new Refusal('session.token_invalid');
          }),
      }),
  },
  {
    by: 'not checking RS256 signatures',
    breaks: ['a token that somebody else signed', 'a token that was changed'],
    wrong: (provider) =>
      tokens(provider, { verify: credulous(provider, (token) => headerOf(token)['alg'] !== 'RS256') }),
  },
  {
    by: 'believing whatever algorithm a token names',
    breaks: ['a token without a signature'],
    wrong: (provider) =>
      tokens(provider, { verify: credulous(provider, (token) => headerOf(token)['alg'] === 'RS256') }),
  },
  {
    by: 'not looking at the issuer',
    breaks: ['a genuine token of another issuer'],
    wrong: (provider) =>
      tokens(provider, { verify: credulous(provider, (_, { iss }) => iss !== 'https://issuer.example') }),
  },
  {
    by: 'not looking at the client',
    breaks: ['a genuine token for another client'],
    wrong: (provider) =>
      tokens(provider, { verify: credulous(provider, (_, claims) => claims['client_id'] !== 'client_of_somebody') }),
  },
  {
    by: 'taking a token without a session',
    breaks: ['a genuine token that names no session'],
    wrong: (provider) => tokens(provider, { verify: credulous(provider, (_, claims) => claims['sid'] !== undefined) }),
  },
  {
    by: 'keeping the refresh token as it is',
    breaks: ['a refresh gives a new pair'],
    wrong: (provider) =>
      sessions(provider, {
        refresh: async (request) => {
          const outcome = await provider.sessions.refresh(request);
          if (outcome.is !== 'refreshed') return outcome;
          return { ...outcome, tokens: { ...outcome.tokens, refreshToken: request.refreshToken } };
        },
      }),
  },
  {
    by: 'taking a replaced refresh token for good',
    breaks: ['a refresh token that was replaced long ago'],
    wrong: (provider) => {
      const newest = new Map<string, string>();
      const follow = (token: string): string => {
        const next = newest.get(token);
        return next === undefined ? token : follow(next);
      };
      return sessions(provider, {
        refresh: async ({ refreshToken, organization }) => {
          const outcome = await provider.sessions.refresh({ refreshToken: follow(refreshToken), organization });
          if (outcome.is === 'refreshed') newest.set(follow(refreshToken), outcome.tokens.refreshToken);
          return outcome;
        },
      });
    },
  },
  {
    by: 'not moving to the organization that was asked for',
    breaks: ['a refresh moves the session', 'somebody admitted belongs'],
    wrong: (provider) =>
      sessions(provider, { refresh: ({ refreshToken }) => provider.sessions.refresh({ refreshToken }) }),
  },
  {
    by: 'calling it the end of the session when somebody may not enter',
    breaks: ['nobody moves to an organization', 'an organization that insists', 'somebody dismissed'],
    wrong: (provider) =>
      sessions(provider, {
        refresh: async (request) => {
          const outcome = await provider.sessions.refresh(request);
          return outcome.is === 'refreshed' ? outcome : { is: 'over' };
        },
      }),
  },
  {
    by: 'believing every session alive',
    breaks: ['a session lives until', 'ending a session ends it'],
    wrong: (provider) => sessions(provider, { isAlive: async () => true }),
  },
  {
    by: 'complaining about a session that has ended',
    breaks: ['ending what has ended'],
    wrong: (provider) => {
      const ended = new Set<string>();
      return sessions(provider, {
        end: async (session) => {
          if (ended.has(session)) throw new Refusal('session.not_found');
          ended.add(session);
          await provider.sessions.end(session);
        },
      });
    },
  },
  {
    by: 'a logout address that goes nowhere afterwards',
    breaks: ['where there is a logout address'],
    wrong: (provider) => sessions(provider, { logoutUrl: (id) => provider.sessions.logoutUrl(id, 'about:blank') }),
  },
  {
    by: 'a new counterpart each time',
    breaks: ['an organization has one counterpart', 'two askers at once'],
    wrong: (provider) => {
      let count = 0;
      return organizations(provider, {
        ensure: async (organization) => {
          count += 1;
          const mine = count;
          const { ref, domains } = await provider.organizations.ensure(organization);
          return { ref: `${ref}-${mine}`, domains };
        },
      });
    },
  },
  {
    by: 'admitting nobody',
    breaks: ['somebody admitted belongs'],
    wrong: (provider) => organizations(provider, { admit: async () => undefined }),
  },
  {
    by: 'dismissing nobody',
    breaks: ['somebody dismissed'],
    wrong: (provider) => organizations(provider, { dismiss: async () => undefined }),
  },
  {
    by: 'forgetting whom an event is about',
    breaks: ['an authentic delivery is read'],
    wrong: (provider) =>
      deliveries(provider, {
        receive: async (delivery) => ({ ...(await provider.deliveries.receive(delivery)), organization: null }),
      }),
  },
  {
    by: 'reading without verifying',
    breaks: ['a delivery with another body', 'a delivery replayed'],
    wrong: (provider, world) =>
      deliveries(provider, { receive: ({ body }) => provider.deliveries.receive(world.signDelivery(body)) }),
  },
  {
    by: 'a fault for what is no event',
    breaks: ['something authentic that is no event'],
    wrong: (provider) =>
      deliveries(provider, {
        receive: async (delivery) => {
          JSON.parse(new TextDecoder().decode(delivery.body)).data.id.toString();
          return provider.deliveries.receive(delivery);
        },
      }),
  },
  {
    by: 'throwing at an event that it does not know',
    breaks: ['an event that nobody follows'],
    wrong: (provider) =>
      deliveries(provider, {
        interpret: (payload) => {
          const meaning = provider.deliveries.interpret(payload);
          if (meaning.about === 'nothing') throw new Error('unknown event');
          return meaning;
        },
      }),
  },
  {
    by: 'a feed with the newest first',
    breaks: ['the feed tells everything'],
    wrong: (provider) => feed(provider, (events) => events.toReversed()),
  },
  {
    by: 'a feed that skips the first of each piece',
    breaks: ['the feed goes on'],
    wrong: (provider) => feed(provider, (events) => events.slice(1)),
  },
  {
    by: 'no word on being down',
    breaks: ['while the provider is down', 'while the provider is throttled'],
    wrong: (provider) =>
      sessions(provider, { isAlive: (session) => provider.sessions.isAlive(session).catch(() => false) }),
  },
  {
    by: 'calling a session over because nobody answers',
    breaks: ['an outage ends nothing'],
    wrong: (provider) => {
      const spent = new Set<string>();
      return sessions(provider, {
        refresh: async (request) => {
          if (spent.has(request.refreshToken)) return { is: 'over' };
          spent.add(request.refreshToken);
          return provider.sessions.refresh(request);
        },
      });
    },
  },
  {
    by: 'asking the provider about every token',
    breaks: ['tokens are verified through an outage'],
    wrong: (provider) =>
      tokens(provider, {
        verify: async (token) => {
          const claims = await provider.tokens.verify(token);
          await provider.sessions.isAlive(claims);
          return claims;
        },
      }),
  },
  {
    by: 'listing people without their names',
    breaks: ['the lists have a person'],
    wrong: (provider) =>
      directory(provider, (whole) => ({
        async users(id, from) {
          const { items, next } = await whole.users(id, from);
          return { items: items.map((person) => ({ ...person, name: null })), next };
        },
      })),
  },
  {
    by: 'listing everybody’s directories',
    breaks: ['an organization without a directory'],
    wrong: (provider, { places }) =>
      directory(provider, (whole) => ({ directories: () => whole.directories(places.home) })),
  },
  {
    by: 'a clock that runs ahead',
    breaks: ['the lists are as of a moment'],
    wrong: (provider) =>
      directory(provider, (whole) => ({
        async directories(organization) {
          const listed = await whole.directories(organization);
          return { ...listed, asOf: new Date(listed.asOf.getTime() + 1000) };
        },
      })),
  },
  {
    by: 'stopping after the first page',
    breaks: ['everybody is listed once'],
    wrong: (provider) =>
      directory(provider, (whole) => ({
        users: async (id, from) => ({ ...(await whole.users(id, from)), next: null }),
      })),
  },
  {
    by: 'repeating the end of a page at the beginning of the next',
    breaks: ['everybody is listed once'],
    wrong: (provider) =>
      directory(provider, (whole) => ({
        async members(group, from) {
          const page = await whole.members(group, from);
          return from === null ? page : { ...page, items: [...page.items.slice(0, 1), ...page.items] };
        },
      })),
  },
  {
    by: 'an empty list in place of a fault',
    breaks: ['a directory that is not there'],
    wrong: (provider) =>
      directory(provider, (whole) => ({
        groups: (id, from) => whole.groups(id, from).catch(() => ({ items: [], next: null })),
      })),
  },
];

const brokenWorld = async ({ wrong }: Broken): Promise<ProviderWorld> => {
  const world = await fakeProviderWorld();
  const { provider } = world;
  const { name, login, tokens, sessions, organizations, invitations, deliveries, feed, sso, directory } = provider;
  const whole = {
    name,
    login,
    tokens,
    sessions,
    organizations,
    invitations,
    deliveries,
    ...(feed && { feed }),
    ...(sso && { sso }),
    ...(directory && { directory }),
  };
  return { ...world, provider: { ...whole, ...wrong(provider, world) } };
};

describe('the identity provider contract catches a provider that is broken by', () => {
  it.each(brokenProviders)('$by', async (broken) => {
    for (const beginning of broken.breaks) {
      const [clause, ...others] = clauses.filter(({ promise }) => promise.startsWith(beginning));
      expect(others, beginning).toEqual([]);
      if (!clause) throw new Error(`no clause begins with "${beginning}"`);
      const world = await brokenWorld(broken);
      await expect(clause.check(world), clause.promise).rejects.toThrow();
    }
  });

  it('anything: no clause is left that no broken provider was tried on', () => {
    const tried = brokenProviders.flatMap(({ breaks }) => breaks);
    const untried = clauses.filter(({ promise }) => !tried.some((beginning) => promise.startsWith(beginning)));
    expect(untried.map(({ promise }) => promise)).toEqual([]);
  });
});
