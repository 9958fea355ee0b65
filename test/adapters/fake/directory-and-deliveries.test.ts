// What the fake says when a directory changes, and how it delivers it: well, or badly on request.

import { describe, expect, it } from 'vitest';
import { FakeIdentityProvider } from '#adapters/identity/fake/fake-identity-provider.ts';
import type { FakeWorldOptions } from '#adapters/identity/fake/world.ts';
import type { HeardEvent } from '#application/ports/identity-provider.ts';
import { stageWorld } from './fake-provider-world.ts';

const company = async (options: Partial<FakeWorldOptions> = {}, inactiveUsers: 'kept' | 'deleted' = 'kept') => {
  const staged = await stageWorld(options);
  const { world } = staged;
  const provider = new FakeIdentityProvider(world);
  const { ref } = await world.organizations.ensure({ externalId: 'org_acme', name: 'Acme', domains: ['acme.test'] });
  const { now: directory } = await world.directories.connect(ref, { inactiveUsers });
  const { now: group } = await world.directories.createGroup(directory.id, { name: 'Engineering' });
  const { now: dora } = await world.directories.hire(directory.id, {
    email: 'dora@acme.test',
    name: 'Dora Developer',
    groups: ['Engineering'],
  });
  await world.settled();
  staged.taken.length = 0;
  /** What was taken since, as the service would hear it; a forged delivery appears as such. */
  const heard = async (): Promise<readonly (HeardEvent | 'refused')[]> => {
    await world.settled();
    const events: (HeardEvent | 'refused')[] = [];
    for (const delivery of staged.taken) {
      events.push(await provider.deliveries.receive(delivery).catch(() => 'refused' as const));
    }
    return events;
  };
  const names = async () => (await heard()).map((event) => (event === 'refused' ? event : event.name));
  const data = async () => (await heard()).map((event) => (event === 'refused' ? event : event.payload['data']));
  return { ...staged, provider, ref, directory, group, dora, heard, names, data, id: directory.id };
};

