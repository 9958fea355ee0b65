// How WorkOS is asked: again, but not for ever; not at all while it is down; and never with the key on show.

import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { workosIdentityProvider } from '#adapters/identity/workos/workos-identity-provider.ts';
import { FakeClock } from '#adapters/system/fake-clock.ts';
import { silentLog } from '#adapters/system/pino-log.ts';
import type { Fault } from '../../support/workos-stub/stub-faults.ts';
import { outcomeOf, staffed, type WorkosWorld, workosWorld } from './workos-world.ts';

/** So little patience that silence is soon taken for what it is. Whoever has it may fail at anything. */
const brief = {
  interactive: { timeoutMs: 80, retries: 1, longestPauseMs: 500 },
  background: { timeoutMs: 80, retries: 3, longestPauseMs: 8_000 },
};

const revoke = 'POST /user_management/sessions/revoke';
const listing = /^GET \/user_management\/users\/.*\/sessions$/;
const authenticate = 'POST /user_management/authenticate';

const count = (world: WorkosWorld, path: string | RegExp): number =>
  world.asked().filter((line) => (typeof path === 'string' ? line === path : path.test(line))).length;

const faults: readonly (readonly [string, Fault])[] = [
  ['a page with status 502', { play: 'page', status: 502 }],
  ['a page with status 403, as a gateway serves', { play: 'page', status: 403 }],
  ['a page with status 200, as a proxy serves', { play: 'page', status: 200 }],
  ['a broken connection', { play: 'cut' }],
  ['half an answer', { play: 'torn' }],
  ['silence', { play: 'silence' }],
  ['an error of its own', { play: 'answer', status: 500, body: { message: 'Oops' } }],
];

describe('a call', () => {
  it.each(faults)('that meets %s is refused as unavailable, and changes nothing', async (_, fault) => {
    const world = await workosWorld();
    const { signIn } = staffed(world);
    const { tokens, providerSession, subject } = await signIn();
    world.stub.plan(fault);
    const hasty = fault.play === 'silence' ? await world.another({ limits: brief }) : world.provider;
    expect(await outcomeOf(hasty.sessions.refresh({ refreshToken: tokens.refreshToken }))).toBe('identity.unavailable');
    expect(await outcomeOf(hasty.sessions.isAlive({ providerSession, subject }))).toBe('identity.unavailable');
    world.stub.mend();
    const { sessions } = world.provider;
    expect(await sessions.isAlive({ providerSession, subject })).toBe(true);
    expect(await sessions.refresh({ refreshToken: tokens.refreshToken })).toMatchObject({ is: 'refreshed' });
  });

  it('is never led elsewhere by a redirect: it carries our secret', async () => {
    const world = await workosWorld();
    const elsewhere = await workosWorld();
    const { signIn } = staffed(world);
    const { tokens } = await signIn();
    const location = `${elsewhere.stub.url}/user_management/authenticate`;
    world.stub.plan({ play: 'answer', status: 307, headers: { location } });
    const { sessions } = world.provider;
    expect(await outcomeOf(sessions.refresh({ refreshToken: tokens.refreshToken }))).toBe('identity.unavailable');
    expect(elsewhere.asked()).toEqual([]);
  });

  it('is tried twice where somebody waits and four times where nobody does, with pauses that grow', async () => {
    const world = await workosWorld();
    const { signIn } = staffed(world);
    const { tokens, providerSession } = await signIn();
    const { sessions } = world.provider;
    const before = count(world, authenticate);
    world.stub.plan({ play: 'cut' });
    expect(await outcomeOf(sessions.refresh({ refreshToken: tokens.refreshToken }))).toBe('identity.unavailable');
    expect(count(world, authenticate) - before).toBe(2);
    expect(world.pauses.splice(0)).toHaveLength(1);
    expect(await outcomeOf(sessions.end(providerSession))).toBe('identity.unavailable');
    expect(count(world, revoke)).toBe(4);
    expect(world.pauses).toHaveLength(3);
    expect(Math.max(...world.pauses)).toBeLessThanOrEqual(1500);
  });

  it('that fails once succeeds the second time, and nobody hears of it', async () => {
    const world = await workosWorld();
    const { signIn } = staffed(world);
    const { tokens } = await signIn();
    world.stub.plan({ play: 'page', status: 503 }, { times: 1 });
    expect(await world.provider.sessions.refresh({ refreshToken: tokens.refreshToken })).toMatchObject({
      is: 'refreshed',
    });
  });

  it('whose answer was lost is repaired by asking again: the same pair comes', async () => {
    const world = await workosWorld();
    const { signIn } = staffed(world);
    const { tokens, providerSession } = await signIn();
    world.stub.plan({ play: 'lost' }, { on: authenticate, times: 1 });
    const outcome = await world.provider.sessions.refresh({ refreshToken: tokens.refreshToken });
    expect(outcome).toMatchObject({ is: 'refreshed', claims: { providerSession } });
  });

  it('is not repeated when WorkOS asks us to slow down; the seconds are passed on', async () => {
    const world = await workosWorld();
    const { signIn } = staffed(world);
    const { tokens, providerSession } = await signIn();
    world.stub.plan({ play: 'answer', status: 429, body: {}, headers: { 'retry-after': '42' } });
    for (const call of [
      () => world.provider.sessions.refresh({ refreshToken: tokens.refreshToken }),
      () => world.provider.sessions.end(providerSession),
    ]) {
      await expect(call()).rejects.toMatchObject({
        reason: 'identity.throttled',
        details: { retry_after_seconds: 42 },
      });
    }
    expect(count(world, revoke)).toBe(1);
    expect(world.pauses).toEqual([]);
  });

  it('hears how long a page asks to wait, too, and does not wait for it while somebody waits for us', async () => {
    const world = await workosWorld();
    const { signIn } = staffed(world);
    const { tokens } = await signIn();
    const refresh = () => world.provider.sessions.refresh({ refreshToken: tokens.refreshToken });
    world.stub.plan({ play: 'page', status: 429, headers: { 'retry-after': '9' } }, { times: 1 });
    await expect(refresh()).rejects.toMatchObject({
      reason: 'identity.throttled',
      details: { retry_after_seconds: 9 },
    });
    world.stub.plan({ play: 'answer', status: 503, body: {}, headers: { 'retry-after': '60' } });
    expect(await outcomeOf(refresh())).toBe('identity.unavailable');
    expect(world.pauses).toEqual([500]);
  });

  it('leaves the id of the request in the log', async () => {
    const world = await workosWorld();
    const { signIn } = staffed(world);
    const { tokens } = await signIn();
    world.stub.plan({ play: 'answer', status: 500, body: {} });
    await outcomeOf(world.provider.sessions.refresh({ refreshToken: tokens.refreshToken }));
    const [line] = world.lines.filter(({ message }) => message === 'WorkOS could not be asked');
    expect(line?.facts).toMatchObject({
      what: 'refresh a session',
      status: 500,
      workos_request_id: expect.stringMatching(/^req_/),
    });
  });

  it('that cannot reach WorkOS says in the log what stood in the way', async () => {
    const world = await workosWorld();
    const { signIn } = staffed(world);
    const { tokens } = await signIn();
    await world.stub.close();
    await outcomeOf(world.provider.sessions.refresh({ refreshToken: tokens.refreshToken }));
    expect(world.lines.at(-1)?.facts['why']).toContain('ECONNREFUSED');
  });
});

