// Authentic deliveries with hostile content: bombs, odd characters, huge ids, wrong organizations, dates that have not come yet.

import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { dora, gus, inWorld, issueKey, memberNamed, ofAcme, ofGlobex, olivia } from '../journeys/words.ts';
import { refOf, say, sendRaw } from './attack-words.ts';

const envelope = (world: { clock: { now(): Date } }, data: unknown, id = `event_${Math.random()}`) =>
  Buffer.from(
    JSON.stringify({
      object: 'event',
      id,
      event: 'dsync.user.updated',
      created_at: world.clock.now().toISOString(),
      data,
    }),
  );

describe('a delivery with hostile content', () => {
  it('never makes a fault', () =>
    inWorld(async (world) => {
      const keys = Object.fromEntries(Array.from({ length: 60_000 }, (_, i) => [`k${i}`, 1]));
      const bodies: readonly (readonly [string, Buffer])[] = [
        ['deep', Buffer.from('['.repeat(500_000))],
        ['deep object', Buffer.from('{"a":'.repeat(150_000))],
        ['deep closed', Buffer.from(`${'['.repeat(200_000)}${']'.repeat(200_000)}`)],
        ['many keys', envelope(world, keys)],
        ['long array', envelope(world, { users: new Array(200_000).fill(0) })],
        ['long id', envelope(world, {}, 'e'.repeat(10_000))],
        [
          'long ids inside',
          envelope(world, {
            id: 'u'.repeat(10_000),
            directory_id: 'd'.repeat(10_000),
            organization_id: 'o'.repeat(10_000),
          }),
        ],
        [
          'NUL',
          Buffer.from(
            `{"object":"event","id":"event_nul","event":"user.created","created_at":"${world.clock.now().toISOString()}","data":{"id":"user_nul","email":"a\\u0000b@x.test","first_name":"\\u0000","email_verified":true}}`,
          ),
        ],
        [
          'half pair',
          Buffer.from(
            `{"object":"event","id":"event_half","event":"user.created","created_at":"${world.clock.now().toISOString()}","data":{"id":"user_half","email":"h@x.test","first_name":"\\ud800","email_verified":true}}`,
          ),
        ],
        [
          '__proto__',
          Buffer.from(
            `{"object":"event","id":"event_proto","event":"user.created","created_at":"${world.clock.now().toISOString()}","__proto__":{"data":1},"data":{"id":"user_p","email":"p@x.test","__proto__":{"email_verified":true}}}`,
          ),
        ],
        ['no UTF-8', Buffer.from([0xff, 0xfe, 0x00])],
        ['BOM', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), envelope(world, {})])],
        ['gzip', gzipSync(envelope(world, {}))],
        ['empty', Buffer.alloc(0)],
        ['null', Buffer.from('null')],
        ['number', Buffer.from('1e999')],
        [
          'constructor',
          Buffer.from(
            `{"id":"event_c","event":"constructor","created_at":"${world.clock.now().toISOString()}","data":{}}`,
          ),
        ],
      ];
      for (const [what, body] of bodies) {
        const answer = await sendRaw(world, body);
        expect([what, [200, 400, 413].includes(answer.status)]).toEqual([what, true]);
      }
      await world.settle();
      expect((await world.anonymous.get('/readyz')).status).toBe(200);
      expect(({} as Record<string, unknown>)['email_verified']).toBeUndefined();
    }));

  it('of more than a megabyte is refused', () =>
    inWorld(async (world) => {
      expect((await sendRaw(world, Buffer.alloc(1_100_000, 32))).status).toBe(413);
    }));

  it('is refused when forged, late or too early', () =>
    inWorld(async (world) => {
      const body = envelope(world, {});
      const at = (seconds: number) => new Date(world.clock.now().getTime() + seconds * 1000);
      const statuses = await Promise.all([
        sendRaw(world, body, { 'workos-signature': '' }),
        sendRaw(world, body, { 'workos-signature': `t=${world.clock.now().getTime()}, v1=${'0'.repeat(64)}` }),
        sendRaw(world, body, {}, at(-181)),
        sendRaw(world, body, {}, at(301)),
      ]);
      expect(statuses.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
      expect((await world.anonymous.post('/webhooks/workos', {})).status).toBe(401);
      expect((await world.anonymous.post('/webhooks/__proto__', {})).status).toBe(404);
    }));
});

describe('an event that mixes two organizations', () => {
  it('ends nobody elsewhere: a group, a person and a directory of Acme, said of Globex', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const before = (await owner.get(ofAcme(world, '/members?limit=200'))).body.data;
      const developer = await memberNamed(owner, world.acme, dora);
      const records = world.provider.directories.all()[0]?.users ?? [];
      const record = records.find(({ email }) => email === dora);
      const globex = refOf(world, world.globex);
      world.clock.turn(10);
      const user = {
        object: 'directory_user',
        id: record?.id,
        directory_id: world.directory.id,
        organization_id: globex,
        email: dora,
        state: 'inactive',
      };
      await say(world, 'dsync.user.updated', user);
      await say(world, 'dsync.user.deleted', user);
      await say(world, 'dsync.deleted', {
        object: 'directory',
        id: world.directory.id,
        organization_id: globex,
        name: 'x',
        type: 'y',
        state: 'deleting',
      });
      await say(world, 'dsync.group.deleted', {
        object: 'directory_group',
        id: world.directory.groupId('Engineering'),
        directory_id: world.directory.id,
        organization_id: globex,
        name: 'x',
      });
      expect((await owner.get(ofAcme(world, '/members?limit=200'))).body.data).toEqual(before);
      expect((await memberNamed(owner, world.acme, dora)).role).toBe(developer.role);
    }));

  it('takes no organization over by its external id', () =>
    inWorld(async (world) => {
      const mine = await world.signIn(gus);
      const ref = refOf(world, world.globex);
      await say(world, 'organization.updated', {
        object: 'organization',
        id: ref,
        name: 'Globex',
        external_id: world.acme,
        domains: [{ domain: 'acme.test', state: 'verified' }],
      });
      await say(world, 'organization.created', {
        object: 'organization',
        id: 'org_else',
        name: 'Else',
        external_id: world.acme,
        domains: [{ domain: 'globex.test', state: 'verified' }],
      });
      await say(world, 'organization.deleted', {
        object: 'organization',
        id: 'org_else',
        name: 'Else',
        external_id: world.acme,
        domains: [],
      });
      const globex = (await mine.get(ofGlobex(world))).body;
      expect(
        globex.domains
          .filter(({ state }: { state: string }) => state === 'verified')
          .map(({ name }: { name: string }) => name),
      ).not.toContain('acme.test');
      const owner = await world.signIn(olivia);
      expect((await owner.get(ofAcme(world))).body.status).toBe('active');
    }));
});

describe('a deleted organization', () => {
  it('lets neither its people nor its agents in, from the next request on', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(gus);
      const key = await issueKey(owner, world.globex);
      expect((await world.agent(key.secret).get('/v1/whoami')).status).toBe(200);
      await say(world, 'organization.deleted', {
        object: 'organization',
        id: refOf(world, world.globex),
        name: 'Globex',
        domains: [],
        external_id: world.globex,
      });
      expect((await world.agent(key.secret).get('/v1/whoami')).status).toBe(401);
      expect((await owner.get('/v1/whoami')).status).toBe(401);
    }));
});
