// Who may change whom: the rules of roles and ownership, asked over HTTP by people in every role.

import { describe, expect, it } from 'vitest';
import type { Client, Person, World } from '#bootstrap/testing.ts';
import { createWorld } from '#bootstrap/testing.ts';
import {
  adam,
  anna,
  dora,
  gus,
  inWorld,
  issueKey,
  type MemberOnWire,
  memberNamed,
  ofAcme,
  ofGlobex,
  olivia,
  refusal,
  trailOf,
} from './words.ts';

const staff = ['admin', 'admin_too', 'developer', 'analyst', 'auditor', 'service_account', 'somebody'] as const;
type Who = 'owner' | (typeof staff)[number];

interface Company {
  readonly world: World;
  readonly as: Readonly<Record<Who, Person>>;
  readonly member: Readonly<Record<Who, MemberOnWire>>;
}

/** Globex with people in every role, all let in by the provider and given their role by the owner's hand. */
const company = async (): Promise<Company> => {
  const world = await createWorld();
  const ref = world.provider.organizations.byExternalId(world.globex)?.ref ?? '';
  const address = (who: Who): string => (who === 'owner' ? gus : `${who.replace('_', '.')}@globex.test`);
  for (const who of staff) {
    const { subject } = await world.provider.people.add({ email: address(who), name: who });
    await world.provider.organizations.admit(subject, ref);
  }
  await world.settle();
  const owner = await world.signIn(gus);
  const as: Partial<Record<Who, Person>> = { owner };
  const member: Partial<Record<Who, MemberOnWire>> = { owner: await memberNamed(owner, world.globex, gus) };
  for (const who of staff) {
    const role = who === 'admin_too' ? 'admin' : who === 'somebody' ? 'analyst' : who;
    const { id } = await memberNamed(owner, world.globex, address(who));
    const changed = await owner.patch(ofGlobex(world, `/members/${id}`), { role });
    expect([who, changed.status]).toEqual([who, 200]);
    as[who] = await world.signIn(address(who));
    member[who] = changed.body;
  }
  return { world, as, member } as Company;
};

type Row = readonly [actor: Who, target: Who, to: string, outcome: string];

const changes: readonly Row[] = [
  ['owner', 'somebody', 'developer', 'done'],
  ['owner', 'somebody', 'admin', 'done'],
  ['owner', 'somebody', 'auditor', 'done'],
  ['owner', 'admin_too', 'analyst', 'done'],
  ['owner', 'admin_too', 'admin', 'done'],
  ['owner', 'owner', 'admin', '403 membership.nobody_raises_themself'],
  ['owner', 'somebody', 'owner', '422 membership.ownership_is_handed_over'],
  ['admin', 'somebody', 'developer', 'done'],
  ['admin', 'somebody', 'service_account', 'done'],
  ['admin', 'developer', 'analyst', 'done'],
  ['admin', 'somebody', 'admin', '403 membership.only_owner_makes_admins'],
  ['admin', 'admin_too', 'developer', '403 membership.only_owner_makes_admins'],
  ['admin', 'admin', 'developer', '403 membership.nobody_raises_themself'],
  ['admin', 'owner', 'analyst', '409 membership.owner_stays'],
  ['admin', 'somebody', 'owner', '422 membership.ownership_is_handed_over'],
  ['developer', 'somebody', 'analyst', '403 caller.scope_missing'],
  ['developer', 'developer', 'admin', '403 caller.scope_missing'],
  ['analyst', 'somebody', 'developer', '403 caller.scope_missing'],
  ['auditor', 'somebody', 'developer', '403 caller.scope_missing'],
  ['service_account', 'somebody', 'developer', '403 caller.scope_missing'],
];

const removals: readonly (readonly [actor: Who, target: Who, outcome: string])[] = [
  ['admin', 'owner', '409 membership.owner_stays'],
  ['owner', 'owner', '409 membership.owner_stays'],
  ['admin', 'admin_too', '403 membership.only_owner_makes_admins'],
  ['developer', 'somebody', '403 caller.scope_missing'],
  ['analyst', 'analyst', '403 caller.scope_missing'],
  ['auditor', 'somebody', '403 caller.scope_missing'],
  ['service_account', 'somebody', '403 caller.scope_missing'],
  ['admin', 'somebody', 'done'],
  ['owner', 'admin_too', 'done'],
  ['admin', 'admin', 'done'],
];

