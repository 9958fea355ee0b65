// Another node of a world: its own process in all but name, on the same database, behind its own port.

import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { httpServer } from '#adapters/delivery/http/kit/server.ts';
import { silentLog } from '#adapters/system/pino-log.ts';
import { typeIds } from '#adapters/system/type-ids.ts';
import type { DatabaseConfig } from '#bootstrap/config.ts';
import { fakeIdentity } from '#bootstrap/fake-identity.ts';
import { openCallerCache } from '#bootstrap/open-caller-cache.ts';
import { openPersistence } from '#bootstrap/open-persistence.ts';
import { assemble, type Service } from '#bootstrap/service.ts';
import { type Client, httpClient } from '#bootstrap/testing/http-client.ts';
import { testSecrets, type World, type WorldOptions } from '#bootstrap/testing.ts';

export interface SecondNode extends AsyncDisposable {
  readonly service: Service;
  /** A client that sends these headers to this node. */
  withHeaders(headers: Readonly<Record<string, string>>): Client;
  /** The browser of somebody who signed in through the other node. */
  browserOf(person: { readonly reference: string; readonly refreshBox: string }): Client;
}

export const secondNode = async (
  world: World,
  { database, redis }: { readonly database: DatabaseConfig } & Pick<WorldOptions, 'redis'>,
): Promise<SecondNode> => {
  let listener: RequestListener | undefined;
  const server = httpServer((request, response) => listener?.(request, response), typeIds);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const persistence = await openPersistence(database);
  const callers = await openCallerCache({
    channel: persistence.channel,
    redisUrl: redis?.url,
    prefix: redis?.prefix,
    sessionSecrets: testSecrets.session,
    redisPatience: 3_000,
    clock: world.clock,
    log: silentLog,
  });
  const service = assemble({
    publicUrl: world.url,
    trustSeconds: 300,
    trustedProxies: [],
    workosWebhookSecrets: [],
    secrets: testSecrets,
    clock: world.clock,
    log: silentLog,
    persistence,
    callerCache: callers.cache,
    ...fakeIdentity(world.provider),
    strict: true,
    checks: { database: persistence.check },
  });
  listener = service.listener;
  const withHeaders = (headers: Readonly<Record<string, string>>): Client => httpClient(url, headers);
  return {
    service,
    withHeaders,
    browserOf: ({ reference, refreshBox }) =>
      withHeaders({ cookie: `hd_session=${reference}; hd_refresh=${refreshBox}`, origin: world.url }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await callers.close();
      await persistence.close();
    },
  };
};