describe('a change of the directory is said as the real provider says it', () => {
  it('connecting: activated, with key and domains', async () => {
    const { world, ref, data, names } = await company();
    await world.directories.connect(ref, { name: 'Second', type: 'azure scim v2.0' });
    expect(await names()).toEqual(['dsync.activated']);
    expect(await data()).toEqual([
      expect.objectContaining({
        object: 'directory',
        organization_id: ref,
        name: 'Second',
        type: 'azure scim v2.0',
        state: 'active',
        external_key: expect.any(String),
        domains: [expect.objectContaining({ domain: 'acme.test' })],
      }),
    ]);
  });

  it('hiring: created, then added to each group with the whole user and the whole group', async () => {
    const { world, id, ref, group, names, data } = await company();
    const { now: eve } = await world.directories.hire(id, {
      email: 'Eve@acme.test',
      name: 'Eve Engineer',
      groups: [group.id],
    });
    expect(await names()).toEqual(['dsync.user.created', 'dsync.group.user_added']);
    const user = {
      object: 'directory_user',
      id: eve.id,
      directory_id: id,
      organization_id: ref,
      idp_id: eve.idpId,
      email: 'eve@acme.test',
      first_name: 'Eve',
      last_name: 'Engineer',
      state: 'active',
    };
    expect(await data()).toMatchObject([
      user,
      { directory_id: id, user, group: { object: 'directory_group', id: group.id, name: 'Engineering' } },
    ]);
  });

  it('renaming: updated, with the old values', async () => {
    const { world, id, dora, clock, data } = await company();
    clock.pass(60);
    await world.directories.changeUser(id, dora.id, { name: 'Dora Married' });
    expect(await data()).toMatchObject([
      {
        name: 'Dora Married',
        updated_at: clock.now().toISOString(),
        previous_attributes: { name: 'Dora Developer', last_name: 'Developer' },
      },
    ]);
  });

  it('deactivating and activating, where inactive users are kept: updated both times, under the same id', async () => {
    const { world, id, dora, names, data } = await company();
    await world.directories.changeUser(id, dora.id, { active: false });
    await world.directories.changeUser(id, dora.id, { active: true });
    expect(await names()).toEqual(['dsync.user.updated', 'dsync.user.updated']);
    expect(await data()).toMatchObject([
      { id: dora.id, state: 'inactive', previous_attributes: { state: 'active' } },
      { id: dora.id, state: 'active', previous_attributes: { state: 'inactive' } },
    ]);
  });

  it('deactivating and activating in the secure flow: deleted, then created under a new id and back in the groups', async () => {
    const { world, id, dora, names, data, group } = await company({}, 'deleted');
    const formerId = dora.id;
    await world.directories.changeUser(id, formerId, { active: false });
    await world.directories.changeUser(id, formerId, { name: 'Dora Elsewhere' }); // nobody hears of it
    await world.directories.changeUser(id, formerId, { active: true });
    expect(await names()).toEqual(['dsync.user.deleted', 'dsync.user.created', 'dsync.group.user_added']);
    const [gone, back] = await data();
    expect([gone, back]).toMatchObject([
      { id: formerId, idp_id: dora.idpId },
      { idp_id: dora.idpId, name: 'Dora Elsewhere' },
    ]);
    expect(dora.id).not.toBe(formerId);
    expect(group.members).toEqual([dora.id]);
  });

  it('terminating: deleted once, also after a deactivation in the secure flow; coming back keeps the customer’s id', async () => {
    for (const inactiveUsers of ['kept', 'deleted'] as const) {
      const { world, id, dora, names, group } = await company({}, inactiveUsers);
      if (inactiveUsers === 'deleted') await world.directories.changeUser(id, dora.id, { active: false });
      await world.directories.terminate(id, dora.id);
      expect(await names()).toEqual(['dsync.user.deleted']);
      expect(group.members).toEqual([]);
      const { now: again } = await world.directories.hire(id, { email: 'dora@acme.test', name: 'Dora' });
      expect([again.idpId, again.id === dora.id]).toEqual([dora.idpId, false]);
    }
  });

  it('groups: created, updated with the old name, members in and out, deleted without a word about members', async () => {
    const { world, id, dora, names, data } = await company();
    const { now: data1 } = await world.directories.createGroup(id, { name: 'Data' });
    await world.directories.addMember(id, data1.id, dora.id);
    await world.directories.removeMember(id, data1.id, dora.id);
    await world.directories.addMember(id, data1.id, dora.id);
    await world.directories.renameGroup(id, data1.id, { name: 'Insight' });
    await world.directories.deleteGroup(id, data1.id);
    expect(await names()).toEqual([
      'dsync.group.created',
      'dsync.group.user_added',
      'dsync.group.user_removed',
      'dsync.group.user_added',
      'dsync.group.updated',
      'dsync.group.deleted',
    ]);
    expect((await data())[4]).toMatchObject({ name: 'Insight', previous_attributes: { name: 'Data' } });
  });

  it('removing the directory: deleted, and not a word about its people', async () => {
    const { world, id, names, data } = await company();
    await world.directories.remove(id);
    expect(await names()).toEqual(['dsync.deleted']);
    expect((await data())[0]).not.toHaveProperty('external_key');
  });

  it('changing nothing: nothing', async () => {
    const { world, id, dora, group, names } = await company();
    await world.directories.changeUser(id, dora.id, { name: 'Dora Developer', active: true, email: 'DORA@acme.test' });
    await world.directories.addMember(id, group.id, dora.id);
    await world.directories.renameGroup(id, group.id, { name: 'Engineering' });
    expect(await names()).toEqual([]);
  });

  it('the provider’s own news: sessions, memberships, domains, connections', async () => {
    const { world, ref, names } = await company();
    const { subject } = await world.people.add({ email: 'olivia@acme.test', name: 'Olivia' });
    await world.people.change(subject, { name: 'Olivia Owner' });
    await world.organizations.admit(subject, ref);
    await world.organizations.ensure({
      externalId: 'org_acme',
      name: 'Acme Inc.',
      domains: ['acme.test', 'acme.example'],
    });
    await world.organizations.ensure({ externalId: 'org_other', name: 'Other', domains: ['acme.test'] });
    await world.organizations.setSso(ref, true);
    await world.organizations.setSso(ref, false);
    await world.organizations.dismiss(subject, ref);
    await world.people.remove(subject);
    expect(await names()).toEqual([
      'user.created',
      'user.updated',
      'organization_membership.created',
      'organization_domain.verified',
      'organization.updated',
      'organization.created',
      'organization_domain.verification_failed',
      'connection.activated',
      'connection.deactivated',
      'organization_membership.deleted',
      'user.deleted',
    ]);
  });
});

