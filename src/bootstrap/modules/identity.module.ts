// Who vouches for people, and whose deliveries are read. A new provider is one more line here and a folder in adapters/identity.

import { ContainerModule } from 'inversify';
import { FakeIdentityProvider } from '#adapters/identity/fake/fake-identity-provider.ts';
import type { FakeWorld } from '#adapters/identity/fake/world.ts';
import { workosDeliveries } from '#adapters/identity/workos/deliveries.ts';
import type { EventDeliveries } from '#application/ports/identity-provider.ts';
import { T } from '#bootstrap/tokens.ts';

export const identityModule = (world: FakeWorld, workosWebhookSecrets: readonly string[]): ContainerModule =>
  new ContainerModule(({ bind }) => {
    bind(T.identityProvider)
      .toResolvedValue(() => new FakeIdentityProvider(world))
      .inSingletonScope();
    bind(T.deliveries)
      .toResolvedValue(
        (provider, clock, log) =>
          new Map<string, EventDeliveries>([
            [provider.name, provider.deliveries],
            ['workos', workosDeliveries({ secrets: workosWebhookSecrets, clock, log })],
          ]),
        [T.identityProvider, T.clock, T.log],
      )
      .inSingletonScope();
  });
