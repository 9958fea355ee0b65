// The fake provider as the service takes it: the port, and the pages that play the provider and the customer's IT department.

import { FakeIdentityProvider } from '#adapters/identity/fake/fake-identity-provider.ts';
import { fakeProviderPages } from '#adapters/identity/fake/routes.ts';
import type { FakeWorld } from '#adapters/identity/fake/world.ts';
import type { ServiceParts } from '#bootstrap/service.ts';

export const fakeIdentity = (world: FakeWorld): Pick<ServiceParts, 'provider' | 'pages'> => ({
  provider: new FakeIdentityProvider(world),
  pages: {
    serve: fakeProviderPages(world),
    links: [{ label: 'The IT department (development only)', href: '/fake-idp/directory' }],
  },
});
