// A request that is sent twice under one Idempotency-Key creates one thing, and gets one answer; asked of every operation that creates.

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { memoryReadModels } from '#adapters/persistence/memory/memory-read-models.ts';
import { MemoryStore } from '#adapters/persistence/memory/memory-store.ts';
import { typeIds } from '#adapters/system/type-ids.ts';
import type { Store } from '#application/ports/store.ts';
import { type Answer, type Client, createWorld, type World } from '#bootstrap/testing.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { invite } from './invitation-words.ts';
import {
  adam,
  bearing,
  days,
  gus,
  inWorld,
  issueKey,
  ofAcme,
  ofGlobex,
  olivia,
  refusal,
  tokensFor,
  trailOf,
} from './words.ts';

let number = 0;
const fresh = (): number => {
  number += 1;
  return number;
};
const freshKey = (): string => `key-${fresh()}`;

const keyed = (by: Client, key: string, path: string, body?: unknown): Promise<Answer> =>
  by.send('POST', path, {
    headers: { 'idempotency-key': key, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
const isReplay = ({ headers }: Answer): boolean => headers.get('idempotent-replayed') === 'true';

/** A world over a store that a test can look into, or let fail: `around` is asked before each transaction. */
const reachable = () => {
  const store = new MemoryStore(typeIds);
  const state: { around: Store['transact'] } = { around: (scope, work) => store.transact(scope, work) };
  const nothing = async (): Promise<void> => undefined;
  return {
    store,
    state,
    persistence: {
      store: { transact: (scope, work) => state.around(scope, work) } satisfies Store,
      readModels: memoryReadModels(store),
      check: nothing,
      close: nothing,
    },
    kept: () => [...store.tables.rows.idempotencyKeys.rows.values()],
  };
};

interface Wish {
  readonly path: string;
  readonly body?: unknown;
}

/** For each operation that takes a key: a request that it grants, as often as it is asked for. */
const wishes: Readonly<Record<string, (world: World, owner: Client) => Promise<Wish>>> = {
  createOrganization: async () => ({ path: '/v1/organizations', body: { name: `Company ${fresh()}` } }),
  createAgent: async (world) => ({ path: ofAcme(world, '/agents'), body: { name: `agent ${fresh()}` } }),
  issueApiKey: async (world, owner) => {
    const { agent_id } = await issueKey(owner, world.acme);
    return { path: ofAcme(world, '/api-keys'), body: { agent_id, name: 'production', scopes: ['query:read'] } };
  },
  invite: async (world) => ({
    path: ofAcme(world, '/invitations'),
    body: { email: `guest-${fresh()}@elsewhere.test`, role: 'analyst' },
  }),
  resendInvitation: async (world, owner) => {
    const id = await invite(owner, world.acme, `guest-${fresh()}@elsewhere.test`, 'analyst');
    return { path: ofAcme(world, `/invitations/${id}/resend`) };
  },
  createConnection: async (world) => ({
    path: ofAcme(world, '/sso/connections'),
    body: { protocol: 'saml', name: `Okta ${fresh()}`, metadata_url: 'https://idp.example/metadata' },
  }),
};

/** POSTs that take none, and why a second one does no harm. */
const without: Readonly<Record<string, string>> = {
  signOut: 'a session ends once',
  switchOrganization: 'the second time it stands there already',
  refreshSession: 'whoever shows the token twice is the same client; the provider decides',
  transferOwnership: 'the second time the caller is no owner any more',
  createSetupLink: 'a link is kept nowhere, and is dead in minutes: an old one must not be given again',
  createDirectorySetupLink: 'as the other set-up link',
  testConnection: 'only starts a sign-in, bound to the browser that asked',
  receiveDelivery: 'events have ids of their own',
  replayEvent: 'an event that was applied is refused',
  reconcileDirectory: 'one at a time, and a second one finds nothing to do',
};

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, { readonly headers?: Readonly<Record<string, unknown>> }>>;
}

describe('an operation that creates', () => {
  let world: World;
  let owner: Client;
  let posts: readonly Operation[];
  const takesKey = ({ parameters }: Operation): boolean =>
    parameters.some((one) => one.name === 'Idempotency-Key' && one.in === 'header');

  beforeAll(async () => {
    world = await createWorld({ makesConnections: true });
    owner = await world.signIn(olivia);
    const { paths } = (await world.anonymous.get('/openapi.json')).body;
    const methods = Object.values<Record<string, Operation>>(paths);
    posts = methods.flatMap(({ post }) => (post ? [post] : []));
  });
  afterAll(() => world.close());

  it('takes a key; every other POST says why it needs none', () => {
    const named = posts.map(({ operationId }) => operationId);
    expect(named.length).toBeGreaterThan(12);
    const taking = posts.filter(takesKey).map(({ operationId }) => operationId);
    expect(taking.toSorted()).toEqual(Object.keys(wishes).toSorted());
    expect(named.filter((name) => !taking.includes(name) && !(name in without))).toEqual([]);
    expect(Object.keys(without).filter((name) => taking.includes(name) || !named.includes(name))).toEqual([]);
  });

  it('tells of it in the document: the header, the mark of a repeated answer, how long to wait', () => {
    for (const { responses } of posts.filter(takesKey)) {
      const good = Object.entries(responses).filter(([status]) => status.startsWith('2'));
      expect(good).toHaveLength(1);
      for (const [, response] of good) expect(response.headers).toHaveProperty('Idempotent-Replayed');
      expect(responses['409']?.headers).toHaveProperty('Retry-After');
      expect(Object.keys(responses)).toEqual(expect.arrayContaining(['400', '409']));
    }
  });

  it.each(Object.keys(wishes))('does it once under one key, and answers the same again: %s', async (operation) => {
    const wish = await wishes[operation]?.(world, owner);
    if (!wish) throw new Error(`no wish for ${operation}`);
    const key = freshKey();
    const first = await keyed(owner, key, wish.path, wish.body);
    expect([first.status, first.text]).toEqual([operation === 'resendInvitation' ? 200 : 201, expect.any(String)]);
    expect(isReplay(first)).toBe(false);
    await world.settle();
    const trail = await trailOf(owner, world.acme);
    const mails = (await world.anonymous.get('/fake-idp/invitations')).text;

    for (let again = 0; again < 3; again += 1) {
      const repeated = await keyed(owner, key, wish.path, wish.body);
      expect([repeated.status, repeated.text]).toEqual([first.status, first.text]);
      expect(isReplay(repeated)).toBe(true);
      expect(repeated.headers.get('content-type')).toBe(first.headers.get('content-type'));
    }
    await world.settle();
    expect(await trailOf(owner, world.acme)).toEqual(trail);
    expect((await world.anonymous.get('/fake-idp/invitations')).text).toBe(mails);
    const organizations = (await owner.get('/v1/organizations')).body.data as { id: string }[];
    expect(organizations.filter(({ id }) => id === first.body.id).length).toBe(
      operation === 'createOrganization' ? 1 : 0,
    );
  });

  it.each(Object.keys(wishes))('refuses the same key for another request: %s', async (operation) => {
    const key = freshKey();
    const wish = await wishes[operation]?.(world, owner);
    const other = await wishes[operation]?.(world, owner);
    if (!wish || !other) throw new Error(`no wish for ${operation}`);
    const first = await keyed(owner, key, wish.path, wish.body);
    expect(first.status).toBeLessThan(300);
    await world.settle();
    const before = (await trailOf(owner, world.acme)).filter(({ outcome }) => outcome === 'done');
    expect(refusal(await keyed(owner, key, other.path, other.body))).toEqual([409, 'idempotency_key.reused']);
    await world.settle();
    expect((await trailOf(owner, world.acme)).filter(({ outcome }) => outcome === 'done')).toEqual(before);
    expect((await keyed(owner, key, wish.path, wish.body)).text).toBe(first.text);
  });

  it('without a key does it each time', async () => {
    const wish = await wishes['issueApiKey']?.(world, owner);
    if (!wish) throw new Error('no wish');
    const answers = [await owner.post(wish.path, wish.body), await owner.post(wish.path, wish.body)];
    expect(answers.map(isReplay)).toEqual([false, false]);
    expect(new Set(answers.map(({ body }) => body.secret)).size).toBe(2);
  });

  it('takes the same key for another operation as another key', async () => {
    const key = freshKey();
    const agent = await keyed(owner, key, ofAcme(world, '/agents'), { name: `agent ${fresh()}` });
    const founded = await keyed(owner, key, '/v1/organizations', { name: `Company ${fresh()}` });
    expect([agent.status, founded.status]).toEqual([201, 201]);
    expect([agent, founded].map(isReplay)).toEqual([false, false]);
  });

  it('does not mind the order of the fields, spaces, or quotes around the key', async () => {
    const key = freshKey();
    const name = `agent ${fresh()}`;
    const first = await keyed(owner, key, ofAcme(world, '/agents'), { name, description: 'x' });
    const headers = { 'idempotency-key': `"${key}"`, 'content-type': 'application/json' };
    const body = `{ "description": "x",\n "name": ${JSON.stringify(name)} }`;
    const again = await owner.send('POST', ofAcme(world, '/agents'), { headers, body });
    expect([again.text, isReplay(again)]).toEqual([first.text, true]);
  });

  it('does not take what is filled in by default for what was sent', async () => {
    const key = freshKey();
    const name = `agent ${fresh()}`;
    await keyed(owner, key, ofAcme(world, '/agents'), { name });
    const spelledOut = await keyed(owner, key, ofAcme(world, '/agents'), { name, description: null });
    expect(refusal(spelledOut)).toEqual([409, 'idempotency_key.reused']);
  });

  it.each([
    ['nothing', ''],
    ['256 characters', 'k'.repeat(256)],
    ['256 characters in quotes', `"${'k'.repeat(256)}"`],
    ['a space', 'a key'],
    ['letters beyond ASCII', 'schl\u00fcssel'],
    ['half a pair of quotes', '"key'],
    ['a backslash', 'a\\b'],
    ['a parameter', '"key";a=1'],
    ['nothing in quotes', '""'],
    ['several keys', 'one, two'],
  ])('refuses a key of %s, and does nothing', async (_, key) => {
    const name = `agent ${fresh()}`;
    expect(refusal(await keyed(owner, key, ofAcme(world, '/agents'), { name }))).toEqual([
      400,
      'idempotency_key.malformed',
    ]);
    expect((await owner.post(ofAcme(world, '/agents'), { name })).status).toBe(201);
  });

  it.each([
    ['one character', '~'],
    ['255 characters', 'k'.repeat(255)],
    ['marks', "!#$%&'()*+,-./:;<=>?@[]^_`{|}~"],
  ])('takes a key of %s', async (_, key) => {
    const name = `agent ${fresh()}`;
    expect((await keyed(owner, key, ofAcme(world, '/agents'), { name })).status).toBe(201);
    expect(isReplay(await keyed(owner, key, ofAcme(world, '/agents'), { name }))).toBe(true);
  });

  it('remembers no refusal: the same key tries anew', async () => {
    const key = freshKey();
    const path = ofAcme(world, '/invitations');
    const body = { email: `guest-${fresh()}@elsewhere.test`, role: 'analyst' };
    const inTheWay = await invite(owner, world.acme, body.email, body.role);
    for (let again = 0; again < 2; again += 1)
      expect(refusal(await keyed(owner, key, path, body))).toEqual([409, 'invitation.already_sent']);
    await owner.delete(`${path}/${inTheWay}`);
    const granted = await keyed(owner, key, path, body);
    expect([granted.status, isReplay(granted)]).toEqual([201, false]);
    expect(isReplay(await keyed(owner, key, path, body))).toBe(true);
  });

  it('remembers no malformed request either, and asks nobody without a credential for a key', async () => {
    const key = freshKey();
    const path = ofAcme(world, '/agents');
    expect(refusal(await keyed(owner, key, path, { nom: 'x' }))).toEqual([400, 'request.invalid']);
    expect((await keyed(owner, key, path, { name: `agent ${fresh()}` })).status).toBe(201);
    expect((await keyed(world.anonymous, key, path, { name: 'x' })).status).toBe(401);
  });
});

describe('a key', () => {
  it('means nothing in the hands of somebody else, in the organization or out of it', () =>
    inWorld(async (world) => {
      const key = freshKey();
      const body = { name: 'crawler' };
      const owner = await world.signIn(olivia);
      const mine = await keyed(owner, key, ofAcme(world, '/agents'), body);
      // A colleague: the name is taken, so it was tried anew.
      const colleague = await world.signIn(adam);
      expect(refusal(await keyed(colleague, key, ofAcme(world, '/agents'), body))).toEqual([409, 'agent.name_taken']);
      const program = world.agent((await issueKey(owner, world.acme, { bundle: 'admin' })).secret);
      expect(refusal(await keyed(program, key, ofAcme(world, '/agents'), body))).toEqual([409, 'agent.name_taken']);
      const neighbour = await world.signIn(gus);
      const theirs = await keyed(neighbour, key, ofGlobex(world, '/agents'), body);
      expect([theirs.status, isReplay(theirs)]).toEqual([201, false]);
      expect(theirs.body.id).not.toBe(mine.body.id);
      expect(refusal(await keyed(neighbour, key, ofAcme(world, '/agents'), body))).toEqual([
        404,
        'organization.not_found',
      ]);
    }));

  it('is another one in another organization of the same person', () =>
    inWorld(async (world) => {
      const person = await world.signIn('nora@newcomer.test');
      const first = (await person.post('/v1/organizations', { name: 'First' })).body.id;
      const second = (await person.post('/v1/organizations', { name: 'Second' })).body.id;
      await world.settle();
      const key = freshKey();
      const create = (organization: string) =>
        keyed(person, key, `/v1/organizations/${organization}/agents`, { name: 'crawler' });
      const inFirst = await create(first);
      expect((await person.post('/v1/session/organization', { organization_id: second })).status).toBe(200);
      const inSecond = await create(second);
      expect([inFirst.status, inSecond.status, isReplay(inSecond)]).toEqual([201, 201, false]);
      expect(refusal(await create(first))).toEqual([404, 'organization.not_found']);
    }));

  it('is the same in every session and with every API key of its caller', () =>
    inWorld(async (world) => {
      const key = freshKey();
      const path = ofAcme(world, '/agents');
      const [laptop, phone] = [await world.signIn(olivia), await world.signIn(olivia)];
      const client = bearing(world, (await tokensFor(world, phone.refreshBox)).access_token);
      const first = await keyed(laptop, key, path, { name: 'crawler' });
      const again = await keyed(client, key, path, { name: 'crawler' });
      expect([again.text, isReplay(again)]).toEqual([first.text, true]);

      const made = await issueKey(laptop, world.acme, { bundle: 'admin' });
      const renewed = await laptop.post(ofAcme(world, '/api-keys'), {
        agent_id: made.agent_id,
        name: 'the next',
        bundle: 'admin',
      });
      const byOld = await keyed(world.agent(made.secret), key, path, { name: 'reporter' });
      const byNew = await keyed(world.agent(renewed.body.secret), key, path, { name: 'reporter' });
      expect([byNew.text, isReplay(byNew)]).toEqual([byOld.text, true]);
    }));

  it('still stands for the founding of an organization that its founder has moved into', () =>
    inWorld(async (world) => {
      const founder = await world.signIn('nora@newcomer.test');
      const key = freshKey();
      const first = await keyed(founder, key, '/v1/organizations', { name: 'Newcomer' });
      expect((await founder.get('/v1/whoami')).body.organization.id).toBe(first.body.id);
      const again = await keyed(founder, key, '/v1/organizations', { name: 'Newcomer' });
      expect([again.status, again.text, isReplay(again)]).toEqual([201, first.text, true]);
      expect((await founder.get('/v1/organizations')).body.data).toHaveLength(1);
    }));

  it('repeats nothing to a caller who may not ask any more', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const { id, secret, agent_id } = await issueKey(owner, world.acme, { bundle: 'admin' });
      const program = world.agent(secret);
      const key = freshKey();
      const body = { agent_id, name: 'production', scopes: ['query:read'] };
      expect((await keyed(program, key, ofAcme(world, '/api-keys'), body)).status).toBe(201);
      await owner.delete(ofAcme(world, `/api-keys/${id}`));
      expect(refusal(await keyed(program, key, ofAcme(world, '/api-keys'), body))).toEqual([401, 'api_key.revoked']);
    }));

  it('is remembered for a day, and swept after it', async () => {
    const { persistence, kept } = reachable();
    await inWorld(
      async (world) => {
        const owner = await world.signIn(olivia);
        const made = await issueKey(owner, world.acme, { bundle: 'admin' });
        const program = world.agent(made.secret);
        const key = freshKey();
        const issue = () =>
          keyed(program, key, ofAcme(world, '/api-keys'), {
            agent_id: made.agent_id,
            name: 'production',
            scopes: ['query:read'],
          });
        const first = await issue();
        world.clock.turn(days(1) - 1);
        expect((await issue()).text).toBe(first.text);
        expect(kept()).toHaveLength(1);
        world.clock.turn(1);
        const next = await issue();
        expect([next.status, isReplay(next), next.body.id === first.body.id]).toEqual([201, false, false]);
        world.clock.turn(days(1));
        await world.jobs.tick();
        expect(kept()).toEqual([]);
      },
      { persistence },
    );
  });

  it('and what it got are nowhere to be read', async () => {
    const { persistence, kept, store } = reachable();
    await inWorld(
      async (world) => {
        const owner = await world.signIn(olivia);
        const { agent_id } = await issueKey(owner, world.acme);
        const key = `my-own-${fresh()}`;
        const body = { agent_id, name: 'production', scopes: ['query:read'] };
        const issued = await keyed(owner, key, ofAcme(world, '/api-keys'), body);
        expect(issued.body.secret).toMatch(/^hd_live_/);
        expect(kept()).toHaveLength(1);
        const everything = JSON.stringify(
          Object.values(store.tables.rows).flatMap((table) => [...(table.rows as Map<string, unknown>).values()]),
        );
        const readable = everything.replaceAll(/[\w-]{16,}/g, (text) => text + Buffer.from(text, 'base64url'));
        expect(readable).toContain(agent_id);
        for (const hidden of [issued.body.secret, key, issued.body.secret.slice(8)])
          expect(readable).not.toContain(hidden);
      },
      { persistence },
    );
  });
});

