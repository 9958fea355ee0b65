// The mailbox over HTTP: a page for people, and the same as JSON for scripts and tests.

import { Router } from '@koa/router';
import { acceptUrl, mailboxPage } from '#adapters/identity/fake/mailbox-page.ts';
import { jsonTrouble, pageTrouble, showPage } from '#adapters/identity/fake/web.ts';
import type { FakeWorld } from '#adapters/identity/fake/world.ts';
import type { FakeInvitation } from '#adapters/identity/fake/world-state.ts';

const shown = (world: FakeWorld, invitation: FakeInvitation) => {
  const state = world.invitations.stateOf(invitation);
  return {
    id: invitation.id,
    organization_id: world.organizations.byRef(invitation.organization)?.externalId ?? null,
    email: invitation.email,
    state,
    sent_at: invitation.createdAt,
    expires_at: invitation.expiresAt,
    accept_url: state === 'pending' ? acceptUrl(world, invitation) : null,
  };
};

export const mailboxRoutes = (world: FakeWorld): Router => {
  const router = new Router();
  router.get('/fake-idp/mailbox', pageTrouble(world.publicUrl), (ctx) =>
    showPage(ctx, world.publicUrl, mailboxPage(world)),
  );
  router.get('/fake-idp/invitations', jsonTrouble, (ctx) => {
    ctx.body = { data: world.invitations.all().map((invitation) => shown(world, invitation)) };
  });
  return router;
};