describe('what is refused', () => {
  it('an address or a group name twice, strangers, and what is no address', async () => {
    const { world, id, dora } = await company();
    const { directories } = world;
    const complaint = (reason: string) => expect.objectContaining({ name: 'WorldComplaint', reason });
    const someone = { email: 'dora@acme.test', name: 'Dora' };
    await expect(directories.hire(id, someone)).rejects.toEqual(complaint('email_taken'));
    await expect(directories.hire(id, { ...someone, email: 'x' })).rejects.toEqual(complaint('email_invalid'));
    await expect(directories.hire('directory_x', someone)).rejects.toEqual(complaint('directory_not_found'));
    await expect(directories.hire(id, { email: 'eve@acme.test', name: 'Eve', groups: ['Nowhere'] })).rejects.toEqual(
      complaint('directory_group_not_found'),
    );
    await expect(directories.createGroup(id, { name: 'Engineering' })).rejects.toEqual(complaint('group_name_taken'));
    await directories.terminate(id, dora.id);
    await expect(directories.terminate(id, dora.id)).rejects.toEqual(complaint('directory_user_not_found'));
    expect(world.directories.all()[0]?.users.map(({ email }) => email)).toEqual(['dora@acme.test']);
  });
});

describe('deliveries', () => {
  it('are in the order of the events, whose ids sort as they were said, even within one instant', async () => {
    const { world, id, dora, heard } = await company();
    for (let turn = 0; turn < 20; turn += 1) {
      await world.directories.changeUser(id, dora.id, { active: turn % 2 === 1 });
    }
    const ids = (await heard()).map((event) => (event === 'refused' ? event : event.id));
    expect(ids).toHaveLength(20);
    expect(ids).toEqual([...new Set(ids)].toSorted());
  });

  it('are tried again when they are not taken, then given up, and stay in the feed', async () => {
    let refusals = 0;
    const staged = await company();
    staged.world.deliverTo(async (delivery) => {
      if (refusals > 0) {
        refusals -= 1;
        throw new Error('503');
      }
      staged.taken.push(delivery);
    });
    staged.waits.length = 0;
    refusals = 2;
    const taken = await staged.world.directories.createGroup(staged.id, { name: 'Late' });
    expect(taken.said).toMatchObject([{ fate: 'delivered' }]);
    expect(staged.waits).toEqual([100, 400]);
    refusals = 99;
    const given = await staged.world.directories.createGroup(staged.id, { name: 'Never' });
    expect(given.said).toMatchObject([{ fate: 'failed' }]);
    expect(await staged.names()).toEqual(['dsync.group.created']);
    const feed = await staged.provider.feed.after(undefined, 1000);
    expect(feed.at(-1)?.id).toBe(given.said[0]?.id);
  });

  it('may come twice, under one id', async () => {
    const { world, id, heard } = await company();
    const { said } = await world.directories.createGroup(id, { name: 'Data', manner: 'twice' });
    expect(said).toMatchObject([{ fate: 'delivered_twice' }]);
    expect(await heard()).toMatchObject([{ id: said[0]?.id }, { id: said[0]?.id }]);
  });

  it('may come out of order: within a change, or after the next one', async () => {
    const { world, id, names } = await company();
    await world.directories.hire(id, {
      email: 'eve@acme.test',
      name: 'Eve',
      groups: ['Engineering'],
      manner: 'out_of_order',
    });
    expect(await names()).toEqual(['dsync.group.user_added', 'dsync.user.created']);
    const { said } = await world.directories.createGroup(id, { name: 'Data', manner: 'out_of_order' });
    expect(said).toMatchObject([{ fate: 'held' }]);
    expect(await names()).toHaveLength(2);
    await world.directories.remove(id);
    expect((await names()).slice(2)).toEqual(['dsync.deleted', 'dsync.group.created']);
  });

  it('that wait for a next one which never comes are let go after a while', async () => {
    const { world, id, clock, names } = await company();
    await world.directories.createGroup(id, { name: 'Data', manner: 'out_of_order' });
    clock.pass(30);
    await world.releaseDue();
    expect(await names()).toEqual(['dsync.group.created']);
  });

  it('may come late, signed when they are sent', async () => {
    const { world, id, clock, names } = await company();
    await world.setManner('late', 600);
    await world.directories.createGroup(id, { name: 'Data' });
    clock.pass(599);
    await world.releaseDue();
    expect(await names()).toEqual([]);
    clock.pass(1);
    await world.releaseDue();
    expect(await names()).toEqual(['dsync.group.created']);
  });

  it('may get lost, and are then in the feed only', async () => {
    const { world, id, provider, names } = await company();
    const { said } = await world.directories.createGroup(id, { name: 'Data', manner: 'lost' });
    expect(said).toMatchObject([{ name: 'dsync.group.created', fate: 'lost' }]);
    expect(await names()).toEqual([]);
    expect((await provider.feed.after(undefined, 1000)).at(-1)?.id).toBe(said[0]?.id);
  });

  it('may be accompanied by a forgery, which does not verify and is not in the feed', async () => {
    const { world, id, provider, names } = await company();
    await world.directories.createGroup(id, { name: 'Data', manner: 'forged' });
    expect(await names()).toEqual(['dsync.group.created', 'refused']);
    expect(JSON.stringify(await provider.feed.after(undefined, 1000))).not.toContain('FORGED');
  });

  it('misbehave until told otherwise, and then whatever was held comes out', async () => {
    const { world, id, names } = await company();
    await world.setManner('late', 600);
    await world.directories.createGroup(id, { name: 'Data' });
    await world.directories.createGroup(id, { name: 'Security' });
    await world.setManner('none');
    expect(await names()).toEqual(['dsync.group.created', 'dsync.group.created']);
    await world.directories.createGroup(id, { name: 'Admins' });
    expect(await names()).toHaveLength(3);
  });

  it('do not keep the provider from answering: a listener may end a session while it is told something', async () => {
    const staged = await company();
    const { world, provider, id } = staged;
    const { subject } = await world.people.add({ email: 'olivia@home.test', name: 'Olivia' });
    await world.settled();
    staged.taken.length = 0;
    world.deliverTo(async (delivery) => {
      staged.taken.push(delivery);
      await provider.organizations.admit({ organization: staged.ref, subject });
      await provider.organizations.dismiss({ organization: staged.ref, subject });
      world.deliverTo(async (later) => void staged.taken.push(later));
    });
    await world.directories.createGroup(id, { name: 'Data' });
    expect(await staged.names()).toEqual([
      'dsync.group.created',
      'organization_membership.created',
      'organization_membership.deleted',
    ]);
  });

  it('go nowhere while nobody listens', async () => {
    const { world, id } = await company();
    world.deliverTo(undefined);
    const { said } = await world.directories.createGroup(id, { name: 'Data' });
    expect(said).toMatchObject([{ fate: 'nobody_listens' }]);
  });
});

describe('an outage', () => {
  it('ends when it said it would', async () => {
    const { world, clock, provider } = await company();
    await world.setOutage('down', 60);
    clock.pass(59);
    await expect(provider.feed.after(undefined, 1)).rejects.toMatchObject({ reason: 'identity.unavailable' });
    clock.pass(1);
    expect(await provider.feed.after(undefined, 1)).toHaveLength(1);
    expect(world.outage()).toEqual({ mode: 'none', until: null });
  });

  it('that is only slowness makes every call wait, and then work', async () => {
    const { world, provider, waits } = await company();
    await world.setOutage('slow', 60);
    waits.length = 0;
    expect(await provider.feed.after(undefined, 1)).toHaveLength(1);
    expect(waits).toEqual([2000]);
  });

  it('does not silence what the directory says', async () => {
    const { world, id, names } = await company();
    await world.setOutage('down', 60);
    await world.directories.createGroup(id, { name: 'Data' });
    expect(await names()).toEqual(['dsync.group.created']);
  });
});
