// The whole service on WorkOS: the real SDK over a stub of WorkOS' API, its webhooks delivered by HTTP, a browser, and a clock to turn.

import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { httpServer } from '#adapters/delivery/http/kit/server.ts';
import { workosIdentityProvider } from '#adapters/identity/workos/workos-identity-provider.ts';
import { MemoryJobs } from '#adapters/jobs/memory/memory-jobs.ts';
import { FakeClock } from '#adapters/system/fake-clock.ts';
import { silentLog } from '#adapters/system/pino-log.ts';
import { typeIds } from '#adapters/system/type-ids.ts';
import { openPersistence } from '#bootstrap/open-persistence.ts';
import { assemble, type Service } from '#bootstrap/service.ts';
import { type Answer, type Client, httpClient } from '#bootstrap/testing/http-client.ts';
import { Browser, location } from '../journeys/browser.ts';
import { Dashboard } from './workos-stub/dashboard.ts';
import type { StubEvent } from './workos-stub/stub-events.ts';
import { startWorkosStub, type WorkosStub } from './workos-stub/workos-stub.ts';

export interface WorkosServiceOptions {
  /** Seconds for which a proven session is trusted; 300 unless told. */
  readonly trustSeconds?: number;
}

export interface WorkosService {
  /** Where the service listens; also its public address. */
  readonly url: string;
  readonly clock: FakeClock;
  readonly stub: WorkosStub;
  /** What people do in WorkOS' dashboard, at the customer's directory, or at WorkOS itself. */
  readonly dashboard: Dashboard;
  readonly service: Service;
  /** `tick` runs what the clock says is due; `settle` runs what was asked for. */
  readonly jobs: Pick<MemoryJobs, 'tick'>;
  /** Another node over the same database, with a cache and a connection to WorkOS of its own; it does not listen. */
  anotherNode(): Promise<Service>;
  readonly anonymous: Client;
  /** A client that sends this access token. */
  bearing(token: string): Client;
  /** A client that sends this API key. */
  agent(apiKey: string): Client;
  browser(): WorkosBrowser;
  /** A browser in which this person has signed in. @throws Error when they were not let in */
  signIn(email: string, query?: string): Promise<WorkosBrowser>;
  /** Until every event is delivered and applied and every effect carried out, as far as the clock allows. */
  settle(): Promise<void>;
  /** How many effects are still to be carried out, also those that wait for their next try. */
  owed(): Promise<number>;
  /** One delivery by HTTP, as WorkOS makes it; answers our status. */
  deliver(event: StubEvent): Promise<number>;
  /** While the endpoint is down, deliveries are lost: WorkOS gives up on each. */
  endpointIsDown(down: boolean): void;
  /** The requests that WorkOS got since the last look, as "METHOD path". */
  asked(): readonly string[];
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A browser that knows the way over WorkOS' hosted page. */
export class WorkosBrowser extends Browser {
  /** The person types their address at the hosted page; answers where WorkOS sends them back to. */
  async authorize(hostedPage: string, email: string): Promise<string> {
    const page = new URL(hostedPage);
    page.searchParams.set('login_hint', email);
    const answer = await fetch(page, { redirect: 'manual' });
    await answer.arrayBuffer();
    const back = answer.headers.get('location');
    if (back === null) throw new Error(`the hosted page answered ${answer.status}`);
    return back;
  }

  /** The whole way in; answers what the callback answered. */
  async enter(email: string, query = `?email=${encodeURIComponent(email)}`): Promise<Answer> {
    return this.get(await this.authorize(await this.begin(query), email));
  }

  /** Follows redirects within our own pages, and over WorkOS, until a page comes; answers it and the places passed. */
  async follow(path: string, email: string): Promise<{ readonly answer: Answer; readonly places: readonly string[] }> {
    const places: string[] = [];
    let next = path;
    for (let hop = 0; hop < 10; hop += 1) {
      const answer = await this.get(next);
      const to = answer.headers.get('location');
      if (to === null) return { answer, places };
      const isHosted = to.includes('/user_management/authorize');
      places.push(isHosted ? 'hosted page' : to.replace(/\?.*/, ''));
      next = isHosted ? await this.authorize(to, email) : to;
    }
    throw new Error(`round and round: ${places.join(' ')}`);
  }

