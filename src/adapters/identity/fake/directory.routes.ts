// The directory as a JSON API: what the customer's IT department does, for scripts and tests.

import { Router } from '@koa/router';
import { z } from 'zod';
import type { Change, Said } from '#adapters/identity/fake/journal.ts';
import { type Exchange, jsonTrouble, ownPagesOnly, queryOf, readJson, Trouble } from '#adapters/identity/fake/web.ts';
import type { FakeWorld } from '#adapters/identity/fake/world.ts';
import {
  type FakeDirectory,
  type FakeDirectoryGroup,
  type FakeDirectoryUser,
  type Manner,
  manners,
  outageModes,
} from '#adapters/identity/fake/world-state.ts';

const name = z.string().trim().min(1).max(200);
const email = z.string().trim().min(1).max(254);

/** The misbehaviour of this one change, from the query. */
const mannerOf = (ctx: Exchange): Manner | undefined =>
  z.strictObject({ manner: z.enum(manners).optional() }).parse(queryOf(ctx)).manner;

const userShown = (directory: FakeDirectory, user: FakeDirectoryUser) => ({
  id: user.id,
  idp_id: user.idpId,
  email: user.email,
  name: user.name,
  active: user.state === 'active',
  groups: directory.groups.filter(({ members }) => members.includes(user.id)).map((group) => group.name),
});

const groupShown = (group: FakeDirectoryGroup) => ({ id: group.id, name: group.name, members: group.members });

const directoryShown = (world: FakeWorld, directory: FakeDirectory) => {
  const organization = world.organizations.byRef(directory.organization);
  return {
    id: directory.id,
    organization_id: organization?.externalId ?? null,
    domain: organization?.domains.find(({ state }) => state === 'verified')?.name ?? null,
    name: directory.name,
    type: directory.type,
    inactive_users: directory.inactiveUsers,
    users: directory.users.filter(({ state }) => state !== 'deleted').map((user) => userShown(directory, user)),
    groups: directory.groups.map(groupShown),
  };
};

/** Which events followed, and how their delivery went. */
const eventsShown = (said: readonly Said[]) => said.map(({ id, name, fate }) => ({ id, event: name, delivery: fate }));

const param = (ctx: Exchange, which: string): string => String(ctx['params'][which] ?? '');

const directoryOf = (world: FakeWorld, ctx: Exchange): FakeDirectory => {
  const directory = world.directories.all().find(({ id }) => id === param(ctx, 'directory'));
  if (!directory) throw new Trouble(404, 'fake_idp.directory_not_found', 'No such directory.');
  return directory;
};

const directoryRoutesOf = (router: Router, world: FakeWorld): void => {
  router.get('/fake-idp/directories', (ctx) => {
    ctx.body = { data: world.directories.all().map((directory) => directoryShown(world, directory)) };
  });

  const connection = z.strictObject({
    organization_id: z.string().max(200),
    name: name.optional(),
    type: name.optional(),
    inactive_users: z.enum(['kept', 'deleted']).optional(),
  });
  router.post('/fake-idp/directories', async (ctx) => {
    const manner = mannerOf(ctx);
    const { organization_id, inactive_users, ...facts } = await readJson(ctx, connection);
    const organization = world.organizations.byExternalId(organization_id);
    if (!organization) throw new Trouble(404, 'fake_idp.organization_not_found', 'No such organization.');
    const change = await world.directories.connect(organization.ref, {
      ...facts,
      inactiveUsers: inactive_users,
      manner,
    });
    ctx.status = 201;
    ctx.body = { ...directoryShown(world, change.now), events: eventsShown(change.said) };
  });

  router.get('/fake-idp/directories/:directory', (ctx) => {
    ctx.body = directoryShown(world, directoryOf(world, ctx));
  });

  router.patch('/fake-idp/directories/:directory', async (ctx) => {
    const { inactive_users } = await readJson(ctx, z.strictObject({ inactive_users: z.enum(['kept', 'deleted']) }));
    const directory = await world.directories.setInactiveUsers(directoryOf(world, ctx).id, inactive_users);
    ctx.body = directoryShown(world, directory);
  });

  router.delete('/fake-idp/directories/:directory', async (ctx) => {
    const { now, said } = await world.directories.remove(param(ctx, 'directory'), { manner: mannerOf(ctx) });
    ctx.body = { id: now.id, events: eventsShown(said) };
  });
};

