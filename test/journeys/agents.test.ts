// Agents and their keys: made by people, never wider than their maker, refused the moment they are revoked, and never shown twice.

import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { pinoLog } from '#adapters/system/pino-log.ts';
import { bundles, scopes } from '#domain/access/scope.ts';
import { carla, days, dora, gus, inWorld, issueKey, ofAcme, ofGlobex, olivia, refusal, trailOf } from './words.ts';

describe('an agent', () => {
  it('is made, gets a key, and calls as what it is', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const agent = await owner.post(ofAcme(world, '/agents'), { name: 'importer', description: 'Fetches at night' });
      expect([agent.status, agent.body.status]).toEqual([201, 'active']);
      const wish = { agent_id: agent.body.id, name: 'production', scopes: ['memory:read', 'query:read'] };
      const key = await owner.post(ofAcme(world, '/api-keys'), wish);
      expect(key.body).toMatchObject({
        mode: 'live',
        scopes: ['query:read', 'memory:read'],
        expires_at: null,
        created_by: { kind: 'user' },
      });
      expect(key.body.secret).toMatch(/^hd_live_[0-9A-Za-z]{32}$/);

      const caller = world.agent(key.body.secret);
      expect((await caller.get('/v1/whoami')).body).toEqual({
        caller: {
          kind: 'agent',
          id: agent.body.id,
          organization_id: world.acme,
          role: null,
          scopes: ['query:read', 'memory:read'],
          mode: 'live',
          session_id: null,
          api_key_id: key.body.id,
          authenticated_by: 'api_key',
        },
        agent: { id: agent.body.id, name: 'importer' },
        organization: { id: world.acme, name: 'Acme', slug: 'acme' },
      });
      expect((await caller.get('/v1/organizations')).body.data).toMatchObject([{ id: world.acme, role: null }]);
      expect(refusal(await owner.post(ofAcme(world, '/agents'), { name: 'importer' }))).toEqual([
        409,
        'agent.name_taken',
      ]);
    }));

  it('passes a proxy with what the proxy needs to know, or does not pass', () =>
    inWorld(async (world) => {
      const caller = world.agent(world.apiKey);
      const passed = await caller.get('/v1/verify?scope=query:read');
      expect([passed.status, passed.text]).toEqual([204, '']);
      const facts = ['organization', 'kind', 'role', 'scopes'].map((name) => passed.headers.get(`x-hati-${name}`));
      expect(facts).toEqual([
        world.acme,
        'agent',
        null,
        scopes.filter((scope) => bundles.agent.some((own) => own === scope)).join(' '),
      ]);
      expect(passed.headers.get('x-hati-caller')).toMatch(/^agent_/);
      expect(refusal(await caller.get('/v1/verify?scope=users:manage'))).toEqual([403, 'caller.scope_missing']);
      expect(refusal(await caller.get('/v1/verify?scope=everything'))).toEqual([400, 'request.invalid']);
      expect(refusal(await world.anonymous.get('/v1/verify'))).toEqual([401, 'credential.missing']);
      const person = await (await world.signIn(dora)).get('/v1/verify?scope=tables:create');
      expect([person.status, person.headers.get('x-hati-kind'), person.headers.get('x-hati-role')]).toEqual([
        204,
        'user',
        'developer',
      ]);
    }));
});

