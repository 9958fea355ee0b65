// What the customer's IT department does in its directory, and what follows here by itself.

import { describe, expect, it } from 'vitest';
import { testDirectory } from '#bootstrap/testing/test-directory.ts';
import type { Client, World } from '#bootstrap/testing.ts';
import { Browser } from './browser.ts';
import {
  adam,
  anna,
  carla,
  dora,
  gus,
  inWorld,
  memberNamed,
  ofAcme,
  ofGlobex,
  olivia,
  refusal,
  trailOf,
} from './words.ts';

const newby = 'nina.newby@acme.test';
const hire = (world: World, groups: readonly string[]): Promise<string> =>
  world.directory.hire({ email: newby, name: 'Nina Newby', groups });

/** Role and status of somebody, or `unknown`. */
const standing = async (by: Client, organization: string, email: string): Promise<string> => {
  try {
    const { role, status, managed_by } = await memberNamed(by, organization, email);
    return status === 'active' ? `${role} by ${managed_by}` : status;
  } catch {
    return 'unknown';
  }
};

const policy = (change: object) => ({ default_role: 'analyst', gate_group_id: null, just_in_time: false, ...change });

describe('a working life', () => {
  it('is hired, promoted, moved, renamed, deactivated, reactivated, terminated and hired again', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const now = () => standing(owner, world.acme, newby);
      const { directory } = world;

      await hire(world, ['Data']);
      expect(await now()).toBe('analyst by directory');
      const nina = await world.signIn(newby);
      const id = (await nina.get('/v1/whoami')).body.user.id;

      await directory.join(newby, 'Engineering');
      expect(await now()).toBe('developer by directory');
      expect((await nina.get('/v1/whoami')).body.caller.role).toBe('developer');

      await directory.leave(newby, 'Engineering');
      await directory.leave(newby, 'Data');
      await directory.join(newby, 'Security');
      expect(await now()).toBe('auditor by directory');

      world.clock.turn(1);
      await directory.change(newby, { name: 'Nina Oldhand' });
      expect((await memberNamed(owner, world.acme, newby)).name).toBe('Nina Oldhand');
      expect((await nina.get('/v1/whoami')).body.user.name).toBe('Nina Oldhand');

      world.clock.turn(1);
      await directory.change(newby, { active: false });
      expect(await now()).toBe('revoked');
      expect(refusal(await nina.get('/v1/whoami'))).toEqual([401, 'session.ended']);
      await expect(world.signIn(newby)).rejects.toThrow();

      world.clock.turn(1);
      await directory.change(newby, { active: true });
      expect(await now()).toBe('auditor by directory');
      const again = await world.signIn(newby);
      expect((await again.get('/v1/whoami')).body.user.id).toBe(id);

      world.clock.turn(1);
      await directory.terminate(newby);
      expect(await now()).toBe('revoked');
      expect((await again.get('/v1/whoami')).status).toBe(401);

      world.clock.turn(1);
      await directory.hire({ email: newby, name: 'Nina Newby', groups: ['Engineering'] });
      expect(await now()).toBe('developer by directory');
      expect((await (await world.signIn(newby)).get('/v1/whoami')).body.user.id).toBe(id);
    }));
});

