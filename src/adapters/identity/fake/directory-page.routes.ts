// The directory page over HTTP: each form is a post that does one thing, then shows the page again with what was said of it.

import { Router } from '@koa/router';
import { z } from 'zod';
import { directoryPage, type Outcome } from '#adapters/identity/fake/directory-page.ts';
import type { Said } from '#adapters/identity/fake/journal.ts';
import {
  ownPagesOnly,
  pageTrouble,
  queryOf,
  readForm,
  type SentForm,
  showPage,
  Trouble,
} from '#adapters/identity/fake/web.ts';
import type { FakeWorld } from '#adapters/identity/fake/world.ts';
import { WorldComplaint } from '#adapters/identity/fake/world-complaint.ts';
import { manners, outageModes } from '#adapters/identity/fake/world-state.ts';

const here = '/fake-idp/directory';

const text = z.string().trim().min(1).max(254);
const inDirectory = z.object({ directory: text });
const onUser = z.object({ directory: text, user: text });
const onConnection = z.object({ connection: text });
const onGroup = z.object({ directory: text, group: text });

type Act = (world: FakeWorld, form: SentForm) => Promise<readonly Said[]>;

const nothingSaid = async (done: Promise<unknown>): Promise<readonly Said[]> => {
  await done;
  return [];
};

const said = async (change: Promise<{ readonly said: readonly Said[] }>): Promise<readonly Said[]> =>
  (await change).said;

const setActive =
  (active: boolean): Act =>
  (world, { fields }) => {
    const { directory, user } = onUser.parse(fields);
    return said(world.directories.changeUser(directory, user, { active }));
  };

/** What is said of a connection is delivered after the page was answered, as a provider does; "Said lately" shows it. */
const onOneConnection =
  (change: (world: FakeWorld, connection: string) => Promise<unknown>): Act =>
  (world, { fields }) =>
    nothingSaid(change(world, onConnection.parse(fields).connection));

/** Into the groups that are ticked, out of those that are not. */
const regroup: Act = async (world, form) => {
  const { directory, user } = onUser.parse(form.fields);
  const wanted = form.all('group');
  const groups = world.directories.all().find(({ id }) => id === directory)?.groups ?? [];
  const all: Said[] = [];
  for (const { id } of groups) {
    const change = wanted.includes(id)
      ? world.directories.addMember(directory, id, user)
      : world.directories.removeMember(directory, id, user);
    all.push(...(await said(change)));
  }
  return all;
};

const acts: ReadonlyMap<string, Act> = new Map<string, Act>([
  [
    'connect',
    (world, { fields }) => said(world.directories.connect(z.object({ organization: text }).parse(fields).organization)),
  ],
  ['remove', (world, { fields }) => said(world.directories.remove(inDirectory.parse(fields).directory))],
  [
    'inactive-users',
    (world, { fields }) => {
      const shape = inDirectory.extend({ inactive_users: z.enum(['kept', 'deleted']) });
      const { directory, inactive_users } = shape.parse(fields);
      return nothingSaid(world.directories.setInactiveUsers(directory, inactive_users));
    },
  ],
  [
    'hire',
    (world, form) => {
      const { directory, ...facts } = inDirectory.extend({ name: text, email: text }).parse(form.fields);
      return said(world.directories.hire(directory, { ...facts, groups: form.all('group') }));
    },
  ],
  [
    'change',
    (world, { fields }) => {
      const { directory, user, ...facts } = onUser.extend({ name: text, email: text }).parse(fields);
      return said(world.directories.changeUser(directory, user, facts));
    },
  ],
  ['regroup', regroup],
  ['deactivate', setActive(false)],
  ['activate', setActive(true)],
  [
    'terminate',
    (world, { fields }) => {
      const { directory, user } = onUser.parse(fields);
      return said(world.directories.terminate(directory, user));
    },
  ],
  [
    'add-group',
    (world, { fields }) => {
      const { directory, name } = inDirectory.extend({ name: text }).parse(fields);
      return said(world.directories.createGroup(directory, { name }));
    },
  ],
  [
    'rename-group',
    (world, { fields }) => {
      const { directory, group, name } = onGroup.extend({ name: text }).parse(fields);
      return said(world.directories.renameGroup(directory, group, { name }));
    },
  ],
  [
    'delete-group',
    (world, { fields }) => {
      const { directory, group } = onGroup.parse(fields);
      return said(world.directories.deleteGroup(directory, group));
    },
  ],
  [
    'set-up-connection',
    (world, { fields }) =>
      nothingSaid(world.connections.setUp(z.object({ organization: text }).parse(fields).organization)),
  ],
  ['activate-connection', onOneConnection((world, id) => world.connections.setActive(id, true))],
  ['deactivate-connection', onOneConnection((world, id) => world.connections.setActive(id, false))],
  ['remove-connection', onOneConnection((world, id) => world.connections.remove(id))],
  ['warn-of-certificate', onOneConnection((world, id) => world.connections.warnOfCertificate(id))],
  ['renew-certificate', onOneConnection((world, id) => world.connections.renewCertificate(id))],
  [
    'manners',
    (world, { fields }) => {
      const shape = z.object({ manner: z.enum(manners), late_seconds: z.coerce.number().min(0).max(3600) });
      const { manner, late_seconds } = shape.parse(fields);
      return nothingSaid(world.setManner(manner, late_seconds));
    },
  ],
  [
    'outage',
    (world, { fields }) => {
      const shape = z.object({ mode: z.enum(outageModes), seconds: z.coerce.number().positive().max(86_400) });
      const { mode, seconds } = shape.parse(fields);
      return nothingSaid(world.setOutage(mode, seconds));
    },
  ],
]);

/** After the redirect only the query knows what was done. */
const outcomeFrom = (query: Readonly<Record<string, string>>): Outcome =>
  query['said'] === undefined ? undefined : { is: 'done', events: query['said'].split(',') };

export const directoryPageRoutes = (world: FakeWorld): Router => {
  const router = new Router();
  router.get(here, (ctx) => showPage(ctx, world.publicUrl, directoryPage(world, outcomeFrom(queryOf(ctx)))));
  router.post(`${here}/:act`, pageTrouble(world.publicUrl), ownPagesOnly(world.publicUrl), async (ctx) => {
    const act = acts.get(String(ctx['params']['act']));
    if (!act) throw new Trouble(404, 'request.unknown_route', 'There is nothing at this address.');
    try {
      const events = await act(world, await readForm(ctx));
      ctx.status = 303;
      ctx.redirect(`${here}?said=${events.map(({ id }) => id).join(',')}`);
    } catch (thrown) {
      if (!(thrown instanceof WorldComplaint)) throw thrown;
      ctx.status = thrown.reason.endsWith('_not_found') ? 404 : 409;
      showPage(ctx, world.publicUrl, directoryPage(world, { is: 'refused', why: thrown.message }));
    }
  });
  return router;
};
