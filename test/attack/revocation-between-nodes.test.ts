// Revoked on one node, refused on the other: within the stated bound under load, over PostgreSQL alone and with Redis.

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { boundMilliseconds } from '#adapters/cache/shared/trust.ts';
import { type Answer, createWorld, type World, type WorldOptions } from '#bootstrap/testing.ts';
import { issueKey, ofAcme, olivia, tokensFor } from '../journeys/words.ts';
import { run, withPostgres } from '../support/postgres.ts';
import { type TestRedis, withRedis } from '../support/redis.ts';
import { type SecondNode, secondNode } from '../support/second-node.ts';

const manyAtOnce = 8;

/** How many requests to the other node were served although they began later than the bound after the answer; and the lag. */
const servedLate = async (ask: () => Promise<{ status: number }>, revoke: () => Promise<unknown>) => {
  expect((await ask()).status).toBe(200);
  let revokedAt = Number.POSITIVE_INFINITY;
  let refusedAt = Number.POSITIVE_INFINITY;
  let servedAfterRefusal = 0;
  const asking = Array.from({ length: manyAtOnce }, async () => {
    for (let after = 0; after < 5; ) {
      const began = performance.now();
      const { status } = await ask();
      if (began > refusedAt) {
        after += 1;
        servedAfterRefusal += Number(status === 200);
      }
      if (status !== 200) refusedAt = Math.min(refusedAt, performance.now());
      if (began > revokedAt + boundMilliseconds && status === 200) throw new Error('served later than the bound');
    }
  });
  const answer = (await revoke()) as Answer | undefined;
  if (answer) expect(answer.status).toBeLessThan(400);
  revokedAt = performance.now();
  await Promise.all(asking);
  return { servedAfterRefusal, lag: refusedAt - revokedAt };
};

type Attack = (world: World, other: SecondNode, email: string) => ReturnType<typeof servedLate>;

const attacks: Readonly<Record<string, Attack>> = {
  'a key that was revoked': async (world, other) => {
    const owner = await world.signIn(olivia);
    const { id, secret } = await issueKey(owner, world.acme);
    const agent = other.withHeaders({ authorization: `ApiKey ${secret}` });
    return servedLate(
      () => agent.get('/v1/whoami'),
      () => owner.delete(ofAcme(world, `/api-keys/${id}`)),
    );
  },
  'a session that an admin ended': async (world, other, email) => {
    const owner = await world.signIn(olivia);
    const person = await world.signIn(email);
    const session = (await person.get('/v1/whoami')).body.caller.session_id;
    const there = other.browserOf(person);
    return servedLate(
      () => there.get('/v1/whoami'),
      () => owner.delete(ofAcme(world, `/sessions/${session}`)),
    );
  },
  'an access token of a session that was ended': async (world, other, email) => {
    const person = await world.signIn(email);
    const { access_token } = await tokensFor(world, person.refreshBox);
    const bearing = other.withHeaders({ authorization: `Bearer ${access_token}` });
    return servedLate(
      () => bearing.get('/v1/whoami'),
      () => person.post('/auth/logout'),
    );
  },
  'somebody whom the directory terminated': async (world, other, email) => {
    const there = other.browserOf(await world.signIn(email));
    return servedLate(
      () => there.get('/v1/organizations'),
      () => world.directory.terminate(email),
    );
  },
};

interface Pair extends AsyncDisposable {
  readonly world: World;
  readonly other: SecondNode;
}

/** Two nodes on a database that nobody used before: the fake provider of a world begins anew, and knows of no other. */
const twoNodes = async (server: string, redis?: WorldOptions['redis']): Promise<Pair> => {
  const name = `identity_test_nodes_${process.pid}_${randomBytes(4).toString('hex')}`;
  await run(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const database = { kind: 'postgres', url: url.href, migrationUrl: undefined, onlyApart: false } as const;
  const options = { database, ...(redis && { redis }) };
  const world = await createWorld(options);
  const other = await secondNode(world, options);
  return {
    world,
    other,
    async [Symbol.asyncDispose]() {
      await other[Symbol.asyncDispose]();
      await world.close();
      await run(server, `drop database ${name} with (force)`);
    },
  };
};

const suite = (title: string, open: () => Promise<Pair>) =>
  describe(`two nodes, ${title}: under load, the other node soon serves no more`, () => {
    let pair: Pair;
    beforeAll(async () => {
      pair = await open();
    });
    afterAll(() => pair[Symbol.asyncDispose]());

    for (const [at, [who, attack]] of Object.entries(attacks).entries()) {
      it(`to ${who}`, async () => {
        const { world, other } = pair;
        for (let round = 0; round < 2; round += 1) {
          const email = `loaded-${at}-${round}@acme.test`;
          await world.directory.hire({ email, name: 'Loaded' });
          world.clock.turn(1);
          const { servedAfterRefusal, lag } = await attack(world, other, email);
          expect(servedAfterRefusal).toBe(0);
          expect(lag).toBeLessThan(boundMilliseconds / 2);
        }
      });
    }
  });

let redis: TestRedis | undefined;
await withRedis('revocation between nodes with Redis', (found) => {
  redis = found;
});

await withPostgres('revocation between nodes', (server) => {
  suite('told by PostgreSQL', () => twoNodes(server));
  if (!redis) return;
  const { url, prefix } = redis;
  const open = () => twoNodes(server, { url, prefix: prefix() });
  suite('with Redis', open);

  describe('two nodes with Redis', () => {
    let pair: Pair;
    beforeAll(async () => {
      pair = await open();
    });
    afterAll(() => pair[Symbol.asyncDispose]());

    it('refresh a session of the provider once between them, and both hand out its result', async () => {
      const { world, other } = pair;
      const person = await world.signIn(olivia);
      const refresh = vi.spyOn(world.provider.sessions, 'refresh');
      world.clock.turn(241);
      const there = other.browserOf(person);
      const answers = await Promise.all([person, there, person, there].map((browser) => browser.get('/v1/whoami')));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
      for (const answer of answers) expect(answer.headers.getSetCookie().join()).toMatch(/hd_refresh=/);

      const fresh = await world.signIn(olivia);
      refresh.mockClear();
      const asked = { refresh_token: fresh.refreshBox };
      const pairs = await Promise.all([
        world.anonymous.post('/v1/session/refresh', asked),
        other.withHeaders({}).post('/v1/session/refresh', asked),
      ]);
      expect(pairs.map(({ status }) => status)).toEqual([200, 200]);
      expect(new Set(pairs.map(({ body }) => body.access_token)).size).toBe(1);
      expect(refresh).toHaveBeenCalledTimes(1);
    });

    it('ask the provider once between them whether its side lives, and not at all after a refresh', async () => {
      const { world, other } = pair;
      const person = await world.signIn(olivia);
      const alive = vi.spyOn(world.provider.sessions, 'isAlive');
      const there = other.browserOf({ ...person, refreshBox: '' });
      world.clock.turn(301);
      await person.get('/v1/verify');
      await there.get('/v1/verify');
      expect(alive).toHaveBeenCalledTimes(1);
      // The refresh proves it anew: what was asked 200 seconds ago would be too old a little later.
      world.clock.turn(200);
      expect((await person.get('/v1/whoami')).headers.getSetCookie().join()).toMatch(/hd_refresh=/);
      alive.mockClear();
      world.clock.turn(150);
      await person.get('/v1/verify');
      await there.get('/v1/verify');
      expect(alive).not.toHaveBeenCalled();
    });
  });
});