describe('groups and roles', () => {
  it('follow the mappings: the first that matches wins, and changing them re-evaluates everybody in one commit', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const adams = await world.signIn(adam);
      expect(await standing(owner, world.acme, adam)).toBe('admin by directory');
      const mapping = (name: string, role: string) => ({ group_id: world.directory.groupId(name), role });
      const put = (mappings: object[]) => owner.put(ofAcme(world, '/role-mappings'), { mappings });

      expect((await put([mapping('Engineering', 'developer'), mapping('Admins', 'admin')])).status).toBe(200);
      expect(await standing(owner, world.acme, adam)).toBe('developer by directory');
      expect((await adams.get('/v1/whoami')).body.caller.role).toBe('developer');

      await put([mapping('Data', 'auditor')]);
      const standings = await Promise.all([adam, dora, anna, carla].map((email) => standing(owner, world.acme, email)));
      expect(standings).toEqual([
        'analyst by directory',
        'analyst by directory',
        'auditor by directory',
        'auditor by directory',
      ]);

      expect(refusal(await put([{ group_id: 'directory_group_nowhere', role: 'analyst' }]))).toEqual([
        422,
        'role_mapping.unknown_group',
      ]);
      expect(refusal(await put([mapping('Data', 'owner')]))).toEqual([422, 'role_mapping.owner_not_mappable']);
      expect(refusal(await put([mapping('Data', 'analyst'), mapping('Data', 'admin')]))).toEqual([
        422,
        'role_mapping.group_twice',
      ]);
      expect((await owner.get(ofAcme(world, '/role-mappings'))).body.data).toMatchObject([
        { group_name: 'Data', role: 'auditor' },
      ]);
    }));

  it('without a default role, no mapping is no access; with one again, access comes back', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      await hire(world, []);
      expect(await standing(owner, world.acme, newby)).toBe('analyst by directory');
      const nina = await world.signIn(newby);
      expect((await owner.put(ofAcme(world, '/provisioning-policy'), policy({ default_role: null }))).status).toBe(200);
      expect(await standing(owner, world.acme, newby)).toBe('revoked');
      expect((await nina.get('/v1/whoami')).status).toBe(401);
      expect(await standing(owner, world.acme, dora)).toBe('developer by directory');
      await owner.put(ofAcme(world, '/provisioning-policy'), policy({ default_role: 'service_account' }));
      expect(await standing(owner, world.acme, newby)).toBe('service_account by directory');
    }));

  it('a gate group keeps everybody else out, also those who merely sign in', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const doras = await world.signIn(dora);
      const gate = world.directory.groupId('Data');
      await owner.put(ofAcme(world, '/provisioning-policy'), policy({ gate_group_id: gate, just_in_time: true }));
      expect(await standing(owner, world.acme, dora)).toBe('revoked');
      expect((await doras.get('/v1/whoami')).status).toBe(401);
      expect(await standing(owner, world.acme, anna)).toBe('analyst by directory');

      // The provider lets her in and makes her its member; that is no way round the gate.
      world.clock.turn(60);
      const browser = new Browser(world);
      expect(refusal(await browser.signIn({ email: dora, method: 'sso' }))).toEqual([403, 'sign_in.not_a_member']);
      await world.settle();
      expect(await standing(owner, world.acme, dora)).toBe('revoked');

      // Nor for somebody who was never in.
      await hire(world, ['Engineering']);
      world.clock.turn(60);
      expect(refusal(await new Browser(world).signIn({ email: newby, method: 'sso' }))).toEqual([
        403,
        'sign_in.not_a_member',
      ]);
      await world.settle();
      expect(await standing(owner, world.acme, newby)).toBe('unknown');

      await world.directory.join(dora, 'Data');
      expect(await standing(owner, world.acme, dora)).toBe('developer by directory');
      await world.directory.leave(dora, 'Data');
      expect(await standing(owner, world.acme, dora)).toBe('revoked');
    }));

  it('a deleted group takes its role along, a renamed one keeps it', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      world.clock.turn(1);
      await world.provider.directories.renameGroup(world.directory.id, world.directory.groupId('Engineering'), {
        name: 'Builders',
      });
      await world.settle();
      expect(await standing(owner, world.acme, dora)).toBe('developer by directory');
      const groups = (await owner.get(ofAcme(world, '/directory/groups'))).body.data;
      expect(groups.find(({ name }: { name: string }) => name === 'Builders').members).toBe(2);
      world.clock.turn(1);
      await world.directory.deleteGroup('Builders');
      expect(await standing(owner, world.acme, dora)).toBe('analyst by directory');
    }));

  it('a directory that is disconnected takes its people along and leaves the others', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const [doras, sams] = [await world.signIn(dora), await world.signIn('sam.service@acme.test')];
      world.clock.turn(1);
      await world.directory.disconnect();
      expect([(await doras.get('/v1/whoami')).status, (await sams.get('/v1/whoami')).status]).toEqual([401, 200]);
      const overview = (await owner.get(ofAcme(world, '/directory'))).body;
      expect(overview.directories).toMatchObject([{ state: 'disconnected' }]);
      expect((await memberNamed(owner, world.acme, olivia)).role).toBe('owner');
    }));
});

