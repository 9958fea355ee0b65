// The whole service in memory, for tests of this repository and of the services next door: a clock to turn, people who sign in, a directory to push, and an HTTP client.

import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { httpServer } from '#adapters/delivery/http/kit/server.ts';
import { newSigningKey } from '#adapters/identity/fake/sessions.ts';
import { FakeWorld } from '#adapters/identity/fake/world.ts';
import { MemoryJobs } from '#adapters/jobs/memory/memory-jobs.ts';
import { FakeClock } from '#adapters/system/fake-clock.ts';
import { silentLog } from '#adapters/system/pino-log.ts';
import { typeIds } from '#adapters/system/type-ids.ts';
import type { Log } from '#application/ports/system.ts';
import type { DatabaseConfig } from '#bootstrap/config.ts';
import { makeDemo } from '#bootstrap/demo.ts';
import { fakeIdentity } from '#bootstrap/fake-identity.ts';
import type { Secrets } from '#bootstrap/generated-secrets.ts';
import { openCallerCache } from '#bootstrap/open-caller-cache.ts';
import { type OpenPersistence, openPersistence } from '#bootstrap/open-persistence.ts';
import { assemble, type Service } from '#bootstrap/service.ts';
import { signInAs } from '#bootstrap/sign-in-as.ts';
import { type Client, httpClient } from '#bootstrap/testing/http-client.ts';
import { type TestDirectory, testDirectory } from '#bootstrap/testing/test-directory.ts';
import { isId, type OrganizationId } from '#domain/shared/ids.ts';

export type { Answer, Client } from '#bootstrap/testing/http-client.ts';
export type { TestDirectory } from '#bootstrap/testing/test-directory.ts';

export interface WorldOptions {
  /** Seconds for which a proven caller is trusted without asking again; 300 unless told, 0 asks every time. */
  readonly trustSeconds?: number;
  /** Secrets with which deliveries to `/webhooks/workos` are signed. */
  readonly workosWebhookSecrets?: readonly string[];
  /** Whose X-Forwarded-For is believed. */
  readonly trustedProxies?: readonly string[];
  /** In memory unless told. */
  readonly database?: DatabaseConfig;
  /** Instead of `database`: a store of one's own making, to look into it or to let it fail. */
  readonly persistence?: OpenPersistence;
  /** Where it shares its cache with other nodes. */
  readonly redis?: { readonly url: string; readonly prefix: string };
  readonly log?: Log;
  /** The provider takes connections from our API, not only by its set-up pages. */
  readonly makesConnections?: boolean;
}

/** Somebody with a browser: a client that carries their session cookies. */
export interface Person extends Client {
  readonly email: string;
  /** What the session cookie holds. */
  readonly reference: string;
  /** What the refresh cookie holds. */
  readonly refreshBox: string;
}

