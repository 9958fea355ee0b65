// Organizations, domains and memberships at WorkOS: made once, repaired when others were faster, left alone when a directory rules.

import { describe, expect, it } from 'vitest';
import type { OrganizationId } from '#domain/shared/ids.ts';
import { outcomeOf, staffed, type WorkosWorld, workosWorld } from './workos-world.ts';

const ours = (name: string, domains: readonly string[] = []) => ({
  id: `org_${name}` as OrganizationId,
  name,
  domains,
});

const asked = (world: WorkosWorld, method: string): readonly string[] =>
  world.asked().filter((line) => line.startsWith(`${method} `));

describe('an organization', () => {
  it('is known to WorkOS under our id', async () => {
    const { provider, stub } = await workosWorld();
    const { ref } = await provider.organizations.ensure(ours('Acme'));
    expect(stub.organizations.organizations).toEqual([
      expect.objectContaining({ id: ref, name: 'Acme', externalId: 'org_Acme' }),
    ]);
  });

  it('that somebody else makes in the same moment, under another name even, is taken over', async () => {
    const world = await workosWorld();
    const { organizations } = world.provider;
    const id = 'org_1' as OrganizationId;
    const both = await Promise.all(['One', 'Won'].map((name) => organizations.ensure({ id, name, domains: [] })));
    expect(new Set(both.map(({ ref }) => ref)).size).toBe(1);
    expect(world.stub.organizations.organizations).toHaveLength(1);
  });

  it('whose making was done and whose answer was lost is not made twice', async () => {
    const world = await workosWorld();
    world.stub.plan({ play: 'lost' }, { on: 'POST /organizations', times: 1 });
    const { ref } = await world.provider.organizations.ensure(ours('Acme'));
    expect(world.stub.organizations.organizations.map(({ id }) => id)).toEqual([ref]);
  });

  it('that WorkOS will not make is a fault that names what was refused', async () => {
    const world = await workosWorld();
    world.stub.plan(
      { play: 'answer', status: 422, body: { message: 'No.', errors: [{ code: 'name_too_odd' }] } },
      { on: 'POST /organizations' },
    );
    const fault = await outcomeOf(world.provider.organizations.ensure(ours('Acme')));
    expect(String(fault)).toMatch(/would not create an organization.*422.*req_/);
  });
});

describe('its domains', () => {
  it('are added as pending where they are missing, and told with the state that WorkOS gives them', async () => {
    const { provider, stub, clock } = await workosWorld();
    const { ref } = await provider.organizations.ensure(ours('Acme', ['acme.test']));
    const [domain] = stub.organizations.domains;
    if (domain) domain.state = 'verified';
    stub.organizations.addDomain(ref, 'Manual.test', 'failed');
    stub.deviate(/domains.*state/);
    stub.organizations.addDomain(ref, 'odd.test', 'a_state_of_tomorrow');
    const { domains } = await provider.organizations.ensure(ours('Acme', ['acme.test', 'new.test']));
    expect(domains).toEqual(
      expect.arrayContaining([
        { name: 'acme.test', state: 'verified', asOf: clock.now() },
        { name: 'manual.test', state: 'failed', asOf: clock.now() },
        { name: 'odd.test', state: 'pending', asOf: clock.now() },
        { name: 'new.test', state: 'pending', asOf: expect.any(Date) },
      ]),
    );
    expect(domains).toHaveLength(4);
  });

  it('that another organization holds do not stand in its way; they count as failed, and the log says which', async () => {
    const { provider, lines } = await workosWorld();
    await provider.organizations.ensure(ours('First', ['both.test']));
    const { ref, domains } = await provider.organizations.ensure(ours('Second', ['both.test', 'own.test']));
    expect(domains).toMatchObject([
      { name: 'both.test', state: 'failed' },
      { name: 'own.test', state: 'pending' },
    ]);
    expect(lines.filter(({ level }) => level === 'warn')).toMatchObject([
      { facts: { organization: ref, domain: 'both.test' } },
    ]);
  });

  it('that another asker added in the same moment are its own', async () => {
    const { provider } = await workosWorld();
    await provider.organizations.ensure(ours('Acme'));
    const both = await Promise.all([1, 2].map(() => provider.organizations.ensure(ours('Acme', ['acme.test']))));
    for (const { domains } of both) expect(domains).toMatchObject([{ name: 'acme.test', state: 'pending' }]);
  });
});