describe('an address', () => {
  it('that changes under a verified domain renames the person', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const doras = await world.signIn(dora);
      const before = (await doras.get('/v1/whoami')).body.user.id;
      world.clock.turn(1);
      await world.directory.change(dora, { email: 'dora.married@acme.test' });
      const after = (await doras.get('/v1/whoami')).body;
      expect([after.user.id, after.user.email]).toEqual([before, 'dora.married@acme.test']);
      expect(await standing(owner, world.acme, dora)).toBe('unknown');
      expect(await standing(owner, world.acme, 'dora.married@acme.test')).toBe('developer by directory');
    }));

  it('that changes under a domain that nobody verified means somebody else: the former loses access, the person stays who they are', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const carlas = await world.signIn(carla, { organization: world.acme });
      const atGlobex = await world.signIn(carla, { organization: world.globex, method: 'password' });
      world.clock.turn(1);
      await world.directory.change(carla, { email: 'another@consult.test' });
      expect((await carlas.get('/v1/whoami')).status).toBe(401);
      expect((await atGlobex.get('/v1/whoami')).body.user.email).toBe(carla);
      expect(await standing(owner, world.acme, carla)).toBe('revoked');
      expect(await standing(owner, world.acme, 'another@consult.test')).toBe('analyst by directory');
    }));

  it("cannot be used to take over: Globex's directory renames Carla to an address of its own and signs in as her, and never reaches Acme", () =>
    inWorld(async (world) => {
      const [ownerOfAcme, ownerOfGlobex] = [await world.signIn(olivia), await world.signIn(gus)];
      await world.signIn(carla, { organization: world.acme });
      const carlas = (await memberNamed(ownerOfAcme, world.acme, carla)).user_id;
      await world.provider.organizations.setSso(
        world.provider.organizations.byExternalId(world.globex)?.ref ?? '',
        true,
      );
      const attacker = await world.connectDirectory(world.globex);
      await attacker.hire({ email: carla, name: 'Carla Consultant' });
      world.clock.turn(1);
      await attacker.change(carla, { email: 'mallory@globex.test', name: 'Carla Consultant' });

      const here = await memberNamed(ownerOfAcme, world.acme, carla);
      expect(here).toMatchObject({ status: 'active', user_id: carlas, email: carla });
      const mallory = await memberNamed(ownerOfGlobex, world.globex, 'mallory@globex.test');
      expect(mallory.user_id).not.toBe(carlas);

      const browser = new Browser(world);
      await browser.signIn({ email: 'mallory@globex.test', method: 'sso' });
      const me = (await browser.get('/v1/whoami')).body;
      const organizations = (me.organizations ?? []).map(({ name }: { name: string }) => name);
      expect(organizations).not.toContain('Acme');
      const reached = await browser.send('POST', '/v1/session/organization', { organization_id: world.acme });
      expect(reached.status).not.toBe(200);
      expect((await browser.get(ofAcme(world))).status).not.toBe(200);
      expect((await memberNamed(ownerOfAcme, world.acme, carla)).email).toBe(carla);
    }));

  it("of another customer's person gives a directory no say over their name", () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const attacker = await world.connectDirectory(world.globex);
      await attacker.hire({ email: dora, name: 'Somebody Else' });
      world.clock.turn(1);
      await attacker.change(dora, { name: 'Still Somebody Else' });
      await attacker.terminate(dora);
      expect(await memberNamed(owner, world.acme, dora)).toMatchObject({
        name: 'Dora Developer',
        role: 'developer',
        status: 'active',
      });
    }));
});

describe('the owner is terminated in the directory', () => {
  it('loses access like anyone, and the longest-standing admin takes over', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      await world.directory.hire({ email: olivia, name: 'Olivia Owner' });
      expect(await standing(owner, world.acme, olivia)).toBe('owner by directory');
      world.clock.turn(60);
      await world.directory.terminate(olivia);
      expect(refusal(await owner.get('/v1/whoami'))).toEqual([401, 'session.ended']);
      const heir = await world.signIn(adam);
      expect((await heir.get('/v1/whoami')).body.caller.role).toBe('owner');
      expect((await heir.get(ofAcme(world))).body.ownerless).toBe(false);
      const passed = (await trailOf(heir, world.acme)).find(({ action }) => action === 'organization.ownership_passed');
      expect(passed).toMatchObject({ actor: { kind: 'directory', id: world.directory.id } });
    }));

  it('without an admin left, the organization says that it has no owner', () =>
    inWorld(async (world) => {
      await world.directory.hire({ email: olivia, name: 'Olivia Owner' });
      await world.directory.leave(adam, 'Admins');
      world.clock.turn(60);
      await world.directory.terminate(olivia);
      const somebody = await world.signIn(dora);
      expect((await somebody.get(ofAcme(world))).body.ownerless).toBe(true);
      const auditor = await world.signIn('aldo.auditor@acme.test');
      expect((await trailOf(auditor, world.acme)).map(({ action }) => action)).toContain('organization.ownerless');
    }));
});

