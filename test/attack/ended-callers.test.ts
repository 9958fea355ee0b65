// Attacks with a caller that was proven a moment ago: the session has ended since, the act has not begun.

import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { adam, gus, inWorld, memberNamed, ofAcme, ofGlobex, olivia, trailOf } from '../journeys/words.ts';

const source = { via: 'http', ip: '127.0.0.1', userAgent: null, requestId: null } as const;

describe('a caller whose session has ended since they were proven', () => {
  it('issues no key', () =>
    inWorld(async (world) => {
      const { useCases } = world.service;
      const owner = await world.signIn(olivia);
      const admin = await world.signIn(adam);
      const agent = (await owner.post(ofAcme(world, '/agents'), { name: 'bot' })).body;
      const caller = await useCases.authenticateCaller(
        { kind: 'session_reference', reference: admin.reference },
        { ip: null },
      );
      const session = (await admin.get('/v1/whoami')).body.caller.session_id;
      expect((await owner.delete(ofAcme(world, `/sessions/${session}`))).status).toBe(204);
      const act = useCases.issueApiKey(
        caller,
        {
          organizationId: world.acme,
          agentId: agent.id,
          name: 'late',
          scopes: ['users:manage'],
          mode: 'live',
          expiresInDays: null,
          ipAllowlist: [],
        },
        source,
      );
      await expect(act).rejects.toMatchObject({ name: 'Refusal' });
    }));

  it('hands no organization over', () =>
    inWorld(async (world) => {
      const { useCases } = world.service;
      const owner = await world.signIn(olivia);
      const caller = await useCases.authenticateCaller(
        { kind: 'session_reference', reference: owner.reference },
        { ip: null },
      );
      const heir = await memberNamed(owner, world.acme, adam);
      expect((await owner.post('/auth/logout')).status).toBe(303);
      await expect(useCases.transferOwnership(caller, world.acme, heir.user_id as never, source)).rejects.toMatchObject(
        { name: 'Refusal' },
      );
    }));

  it('founds no organization', () =>
    inWorld(async (world) => {
      const { useCases } = world.service;
      const owner = await world.signIn(gus);
      const caller = await useCases.authenticateCaller(
        { kind: 'session_reference', reference: owner.reference },
        { ip: null },
      );
      await owner.post('/auth/logout');
      const act = useCases.createOrganization(caller, { name: 'Late', slug: undefined, domains: [] }, source);
      await expect(act).rejects.toMatchObject({ name: 'Refusal' });
    }));
});

describe('a request whose body comes slowly', () => {
  it('does nothing for a session that ended before the body was there', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const admin = await world.signIn(adam);
      const agent = (await owner.post(ofAcme(world, '/agents'), { name: 'bot' })).body;
      const session = (await admin.get('/v1/whoami')).body.caller.session_id;
      const body = JSON.stringify({ agent_id: agent.id, name: 'late', scopes: ['users:manage', 'keys:manage'] });
      const { port } = new URL(world.url);
      const socket = connect(Number(port), '127.0.0.1');
      const answer = new Promise<string>((resolve) => socket.once('data', (data) => resolve(data.toString())));
      socket.write(
        `POST ${ofAcme(world, '/api-keys')} HTTP/1.1\r\nHost: x\r\nOrigin: ${world.url}\r\nCookie: hd_session=${admin.reference}\r\n` +
          `Content-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body.slice(0, 5)}`,
      );
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect((await owner.delete(ofAcme(world, `/sessions/${session}`))).status).toBe(204);
      expect((await admin.get('/v1/whoami')).status).toBe(401);
      socket.write(body.slice(5));
      expect((await answer).split('\r\n')[0]).toBe('HTTP/1.1 401 Unauthorized');
    }));
});

describe('support acting as somebody', () => {
  it('is told from that person in the trail', () =>
    inWorld(async (world) => {
      const { useCases } = world.service;
      const started = await useCases.beginLogin({
        email: gus,
        organizationId: world.globex,
        returnTo: '/',
        remember: false,
      });
      const asked = new URL(started.url).searchParams;
      const outcome = await world.provider.sessions.signIn({
        email: gus,
        method: 'password',
        codeChallenge: asked.get('code_challenge') ?? '',
        organization: asked.get('organization') ?? undefined,
        impersonator: { email: 'support@hatidata.test', reason: 'ticket 1' },
      });
      if (outcome.is !== 'signed_in') throw new Error(outcome.because);
      const signedIn = await useCases.completeLogin({
        code: outcome.code,
        state: started.state,
        box: started.box,
        replaces: undefined,
        source,
      });
      if (!('reference' in signedIn)) throw new Error('no sign-in');
      const support = world.withHeaders({ cookie: `hd_session=${signedIn.reference}`, origin: world.url });
      await support.post(ofGlobex(world, '/agents'), { name: 'made by support' });
      const owner = await world.signIn(gus);
      const line = (await trailOf(owner, world.globex)).find(({ action }) => action === 'agent.created');
      expect(JSON.stringify(line)).toContain('support@hatidata.test');
    }));
});
