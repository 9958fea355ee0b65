// Tokens through WorkOS' keys: new keys, forged key ids, keys that cannot be had, and issuers that nobody configured.

import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { outcomeOf, staffed, type WorkosWorld, workosWorld } from './workos-world.ts';

const keysAsked = (world: WorkosWorld): number =>
  world.asked().filter((line) => line === `GET /sso/jwks/${world.stub.clientId}`).length;

const started = async (options: Parameters<typeof workosWorld>[0] = {}) => {
  const world = await workosWorld(options);
  const { signIn } = staffed(world);
  const { tokens } = await signIn();
  const [session] = world.stub.sessions.sessions;
  if (!session) throw new Error('no session came of the sign-in');
  const verify = (token: string) => outcomeOf(world.provider.tokens.verify(token));
  const changed = (claims: JWTPayload) =>
    world.stub.sessions.sign({ ...world.stub.sessions.claimsOf(session), ...claims });
  return { world, verify, changed, token: tokens.accessToken, fresh: () => changed({}) };
};

const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });

const forged = (kid: string): Promise<string> =>
  new SignJWT({ sub: 'user_1', sid: 'session_1' }).setProtectedHeader({ alg: 'RS256', kid }).sign(privateKey);

const good = expect.objectContaining({ subject: expect.stringMatching(/^user_/) });

describe('the keys', () => {
  it('are fetched once, when they are first needed, by however many at once', async () => {
    const { world, verify, token } = await started();
    expect(keysAsked(world)).toBe(0);
    await Promise.all(Array.from({ length: 20 }, () => verify(token)));
    expect(await verify(token)).toEqual(good);
    expect(keysAsked(world)).toBe(1);
  });

  it('cost two requests at most when a thousand tokens name a thousand keys', async () => {
    const { world, verify, token } = await started();
    await verify(token);
    world.clock.turn(60);
    const flood = await Promise.all(Array.from({ length: 1000 }, (_, i) => forged(`key_${i}`)));
    const outcomes = new Set(await Promise.all(flood.map(verify)));
    expect(outcomes).toEqual(new Set(['session.token_invalid']));
    expect(keysAsked(world)).toBe(2);
    expect(await verify(token)).toEqual(good);
  });

  it('are asked for again in a flood that goes on, once in thirty seconds and no more', async () => {
    const { world, verify, token } = await started();
    await verify(token);
    for (let second = 0; second < 120; second += 1) {
      world.clock.turn(1);
      await verify(await forged(`key_${second}`));
    }
    expect(keysAsked(world) - 1).toBeLessThanOrEqual(4);
    expect(keysAsked(world) - 1).toBeGreaterThanOrEqual(3);
  });

  it('that WorkOS begins to sign with are found by the first token that names them', async () => {
    const { world, verify, token, fresh } = await started();
    await verify(token);
    await world.stub.sessions.rotateKeys();
    world.clock.turn(31);
    expect(await verify(await fresh())).toEqual(good);
    expect(keysAsked(world)).toBe(2);
  });

  it('that WorkOS withdraws stop serving when the keys are read again', async () => {
    const { world, verify, token, changed } = await started();
    await verify(token);
    const old = await changed({ exp: world.clock.now().getTime() / 1000 + 7200 });
    await world.stub.sessions.rotateKeys({ keepOld: false });
    world.clock.turn(601);
    await verify(old);
    await expect.poll(() => verify(old)).toBe('session.token_invalid');
  });

  it('serve on while WorkOS cannot be asked, for hours', async () => {
    const { world, verify, token, changed } = await started();
    await verify(token);
    const long = await changed({ exp: world.clock.now().getTime() / 1000 + 7200 });
    world.stub.plan({ play: 'cut' });
    for (let i = 0; i < 6; i += 1) {
      world.clock.turn(1000);
      expect(await verify(long)).toEqual(good);
    }
  });

  it.each([
    ['a broken connection', { play: 'cut' }],
    ['a page', { play: 'page', status: 200 }],
    ['an error', { play: 'answer', status: 500 }],
    ['something that is no set of keys', { play: 'answer', status: 200, body: { keys: 'none' } }],
  ] as const)('that were never had make a token unjudged and not invalid: %s', async (_, fault) => {
    const { world, verify, token } = await started();
    world.stub.plan(fault);
    expect(await verify(token)).toBe('identity.unavailable');
    world.stub.mend();
    expect(await verify(token)).toEqual(good);
  });

  it('leave a token unjudged that names a new one while WorkOS cannot be asked', async () => {
    const { world, verify, token, fresh } = await started();
    await verify(token);
    await world.stub.sessions.rotateKeys();
    world.clock.turn(31);
    world.stub.plan({ play: 'cut' });
    expect(await verify(await fresh())).toBe('identity.unavailable');
    expect(await verify(await fresh())).toBe('identity.unavailable');
    world.stub.mend();
    world.clock.turn(31);
    expect(await verify(await fresh())).toEqual(good);
  });

  it('are public ones, and none of a stranger is among them', async () => {
    const { verify } = await started();
    expect(await verify(await forged('sso_oidc_key_pair_1'))).toBe('session.token_invalid');
    const header = { alg: 'RS256', jwk: await exportJWK(publicKey) };
    expect(await verify(await new SignJWT({}).setProtectedHeader(header).sign(privateKey))).toBe(
      'session.token_invalid',
    );
  });
});