describe('when something breaks in between', () => {
  const ask = (by: Client, world: World, key: string) => keyed(by, key, ofAcme(world, '/agents'), { name: 'crawler' });
  const agentsIn = async (by: Client, world: World): Promise<number> =>
    (await by.get(ofAcme(world, '/agents'))).body.data.filter((one: { name: string }) => one.name === 'crawler').length;
  const linesIn = async (by: Client, world: World): Promise<number> =>
    (await trailOf(by, world.acme)).filter(
      ({ action, after }) => action === 'agent.created' && after?.['name'] === 'crawler',
    ).length;

  it('and nothing was committed, the next try does it', async () => {
    const { persistence, state, store } = reachable();
    await inWorld(
      async (world) => {
        const owner = await world.signIn(olivia);
        const key = freshKey();
        state.around = (scope, work) =>
          store.transact(scope, async (tx) => {
            const answer = await work(tx);
            if (scope === world.acme) throw new Refusal('storage.unavailable');
            return answer;
          });
        expect((await ask(owner, world, key)).status).toBe(503);
        state.around = (scope, work) => store.transact(scope, work);
        expect(await agentsIn(owner, world)).toBe(0);
        const next = await ask(owner, world, key);
        expect([next.status, isReplay(next)]).toEqual([201, false]);
        expect([await agentsIn(owner, world), await linesIn(owner, world)]).toEqual([1, 1]);
      },
      { persistence },
    );
  });

  it('and it was committed but nobody heard, the next try gets its answer', async () => {
    const { persistence, state, store } = reachable();
    await inWorld(
      async (world) => {
        const owner = await world.signIn(olivia);
        const key = freshKey();
        state.around = async (scope, work) => {
          const answer = await store.transact(scope, work);
          if (scope === world.acme) throw new Refusal('storage.unavailable');
          return answer;
        };
        expect((await ask(owner, world, key)).status).toBe(503);
        state.around = (scope, work) => store.transact(scope, work);
        expect(await agentsIn(owner, world)).toBe(1);
        const next = await ask(owner, world, key);
        expect([next.status, isReplay(next)]).toEqual([201, true]);
        expect([await agentsIn(owner, world), await linesIn(owner, world)]).toEqual([1, 1]);
      },
      { persistence },
    );
  });

  it('and the process died before the commit, the next try waits its time out, and then does it', async () => {
    const { persistence, state, store } = reachable();
    await inWorld(
      async (world) => {
        const owner = await world.signIn(olivia);
        const key = freshKey();
        let isDead = false;
        state.around = (scope, work) => {
          isDead ||= scope === world.acme;
          return isDead ? Promise.reject(new Refusal('storage.unavailable')) : store.transact(scope, work);
        };
        expect((await ask(owner, world, key)).status).toBe(503);
        state.around = (scope, work) => store.transact(scope, work);
        const early = await ask(owner, world, key);
        expect([...refusal(early), early.headers.get('retry-after')]).toEqual([409, 'idempotency_key.under_way', '2']);
        world.clock.turn(60);
        const next = await ask(owner, world, key);
        expect([next.status, isReplay(next)]).toEqual([201, false]);
        expect([await agentsIn(owner, world), await linesIn(owner, world)]).toEqual([1, 1]);
      },
      { persistence },
    );
  });

  it('and a try that everybody thought dead comes back, it does nothing more', async () => {
    const { persistence, state, store } = reachable();
    await inWorld(
      async (world) => {
        const owner = await world.signIn(olivia);
        const key = freshKey();
        const { promise: wakesUp, resolve: wakeUp } = Promise.withResolvers<void>();
        const { promise: sleeps, resolve: fallAsleep } = Promise.withResolvers<void>();
        state.around = async (scope, work) => {
          if (scope === world.acme) {
            state.around = (other, its) => store.transact(other, its);
            fallAsleep();
            await wakesUp;
          }
          return store.transact(scope, work);
        };
        const slow = keyed(owner, key, ofAcme(world, '/agents'), { name: 'crawler' });
        await sleeps;
        world.clock.turn(61);
        // Another request altogether, since the one before came to nothing: so nothing but the key is in its way.
        const quick = await keyed(owner, key, ofAcme(world, '/agents'), { name: 'reporter' });
        expect([quick.status, isReplay(quick)]).toEqual([201, false]);
        wakeUp();
        expect(refusal(await slow)).toEqual([409, 'idempotency_key.under_way']);
        expect([await agentsIn(owner, world), await linesIn(owner, world)]).toEqual([0, 0]);
      },
      { persistence },
    );
  });
});

