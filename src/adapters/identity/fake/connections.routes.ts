// Connections as a JSON API: what the customer's IT department does with its single sign-on, for scripts and tests.

import { Router } from '@koa/router';
import { z } from 'zod';
import type { Connected } from '#adapters/identity/fake/connections.ts';
import { type Exchange, jsonTrouble, ownPagesOnly, readJson, Trouble } from '#adapters/identity/fake/web.ts';
import type { FakeWorld } from '#adapters/identity/fake/world.ts';

const shown = ({ organization, connection }: Connected) => ({
  id: connection.id,
  organization_id: organization.externalId,
  name: connection.name,
  type: connection.type,
  state: connection.state,
  certificate_until: connection.certificateUntil,
});

const setUp = z.strictObject({ organization_id: z.string().max(200), type: z.string().min(1).max(200).optional() });
const changed = z.strictObject({ state: z.enum(['active', 'inactive']) });
const certificate = z.strictObject({
  what: z.enum(['expiring', 'renewed']),
  days: z.number().int().min(-365).max(3650).default(30),
});

export const connectionRoutes = (world: FakeWorld): Router => {
  const router = new Router();
  const here = '/fake-idp/connections';
  router.use(here, jsonTrouble, ownPagesOnly(world.publicUrl));

  const connected = (ctx: Exchange): Connected => {
    const found = world.connections.byId(String(ctx['params']['connection']));
    if (!found) throw new Trouble(404, 'fake_idp.connection_not_found', 'No such connection.');
    return found;
  };

  router.get(here, (ctx) => {
    ctx.body = { data: world.connections.all().map(shown) };
  });
  router.post(here, async (ctx) => {
    const { organization_id, type } = await readJson(ctx, setUp);
    const organization = world.organizations.byExternalId(organization_id);
    if (!organization) throw new Trouble(404, 'fake_idp.organization_not_found', 'No such organization.');
    const connection = await world.connections.setUp(organization.ref, type);
    ctx.status = 201;
    ctx.body = shown({ organization, connection });
  });
  router.patch(`${here}/:connection`, async (ctx) => {
    const { organization, connection } = connected(ctx);
    const { state } = await readJson(ctx, changed);
    ctx.body = shown({
      organization,
      connection: await world.connections.setActive(connection.id, state === 'active'),
    });
  });
  router.delete(`${here}/:connection`, async (ctx) => {
    const { connection } = connected(ctx);
    await world.connections.remove(connection.id);
    ctx.body = { id: connection.id };
  });
  router.post(`${here}/:connection/certificate`, async (ctx) => {
    const { organization, connection } = connected(ctx);
    const { what, days } = await readJson(ctx, certificate);
    const { connections } = world;
    const now =
      what === 'expiring'
        ? await connections.warnOfCertificate(connection.id, days)
        : await connections.renewCertificate(connection.id);
    ctx.body = shown({ organization, connection: now });
  });
  return router;
};