const withMembership = async (facts: Parameters<WorkosWorld['stub']['organizations']['addMembership']>[2]) => {
  const world = await workosWorld();
  const { organizations } = world.stub;
  const { ada } = staffed(world);
  const { id: organization } = organizations.addOrganization('Second');
  if (facts) organizations.addMembership(organization, ada.id, facts);
  const member = { organization, subject: ada.id };
  const standing = () =>
    organizations.memberships.filter((one) => one.organization === organization).map(({ status }) => status);
  return { world, member, standing };
};

describe('admitting', () => {
  it.each([
    [undefined, ['active']],
    [{ status: 'active' }, ['active']],
    [{ status: 'inactive' }, ['active']],
    [{ status: 'pending' }, ['active']],
    // A directory that dismissed somebody is not overruled.
    [{ status: 'inactive', directoryManaged: true }, ['inactive']],
    [{ status: 'active', directoryManaged: true }, ['active']],
  ] as const)('somebody who is %j ends as %j, however often', async (facts, outcome) => {
    const { world, member, standing } = await withMembership(facts);
    await world.provider.organizations.admit(member);
    expect(standing()).toEqual(outcome);
    await world.provider.organizations.admit(member);
    expect(standing()).toEqual(outcome);
  });

  it('twice in the same moment makes one membership', async () => {
    const { world, member, standing } = await withMembership(undefined);
    await Promise.all([1, 2, 3].map(() => world.provider.organizations.admit(member)));
    expect(standing()).toEqual(['active']);
  });

  it('somebody whom WorkOS does not know is a fault', async () => {
    const { world, member } = await withMembership(undefined);
    const fault = await outcomeOf(world.provider.organizations.admit({ ...member, subject: 'user_deleted' }));
    expect(String(fault)).toContain('would not create a membership');
  });
});

describe('dismissing', () => {
  it.each([
    [undefined, []],
    [{ status: 'active' }, ['inactive']],
    [{ status: 'inactive' }, ['inactive']],
    [{ status: 'pending' }, []],
    [{ status: 'active', directoryManaged: true }, ['active']],
  ] as const)('somebody who is %j ends as %j, however often', async (facts, outcome) => {
    const { world, member, standing } = await withMembership(facts);
    await world.provider.organizations.dismiss(member);
    expect(standing()).toEqual(outcome);
    await world.provider.organizations.dismiss(member);
    expect(standing()).toEqual(outcome);
  });

  it('ends the person’s sessions in that organization and in no other', async () => {
    const world = await workosWorld();
    const { signIn, ada, acme } = staffed(world);
    const second = world.stub.organizations.addOrganization('Second');
    world.stub.organizations.addMembership(second.id, ada.id);
    const here = await signIn();
    const there = world.stub.sessions.addSession(ada.id, { organization: second.id });
    await world.provider.organizations.dismiss({ organization: acme.id, subject: ada.id });
    const isAlive = (providerSession: string) => world.provider.sessions.isAlive({ providerSession, subject: ada.id });
    expect(await isAlive(here.providerSession)).toBe(false);
    expect(await isAlive(there.id)).toBe(true);
  });

  it('leaves what the directory manages without an edit, and says so where one looks for it', async () => {
    const { world, member } = await withMembership({ directoryManaged: true });
    await world.provider.organizations.dismiss(member);
    expect(asked(world, 'PUT')).toEqual([]);
    expect(world.lines).toMatchObject([{ level: 'debug', message: expect.stringContaining('directory') }]);
  });

  it.each([404, 409, 422])('is done when WorkOS answers %i because it was done already', async (status) => {
    const { world, member, standing } = await withMembership({ status: 'active' });
    world.stub.plan({ play: 'served', status, body: { message: 'Already.' } }, { on: /^PUT/ });
    await world.provider.organizations.dismiss(member);
    expect(standing()).toEqual(['inactive']);
  });

  it('is a fault when WorkOS refuses and the membership stays', async () => {
    const { world, member } = await withMembership({ status: 'active' });
    world.stub.plan({ play: 'answer', status: 422, body: { message: 'No.' } }, { on: /^PUT/ });
    expect(String(await outcomeOf(world.provider.organizations.dismiss(member)))).toContain('would not deactivate');
  });
});
