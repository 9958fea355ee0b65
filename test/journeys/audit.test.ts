// One day in the trail: everything that happened stands in it once, with who, when, from where, and what it was before; and it proves itself.

import { describe, expect, it } from 'vitest';
import { memoryReadModels } from '#adapters/persistence/memory/memory-read-models.ts';
import { MemoryStore } from '#adapters/persistence/memory/memory-store.ts';
import { typeIds } from '#adapters/system/type-ids.ts';
import type { OpenPersistence } from '#bootstrap/open-persistence.ts';
import type { AuditEntry } from '#domain/audit/audit-entry.ts';
import { Browser } from './browser.ts';
import {
  anna,
  carla,
  dora,
  gus,
  inWorld,
  issueKey,
  type Line,
  memberNamed,
  ofAcme,
  olivia,
  refusal,
  trailOf,
} from './words.ts';

const inReach = (): { readonly store: MemoryStore; readonly persistence: OpenPersistence } => {
  const store = new MemoryStore(typeIds);
  const nothing = async (): Promise<void> => undefined;
  return { store, persistence: { store, readModels: memoryReadModels(store), check: nothing, close: nothing } };
};

describe('a day', () => {
  it('stands in the trail: every sign-in, provisioning change, session operation and administrative act', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const before = (await trailOf(owner, world.acme)).length;
      const id = async (email: string) => memberNamed(owner, world.acme, email);
      const [sam, ownerId] = [await id('sam.service@acme.test'), (await id(olivia)).user_id];

      // Somebody signs in with a browser, moves to another organization and back, and signs out.
      const browser = new Browser(world);
      await browser.signIn({ email: carla, method: 'sso' }, `?organization_id=${world.acme}`);
      for (const organization_id of [world.globex, world.acme])
        await browser.send('POST', '/v1/session/organization', { organization_id });
      await browser.send('POST', '/auth/logout');

      // An admin's day.
      await owner.patch(ofAcme(world, `/members/${sam.id}`), { role: 'developer' });
      const key = await issueKey(owner, world.acme);
      await owner.delete(ofAcme(world, `/api-keys/${key.id}`));
      const annas = await world.signIn(anna);
      await owner.delete(ofAcme(world, `/members/${(await id(anna)).id}/sessions`));
      await owner.put(ofAcme(world, '/role-mappings'), {
        mappings: [{ group_id: world.directory.groupId('Engineering'), role: 'admin' }],
      });
      await owner.put(ofAcme(world, '/provisioning-policy'), {
        default_role: 'service_account',
        gate_group_id: null,
        just_in_time: true,
      });
      await owner.delete(ofAcme(world, `/members/${sam.id}`));

      // The directory's day.
      world.clock.turn(60);
      await world.directory.hire({ email: 'nina@acme.test', name: 'Nina', groups: ['Data'] });
      world.clock.turn(60);
      await world.directory.change('nina@acme.test', { name: 'Nina N.' });
      await world.directory.createGroup('Night');
      await world.directory.leave('nina@acme.test', 'Data');
      world.clock.turn(60);
      await world.directory.terminate('nina@acme.test');

      // And what was refused.
      const carlas = await world.signIn(carla, { organization: world.acme });
      await carlas.patch(ofAcme(world, `/members/${(await id(anna)).id}`), { role: 'admin' });
      await owner.post(ofAcme(world, '/ownership'), { user_id: ownerId });
      await annas.get('/v1/whoami');

      const trail = (await trailOf(owner, world.acme)).slice(0, -before).toReversed();
      const told = (action: string): readonly Line[] => trail.filter((line) => line.action === action);
      const counts = Object.fromEntries(
        [...new Set(trail.map(({ action }) => action))].toSorted().map((action) => [action, told(action).length]),
      );
      expect(counts).toEqual({
        'act.refused': 1,
        'agent.created': 1,
        'api_key.issued': 1,
        'api_key.revoked': 1,
        'directory_group.created': 1,
        'directory_group.member_added': 1,
        'directory_group.member_removed': 1,
        'directory_user.deprovisioned': 1,
        'directory_user.provisioned': 1,
        'directory_user.updated': 1,
        'membership.granted': 1,
        'membership.revoked': 2,
        'membership.role_changed': 6, // Sam by hand; Dora and Aldo by the mappings; Anna, Carla and Aldo by the policy
        'organization.provisioning_changed': 1,
        'role_mappings.replaced': 1,
        'session.ended': 2,
        'session.started': 3,
        'session.switched': 1,
      });

      // Each line says who, when, from where, and what it was before and after.
      const byOwner = {
        actor: { kind: 'user', id: ownerId },
        source: { via: 'http', ip: '127.0.0.1', request_id: expect.stringMatching(/^req_/) },
        outcome: 'done',
      };
      expect(told('membership.role_changed')[0]).toMatchObject({
        ...byOwner,
        target: { kind: 'member', id: sam.id },
        before: { role: 'service_account' },
        after: { role: 'developer' },
      });
      expect(told('api_key.issued')[0]).toMatchObject({
        ...byOwner,
        after: {
          agent: key.agent_id,
          key: `${key.secret.slice(0, 12)}…${key.secret.slice(-4)}`,
          scopes: ['query:read', 'tables:list'],
        },
      });
      expect(told('organization.provisioning_changed')[0]).toMatchObject({
        ...byOwner,
        before: { default_role: 'analyst', just_in_time: false },
        after: { default_role: 'service_account', just_in_time: true },
      });
      expect(told('role_mappings.replaced')[0]).toMatchObject({
        ...byOwner,
        before: { mappings: expect.arrayContaining([expect.stringContaining('→ developer')]) },
      });
      const byDirectory = {
        actor: { kind: 'directory', id: world.directory.id },
        source: { via: 'webhook', ip: null, request_id: expect.stringMatching(/^evt_/) },
        outcome: 'done',
      };
      expect(told('directory_user.provisioned')[0]).toMatchObject({
        ...byDirectory,
        before: null,
        after: { email: 'nina@acme.test', state: 'active' },
      });
      expect(told('directory_user.updated')[0]).toMatchObject({
        ...byDirectory,
        before: { name: 'Nina' },
        after: { name: 'Nina N.' },
      });
      expect(told('membership.revoked')[1]).toMatchObject({ ...byDirectory, after: { because: 'directory_says_so' } });
      expect(told('session.started')[0]).toMatchObject({
        actor: { kind: 'user' },
        source: { via: 'http', ip: '127.0.0.1' },
        after: { method: 'sso', remembered: false },
      });
      expect(told('session.ended').map(({ after }) => after?.['because'])).toEqual(['signed_out', 'revoked_by_admin']);
      const [refused] = told('act.refused');
      expect(refused).toMatchObject({
        outcome: 'refused',
        actor: { kind: 'user' },
        target: { kind: 'route', id: 'PATCH /v1/organizations/{org}/members/{member}' },
        after: { reason: 'caller.scope_missing' },
      });

      // In order, without a gap, and at the time at which it happened.
      expect(trail.map(({ sequence }) => sequence)).toEqual(trail.map((_, at) => before + 1 + at));
      const times = trail.map(({ at }) => at);
      expect(times).toEqual(times.toSorted());
      expect(times.at(-1)).toBe(world.clock.now().toISOString());
      expect((await owner.get(ofAcme(world, '/audit/verify'))).body).toMatchObject({
        whole: true,
        entries: before + trail.length,
        first_broken: null,
      });
    }));

  it('is told to the organization in which somebody arrives, and where they came from', () =>
    inWorld(async (world) => {
      const person = await world.signIn(carla, { organization: world.acme });
      await person.post('/v1/session/organization', { organization_id: world.globex });
      const there = (await trailOf(await world.signIn(gus), world.globex)).find(
        ({ action }) => action === 'session.switched',
      );
      expect([there?.before?.['organization'], there?.after?.['organization']]).toEqual([world.acme, world.globex]);
    }));

  it('can be searched by who, what, whom and when', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const ownerId = (await owner.get('/v1/whoami')).body.user.id;
      world.clock.turn(3600);
      const from = world.clock.now().toISOString();
      const key = await issueKey(owner, world.acme);
      world.clock.turn(3600);
      const to = world.clock.now().toISOString();
      await owner.delete(ofAcme(world, `/api-keys/${key.id}`));
      const actions = async (query: string) =>
        (await owner.get(ofAcme(world, `/audit?${query}`))).body.data.map(({ action }: Line) => action);
      expect(await actions(`target=${key.id}`)).toEqual(['api_key.revoked', 'api_key.issued']);
      expect(await actions(`from=${from}&to=${to}`)).toEqual(['api_key.issued', 'agent.created']);
      expect(await actions(`from=${to}&actor=${ownerId}`)).toEqual(['api_key.revoked']);
      expect(await actions('action=api_key.revoked&limit=200')).toContain('api_key.revoked');
      expect(refusal(await owner.get(ofAcme(world, '/audit?from=yesterday')))).toEqual([400, 'request.invalid']);
    }));

  it('is read only by those who may: auditors and those above, not developers', () =>
    inWorld(async (world) => {
      for (const [email, status] of [
        ['aldo.auditor@acme.test', 200],
        ['adam.admin@acme.test', 200],
        [dora, 403],
        [anna, 403],
      ] as const) {
        expect([email, (await (await world.signIn(email)).get(ofAcme(world, '/audit'))).status]).toEqual([
          email,
          status,
        ]);
      }
    }));
});

