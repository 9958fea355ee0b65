// The fake provider as the service takes it: the port, and the pages that play the provider and the customer's IT department.

import { FakeIdentityProvider } from '#adapters/identity/fake/fake-identity-provider.ts';
import { fakeProviderLink } from '#adapters/identity/fake/link/host.ts';
import { fakeProviderPages } from '#adapters/identity/fake/routes.ts';
import type { FakeWorld } from '#adapters/identity/fake/world.ts';
import type { ServiceParts } from '#bootstrap/service.ts';

/** What the fake says goes where WorkOS' would go: by HTTP to our own webhook. */
export const deliverOverHttp = (world: FakeWorld, serviceUrl: string): void =>
  world.deliverTo(async ({ body, signature }) => {
    const answer = await fetch(`${serviceUrl}/webhooks/fake`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'workos-signature': signature },
      body: new Uint8Array(body),
    });
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`the webhook answered ${answer.status}`);
  });

type Pages = NonNullable<ServiceParts['pages']>;

export const fakePages = (serve: Pages['serve']): Pages => ({
  serve,
  links: [
    { label: 'The IT department (development only)', href: '/fake-idp/directory' },
    { label: 'The mailbox (development only)', href: '/fake-idp/mailbox' },
  ],
});

/**
 * @param linkSecret what other nodes show that want to live in this world; without it none can
 * @param options whether connections can be made without the set-up pages
 */
export const fakeIdentity = (
  world: FakeWorld,
  linkSecret?: string,
  options: { readonly makesConnections?: boolean } = {},
): Pick<ServiceParts, 'provider' | 'pages'> => {
  const provider = new FakeIdentityProvider(world, options);
  const link = linkSecret === undefined ? undefined : fakeProviderLink(provider, linkSecret);
  return { provider, pages: fakePages(fakeProviderPages(world, link)) };
};