describe('deliveries with bad manners', () => {
  /** The same working day under every manner; what is left of it, and the trail of it. */
  const day = async (world: World): Promise<unknown> => {
    const { directory, provider } = world;
    const turn = async <T>(act: () => Promise<T>): Promise<T> => {
      world.clock.turn(1);
      return act();
    };
    await turn(() => hire(world, ['Data']));
    await turn(() => directory.join(newby, 'Engineering'));
    await turn(() => directory.change(newby, { name: 'Nina Oldhand' }));
    await turn(() => directory.leave(newby, 'Engineering'));
    await turn(() => directory.change(anna, { active: false }));
    await turn(() => directory.change(anna, { active: true }));
    await turn(() => directory.terminate(dora));
    await turn(() => directory.createGroup('Night shift'));
    await turn(() => directory.join(adam, 'Night shift'));
    await turn(() => directory.leave(adam, 'Admins'));
    await provider.setManner('none');
    world.clock.turn(60);
    await world.settle();
    await world.service.catchUp();
    await world.settle();
    const owner = await world.signIn(olivia);
    const members = (await owner.get(ofAcme(world, '/members?limit=200'))).body.data;
    const shown = members.map(
      ({ email, name, role, status }: Record<string, string>) => `${email} ${name} ${role} ${status}`,
    );
    const groups = (await owner.get(ofAcme(world, '/directory/groups'))).body.data;
    const verdict = (await owner.get(ofAcme(world, '/audit/verify'))).body;
    return {
      members: [...new Set(shown)].toSorted(),
      groups: groups.map(({ name, members: count }: Record<string, unknown>) => `${name} ${count}`).toSorted(),
      whole: verdict.whole,
    };
  };
  const orderly = async (): Promise<unknown> => {
    let left: unknown;
    await inWorld(async (world) => {
      left = await day(world);
    });
    return left;
  };

  it.each(['twice', 'late', 'lost', 'forged', 'out_of_order'] as const)(
    '%s: the day ends like an orderly one',
    async (manner) => {
      const expected = (await orderly()) as { members: string[] };
      expect(expected.members).toContain(`${newby} Nina Oldhand analyst active`);
      await inWorld(async (world) => {
        await world.provider.setManner(manner, 30);
        const left = (await day(world)) as { members: string[] };
        // Late news may have ended and begun a membership in between; what counts is who is in now.
        const now = (members: string[]) => members.filter((line) => line.endsWith(' active'));
        expect({ ...left, members: now(left.members) }).toEqual({ ...expected, members: now(expected.members) });
      });
    },
  );

  it('twice: changes nothing a second time, not even the trail', async () => {
    const actions = async (manner: 'none' | 'twice'): Promise<string[]> => {
      let lines: string[] = [];
      await inWorld(async (world) => {
        await world.provider.setManner(manner);
        await day(world);
        const owner = await world.signIn(olivia);
        const trail = await trailOf(owner, world.acme);
        lines = trail.map(({ action }) => action).filter((action) => /^(directory|membership)/.test(action));
      });
      return lines.toSorted();
    };
    expect(await actions('twice')).toEqual(await actions('none'));
  });

  it('forged: is refused, and nothing of it is stored', () =>
    inWorld(async (world) => {
      await world.provider.setManner('forged');
      await world.directory.terminate(dora);
      const forged = world.provider.log().at(-1)?.event;
      expect(forged?.event).toBeDefined();
      const owner = await world.signIn(olivia);
      const lines = (await trailOf(owner, world.acme)).filter(
        ({ action }) => action === 'directory_user.deprovisioned',
      );
      expect(lines).toHaveLength(1);
    }));

  it('lost: a leaver whose termination no delivery brought is out as soon as the feed is read', () =>
    inWorld(async (world) => {
      await world.service.catchUp();
      const doras = await world.signIn(dora);
      await world.provider.setManner('lost');
      await world.directory.terminate(dora);
      expect((await doras.get('/v1/whoami')).status).toBe(200);
      expect(await world.service.catchUp()).toBeGreaterThan(0);
      await world.settle();
      expect(refusal(await doras.get('/v1/whoami'))).toEqual([401, 'session.ended']);
      // What the provider said about that was lost as well; after it there is nothing more.
      expect(await world.service.catchUp()).toBeGreaterThan(0);
      await world.settle();
      expect(await world.service.catchUp()).toBe(0);
    }));

  it("late: a termination that comes after the re-hire ends nobody's access", () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      await world.provider.setManner('late', 600);
      await world.directory.terminate(dora);
      await world.provider.setManner('late', 0);
      world.clock.turn(60);
      await world.provider.directories.hire(world.directory.id, {
        email: dora,
        name: 'Dora Developer',
        groups: ['Engineering'],
        manner: 'none',
      });
      await world.settle();
      await world.provider.setManner('none');
      await world.settle();
      expect(await standing(owner, world.acme, dora)).toBe('developer by directory');
    }));
});

describe('two directories of one organization', () => {
  it('each lets in its own people; whoever stands in both stays until both let go', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(gus);
      const [one, two] = [
        await world.connectDirectory(world.globex, 'One'),
        await world.connectDirectory(world.globex, 'Two'),
      ];
      await one.hire({ email: 'both@globex.test', name: 'Both' });
      await two.hire({ email: 'both@globex.test', name: 'Both' });
      world.clock.turn(1);
      await one.terminate('both@globex.test');
      expect(await standing(owner, world.globex, 'both@globex.test')).toBe('analyst by directory');
      world.clock.turn(1);
      await two.terminate('both@globex.test');
      expect(await standing(owner, world.globex, 'both@globex.test')).toBe('revoked');
      expect((await owner.get(ofGlobex(world, '/directory'))).body.directories).toHaveLength(2);
      expect(testDirectory(world.provider, one.id, world.settle).id).toBe(one.id);
    }));
});