export interface World {
  /** Where the service listens, on loopback; also its public address. */
  readonly url: string;
  /** Stands still until it is turned. */
  readonly clock: { now(): Date; turn(seconds: number): void };
  /** The demo's organizations: Acme has single sign-on and a directory, Globex has neither; Carla is in both. */
  readonly acme: OrganizationId;
  readonly globex: OrganizationId;
  /** A key of Acme's agent with the agent bundle. */
  readonly apiKey: string;
  /** Acme's directory, as its IT department works it. Each act settles when all that follows from it has happened. */
  readonly directory: TestDirectory;
  /** Connects a further directory, empty, to one of the organizations. */
  connectDirectory(organization: OrganizationId, name?: string): Promise<TestDirectory>;
  /** Nobody: a client without credentials. */
  readonly anonymous: Client;
  /** Signs somebody in through the fake provider: `olivia.owner@acme.test`, `dora.developer@acme.test`, or anybody new. */
  signIn(
    email: string,
    wish?: { readonly method?: 'sso' | 'password'; readonly remember?: boolean; readonly organization?: string },
  ): Promise<Person>;
  /** A client that sends this API key. */
  agent(apiKey: string): Client;
  /** A client that sends these headers. */
  withHeaders(headers: Readonly<Record<string, string>>): Client;
  /** Waits until every event is delivered and applied, every effect carried out and every use written down, as far as the clock allows. */
  settle(): Promise<void>;
  /** The provider stops answering, for that many seconds of the clock; `none` ends it. */
  outage(mode: 'down' | 'slow' | '429' | 'none', seconds?: number): Promise<void>;
  /** The fake provider itself, for what the words above do not cover. */
  readonly provider: FakeWorld;
  readonly service: Service;
  /** Rests; `tick` runs what the clock says is due: schedules, and jobs that were enqueued (`settle` runs those too). */
  readonly jobs: Pick<MemoryJobs, 'tick'>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Of every world, so that nodes of one world read each other's boxes and keys. */
export const testSecrets: Secrets = {
  session: ['a secret of the test world, long enough'],
  pepper: ['a pepper of the test world, long enough'],
};

// One key for all worlds of a process: making it takes a noticeable part of a second.
let signingKey: ReturnType<typeof newSigningKey> | undefined;

/** Boots the whole application in this process, seeded with the demo. Close it, or use `await using`. */
export const createWorld = async (options: WorldOptions = {}): Promise<World> => {
  signingKey ??= newSigningKey();
  const clock = new FakeClock();
  let listener: RequestListener | undefined;
  const server = httpServer((request, response) => listener?.(request, response), typeIds);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const persistence = options.persistence ?? (await openPersistence(options.database ?? { kind: 'memory' }));
  const jobs = new MemoryJobs({ clock, log: options.log ?? silentLog });
  const provider = await FakeWorld.open({ publicUrl: url, clock, signingKey: await signingKey, sleep: async () => {} });
  const log = options.log ?? silentLog;
  const callers = await openCallerCache({
    channel: persistence.channel,
    redisUrl: options.redis?.url,
    prefix: options.redis?.prefix,
    // Machines that run tests are busy.
    redisPatience: 3_000,
    sessionSecrets: testSecrets.session,
    clock,
    log,
  });
  const service = assemble({
    publicUrl: url,
    trustSeconds: options.trustSeconds ?? 300,
    trustedProxies: options.trustedProxies ?? [],
    workosWebhookSecrets: options.workosWebhookSecrets ?? [],
    secrets: testSecrets,
    clock,
    log,
    persistence,
    callerCache: callers.cache,
    jobs,
    ...fakeIdentity(provider, undefined, { makesConnections: options.makesConnections ?? false }),
    strict: true,
    checks: { database: persistence.check },
  });
  listener = service.listener;
  await jobs.start(service.jobList, { work: true });
  const demo = await makeDemo(service, provider);

  const settle = async (): Promise<void> => {
    await provider.releaseDue();
    let said: number;
    // What is carried out may make the provider speak again, so: until it has nothing more to say.
    do {
      said = provider.log().length;
      await service.outbox.drain();
      await provider.settled();
      await service.inbox.drain();
      await service.outbox.drain();
      await jobs.drain();
    } while (provider.log().length > said);
    await service.activity.flush();
  };
  const client = (headers: Readonly<Record<string, string>>): Client => httpClient(url, headers);
  const directory = provider.directories.all()[0];
  if (!directory) throw new Error('the demo has no directory');

  const close = async (): Promise<void> => {
    provider.deliverTo(undefined);
    await settle();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await callers.close();
    await persistence.close();
  };
  return {
    url,
    clock,
    acme: demo.acme,
    globex: demo.globex,
    apiKey: demo.apiKey,
    directory: testDirectory(provider, directory.id, settle),
    async connectDirectory(organization, name) {
      const ref = provider.organizations.byExternalId(organization)?.ref;
      if (!ref) throw new Error(`the provider does not know ${organization}`);
      const connected = await provider.directories.connect(ref, { name });
      await settle();
      return testDirectory(provider, connected.now.id, settle);
    },
    anonymous: client({}),
    async signIn(email, wish = {}) {
      const organizationId =
        wish.organization !== undefined && isId('org', wish.organization) ? wish.organization : undefined;
      const source = { via: 'http', ip: '127.0.0.1', userAgent: 'test world', requestId: null } as const;
      const signedIn = await signInAs(service.useCases, provider, { email, ...wish, organizationId }, source);
      const { reference, refreshBox } = signedIn;
      const cookie = `hd_session=${reference}; hd_refresh=${refreshBox}`;
      return { email, reference, refreshBox, ...client({ cookie, origin: url }) };
    },
    agent: (apiKey) => client({ authorization: `ApiKey ${apiKey}` }),
    withHeaders: client,
    settle,
    outage: (mode, seconds = 3600) => provider.setOutage(mode, seconds),
    provider,
    service,
    jobs,
    close,
    [Symbol.asyncDispose]: close,
  };
};