describe('the circuit', () => {
  const broken = async () => {
    const world = await workosWorld();
    const { signIn } = staffed(world);
    const { tokens, providerSession } = await signIn();
    const refresh = () => outcomeOf(world.provider.sessions.refresh({ refreshToken: tokens.refreshToken }));
    world.stub.plan({ play: 'cut' });
    for (let i = 0; i < 5; i += 1) await refresh();
    return { world, refresh, providerSession, asked: () => count(world, authenticate) };
  };

  it('opens after five calls in a row that nobody answered: then WorkOS is left alone', async () => {
    const { world, refresh, asked } = await broken();
    const before = asked();
    expect(await refresh()).toBe('identity.unavailable');
    expect(asked()).toBe(before);
    expect(world.lines.filter(({ level }) => level === 'error')).toEqual([
      expect.objectContaining({ message: expect.stringContaining('left alone') }),
    ]);
  });

  it('lets one call probe after fifteen seconds, refuses the others meanwhile, and closes when it is answered', async () => {
    const { world, refresh, asked } = await broken();
    world.stub.mend();
    world.clock.turn(14);
    expect(await refresh()).toBe('identity.unavailable');
    world.clock.turn(1);
    const before = asked();
    const both = await Promise.all([
      refresh(),
      outcomeOf(world.provider.sessions.refresh({ refreshToken: 'another' })),
    ]);
    expect(both).toEqual([expect.objectContaining({ is: 'refreshed' }), 'identity.unavailable']);
    expect(asked()).toBe(before + 1);
    expect(await refresh()).toMatchObject({ is: 'refreshed' });
    expect(world.lines.at(-1)).toMatchObject({ level: 'info', message: 'WorkOS answers again' });
  });

  it('stays open for another fifteen seconds when the probe fails', async () => {
    const { world, refresh, asked } = await broken();
    world.clock.turn(15);
    expect(await refresh()).toBe('identity.unavailable');
    world.stub.mend();
    const before = asked();
    expect(await refresh()).toBe('identity.unavailable');
    expect(asked()).toBe(before);
    world.clock.turn(15);
    expect(await refresh()).toMatchObject({ is: 'refreshed' });
  });

  it('of people does not break with that of the work in the background, nor the other way round', async () => {
    const { world, providerSession } = await broken();
    world.stub.mend();
    expect(await outcomeOf(world.provider.sessions.end(providerSession))).toBeUndefined();
  });

  it.each([
    ['refusals', { play: 'answer', status: 400, body: { error: 'invalid_grant' } }],
    ['a slow-down', { play: 'answer', status: 429, body: {} }],
    ['a key that is not accepted', { play: 'answer', status: 401, body: {} }],
    ['a page that turns single requests away, as a firewall does', { play: 'page', status: 403 }],
  ] satisfies [string, Fault][])('does not open for %s, and they interrupt a row', async (_, fault) => {
    const world = await workosWorld();
    staffed(world);
    const refresh = () => outcomeOf(world.provider.sessions.refresh({ refreshToken: 'any' }));
    for (let i = 0; i < 3; i += 1) {
      world.stub.plan({ play: 'cut' }, { times: 6 });
      for (let j = 0; j < 3; j += 1) await refresh();
      world.stub.mend();
      world.stub.plan(fault);
      for (let j = 0; j < 2; j += 1) expect(await refresh()).not.toBeUndefined();
      world.stub.mend();
    }
    expect(await refresh()).toEqual({ is: 'over' });
  });
});

