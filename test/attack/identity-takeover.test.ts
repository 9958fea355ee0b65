// Attacks on who is who: addresses that nobody verified, memberships that come back by themselves.

import { describe, expect, it } from 'vitest';
import { gus, inWorld, memberNamed, ofAcme, ofGlobex, olivia } from '../journeys/words.ts';
import { refOf, say } from './attack-words.ts';

const victim = 'victim@acme.test';

describe('an address that nobody verified', () => {
  it('does not make its holder the person whom a directory hires later', () =>
    inWorld(async (world) => {
      const mallory = await world.signIn('mallory@evil.test', { method: 'password' });
      const me = (await mallory.get('/v1/whoami')).body;
      const subject = world.provider.people.all().find(({ email }) => email === 'mallory@evil.test')?.subject;
      world.clock.turn(1);
      // The provider says so of every account whose address was changed and not confirmed yet.
      await say(world, 'user.updated', { object: 'user', id: subject, email: victim, email_verified: false });
      world.clock.turn(1);
      await world.directory.hire({ email: victim, name: 'Victim', groups: [] });

      const owner = await world.signIn(olivia);
      const hired = await memberNamed(owner, world.acme, victim);
      const after = (await mallory.get('/v1/whoami')).body;
      expect(hired.user_id).not.toBe(me.user.id);
      expect(after.organizations).toEqual([]);
    }));

  it('of somebody who only signed up does not take the place of the person hired later', () =>
    inWorld(async (world) => {
      await say(world, 'user.created', { object: 'user', id: 'user_mallory', email: victim, email_verified: false });
      world.clock.turn(1);
      await world.directory.hire({ email: victim, name: 'Victim', groups: [] });
      const person = await world.signIn(victim);
      expect((await person.get('/v1/whoami')).body.caller.organization_id).toBe(world.acme);
    }));
});

describe('an address that nobody verified, in an organization without single sign-on', () => {
  it('does not open the organization to a session that was there before', () =>
    inWorld(async (world) => {
      const mallory = await world.signIn('mallory@evil.test', { method: 'password' });
      const subject = world.provider.people.all().find(({ email }) => email === 'mallory@evil.test')?.subject;
      const directory = await world.connectDirectory(world.globex);
      world.clock.turn(1);
      await say(world, 'user.updated', {
        object: 'user',
        id: subject,
        email: 'boss@globex.test',
        email_verified: false,
      });
      world.clock.turn(1);
      await directory.hire({ email: 'boss@globex.test', name: 'Boss' });
      const moved = await mallory.post('/v1/session/organization', { organization_id: world.globex });
      const seen = await mallory.get(ofGlobex(world));
      expect([moved.status, seen.status]).toEqual([404, 404]);
    }));
});

describe('somebody removed by hand', () => {
  it('does not come back by signing in again where the provider keeps its own list of members', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(gus);
      await world.signIn('nina@globex.test', { method: 'password' }).catch(() => undefined);
      const subject = 'user_nina';
      const membership = {
        object: 'organization_membership',
        user_id: subject,
        organization_id: refOf(world, world.globex),
      };
      await say(world, 'user.created', { object: 'user', id: subject, email: 'nina@x.test', email_verified: true });
      await say(world, 'organization_membership.created', {
        ...membership,
        id: 'om_1',
        status: 'active',
        role: { slug: 'member' },
      });
      const nina = await memberNamed(owner, world.globex, 'nina@x.test');
      expect(nina.status).toBe('active');
      world.clock.turn(1);
      expect((await owner.delete(ofGlobex(world, `/members/${nina.id}`))).status).toBe(204);
      await world.settle();
      world.clock.turn(60);
      await say(world, 'organization_membership.created', {
        ...membership,
        id: 'om_2',
        status: 'active',
        role: { slug: 'member' },
      });
      expect((await memberNamed(owner, world.globex, 'nina@x.test')).status).toBe('revoked');
    }));

  it('does not get back a role that was taken away by hand', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(gus);
      const subject = 'user_nina';
      const membership = {
        object: 'organization_membership',
        id: 'om_1',
        user_id: subject,
        organization_id: refOf(world, world.globex),
        status: 'active',
        role: { slug: 'admin' },
      };
      await say(world, 'user.created', { object: 'user', id: subject, email: 'nina@x.test', email_verified: true });
      await say(world, 'organization_membership.created', membership);
      const nina = await memberNamed(owner, world.globex, 'nina@x.test');
      expect(nina.role).toBe('admin');
      world.clock.turn(1);
      expect((await owner.patch(ofGlobex(world, `/members/${nina.id}`), { role: 'analyst' })).status).toBe(200);
      world.clock.turn(60);
      await say(world, 'organization_membership.updated', membership);
      expect((await memberNamed(owner, world.globex, 'nina@x.test')).role).toBe('analyst');
    }));
});

describe('the only owner makes admins', () => {
  it('also through role mappings', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const agent = await owner.post(ofAcme(world, '/agents'), { name: 'bot' });
      const key = await owner.post(ofAcme(world, '/api-keys'), {
        agent_id: agent.body.id,
        name: 'k',
        scopes: ['orgs:manage'],
      });
      const bot = world.agent(key.body.secret);
      const group = await world.directory.createGroup('Mallory and friends');
      await world.directory.hire({ email: 'mallory@acme.test', name: 'Mallory', groups: ['Mallory and friends'] });
      const put = await bot.put(ofAcme(world, '/role-mappings'), { mappings: [{ group_id: group, role: 'admin' }] });
      const member = await memberNamed(owner, world.acme, 'mallory@acme.test');
      expect([put.status, member.role]).toEqual([403, 'analyst']);
    }));
});