  post(path: string, body: object): Promise<Answer> {
    return this.send('POST', path, body);
  }
  delete(path: string): Promise<Answer> {
    return this.send('DELETE', path);
  }
}

/** Closes itself: `await using`. */
export const workosService = async (options: WorkosServiceOptions = {}): Promise<WorkosService> => {
  const clock = new FakeClock();
  const stub = await startWorkosStub(clock);
  let listener: RequestListener | undefined;
  const server = httpServer((request, response) => listener?.(request, response), typeIds);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const persistence = await openPersistence({ kind: 'memory' });
  const webhookSecrets = [stub.events.webhookSecret];
  const jobs = new MemoryJobs({ clock, log: silentLog });
  const node = async (): Promise<Service> =>
    assemble({
      publicUrl: url,
      trustSeconds: options.trustSeconds ?? 300,
      trustedProxies: [],
      workosWebhookSecrets: webhookSecrets,
      secrets: {
        session: ['a secret of the test world, long enough'],
        pepper: ['a pepper of the test world, long enough'],
      },
      clock,
      log: silentLog,
      persistence,
      jobs,
      provider: await workosIdentityProvider({
        apiKey: stub.apiKey,
        clientId: stub.clientId,
        apiUrl: stub.url,
        issuers: [stub.issuer],
        webhookSecrets,
        clock,
        log: silentLog,
        pause: async () => {},
      }),
      strict: true,
      checks: { database: persistence.check },
    });
  const service = await node();
  listener = service.listener;
  await jobs.start(service.jobList, { work: true });

  const client = (headers: Readonly<Record<string, string>>): Client => httpClient(url, headers);
  const anonymous = client({});
  const told = new Set<string>();
  let isDown = false;

  const deliver = async (event: StubEvent): Promise<number> => {
    const { body, signature = '' } = stub.events.deliveryOf(event);
    const headers = { 'content-type': 'application/json', 'workos-signature': signature };
    return (await anonymous.send('POST', '/webhooks/workos', { body: new Uint8Array(body), headers })).status;
  };
  const deliverNews = async (): Promise<void> => {
    for (const event of stub.events.entries.filter(({ id }) => !told.has(id))) {
      told.add(event.id);
      if (isDown) continue;
      const status = await deliver(event);
      if (status !== 200) throw new Error(`the webhook answered ${status} to ${event.event}`);
    }
  };
  const settle = async (): Promise<void> => {
    let said: number;
    // What is carried out may make WorkOS speak again, so: until it has nothing more to say.
    do {
      said = stub.events.entries.length;
      await service.outbox.drain();
      await deliverNews();
      await service.inbox.drain();
      await service.outbox.drain();
      await jobs.drain();
    } while (stub.events.entries.length > said);
    await service.activity.flush();
  };
  const browser = (): WorkosBrowser => new WorkosBrowser({ url, anonymous });
  let looked = 0;

  const close = async (): Promise<void> => {
    stub.mend();
    await service.inbox.drain();
    await service.outbox.drain();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await persistence.close();
    await stub.close();
  };
  return {
    url,
    clock,
    stub,
    dashboard: new Dashboard(stub, () => clock.now()),
    service,
    jobs,
    anotherNode: node,
    anonymous,
    bearing: (token) => client({ authorization: `Bearer ${token}` }),
    agent: (apiKey) => client({ authorization: `ApiKey ${apiKey}` }),
    browser,
    async signIn(email, query) {
      const opened = browser();
      const landed = await opened.enter(email, query);
      location(landed);
      if (opened.cookie('hd_session') === undefined) throw new Error(`${email} was not let in`);
      return opened;
    },
    settle,
    async owed() {
      const inAYear = new Date(clock.now().getTime() + 365 * 24 * 3600 * 1000);
      return (await persistence.store.transact({ across: 'outbox' }, (tx) => tx.outbox.due(inAYear, 1000))).length;
    },
    deliver,
    endpointIsDown(down) {
      isDown = down;
    },
    asked() {
      const news = stub.requests.slice(looked).map(({ method, path }) => `${method} ${path}`);
      looked = stub.requests.length;
      return news;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
};