describe('a key that WorkOS does not accept', () => {
  it('is told once, loudly, with what to check; callers hear only that the provider is unavailable', async () => {
    const world = await workosWorld({ apiKey: 'sk_test_a_wrong_one' });
    const { ada } = staffed(world);
    const ask = () => outcomeOf(world.provider.sessions.isAlive({ providerSession: 'session_1', subject: ada.id }));
    for (let i = 0; i < 7; i += 1) expect(await ask()).toBe('identity.unavailable');
    const loud = world.lines.filter(({ level }) => level === 'error');
    expect(loud).toHaveLength(1);
    expect(loud[0]?.message).toContain('WORKOS_API_KEY');
    expect(count(world, listing)).toBe(7);
  });

  it('is told again when it had worked in between', async () => {
    const world = await workosWorld();
    const { ada } = staffed(world);
    const ask = () => outcomeOf(world.provider.sessions.isAlive({ providerSession: 'session_1', subject: ada.id }));
    for (let i = 0; i < 2; i += 1) {
      world.stub.plan({ play: 'answer', status: 401, body: {} }, { times: 2 });
      await ask();
      await ask();
      world.stub.mend();
      expect(await ask()).toBe(false);
    }
    expect(world.lines.filter(({ level }) => level === 'error')).toHaveLength(2);
  });
});

describe('the API key', () => {
  it('is nowhere to be seen: not in the provider, not in a log line, not in what is thrown', async () => {
    const world = await workosWorld();
    const { signIn, code, acme, ada } = staffed(world);
    const { tokens, providerSession, subject } = await signIn();
    const seen: unknown[] = [];
    const see = async (call: Promise<unknown>): Promise<void> => {
      seen.push(await call.catch((thrown: unknown) => thrown));
    };
    const hasty = await world.another({ limits: brief });
    const { login, sessions, organizations, feed } = hasty;
    const bodies: readonly Fault[] = [
      ...faults.map(([, fault]) => fault),
      { play: 'answer', status: 401, body: {} },
      { play: 'answer', status: 403, body: { code: 'forbidden' } },
      { play: 'answer', status: 418, body: { message: `our key is ${world.stub.apiKey}`, code: world.stub.apiKey } },
    ];
    for (const fault of bodies) {
      const proof = { code: await code(), codeVerifier: 'v', ip: null, userAgent: null };
      world.stub.plan(fault);
      await see(login.redeem(proof));
      await see(sessions.refresh({ refreshToken: tokens.refreshToken }));
      await see(sessions.isAlive({ providerSession, subject }));
      await see(sessions.end(providerSession));
      await see(organizations.ensure({ id: 'org_1' as never, name: 'One', domains: [] }));
      await see(organizations.admit({ organization: acme.id, subject: ada.id }));
      await see(feed?.after(undefined, 10) ?? Promise.resolve());
      world.stub.mend();
      world.clock.turn(15);
    }
    const everything = inspect([world.provider, hasty, seen, world.lines], {
      depth: 20,
      showHidden: true,
      getters: true,
    });
    expect(everything).toContain('WorkOS would not');
    expect(everything).not.toContain(world.stub.apiKey);
    expect(everything).not.toContain(tokens.refreshToken);
  });
});

describe('the options', () => {
  it('are refused together, each by the name that the environment has for it', async () => {
    const nothing = { apiKey: ' ', clientId: '', apiUrl: 'ftp://x', issuers: [], webhookSecrets: [] };
    await expect(workosIdentityProvider({ ...nothing, clock: new FakeClock(), log: silentLog })).rejects.toThrow(
      /WORKOS_API_KEY.*WORKOS_CLIENT_ID.*WORKOS_ISSUERS.*WORKOS_API_URL/,
    );
  });

  it('may not name an address with a path, which the SDK would drop without a word', async () => {
    const world = { apiKey: 'k', clientId: 'client_1', issuers: ['i'], webhookSecrets: [], clock: new FakeClock() };
    await expect(
      workosIdentityProvider({ ...world, apiUrl: 'https://proxy.test/workos', log: silentLog }),
    ).rejects.toThrow('path');
  });
});