describe('a genuine token', () => {
  it.each([
    ['five seconds past its end', { exp: -5 }, 'session.token_expired'],
    ['four seconds past its end', { exp: -4 }, good],
    ['six seconds ahead of us', { iat: 6 }, 'session.token_invalid'],
    ['five seconds ahead of us', { iat: 5 }, good],
    ['not good before six seconds from now', { nbf: 6 }, 'session.token_invalid'],
    ['not good before five seconds from now', { nbf: 5 }, good],
  ] as const)('%s: %j from now is %j', async (_, times, outcome) => {
    const { world, verify, changed } = await started();
    const now = Math.floor(world.clock.now().getTime() / 1000);
    const claims = Object.fromEntries(Object.entries(times).map(([name, seconds]) => [name, now + seconds]));
    expect(await verify(await changed(claims))).toEqual(outcome);
  });

  it.each([
    [{ sub: 'org_1' }],
    [{ sub: 'user_../x' }],
    [{ sub: '' }],
    [{ sid: 'user_1' }],
    [{ org_id: 'somewhere' }],
    [{ client_id: ['client_01STUB'] }],
    [{ client_id: 'client_01stub' }],
    [{ client_id: undefined }],
    [{ client_id: undefined, aud: 'client_01OTHER' }],
    [{ client_id: undefined, aud: ['client_01OTHER'] }],
    [{ client_id: 'client_01OTHER', aud: 'client_01STUB' }],
    [{ exp: 'never' }],
    [{ iat: undefined }],
    [{ iss: undefined }],
  ] as const)('with %j is refused', async (claims) => {
    const { verify, changed } = await started();
    expect(await verify(await changed(claims as JWTPayload))).toBe('session.token_invalid');
  });

  it('that names the application as its audience only is ours too, as the emulator of WorkOS makes them', async () => {
    const { verify, changed } = await started();
    const subject = expect.stringMatching(/^user_/);
    expect(await verify(await changed({ client_id: undefined, aud: 'client_01STUB' }))).toMatchObject({ subject });
    expect(await verify(await changed({ client_id: undefined, aud: ['other', 'client_01STUB'] }))).toMatchObject({
      subject,
    });
  });

  it('without an organization says so', async () => {
    const { verify, changed } = await started();
    expect(await verify(await changed({ org_id: undefined }))).toMatchObject({ organization: null });
  });

  it('is good under each of the issuers that are configured, compared to the letter', async () => {
    const issuers = ['https://api.workos.com', 'https://auth.acme.test'];
    const world = await workosWorld({ issuers });
    const session = world.stub.sessions.addSession('user_1');
    const of = async (iss: string) =>
      outcomeOf(
        world.provider.tokens.verify(await world.stub.sessions.sign({ ...world.stub.sessions.claimsOf(session), iss })),
      );
    for (const iss of issuers) expect(await of(iss)).toEqual(good);
    expect(await of('https://api.workos.com/')).toBe('session.token_invalid');
  });

  it('of an issuer that is not configured is refused, and the operator is told once which one to add', async () => {
    const world = await workosWorld({ issuers: ['https://api.workos.com'] });
    const session = world.stub.sessions.addSession('user_1');
    for (let i = 0; i < 3; i += 1) {
      const token = await world.stub.sessions.sign(world.stub.sessions.claimsOf(session));
      expect(await outcomeOf(world.provider.tokens.verify(token))).toBe('session.token_invalid');
    }
    expect(world.lines.filter(({ level }) => level === 'error')).toEqual([
      expect.objectContaining({
        message: expect.stringContaining('WORKOS_ISSUERS'),
        facts: { iss: world.stub.issuer },
      }),
    ]);
  });

  it('of a stranger tells the operator nothing, whatever issuer it names', async () => {
    const { world, verify, token } = await started();
    await verify(token);
    await verify(await forged('a key'));
    expect(world.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('a sign-in and a refresh', () => {
  it('are refused, and the operator told, when their tokens would not be accepted later', async () => {
    const world = await workosWorld({ issuers: ['https://somebody.else'] });
    const { redeem } = staffed(world);
    expect(await outcomeOf(redeem())).toBe('identity.unavailable');
    expect(world.lines.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
      expect.stringContaining('WORKOS_ISSUERS'),
      expect.stringContaining('WORKOS_ISSUERS'),
    ]);
  });

  it('need no keys: a token that WorkOS hands over itself is read without them', async () => {
    const world = await workosWorld();
    const { signIn } = staffed(world);
    world.stub.plan({ play: 'cut' }, { on: /jwks/ });
    const { tokens } = await signIn();
    expect(await world.provider.sessions.refresh({ refreshToken: tokens.refreshToken })).toMatchObject({
      is: 'refreshed',
    });
  });
});