const outcomeOf = (answer: Awaited<ReturnType<Client['get']>>): string =>
  answer.status < 300 ? 'done' : refusal(answer).join(' ');

describe('who may change whom', () => {
  it('holds for every role', async () => {
    const { world, as, member } = await company();
    await using _ = world;
    const outcomes: Row[] = [];
    for (const [actor, target, to] of changes) {
      const path = ofGlobex(world, `/members/${member[target].id}`);
      const before = await memberNamed(as.owner, world.globex, member[target].email);
      const answer = await as[actor].patch(path, { role: to });
      outcomes.push([actor, target, to, outcomeOf(answer)]);
      const after = await memberNamed(as.owner, world.globex, member[target].email);
      expect([actor, target, to, after.role]).toEqual([actor, target, to, answer.status === 200 ? to : before.role]);
      await as.owner.patch(path, { role: before.role });
    }
    expect(outcomes).toEqual(changes);
  });

  it('and who may remove whom', async () => {
    const { world, as, member } = await company();
    await using _ = world;
    for (const [actor, target, outcome] of removals) {
      const answer = await as[actor].delete(ofGlobex(world, `/members/${member[target].id}`));
      expect([actor, target, outcomeOf(answer)]).toEqual([actor, target, outcome]);
      const now = await memberNamed(as.owner, world.globex, member[target].email);
      expect([target, now.status]).toEqual([target, outcome === 'done' ? 'revoked' : 'active']);
      expect((await as[target].get('/v1/whoami')).status).toBe(outcome === 'done' ? 401 : 200);
    }
  });

  it('and a new role counts on the very next request, down as well as up', async () => {
    const { world, as, member } = await company();
    await using _ = world;
    const path = ofGlobex(world, `/members/${member.somebody.id}`);
    expect((await as.somebody.get(ofGlobex(world, '/members'))).status).toBe(403);
    await as.owner.patch(path, { role: 'admin' });
    expect((await as.somebody.get(ofGlobex(world, '/members'))).status).toBe(200);
    await as.owner.patch(path, { role: 'analyst' });
    expect((await as.somebody.get(ofGlobex(world, '/members'))).status).toBe(403);
  });

  it('and an admin who is being unmade cannot use the moment', async () => {
    const { world, as, member } = await company();
    await using _ = world;
    const [unmade, ...attempts] = await Promise.all([
      as.owner.patch(ofGlobex(world, `/members/${member.admin.id}`), { role: 'analyst' }),
      ...Array.from({ length: 6 }, () =>
        as.admin.patch(ofGlobex(world, `/members/${member.somebody.id}`), { role: 'developer' }),
      ),
    ]);
    expect(unmade.status).toBe(200);
    for (const attempt of attempts) expect([200, 403]).toContain(attempt.status);
    expect(
      outcomeOf(await as.admin.patch(ofGlobex(world, `/members/${member.somebody.id}`), { role: 'analyst' })),
    ).toBe('403 caller.scope_missing');
  });
});

describe('whom the directory manages', () => {
  it('nobody changes or removes by hand, and the answer says where to go instead', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const member = await memberNamed(owner, world.acme, dora);
      expect(member.managed_by).toBe('directory');
      const path = ofAcme(world, `/members/${member.id}`);
      for (const answer of [await owner.patch(path, { role: 'analyst' }), await owner.delete(path)]) {
        expect(refusal(answer)).toEqual([403, 'membership.directory_managed']);
        expect(answer.body.error.message).toContain('identity provider');
        expect(answer.body.error.details).toEqual({ member: member.id });
      }
      expect((await memberNamed(owner, world.acme, dora)).role).toBe('developer');
    }));

  it('and who has left cannot be changed, only seen', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const member = await memberNamed(owner, world.acme, anna);
      await world.directory.terminate(anna);
      const path = ofAcme(world, `/members/${member.id}`);
      expect(refusal(await owner.patch(path, { role: 'auditor' }))).toEqual([409, 'membership.revoked']);
      expect((await owner.delete(path)).status).toBe(204);
      const revoked = (await owner.get(ofAcme(world, '/members?status=revoked'))).body.data;
      expect(revoked.map(({ email }: { email: string }) => email)).toEqual([anna]);
    }));
});

