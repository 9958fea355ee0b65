// A deployment to be harmed: real processes on one PostgreSQL and a WorkOS of our own, people who come in, and what must hold whatever happens.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { expect } from 'vitest';
import { boundMilliseconds } from '#adapters/cache/shared/trust.ts';
import { systemClock } from '#adapters/system/system-clock.ts';
import { type Client, httpClient } from '#bootstrap/testing/http-client.ts';
import { freePort } from '../../deploy/free-port.ts';
import { issueKey } from '../journeys/words.ts';
import { type ServiceProcess, serviceProcess } from '../support/service-process.ts';
import { WorkosBrowser } from '../support/workos-service.ts';
import { Dashboard, type DirectoryAtWork } from '../support/workos-stub/dashboard.ts';
import type { StubEvent } from '../support/workos-stub/stub-events.ts';
import { startWorkosStub, type WorkosStub } from '../support/workos-stub/workos-stub.ts';

/** How much: FAULTS_ROUNDS=10 is ten times as much of everything. */
export const rounds = Number(process.env['FAULTS_ROUNDS'] ?? 1);

/** How long anything may take to become true, in milliseconds: machines that run tests are busy. */
const patience = 60_000 * rounds;

export const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
  for (const began = Date.now(); !(await holds().catch(() => false)); await sleep(50)) {
    if (Date.now() - began > patience) throw new Error(`it never came to be: ${what}`);
  }
};

export interface LogLine {
  readonly level: string;
  readonly msg: string;
}

/** What a process has told its operator, requests left out. */
export const linesOf = ({ said }: Pick<ServiceProcess, 'said'>): readonly LogLine[] =>
  said()
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as LogLine)
    .filter(({ msg }) => msg !== 'request');

/** How often a process said each of its warnings and errors since it had said so many lines. */
export const complaintsOf = (process: Pick<ServiceProcess, 'said'>, since = 0): Readonly<Record<string, number>> => {
  const complaints = linesOf(process)
    .slice(since)
    .filter(({ level }) => level === 'warn' || level === 'error');
  return Object.fromEntries([...Map.groupBy(complaints, ({ msg }) => msg)].map(([msg, { length }]) => [msg, length]));
};

export interface Stage {
  readonly stub: WorkosStub;
  readonly dashboard: Dashboard;
  readonly organization: string;
  readonly directory: DirectoryAtWork;
  readonly nodes: ServiceProcess[];
  /** Every event of the directory that a process has answered with 2xx. */
  readonly accepted: StubEvent[];
  /** One more process of the deployment. */
  start(role: 'serve' | 'work' | 'both'): Promise<ServiceProcess>;
  /** The owner of the organization, at one of the processes. */
  ownerAt(node: { readonly url: string }): Client;
  /** Takes the event out of the provider's list: a delivery is all that tells it, so one that was accepted and lost stays lost. */
  onlyDelivered(event: StubEvent): StubEvent;
  /** What the provider told and nobody has delivered yet is delivered, and applied. */
  settle(): Promise<void>;
  query<R extends object>(sql: string): Promise<readonly R[]>;
  close(): Promise<void>;
}

/**
 * Two processes and a company with a directory, founded through them.
 * @param nodes what each process does; the first one must answer requests
 */
