// Attacks on what is remembered and on what a key may make: staleness across processes, wider children, profiles of yesterday.

import { describe, expect, it } from 'vitest';
import type { Client } from '#bootstrap/testing.ts';
import { gus, inWorld, issueKey, ofAcme, olivia } from '../journeys/words.ts';
import { say } from './attack-words.ts';

describe('a key that manages keys', () => {
  it('of test mode makes no live key', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const maker = await issueKey(owner, world.acme, { mode: 'test', scopes: ['keys:manage', 'query:read'] });
      const made = await world.agent(maker.secret).post(ofAcme(world, '/api-keys'), {
        agent_id: maker.agent_id,
        name: 'child',
        scopes: ['query:read'],
        mode: 'live',
      });
      expect(made.status).toBe(403);
    }));

  it('hears no wider secret under the Idempotency-Key of a wider key of its agent', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const wide = await issueKey(owner, world.acme, { scopes: ['keys:manage', 'query:read'] });
      const narrow = async (wish: object): Promise<string> => {
        const facts = { agent_id: wide.agent_id, name: 'narrow', scopes: ['keys:manage', 'query:read'], ...wish };
        return (await owner.post(ofAcme(world, '/api-keys'), facts)).body.secret;
      };
      const ask = (by: Client) =>
        by.send('POST', ofAcme(world, '/api-keys'), {
          headers: { 'idempotency-key': 'monday', 'content-type': 'application/json' },
          body: JSON.stringify({ agent_id: wide.agent_id, name: 'child', scopes: ['query:read'] }),
        });
      expect((await ask(world.agent(wide.secret))).status).toBe(201);
      for (const wish of [{ scopes: ['keys:manage'] }, { mode: 'test' }]) {
        const heard = await ask(world.agent(await narrow(wish)));
        expect([heard.status, heard.text.includes('hd_')]).toEqual([409, false]);
      }
      expect((await ask(world.agent(await narrow({})))).status).toBe(201);
    }));

  it('makes no key that outlives it', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const maker = await issueKey(owner, world.acme, { scopes: ['keys:manage', 'query:read'], expires_in_days: 1 });
      const made = await world.agent(maker.secret).post(ofAcme(world, '/api-keys'), {
        agent_id: maker.agent_id,
        name: 'child',
        scopes: ['keys:manage', 'query:read'],
      });
      world.clock.turn(2 * 24 * 3600);
      expect((await world.agent(maker.secret).get('/v1/whoami')).status).toBe(401);
      expect((await world.agent(made.body.secret ?? world.apiKey).get('/v1/whoami')).status).toBe(401);
    }));

  it('makes no key that works from elsewhere', () =>
    inWorld(
      async (world) => {
        const owner = await world.signIn(olivia);
        const maker = await issueKey(owner, world.acme, {
          scopes: ['keys:manage', 'query:read'],
          ip_allowlist: ['10.0.0.0/8'],
        });
        const from = (ip: string, secret: string) =>
          world.withHeaders({ authorization: `ApiKey ${secret}`, 'x-forwarded-for': ip });
        const made = await from('10.1.1.1', maker.secret).post(ofAcme(world, '/api-keys'), {
          agent_id: maker.agent_id,
          name: 'child',
          scopes: ['query:read'],
        });
        expect((await from('203.0.113.9', maker.secret).get('/v1/whoami')).status).toBe(403);
        expect((await from('203.0.113.9', made.body.secret ?? maker.secret).get('/v1/whoami')).status).toBe(403);
      },
      { trustedProxies: ['127.0.0.1/32'] },
    ));
});

describe('whoami', () => {
  it('never shows the organization that the session has left', () =>
    inWorld(async (world) => {
      const person = await world.signIn(gus);
      const made = await person.post('/v1/organizations', { name: 'Initech' });
      await world.settle();
      const there = made.body.id;
      const { useCases } = world.service;
      // A request that is under way: its caller is proven, its profile is not read yet.
      const caller = await useCases.authenticateCaller(
        { kind: 'session_reference', reference: person.reference },
        { ip: null },
      );
      const moved = await person.post('/v1/session/organization', { organization_id: there });
      expect(moved.status).toBe(200);
      await useCases.whoAmI(caller);
      const after = (await person.get('/v1/whoami')).body;
      expect([after.caller.organization_id, after.organization.id]).toEqual([there, there]);
    }));
});

describe('an organization made at the provider', () => {
  it('is not made there a second time, nor unlinked from the first', () =>
    inWorld(async (world) => {
      // As WorkOS tells of an organization made in its dashboard: without an id of ours.
      const known = await world.provider.organizations.ensure({ externalId: 'x', name: 'Umbrella', domains: [] });
      Object.assign(known, { externalId: null });
      const organizations = world.provider.organizations.all().length;
      await say(world, 'organization.created', {
        object: 'organization',
        id: known.ref,
        name: 'Umbrella',
        domains: [],
        external_id: null,
      });
      await world.settle();
      expect(world.provider.organizations.all().length).toBe(organizations);
    }));
});
