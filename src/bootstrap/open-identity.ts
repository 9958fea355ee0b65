// Opens the configured identity provider. A new one is one more branch here, and a folder in adapters/identity.

import { join } from 'node:path';
import { linkedFakePages, linkedFakeProvider } from '#adapters/identity/fake/link/guest.ts';
import { FakeWorld } from '#adapters/identity/fake/world.ts';
import { workosIdentityProvider } from '#adapters/identity/workos/workos-identity-provider.ts';
import { systemClock } from '#adapters/system/system-clock.ts';
import type { Log } from '#application/ports/system.ts';
import type { Config } from '#bootstrap/config.ts';
import { fakeIdentity, fakePages } from '#bootstrap/fake-identity.ts';
import type { Secrets } from '#bootstrap/generated-secrets.ts';
import type { ServiceParts } from '#bootstrap/service.ts';

export interface OpenIdentity extends Pick<ServiceParts, 'provider' | 'pages'> {
  /** The fake's world, where it is the provider: it wants a demo, and somebody who carries its deliveries. */
  readonly world?: FakeWorld;
}

export const openIdentity = async (config: Config, secrets: Secrets, log: Log): Promise<OpenIdentity> => {
  const { provider, publicUrl } = config;
  switch (provider.kind) {
    case 'fake': {
      if (provider.url !== undefined) {
        const link = { url: provider.url, secret: secrets.session[0], publicUrl };
        return { provider: await linkedFakeProvider(link), pages: fakePages(linkedFakePages(link)) };
      }
      const file = config.database.kind === 'memory' ? undefined : join(config.dataDir, 'fake-idp.json');
      const world = await FakeWorld.open({ publicUrl, clock: systemClock, file });
      return { ...fakeIdentity(world, secrets.session[0]), world };
    }
    case 'workos': {
      const { kind: _, ...account } = provider;
      const workos = { ...account, webhookSecrets: config.workosWebhookSecrets, clock: systemClock, log };
      return { provider: await workosIdentityProvider(workos) };
    }
  }
};