export const staged = async (
  databaseUrl: string,
  nodes: readonly ('serve' | 'work' | 'both')[],
  env: Readonly<Record<string, string>> = {},
): Promise<Stage> => {
  const folder = await mkdtemp(join(tmpdir(), 'identity-staged-'));
  const stub = await startWorkosStub(systemClock);
  const dashboard = new Dashboard(stub, () => new Date());
  const port = await freePort();
  const publicUrl = `http://127.0.0.1:${port}`;
  const running: ServiceProcess[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(running.map((one) => one.kill()));
    stub.mend();
    await stub.close();
    await rm(folder, { recursive: true, force: true });
  };
  const start = async (role: 'serve' | 'work' | 'both'): Promise<ServiceProcess> => {
    const process = await serviceProcess({
      ROLE: role,
      LOG_LEVEL: 'info',
      PUBLIC_URL: publicUrl,
      PORT: String(running.length === 0 ? port : await freePort()),
      DATABASE_URL: databaseUrl,
      DATA_DIR: folder,
      IDENTITY_PROVIDER: 'workos',
      WORKOS_API_KEY: stub.apiKey,
      WORKOS_CLIENT_ID: stub.clientId,
      WORKOS_API_URL: stub.url,
      WORKOS_ISSUERS: stub.issuer,
      WORKOS_WEBHOOK_SECRETS: stub.events.webhookSecret,
      SESSION_SECRETS: 'a session secret of all nodes of the test',
      API_KEY_PEPPERS: 'a pepper that all nodes of the test share',
      ...env,
    });
    running.push(process);
    return process;
  };
  try {
    for (const role of nodes) await start(role);
    const first = running[0] as ServiceProcess;
    const owner = new WorkosBrowser({ url: publicUrl, anonymous: httpClient(first.url, {}) });
    dashboard.user('olivia@acme.test');
    await owner.enter('olivia@acme.test');
    const founded = await owner.post('/v1/organizations', { name: 'Acme', domains: ['acme.test'] });
    const organization: string = founded.body.id;
    const atWorkos = () => stub.organizations.organizations.find(({ externalId }) => externalId === organization);
    await until('the organization is registered at WorkOS', async () => atWorkos() !== undefined);
    const directory = dashboard.connectDirectory(atWorkos()?.id ?? '');
    const cookie = [...owner.cookies()].map(([name, value]) => `${name}=${value}`).join('; ');

    const query = async <R extends object>(sql: string): Promise<readonly R[]> => {
      const client = new pg.Client(databaseUrl);
      try {
        await client.connect();
        return (await client.query(sql)).rows;
      } finally {
        await client.end();
      }
    };
    const settle = async (): Promise<void> => {
      for (const event of stub.events.entries) await delivered(stub, event, () => first);
      await until('everything is applied', async () => (await query(notSettled)).length === 0);
    };
    await settle();
    return {
      stub,
      dashboard,
      organization,
      directory,
      nodes: running,
      accepted: [],
      start,
      ownerAt: ({ url }) => httpClient(url, { cookie, origin: publicUrl }),
      onlyDelivered(event) {
        stub.events.entries.splice(stub.events.entries.indexOf(event), 1);
        return event;
      },
      settle,
      query,
      close,
    };
  } catch (fault) {
    const said = running.map((one) => one.said()).join('\n');
    await close();
    throw new Error(`the stage could not be set:\n${said}`, { cause: fault });
  }
};

const notSettled = `select external_id, name, status, note from inbox where status in ('stored', 'waiting')`;

/** What a deliverer heard, by status; 0 is no answer. */
export type Heard = Map<number, number>;

const once = async (stub: WorkosStub, event: StubEvent, { url }: ServiceProcess): Promise<number> => {
  const { body, signature = '' } = stub.events.deliveryOf(event);
  return fetch(`${url}/webhooks/workos`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'workos-signature': signature },
    body: Buffer.from(body),
    signal: AbortSignal.timeout(20_000),
  }).then(
    async (answer) => {
      await answer.arrayBuffer();
      return answer.status;
    },
    () => 0,
  );
};

/** Sends until it was accepted, as WorkOS does, only sooner. */
export const delivered = async (
  stub: WorkosStub,
  event: StubEvent,
  node: () => ServiceProcess,
  heard: Heard = new Map(),
): Promise<void> => {
  for (;;) {
    const status = await once(stub, event, node());
    heard.set(status, (heard.get(status) ?? 0) + 1);
    if (status >= 200 && status < 300) return;
    await sleep(20 + Math.random() * 200);
  }
};

interface Key {
  readonly id: string;
  readonly secret: string;
  /** When its revocation was answered with 2xx; while nobody knows, `unsure`. */
  revoked: number | 'unsure' | undefined;
}

export interface Traffic {
  /** Of callers who may come in: how often each status came; 0 is no answer. */
  readonly live: Heard;
  /** Of deliveries. */
  readonly webhooks: Heard;
  /** Callers who were answered 200 although they had been revoked for longer than the bound. */
  readonly comebacks: string[];
  /** Lets it come to its end. Resolves when every event was accepted. */
  stop(): Promise<void>;
}

/**
 * People are hired and renamed, agents ask who they are, and one after another of them is revoked, all at once, until stopped.
 * @param people how many are hired
 */
