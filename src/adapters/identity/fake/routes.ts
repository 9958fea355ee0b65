// Everything that the fake provider serves under /fake-idp, as one middleware. Development only: mount it when the fake is chosen.

import { Router } from '@koa/router';
import type { Middleware } from 'koa';
import { connectionRoutes } from '#adapters/identity/fake/connections.routes.ts';
import { directoryRoutes } from '#adapters/identity/fake/directory.routes.ts';
import { directoryPageRoutes } from '#adapters/identity/fake/directory-page.routes.ts';
import { mailboxRoutes } from '#adapters/identity/fake/mailbox.routes.ts';
import { stylesheet } from '#adapters/identity/fake/page.ts';
import { setupRoutes } from '#adapters/identity/fake/setup.routes.ts';
import { signInRoutes } from '#adapters/identity/fake/sign-in.routes.ts';
import { jsonTrouble, ownHostOnly } from '#adapters/identity/fake/web.ts';
import type { FakeWorld } from '#adapters/identity/fake/world.ts';

export const fakeProviderRoutes = (world: FakeWorld): Router => {
  const router = new Router();
  router.use('/fake-idp', jsonTrouble as Middleware, ownHostOnly(world.publicUrl) as Middleware);
  router.get('/fake-idp/style.css', (ctx) => {
    ctx.type = 'css';
    ctx.set('Cache-Control', 'public, max-age=300');
    ctx.set('X-Content-Type-Options', 'nosniff');
    ctx.body = stylesheet;
  });
  for (const part of [
    signInRoutes,
    setupRoutes,
    connectionRoutes,
    directoryRoutes,
    directoryPageRoutes,
    mailboxRoutes,
  ]) {
    router.use(part(world).routes());
  }
  return router;
};

/**
 * The same as a middleware. The router's type promises more of the context than Koa gives before it ran; it adds that itself.
 * @param link what answers other nodes that live in this world; it comes first, for they are no browsers
 */
export const fakeProviderPages = (world: FakeWorld, link?: Middleware): Middleware => {
  const pages = fakeProviderRoutes(world).routes() as unknown as Middleware;
  return link ? (ctx, next) => link(ctx, () => pages(ctx, next)) : pages;
};