const userRoutesOf = (router: Router, world: FakeWorld): void => {
  const show = (ctx: Exchange, directory: FakeDirectory, { now, said }: Change<FakeDirectoryUser>) => {
    ctx.body = { ...userShown(directory, now), events: eventsShown(said) };
  };

  const hired = z.strictObject({ email, name, groups: z.array(name).max(100).optional() });
  router.post('/fake-idp/directories/:directory/users', async (ctx) => {
    const directory = directoryOf(world, ctx);
    const manner = mannerOf(ctx);
    const { groups = [], ...facts } = await readJson(ctx, hired);
    const change = await world.directories.hire(directory.id, { ...facts, groups, manner });
    ctx.status = 201;
    show(ctx, directory, change);
  });

  const changed = z
    .strictObject({ active: z.boolean().optional(), name: name.optional(), email: email.optional() })
    .refine((body) => Object.keys(body).length > 0, { error: 'name at least one of active, name, email' });
  router.patch('/fake-idp/directories/:directory/users/:user', async (ctx) => {
    const directory = directoryOf(world, ctx);
    const manner = mannerOf(ctx);
    const change = await readJson(ctx, changed);
    show(ctx, directory, await world.directories.changeUser(directory.id, param(ctx, 'user'), { ...change, manner }));
  });

  router.delete('/fake-idp/directories/:directory/users/:user', async (ctx) => {
    const how = { manner: mannerOf(ctx) };
    const { now, said } = await world.directories.terminate(param(ctx, 'directory'), param(ctx, 'user'), how);
    ctx.body = { id: now.id, events: eventsShown(said) };
  });
};

const groupRoutesOf = (router: Router, world: FakeWorld): void => {
  const named = z.strictObject({ name });
  router.post('/fake-idp/directories/:directory/groups', async (ctx) => {
    const manner = mannerOf(ctx);
    const facts = await readJson(ctx, named);
    const { now, said } = await world.directories.createGroup(param(ctx, 'directory'), { ...facts, manner });
    ctx.status = 201;
    ctx.body = { ...groupShown(now), events: eventsShown(said) };
  });

  router.patch('/fake-idp/directories/:directory/groups/:group', async (ctx) => {
    const manner = mannerOf(ctx);
    const facts = { ...(await readJson(ctx, named)), manner };
    const { now, said } = await world.directories.renameGroup(param(ctx, 'directory'), param(ctx, 'group'), facts);
    ctx.body = { ...groupShown(now), events: eventsShown(said) };
  });

  router.delete('/fake-idp/directories/:directory/groups/:group', async (ctx) => {
    const how = { manner: mannerOf(ctx) };
    const { now, said } = await world.directories.deleteGroup(param(ctx, 'directory'), param(ctx, 'group'), how);
    ctx.body = { id: now.id, events: eventsShown(said) };
  });

  const member = '/fake-idp/directories/:directory/groups/:group/members/:user';
  router.put(member, async (ctx) => {
    const [directory, group, user] = ['directory', 'group', 'user'].map((which) => param(ctx, which));
    const change = await world.directories.addMember(directory ?? '', group ?? '', user ?? '', {
      manner: mannerOf(ctx),
    });
    ctx.body = { events: eventsShown(change.said) };
  });
  router.delete(member, async (ctx) => {
    const how = { manner: mannerOf(ctx) };
    const change = await world.directories.removeMember(
      param(ctx, 'directory'),
      param(ctx, 'group'),
      param(ctx, 'user'),
      how,
    );
    ctx.body = { events: eventsShown(change.said) };
  });
};

const mannersShown = (world: FakeWorld) => {
  const { manner, lateSeconds } = world.manner();
  return { manner, late_seconds: lateSeconds };
};

const outageShown = (world: FakeWorld) => {
  const { mode, until } = world.outage();
  return { mode, until: until?.toISOString() ?? null };
};

const behaviourRoutesOf = (router: Router, world: FakeWorld): void => {
  router.get('/fake-idp/manners', (ctx) => {
    ctx.body = mannersShown(world);
  });
  const manner = z.strictObject({ manner: z.enum(manners), late_seconds: z.number().min(0).max(3600).optional() });
  router.put('/fake-idp/manners', async (ctx) => {
    const wanted = await readJson(ctx, manner);
    await world.setManner(wanted.manner, wanted.late_seconds);
    ctx.body = mannersShown(world);
  });

  router.get('/fake-idp/events', (ctx) => {
    const query = z
      .strictObject({
        after: z.string().max(200).optional(),
        limit: z.coerce.number().int().min(1).max(1000).default(100),
      })
      .parse(queryOf(ctx));
    ctx.body = { data: world.log(query.after, query.limit).map(({ event, fate }) => ({ ...event, delivery: fate })) };
  });

  router.get('/fake-idp/outage', (ctx) => {
    ctx.body = outageShown(world);
  });
  const outage = z.strictObject({ mode: z.enum(outageModes), seconds: z.number().positive().max(86_400).default(60) });
  router.post('/fake-idp/outage', async (ctx) => {
    const { mode, seconds } = await readJson(ctx, outage);
    await world.setOutage(mode, seconds);
    ctx.body = outageShown(world);
  });
};

export const directoryRoutes = (world: FakeWorld): Router => {
  const router = new Router();
  router.use(['/fake-idp/directories', '/fake-idp/manners', '/fake-idp/events', '/fake-idp/outage'], jsonTrouble);
  router.use(['/fake-idp/directories', '/fake-idp/manners', '/fake-idp/outage'], ownPagesOnly(world.publicUrl));
  for (const add of [directoryRoutesOf, userRoutesOf, groupRoutesOf, behaviourRoutesOf]) add(router, world);
  return router;
};