export const traffic = async (stage: Stage, people = 20 * rounds): Promise<Traffic> => {
  const { stub, directory, organization, nodes } = stage;
  const any = (): ServiceProcess => nodes[Math.floor(Math.random() * nodes.length)] as ServiceProcess;
  const [first] = nodes as [ServiceProcess];
  const keys: Key[] = [];
  for (let made = 0; made < 6; made += 1) {
    const { id, secret } = await issueKey(stage.ownerAt(first), organization);
    keys.push({ id, secret, revoked: undefined });
  }
  const live: Heard = new Map();
  const webhooks: Heard = new Map();
  const comebacks: string[] = [];
  let isOver = false;

  const ask = async (): Promise<void> => {
    while (!isOver) {
      const key = keys[Math.floor(Math.random() * keys.length)] as Key;
      const wasRevoked = key.revoked;
      const began = performance.now();
      const { status } = await httpClient(any().url, { authorization: `ApiKey ${key.secret}` })
        .get('/v1/whoami')
        .catch(() => ({ status: 0 }));
      if (key.revoked === undefined) live.set(status, (live.get(status) ?? 0) + 1);
      if (status === 200 && typeof wasRevoked === 'number' && began > wasRevoked + boundMilliseconds)
        comebacks.push(`${key.id}, ${Math.round(began - wasRevoked)} ms after its revocation`);
      await sleep(5);
    }
  };
  const revoke = async (): Promise<void> => {
    // The last two live on.
    for (const key of keys.slice(0, -2)) {
      await sleep(500 + Math.random() * 500);
      if (isOver) return;
      key.revoked = 'unsure';
      while (key.revoked === 'unsure') {
        const answer = await stage
          .ownerAt(any())
          .delete(`/v1/organizations/${organization}/api-keys/${key.id}`)
          .catch(() => undefined);
        if (answer && answer.status < 300) key.revoked = performance.now();
        else await sleep(50);
      }
    }
  };
  const rest = Array.from({ length: people }, (_, number) => `person-${number}-${Date.now()}@acme.test`).values();
  const deliver = async (): Promise<void> => {
    for (const email of rest) {
      const story = [directory.hire(email), directory.change(email, { first_name: 'Renamed' })];
      for (const event of story.map(stage.onlyDelivered)) {
        await delivered(stub, event, any, webhooks);
        stage.accepted.push(event);
      }
      // Spread over the fault, and what comes after it.
      if (!isOver) await sleep(Math.random() * 300);
    }
  };
  const all = [ask(), ask(), revoke(), deliver(), deliver()];
  return {
    live,
    webhooks,
    comebacks,
    async stop() {
      isOver = true;
      await Promise.all(all);
    },
  };
};

/**
 * What must be true whatever happened: every event that was accepted is applied, once; nobody came back; whoever may come in was never
 * taken for a stranger; nobody was answered 500; the trail is whole.
 */
export const expectIntact = async (stage: Stage, { live, webhooks, comebacks }: Traffic): Promise<void> => {
  const { accepted } = stage;
  await until('everything is applied', async () => (await stage.query(notSettled)).length === 0);
  const rows = await stage.query<{ external_id: string; status: string }>('select external_id, status from inbox');
  const applied = rows.filter(({ status }) => status === 'applied').map(({ external_id }) => external_id);
  expect(applied).toEqual(expect.arrayContaining(accepted.map(({ id }) => id)));
  expect(rows.filter(({ status }) => status === 'dead')).toEqual([]);
  const provisioned = await stage.query<{ n: string; lines: string }>(
    `select count(distinct target_id) as n, count(*) as lines from audit_entries where action = 'directory_user.provisioned'`,
  );
  const hired = String(accepted.filter(({ event }) => event === 'dsync.user.created').length);
  expect(provisioned).toEqual([{ n: hired, lines: hired }]);
  const names = await stage.query<{ name: string }>('select distinct name from directory_users');
  expect(names).toEqual([{ name: 'Renamed Lovelace' }]);
  const twice = await stage.query(
    `select request_id, action, target_id from audit_entries where request_id is not null group by 1, 2, 3 having count(*) > 1`,
  );
  expect(twice).toEqual([]);
  expect(comebacks).toEqual([]);
  // 0: nobody was there to answer, or it took too long.
  expect([...live.keys()].filter((status) => ![0, 200, 503].includes(status))).toEqual([]);
  expect([...webhooks.keys()].filter((status) => ![0, 200, 503].includes(status))).toEqual([]);
  const [first] = stage.nodes as [ServiceProcess];
  const verdict = await stage.ownerAt(first).get(`/v1/organizations/${stage.organization}/audit/verify`);
  expect(verdict.body).toMatchObject({ whole: true, first_broken: null });
};

/** What a process says of itself. */
export const readiness = async ({ url }: { readonly url: string }): Promise<{ status: number; checks: object }> => {
  const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(10_000) });
  const { checks } = (await answer.json()) as { checks: object };
  return { status: answer.status, checks };
};

export const ready = { status: 200, checks: { database: 'up', accepting: 'up' } };
export const databaseDown = { status: 503, checks: { database: 'down', accepting: 'up' } };

/**
 * An operator reads of a fault when it began and that it is over, of each part that noticed, and not thousands of lines.
 * @param times how often it happened
 */
export const expectFewWords = async (
  process: Pick<ServiceProcess, 'said'>,
  since: number | undefined,
  times = 1,
): Promise<void> => {
  const news = linesOf(process).slice(since);
  const counted = complaintsOf(process, since);
  // A part may notice one fault in two shapes: a server that goes, and one that has gone.
  for (const [complaint, count] of Object.entries(counted)) {
    if (!complaint.startsWith('event could not be applied')) expect(count, complaint).toBeLessThanOrEqual(3 * times);
  }
  expect(news.length, JSON.stringify(counted)).toBeLessThan(40 * times);
};
