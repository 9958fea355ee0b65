// Who vouches for people, and whose deliveries are read.

import { ContainerModule } from 'inversify';
import { workosDeliveries } from '#adapters/identity/workos/deliveries.ts';
import type { EventDeliveries, IdentityProvider } from '#application/ports/identity-provider.ts';
import { T } from '#bootstrap/tokens.ts';

/** The chosen provider's deliveries are read by itself; WorkOS' are read whoever is chosen, so that a change of provider loses no event. */
export const identityModule = (provider: IdentityProvider, workosWebhookSecrets: readonly string[]): ContainerModule =>
  new ContainerModule(({ bind }) => {
    bind(T.identityProvider).toConstantValue(provider);
    bind(T.deliveries)
      .toResolvedValue(
        (clock, log) =>
          new Map<string, EventDeliveries>([
            ['workos', workosDeliveries({ secrets: workosWebhookSecrets, clock, log })],
            [provider.name, provider.deliveries],
          ]),
        [T.clock, T.log],
      )
      .inSingletonScope();
  });