describe('the chain', () => {
  const tamperings: readonly (readonly [what: string, change: (trail: AuditEntry[]) => AuditEntry[]])[] = [
    [
      'an entry that was changed',
      (trail) => trail.map((entry) => (entry.sequence === 5 ? { ...entry, at: new Date(0) } : entry)),
    ],
    [
      'an actor who was exchanged',
      (trail) =>
        trail.map((entry) => (entry.sequence === 5 ? { ...entry, actor: { kind: 'anonymous', id: 'nobody' } } : entry)),
    ],
    [
      'a fact that was added',
      (trail) =>
        trail.map((entry) => (entry.sequence === 5 ? { ...entry, after: { ...entry.after, extra: true } } : entry)),
    ],
    ['an entry that was taken out', (trail) => trail.filter(({ sequence }) => sequence !== 5)],
    [
      'two entries in the other order',
      (trail) => [...trail.slice(0, 4), ...trail.slice(4, 6).toReversed(), ...trail.slice(6)],
    ],
    ['an entry that was put in twice', (trail) => [...trail.slice(0, 5), ...trail.slice(4)]],
  ];
  it.each(tamperings)('finds %s, and where', async (_, change) => {
    const { store, persistence } = inReach();
    await inWorld(
      async (world) => {
        const owner = await world.signIn(olivia);
        expect((await owner.get(ofAcme(world, '/audit/verify'))).body.whole).toBe(true);
        const trail = store.tables.trails.get(world.acme) ?? [];
        store.tables.trails.set(world.acme, change([...trail]));
        const verdict = (await owner.get(ofAcme(world, '/audit/verify'))).body;
        expect(verdict.whole).toBe(false);
        expect([5, 6]).toContain(verdict.first_broken.sequence);
        // Globex's own chain is not touched by it.
        expect((await (await world.signIn(gus)).get(`/v1/organizations/${world.globex}/audit/verify`)).body.whole).toBe(
          true,
        );
      },
      { persistence },
    );
  });

  it('does not fork under many writers at once', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const path = ofAcme(world, '/agents');
      const made = await Promise.all(
        Array.from({ length: 24 }, (_, at) => owner.post(path, { name: `agent number ${at}` })),
      );
      expect(new Set(made.map(({ status }) => status))).toEqual(new Set([201]));
      const trail = await trailOf(owner, world.acme);
      expect(trail.map(({ sequence }) => sequence).toReversed()).toEqual(trail.map((_, at) => at + 1));
      expect((await owner.get(ofAcme(world, '/audit/verify'))).body).toMatchObject({
        whole: true,
        entries: trail.length,
      });
    }));
});
