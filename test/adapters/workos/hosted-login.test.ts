// Signing in at AuthKit: the address, what is told to WorkOS, and who comes back.

import { describe, expect, it } from 'vitest';
import { codeChallenge, codeVerifier, outcomeOf, staffed, workosWorld } from './workos-world.ts';

const redirectUri = 'https://id.acme.test/auth/callback';

describe('the address of the login', () => {
  it('is that of AuthKit’s page, with the organization chosen, and asks WorkOS nothing', async () => {
    const { provider, stub, asked } = await workosWorld();
    const request = {
      state: 's t&te',
      redirectUri,
      codeChallenge,
      organization: 'org_1',
      loginHint: 'ada+1@acme.test',
    };
    const url = new URL(await provider.login.urlFor(request));
    expect(`${url.origin}${url.pathname}`).toBe(`${stub.url}/user_management/authorize`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      provider: 'authkit',
      client_id: stub.clientId,
      response_type: 'code',
      redirect_uri: redirectUri,
      state: 's t&te',
      code_challenge: codeChallenge,
      code_challenge_method: 'S256',
      organization_id: 'org_1',
      login_hint: 'ada+1@acme.test',
    });
    expect(asked()).toEqual([]);
  });

  it('names neither an organization nor a person when nobody did', async () => {
    const { provider } = await workosWorld();
    const url = new URL(await provider.login.urlFor({ state: 's', redirectUri, codeChallenge }));
    expect([...url.searchParams.keys()]).not.toEqual(expect.arrayContaining(['organization_id']));
    expect([...url.searchParams.keys()]).not.toEqual(expect.arrayContaining(['login_hint']));
  });
});

describe('redeeming', () => {
  it('tells WorkOS from where the person came, which is not from us', async () => {
    const world = await workosWorld();
    await staffed(world).signIn();
    expect(world.stub.requests.at(-1)?.body).toMatchObject({
      ip_address: '203.0.113.7',
      user_agent: 'a browser',
      code_verifier: codeVerifier,
      client_secret: world.stub.apiKey,
    });
  });

  it('says nothing of what is not known', async () => {
    const world = await workosWorld();
    const { code } = staffed(world);
    await world.provider.login.redeem({ code: await code(), codeVerifier, ip: null, userAgent: null });
    expect(Object.keys(world.stub.requests.at(-1)?.body ?? {})).not.toEqual(expect.arrayContaining(['ip_address']));
  });

  it.each([
    ['SSO', 'sso'],
    ['Password', 'password'],
    ['MagicAuth', 'other'],
    ['GoogleOAuth', 'other'],
    ['Impersonation', 'other'],
    ['constructor', 'other'],
  ])('takes %s for %s', async (method, expected) => {
    const world = await workosWorld();
    world.stub.sessions.nextSignIn = { method };
    if (method === 'constructor') world.stub.deviate(/authentication_method/);
    expect(await staffed(world).signIn()).toMatchObject({ method: expected });
  });

  it('names who is really there when somebody impersonates', async () => {
    const world = await workosWorld();
    const impersonator = { email: 'support@workos.test', reason: 'ticket 7' };
    world.stub.sessions.nextSignIn = { method: 'Impersonation', impersonator };
    expect(await staffed(world).signIn()).toMatchObject({ email: 'ada@acme.test', impersonator });
  });

  it('knows when the person proved who they are, which refreshing does not move', async () => {
    const world = await workosWorld();
    const { authenticatedAt } = await staffed(world).signIn();
    expect(authenticatedAt).toEqual(world.clock.now());
  });

  it('knows a person without a name, and an address that is not verified', async () => {
    const world = await workosWorld();
    const { organizations } = world.stub;
    organizations.addUser({ email: 'nobody@acme.test', emailVerified: false });
    const url = await world.provider.login.urlFor({
      state: 's',
      redirectUri,
      codeChallenge,
      loginHint: 'nobody@acme.test',
    });
    const callback = (await fetch(url, { redirect: 'manual' })).headers.get('location') ?? '';
    const code = new URL(callback).searchParams.get('code') ?? '';
    const identity = await world.provider.login.redeem({ code, codeVerifier, ip: null, userAgent: null });
    expect(identity).toMatchObject({ name: null, emailVerified: false, organization: null });
  });

  it.each([['naïve'], ['a\u0000b'], ['a\nb'], ['\u{1f600}'], ['\ud800']])(
    'does not bother WorkOS with what is no code (%j)',
    async (odd) => {
      const world = await workosWorld();
      const { login, sessions } = world.provider;
      expect(await login.redeem({ code: odd, codeVerifier, ip: null, userAgent: null })).toBeUndefined();
      expect(await sessions.refresh({ refreshToken: odd })).toEqual({ is: 'over' });
      expect(world.asked()).toEqual([]);
    },
  );

  it.each([[''], ['  ']])('does not bother WorkOS with a blank code or verifier (%j)', async (blank) => {
    const world = await workosWorld();
    const { login } = world.provider;
    expect(await login.redeem({ code: blank, codeVerifier, ip: null, userAgent: null })).toBeUndefined();
    expect(await login.redeem({ code: 'c', codeVerifier: blank, ip: null, userAgent: null })).toBeUndefined();
    expect(world.asked()).toEqual([]);
  });
});

describe('a sign-in that passed AuthKit’s page by and belongs to several organizations', () => {
  const several = async () => {
    const world = await workosWorld();
    const { organizations } = world.stub;
    const { ada, acme, redeem } = staffed(world);
    const second = organizations.addOrganization('Second');
    organizations.addMembership(second.id, ada.id);
    world.stub.sessions.nextSignIn = { mustChoose: true };
    return { world, acme, second, redeem };
  };

  it('goes to the organization that it was for', async () => {
    const { redeem, second } = await several();
    expect(await redeem(second.id)).toMatchObject({ organization: second.id });
  });

  it('goes to the first when it was for none, or for one that the person has not', async () => {
    const first = await several();
    expect(await first.redeem()).toMatchObject({ organization: first.acme.id });
    const other = await several();
    expect(await other.redeem('org_of_others')).toMatchObject({ organization: other.acme.id });
  });

  it('is denied when the organization asks for more than was proven', async () => {
    const { world, redeem } = await several();
    world.stub.plan(
      {
        play: 'answer',
        status: 403,
        body: {
          code: 'organization_selection_required',
          pending_authentication_token: 'p',
          organizations: [{ id: 'org_1' }],
        },
      },
      { on: 'POST /user_management/authenticate', times: 2 },
    );
    expect(await outcomeOf(redeem())).toBe('sign_in.denied');
  });
});