describe('a key', () => {
  it('is never wider than its maker, whether a person or an agent makes it', () =>
    inWorld(async (world) => {
      const [owner, admin] = [await world.signIn(olivia), await world.signIn('adam.admin@acme.test')];
      const agent = (await owner.post(ofAcme(world, '/agents'), { name: 'climber' })).body.id;
      const wish = { agent_id: agent, name: 'key' };
      const beyond = await admin.post(ofAcme(world, '/api-keys'), {
        ...wish,
        scopes: ['query:read', 'billing:manage'],
      });
      expect([...refusal(beyond), beyond.body.error.details]).toEqual([
        403,
        'api_key.beyond_maker',
        { scopes: ['billing:manage'] },
      ]);
      expect((await owner.post(ofAcme(world, '/api-keys'), { ...wish, scopes: ['billing:manage'] })).status).toBe(201);

      const maker = world.agent((await issueKey(owner, world.acme, { scopes: ['keys:manage', 'query:read'] })).secret);
      expect(refusal(await maker.post(ofAcme(world, '/api-keys'), { ...wish, bundle: 'agent' }))).toEqual([
        403,
        'api_key.beyond_maker',
      ]);
      const child = await maker.post(ofAcme(world, '/api-keys'), { ...wish, scopes: ['query:read'] });
      expect([child.status, child.body.created_by.kind]).toEqual([201, 'agent']);
      expect(refusal(await owner.post(ofAcme(world, '/api-keys'), { ...wish, scopes: [] }))).toEqual([
        422,
        'api_key.without_scopes',
      ]);
      expect(
        refusal(await (await world.signIn(dora)).post(ofAcme(world, '/api-keys'), { ...wish, scopes: ['query:read'] })),
      ).toEqual([403, 'caller.scope_missing']);
    }));

  it('is live or for tests, and says which', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      for (const mode of ['live', 'test']) {
        const { secret } = await issueKey(owner, world.acme, { mode });
        expect(secret).toMatch(new RegExp(`^hd_${mode}_`));
        expect((await world.agent(secret).get('/v1/whoami')).body.caller.mode).toBe(mode);
      }
    }));

  it('works until the moment of its expiry, and at that moment no more, also when it was just used', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const { secret } = await issueKey(owner, world.acme, { expires_in_days: 7 });
      world.clock.turn(days(7) - 1);
      expect((await world.agent(secret).get('/v1/whoami')).status).toBe(200);
      world.clock.turn(1);
      expect(refusal(await world.agent(secret).get('/v1/whoami'))).toEqual([401, 'api_key.expired']);
    }));

  it('ends on the next request after it is revoked; the second time changes nothing', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const [key, sibling] = [await issueKey(owner, world.acme), await issueKey(owner, world.acme)];
      const caller = world.agent(key.secret);
      expect((await caller.get('/v1/whoami')).status).toBe(200);
      for (let time = 0; time < 2; time += 1)
        expect((await owner.delete(ofAcme(world, `/api-keys/${key.id}`))).status).toBe(204);
      expect(refusal(await caller.get('/v1/whoami'))).toEqual([401, 'api_key.revoked']);
      expect((await world.agent(sibling.secret).get('/v1/whoami')).status).toBe(200);
      const revocations = (await trailOf(owner, world.acme)).filter(
        ({ action, target }) => action === 'api_key.revoked' && target.id === key.id,
      );
      expect(revocations).toHaveLength(1);
    }));

  it('is refused once revoked, however many requests were under way', () =>
    inWorld(
      async (world) => {
        const owner = await world.signIn(olivia);
        const key = await issueKey(owner, world.acme);
        const caller = world.agent(key.secret);
        const under = Array.from({ length: 20 }, () => caller.get('/v1/whoami'));
        await owner.delete(ofAcme(world, `/api-keys/${key.id}`));
        await Promise.all(under);
        const after = await Promise.all(
          Array.from({ length: 20 }, async () => (await caller.get('/v1/whoami')).status),
        );
        expect(new Set(after)).toEqual(new Set([401]));
      },
      { trustSeconds: 300 },
    ));

  it('is used only from its addresses: the socket counts, and a header that a client made up does not', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const elsewhere = await issueKey(owner, world.acme, { ip_allowlist: ['203.0.113.0/24', '2001:db8::/32'] });
      const here = await issueKey(owner, world.acme, { ip_allowlist: ['127.0.0.1'] });
      const from = (secret: string, forwarded: string) =>
        world.withHeaders({ authorization: `ApiKey ${secret}`, 'x-forwarded-for': forwarded }).get('/v1/whoami');
      expect(refusal(await from(elsewhere.secret, '203.0.113.9'))).toEqual([403, 'api_key.address_not_allowed']);
      expect((await from(here.secret, '203.0.113.9')).status).toBe(200);
      for (const block of ['nonsense', '203.0.113.0/33', '300.0.0.1', 'fe80::1%eth0']) {
        const wish = { agent_id: here.agent_id, name: 'k', scopes: ['query:read'], ip_allowlist: [block] };
        expect([block, ...refusal(await owner.post(ofAcme(world, '/api-keys'), wish))]).toEqual([
          block,
          400,
          'request.invalid',
        ]);
      }
    }));

  it('is used through a trusted proxy from the address that the proxy saw, and from no other', () =>
    inWorld(
      async (world) => {
        const owner = await world.signIn(olivia);
        const { secret } = await issueKey(owner, world.acme, { ip_allowlist: ['203.0.113.0/24', '2001:db8::/32'] });
        const from = async (forwarded: string) =>
          (
            await world
              .withHeaders({ authorization: `ApiKey ${secret}`, 'x-forwarded-for': forwarded })
              .get('/v1/whoami')
          ).status;
        expect(await from('203.0.113.9')).toBe(200);
        expect(await from('::ffff:203.0.113.9')).toBe(200);
        expect(await from('2001:db8::1')).toBe(200);
        expect(await from('198.51.100.1')).toBe(403);
        // What the client wrote itself stands on the left; the proxy's word on the right.
        expect(await from('203.0.113.9, 198.51.100.1')).toBe(403);
        expect(await from('198.51.100.1, 203.0.113.9')).toBe(200);
        expect(await from('garbage')).toBe(403);
      },
      { trustedProxies: ['127.0.0.1'] },
    ));

  it('is refused with a wrong checksum, length, alphabet or case, without a look-up', () =>
    inWorld(async (world) => {
      const secret = world.apiKey;
      const flipped = secret.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
      const swapped = secret.replace(/^hd_live_(.)(.)/, 'hd_live_$2$1');
      const wrong = [
        flipped,
        swapped === secret ? flipped : swapped,
        secret.toLowerCase(),
        secret.toUpperCase(),
        secret.slice(0, -1),
        `${secret}A`,
        secret.replace('live', 'test'),
        'hd_live_',
        `hd_live_${'é'.repeat(16)}`,
      ];
      for (const text of wrong) {
        for (const headers of [{ authorization: `ApiKey ${encodeURI(text)}` }, { 'x-api-key': encodeURI(text) }]) {
          expect([text, ...refusal(await world.withHeaders(headers).get('/v1/whoami'))]).toEqual([
            text,
            401,
            'api_key.malformed',
          ]);
        }
      }
    }));

  it('may stand in three places, twice the same, and never beside another credential', () =>
    inWorld(async (world) => {
      const person = await world.signIn(dora);
      const secret = world.apiKey;
      const other = (await issueKey(await world.signIn(olivia), world.acme)).secret;
      const send = async (headers: Record<string, string>, path = '/v1/whoami') =>
        refusal(await world.withHeaders(headers).get(path));
      for (const headers of [
        { authorization: `ApiKey ${secret}` },
        { authorization: `apikey ${secret}` },
        { authorization: `Bearer ${secret}` },
        { 'x-api-key': secret },
        { authorization: `Bearer ${secret}`, 'x-api-key': secret },
      ]) {
        expect(await send(headers)).toEqual([200, undefined]);
      }
      const cookie = `hd_session=${person.reference}`;
      for (const headers of [
        { authorization: `ApiKey ${secret}`, 'x-api-key': other },
        { authorization: `ApiKey ${secret}`, cookie },
        { 'x-api-key': secret, cookie },
        { 'x-api-key': `${secret}, ${other}`, cookie },
      ]) {
        expect(await send(headers)).toEqual([400, 'credential.ambiguous']);
        expect(await send(headers, '/v1/verify')).toEqual([401, 'credential.ambiguous']);
      }
      for (const authorization of [
        'Basic dXNlcjpwYXNz',
        'Bearer',
        `Bearer ${secret} ${other}`,
        secret,
        'Bearer not-a-token',
      ]) {
        expect([authorization, ...(await send({ authorization }))]).toEqual([
          authorization,
          401,
          'credential.malformed',
        ]);
      }
    }));

  it("of one organization finds nothing of another's, whatever ids it names", () =>
    inWorld(async (world) => {
      const [owner, ownerOfGlobex] = [await world.signIn(olivia), await world.signIn(gus)];
      const foreign = await issueKey(ownerOfGlobex, world.globex);
      const agent = world.agent((await issueKey(owner, world.acme, { bundle: 'admin' })).secret);
      expect(refusal(await agent.get(ofGlobex(world, '/agents')))).toEqual([404, 'organization.not_found']);
      expect(refusal(await agent.get(ofAcme(world, `/agents/${foreign.agent_id}`)))).toEqual([404, 'agent.not_found']);
      expect(refusal(await owner.delete(ofAcme(world, `/api-keys/${foreign.id}`)))).toEqual([404, 'api_key.not_found']);
      const wish = { agent_id: foreign.agent_id, name: 'k', scopes: ['query:read'] };
      expect(refusal(await owner.post(ofAcme(world, '/api-keys'), wish))).toEqual([404, 'agent.not_found']);
      expect((await owner.get(ofAcme(world, `/api-keys?agent_id=${foreign.agent_id}`))).body.data).toEqual([]);
      expect((await world.agent(foreign.secret).get('/v1/whoami')).status).toBe(200);
    }));

  it('is found by its beginning, and shows when it was used last', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const key = await issueKey(owner, world.acme);
      world.clock.turn(60);
      await world.agent(key.secret).get('/v1/whoami');
      await world.settle();
      const found = (await owner.get(ofAcme(world, `/api-keys?prefix=${key.secret.slice(0, 12)}`))).body.data;
      expect(found).toMatchObject([
        {
          id: key.id,
          prefix: key.secret.slice(0, 12),
          last_four: key.secret.slice(-4),
          last_used_at: world.clock.now().toISOString(),
        },
      ]);
    }));
});

