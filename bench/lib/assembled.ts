// The whole service in this process, as `npm start` assembles it, on a database of the bench.

import { FakeWorld } from '../../src/adapters/identity/fake/world.ts';
import { pinoLog } from '../../src/adapters/system/pino-log.ts';
import { systemClock } from '../../src/adapters/system/system-clock.ts';
import type { IdentityProvider } from '../../src/application/ports/identity-provider.ts';
import type { Jobs } from '../../src/application/ports/jobs.ts';
import { fakeIdentity } from '../../src/bootstrap/fake-identity.ts';
import { type OpenPersistence, openPersistence } from '../../src/bootstrap/open-persistence.ts';
import { assemble, type Service } from '../../src/bootstrap/service.ts';
import { webhookSecret } from './events.ts';

const publicUrl = 'http://127.0.0.1:1';

export const persistenceAt = (url: string): Promise<OpenPersistence> =>
  openPersistence({ kind: 'postgres', url, migrationUrl: undefined, onlyApart: false });

/**
 * @param changed what of the provider is another than the fake one's
 * @param jobs where jobs are enqueued, if they are to be done
 */
export const assembled = async (
  persistence: OpenPersistence,
  changed: (fake: IdentityProvider) => IdentityProvider = (fake) => fake,
  jobs?: Jobs,
): Promise<Service> => {
  const { provider, pages } = fakeIdentity(await FakeWorld.open({ publicUrl, clock: systemClock }));
  return assemble({
    publicUrl,
    trustSeconds: 300,
    trustedProxies: [],
    workosWebhookSecrets: [webhookSecret],
    secrets: {
      session: ['a session secret of the bench, long enough'],
      pepper: ['a pepper of the bench, long enough'],
    },
    clock: systemClock,
    log: pinoLog('error'),
    persistence,
    jobs,
    provider: changed(provider),
    pages,
    strict: false,
    checks: {},
  });
};
