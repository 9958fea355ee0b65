// From the environment to an identity provider: what is switched on there is on.

import { describe, expect, it } from 'vitest';
import { silentLog } from '#adapters/system/pino-log.ts';
import { readConfig } from '#bootstrap/config.ts';
import type { Secrets } from '#bootstrap/generated-secrets.ts';
import { openIdentity } from '#bootstrap/open-identity.ts';

const secrets: Secrets = {
  session: ['a secret of the test world, long enough'],
  pepper: ['a pepper, long enough as well'],
};
const workos = { IDENTITY_PROVIDER: 'workos', WORKOS_API_KEY: 'sk_test_any', WORKOS_CLIENT_ID: 'client_any' };

describe('connections of WorkOS', () => {
  it.each([
    [undefined, false],
    ['off', false],
    ['on', true],
  ] as const)('are made from here where WORKOS_CONNECTION_CREATION is %s: %s', async (word, isOn) => {
    const config = readConfig({ ...workos, WORKOS_CONNECTION_CREATION: word });
    const { provider } = await openIdentity(config, secrets, silentLog);
    expect(provider.sso?.createConnection !== undefined).toBe(isOn);
  });

  it('are not guessed from another word', () => {
    expect(() => readConfig({ ...workos, WORKOS_CONNECTION_CREATION: 'yes' })).toThrow('WORKOS_CONNECTION_CREATION');
  });
});