describe('removing a member', () => {
  it('ends their sessions here at once, and the provider learns of it, so that nothing brings them back', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(gus);
      const ref = world.provider.organizations.byExternalId(world.globex)?.ref ?? '';
      const { subject } = await world.provider.people.add({ email: 'rita@globex.test', name: 'Rita' });
      await world.provider.organizations.admit(subject, ref);
      await world.settle();
      const rita = await world.signIn('rita@globex.test');
      const member = await memberNamed(owner, world.globex, 'rita@globex.test');
      expect(member).toMatchObject({ role: 'analyst', managed_by: 'provider' });

      world.clock.turn(60);
      await world.outage('down', 60);
      await owner.delete(ofGlobex(world, `/members/${member.id}`));
      expect(refusal(await rita.get('/v1/whoami'))).toEqual([401, 'session.ended']);
      const ended = (await trailOf(owner, world.globex)).find(({ action }) => action === 'session.ended');
      expect(ended?.after?.['because']).toBe('membership_ended');
      world.clock.turn(60);
      await world.settle();
      expect(world.provider.organizations.membersOf(ref).map(({ email }) => email)).not.toContain('rita@globex.test');
      await expect(world.signIn('rita@globex.test')).rejects.toMatchObject({ reason: 'sign_in.not_a_member' });
      const revoked = (await trailOf(owner, world.globex)).find(({ action }) => action === 'membership.revoked');
      expect(revoked).toMatchObject({
        actor: { kind: 'user' },
        after: { because: 'removed_by_member', status: 'revoked' },
      });
    }));

  it('is not how somebody whom the directory manages gets out of it, not even by their own hand', () =>
    inWorld(async (world) => {
      const admin = await world.signIn(adam);
      const self = await memberNamed(admin, world.acme, adam);
      expect(refusal(await admin.delete(ofAcme(world, `/members/${self.id}`)))).toEqual([
        403,
        'membership.directory_managed',
      ]);
    }));
});

describe('agents', () => {
  it('do not manage people, whatever scopes their key has', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const key = await issueKey(owner, world.acme, { bundle: 'admin' });
      const agent = world.agent(key.secret);
      const member = await memberNamed(owner, world.acme, 'sam.service@acme.test');
      const path = ofAcme(world, `/members/${member.id}`);
      expect((await agent.get(ofAcme(world, '/members'))).status).toBe(200);
      expect(refusal(await agent.patch(path, { role: 'admin' }))).toEqual([403, 'caller.person_required']);
      expect(refusal(await agent.delete(path))).toEqual([403, 'caller.person_required']);
    }));
});

describe('looking at members', () => {
  it('finds by part of a name or address, any case, and pages without gaps while people come', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const named = async (query: string) =>
        (await owner.get(ofAcme(world, `/members?${query}`))).body.data.map(({ email }: MemberOnWire) => email);
      expect(await named('q=DORA')).toEqual([dora]);
      expect(await named('q=analyst&role=analyst')).toEqual([anna]);
      expect(await named('q=%25')).toEqual([]);

      const all = new Set(await named('limit=200'));
      const seen: string[] = [];
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<Client['get']>> = await owner.get(
          ofAcme(world, `/members?limit=2${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`),
        );
        seen.push(...page.body.data.map(({ email }: MemberOnWire) => email));
        cursor = page.body.pagination.cursor;
        world.clock.turn(1);
        if (seen.length === 2) await world.directory.hire({ email: 'newby@acme.test', name: 'Newby' });
      } while (cursor !== null);
      expect(seen.length).toBe(new Set(seen).size);
      for (const email of all) expect(seen).toContain(email);
    }));
});
