// The set-up page over HTTP: a link lets in, and what it lets do is what it was made for.

import { Router } from '@koa/router';
import { z } from 'zod';
import type { Setup } from '#adapters/identity/fake/setup-links.ts';
import { setupPage } from '#adapters/identity/fake/setup-page.ts';
import { throughOutage } from '#adapters/identity/fake/sign-in.routes.ts';
import { ownPagesOnly, pageTrouble, queryOf, readForm, showPage, Trouble } from '#adapters/identity/fake/web.ts';
import type { FakeWorld } from '#adapters/identity/fake/world.ts';
import type { FakeConnection, FakeOrganization } from '#adapters/identity/fake/world-state.ts';
import type { SetupIntent } from '#application/ports/identity-provider.ts';

const ticketIn = z.object({ ticket: z.string().max(4096) });

interface Visit {
  readonly setup: Setup;
  readonly organization: FakeOrganization;
}

const visitBy = async (world: FakeWorld, ticket: string): Promise<Visit> => {
  await throughOutage(world);
  const setup = await world.setupLinks.open(ticket);
  const organization = setup && world.organizations.byRef(setup.organization);
  if (!organization)
    throw new Trouble(403, 'fake_idp.link_not_good', 'This link is too old, or none of ours. Ask for another.');
  return { setup, organization };
};

const connectionOf = ({ connection }: FakeOrganization): FakeConnection => {
  if (!connection) throw new Trouble(404, 'fake_idp.connection_not_found', 'There is no connection.');
  return connection;
};

interface Act {
  readonly intents: readonly SetupIntent[];
  readonly carryOut: (world: FakeWorld, organization: FakeOrganization) => Promise<unknown>;
}

const acts: ReadonlyMap<string, Act> = new Map<string, Act>([
  ['activate', { intents: ['sso'], carryOut: (world, { ref }) => world.connections.setUp(ref) }],
  [
    'deactivate',
    {
      intents: ['sso'],
      carryOut: (world, organization) => world.connections.setActive(connectionOf(organization).id, false),
    },
  ],
  [
    'remove',
    { intents: ['sso'], carryOut: (world, organization) => world.connections.remove(connectionOf(organization).id) },
  ],
  [
    'renew-certificate',
    {
      intents: ['sso', 'certificate_renewal'],
      carryOut: (world, organization) => world.connections.renewCertificate(connectionOf(organization).id),
    },
  ],
  ['connect-directory', { intents: ['dsync'], carryOut: (world, { ref }) => world.directories.connect(ref) }],
]);

export const setupRoutes = (world: FakeWorld): Router => {
  const router = new Router();
  const asPage = pageTrouble(world.publicUrl);
  router.get('/fake-idp/setup', asPage, async (ctx) => {
    const { ticket } = ticketIn.parse(queryOf(ctx));
    const { setup, organization } = await visitBy(world, ticket);
    showPage(ctx, world.publicUrl, setupPage(world, setup, organization, ticket));
  });
  router.post('/fake-idp/setup/:act', asPage, ownPagesOnly(world.publicUrl), async (ctx) => {
    const { ticket } = ticketIn.parse((await readForm(ctx)).fields);
    const { setup, organization } = await visitBy(world, ticket);
    const act = acts.get(String(ctx['params']['act']));
    if (!act?.intents.includes(setup.intent)) {
      throw new Trouble(403, 'fake_idp.link_not_good', 'This link is good for something else.');
    }
    await act.carryOut(world, organization);
    showPage(ctx, world.publicUrl, setupPage(world, setup, organization, ticket));
  });
  return router;
};