describe('a secret', () => {
  it('is in the answer that made it and nowhere else: no answer, no page, no audit entry, no log line', async () => {
    const lines: string[] = [];
    const destination = new Writable({
      write(chunk, _encoding, done) {
        lines.push(String(chunk));
        done();
      },
    });
    await inWorld(
      async (world) => {
        const owner = await world.signIn(olivia);
        const key = await issueKey(owner, world.acme, { expires_in_days: 1 });
        const agent = world.agent(key.secret);
        const answers = [
          await agent.get('/v1/whoami'),
          await agent.get('/'),
          await agent.get(ofAcme(world, '/agents')),
          await agent.get('/v1/nothing-here'),
          await agent.post(ofAcme(world, '/agents'), { name: key.secret.repeat(20) }),
          await world.anonymous.get(`/v1/whoami?api_key=${key.secret}`),
          await world.withHeaders({ authorization: `ApiKey ${key.secret}x` }).get('/v1/whoami'),
          await world.withHeaders({ cookie: `hd_session=${key.secret}` }).get('/v1/whoami'),
          await owner.get(ofAcme(world, '/api-keys')),
          await owner.get(ofAcme(world, `/api-keys?agent_id=${key.agent_id}`)),
          await owner.delete(ofAcme(world, `/api-keys/${key.id}`)),
          await agent.get('/v1/whoami'),
          await owner.get(ofAcme(world, '/audit?limit=200')),
        ];
        for (const { text, headers } of answers) {
          expect(text).not.toContain(key.secret);
          expect(JSON.stringify([...headers])).not.toContain(key.secret);
        }
        await world.settle();
        const kept = [key.secret, world.apiKey, owner.reference, owner.refreshBox];
        expect(lines.length).toBeGreaterThan(10);
        for (const line of lines) for (const secret of kept) expect(line).not.toContain(secret);
      },
      { log: pinoLog('debug', destination) },
    );
  });

  it('belongs to the key, not to the person who made it: their session does not ride along', () =>
    inWorld(async (world) => {
      const person = await world.signIn(carla, { organization: world.acme });
      expect((await person.get(ofAcme(world, '/api-keys'))).status).toBe(403);
      const owner = await world.signIn(olivia);
      const key = await issueKey(owner, world.acme);
      const [session] = (await owner.get('/v1/sessions')).body.data;
      await owner.delete(`/v1/sessions/${session.id}`);
      expect((await world.agent(key.secret).get('/v1/whoami')).status).toBe(200);
    }));
});