describe('what is done at the provider first', () => {
  const inConnectingWorld = (
    story: (scene: {
      readonly world: World;
      readonly create: (key: string) => Promise<Answer>;
      /** How often the provider was asked to make one. */
      readonly asked: () => number;
    }) => Promise<void>,
  ) =>
    inWorld(
      async (world) => {
        const owner = await world.signIn(olivia);
        const setUp = vi.spyOn(world.provider.connections, 'setUp');
        const body = { protocol: 'saml', name: 'Okta', metadata_url: 'https://idp.example/metadata' };
        const create = (key: string) => keyed(owner, key, ofAcme(world, '/sso/connections'), body);
        await story({ world, create, asked: () => setUp.mock.calls.length });
      },
      { makesConnections: true },
    );

  it('is done once, however many ask at once; whoever comes while it is under way is told to ask again', () =>
    inConnectingWorld(async ({ create, asked }) => {
      const key = freshKey();
      const answers = await Promise.all(Array.from({ length: 10 }, () => create(key)));
      const created = answers.filter(({ status }) => status === 201);
      expect(created.length).toBeGreaterThan(0);
      expect(new Set(created.map(({ text }) => text)).size).toBe(1);
      for (const refused of answers.filter(({ status }) => status !== 201)) {
        expect(refusal(refused)).toEqual([409, 'idempotency_key.under_way']);
        expect(refused.headers.get('retry-after')).toBe('2');
      }
      expect(asked()).toBe(1);
      const again = await create(key);
      expect([again.text, isReplay(again), asked()]).toEqual([created[0]?.text, true, 1]);
    }));

  it('is tried anew under the same key when the provider did not answer', () =>
    inConnectingWorld(async ({ world, create, asked }) => {
      const key = freshKey();
      await world.outage('down');
      expect(refusal(await create(key))).toEqual([503, 'identity.unavailable']);
      await world.outage('none');
      const next = await create(key);
      expect([next.status, isReplay(next), asked()]).toEqual([201, false, 1]);
    }));
});
