// Processes killed at any moment, on one PostgreSQL: every event that was accepted is applied once, and only once, in its order.

import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openPostgres } from '#adapters/persistence/postgres/open-database.ts';
import type { AuditEntry } from '#domain/audit/audit-entry.ts';
import { type ChainHead, emptyChain, follows } from '#domain/audit/hash-chain.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';
import { countingIds } from '../contracts/store-words.ts';
import { testDatabase, withPostgres } from '../support/postgres.ts';
import { type ServiceProcess, serviceProcess } from '../support/service-process.ts';
import * as wire from '../support/workos-payloads.ts';

/** More rounds, more people: FAULTS_ROUNDS=25 is some five thousand deliveries. */
const rounds = Number(process.env['FAULTS_ROUNDS'] ?? 1);
vi.setConfig({ testTimeout: 180_000 * rounds, hookTimeout: 120_000 });

const secret = 'a webhook secret of the faults';
const organizations = ['org_A', 'org_B', 'org_C'] as const;
const people = 33 * rounds;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const between = (least: number, most: number): number => least + Math.random() * (most - least);

interface Told {
  readonly id: string;
  readonly event: wire.Wire;
}

/** What the provider has to tell: the organizations and their directories, then each person, hired and renamed. */
const founding = (): readonly Told[] =>
  organizations.flatMap((organization) => [
    told(
      'organization.created',
      wire.organization({ id: organization, name: organization, domains: [], external_id: null }),
    ),
    told('dsync.activated', wire.directory({ id: `directory_${organization}`, organization_id: organization })),
  ]);
const hirings = (): readonly Told[] =>
  Array.from({ length: people }, (_, number) => number).flatMap((number) => {
    const organization = organizations[number % organizations.length] ?? 'org_A';
    const person = (minute: number, facts: wire.Wire) => {
      const at = new Date(Date.UTC(2026, 1, 2, 9, minute));
      const record = wire.directoryUser({
        id: `directory_user_${number}`,
        directory_id: `directory_${organization}`,
        organization_id: organization,
        idp_id: `idp-${number}`,
        email: `person-${number}@faults.test`,
        updated_at: at.toISOString(),
        created_at: new Date(Date.UTC(2026, 1, 2, 9)).toISOString(),
        ...facts,
      });
      return [record, { at }] as const;
    };
    return [
      told('dsync.user.created', ...person(1, { first_name: 'New' })),
      told('dsync.user.updated', ...person(2, { first_name: 'Old' })),
    ];
  });
const told = (name: string, data: wire.Wire, more: { at?: Date } = {}): Told => {
  const event = wire.event(name, data, more);
  return { id: String(event['id']), event };
};

const shuffled = <T>(all: readonly T[]): T[] =>
  all
    .map((one) => ({ one, at: Math.random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ one }) => one);

await withPostgres('processes that are killed', () => {
  let folder: string;
  let database: NonNullable<Awaited<ReturnType<typeof testDatabase>>>;
  let client: pg.Client;
  let running: ServiceProcess[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'identity-faults-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    const made = await testDatabase();
    if (!made) throw new Error('the server has gone');
    database = made;
    client = new pg.Client(database.url);
    await client.connect();
  });
  afterEach(async () => {
    await Promise.all(running.map((one) => one.kill()));
    running = [];
    await client.end();
    await database.drop();
  });

  const start = async (role: 'serve' | 'work' | 'both'): Promise<ServiceProcess> => {
    const started = await serviceProcess({
      ROLE: role,
      DATABASE_URL: database.url,
      DATA_DIR: folder,
      IDENTITY_PROVIDER: 'workos',
      WORKOS_API_KEY: 'sk_test_of_the_faults',
      WORKOS_CLIENT_ID: 'client_of_the_faults',
      // Nobody answers there: the feed and the outbox wait, the webhooks are all that is heard.
      WORKOS_API_URL: 'http://127.0.0.1:9',
      WORKOS_WEBHOOK_SECRETS: secret,
      SESSION_SECRETS: 'a session secret of all nodes of the test',
      API_KEY_PEPPERS: 'a pepper that all nodes of the test share',
    });
    running.push(started);
    return started;
  };
  const rows = async <R extends object>(sql: string): Promise<R[]> => (await client.query(sql)).rows;
  const count = async (where: string): Promise<number> =>
    Number((await rows<{ n: string }>(`select count(*) as n from inbox where ${where}`))[0]?.n);

  /** Sends until it was accepted, as WorkOS does, only sooner; answers how often it was sent. */
  const deliver = async ({ event }: Told, node: () => ServiceProcess): Promise<number> => {
    for (let sent = 1; ; sent += 1) {
      const { body, signature } = await wire.signed(event, secret, new Date());
      const answer = await fetch(`${node().url}/webhooks/workos`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'workos-signature': signature },
        body: Buffer.from(body),
        signal: AbortSignal.timeout(5000),
      }).catch(() => undefined);
      if (answer?.ok) return sent;
      await sleep(between(20, 200));
    }
  };
  const deliverAll = async (all: readonly Told[], node: () => ServiceProcess, atOnce = 4): Promise<number> => {
    const rest = all.values();
    let sent = 0;
    const sender = async (): Promise<void> => {
      for (const one of rest) {
        const tries = await deliver(one, node);
        sent += tries;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, sender));
    return sent;
  };
  const until = async (holds: () => Promise<boolean>): Promise<void> => {
    for (const began = Date.now(); !(await holds()); await sleep(50)) {
      if (Date.now() - began > 120_000 * rounds) throw new Error('it never came to be');
    }
  };

  /** What must be true in the end, whatever was killed when. */
  const expectAllOnce = async (events: readonly Told[]): Promise<void> => {
    const heard = await rows<{ external_id: string; status: string; note: string | null }>(
      'select external_id, status, note from inbox',
    );
    expect(heard.map(({ external_id }) => external_id).toSorted()).toEqual(events.map(({ id }) => id).toSorted());
    expect(heard.filter(({ status }) => status !== 'applied')).toEqual([]);
    // Everybody is there, once, under the newest name, told in the trail once.
    const known = await rows<{ name: string }>('select name from directory_users');
    expect(known.map(({ name }) => name)).toEqual(Array.from({ length: people }, () => 'Old Lovelace'));
    const [members] = await rows<{ n: string }>(`select count(*) as n from memberships where status = 'active'`);
    expect(Number(members?.n)).toBe(people);
    const provisioned = await rows<{ target_id: string }>(
      `select target_id from audit_entries where action = 'directory_user.provisioned'`,
    );
    expect(new Set(provisioned.map(({ target_id }) => target_id)).size).toBe(people);
    expect(provisioned).toHaveLength(people);
    // No event left two marks: each line names the event that it came from, and none of them twice for one thing.
    const twice = await rows(
      `select request_id, action, target_id from audit_entries where request_id is not null
      group by 1, 2, 3 having count(*) > 1`,
    );
    expect(twice).toEqual([]);
    await expectWholeTrails();
  };
  const expectWholeTrails = async (): Promise<void> => {
    const reader = await openPostgres({ url: database.url, ids: countingIds });
    for (const { id } of await rows<{ id: OrganizationId }>('select id from organizations')) {
      const trail: AuditEntry[] = [];
      for await (const batch of reader.readModels.auditTrail(id)) trail.push(...batch);
      const head = trail.reduce<ChainHead | undefined>((at, entry) => at && follows(at, entry, sha256), emptyChain);
      expect(head?.sequence).toBe(trail.length);
    }
    await reader.close();
  };

  describe('a worker', () => {
    it('that is killed in the middle of its work, again and again, loses nothing and does nothing twice', async () => {
      const server = await start('serve');
      const events = [...founding(), ...hirings()];
      await deliverAll(shuffled(events), () => server);
      await sleep(700);
      expect(await count(`status <> 'stored'`)).toBe(0);
      for (let kills = 0; kills < 3 * rounds; kills += 1) {
        const worker = await start('work');
        const before = await count(`status = 'applied'`);
        const goal = before + between(1, events.length / (4 * rounds));
        await until(async () => (await count(`status = 'applied'`)) >= Math.min(goal, events.length));
        await worker.kill();
      }
      await start('work');
      await until(async () => (await count(`status = 'applied'`)) === events.length);
      await expectAllOnce(events);
    });

    it('that is asked to stop finishes what is in hand, soon, and leaves the rest', async () => {
      const server = await start('serve');
      const events = [...founding(), ...hirings()];
      await deliverAll(events, () => server);
      const worker = await start('work');
      await until(async () => (await count(`status = 'applied'`)) > 0);
      const { code, milliseconds } = await worker.stop();
      expect(code).toBe(0);
      expect(milliseconds).toBeLessThan(15_000);
      await start('work');
      await until(async () => (await count(`status = 'applied'`)) === events.length);
      await expectAllOnce(events);
    });
  });

  describe('two nodes', () => {
    it('share the work, and what is accepted while either is killed at any moment is applied once', async () => {
      const nodes = [await start('both'), await start('both')];
      const alive = (): ServiceProcess => nodes[Math.floor(Math.random() * nodes.length)] as ServiceProcess;
      await deliverAll(founding(), alive);
      const events = hirings();
      let isOver = false;
      let kills = 0;
      const killer = async (): Promise<void> => {
        while (!isOver) {
          await sleep(between(300, 1500));
          const which = Math.floor(Math.random() * nodes.length);
          await nodes[which]?.kill();
          kills += 1;
          nodes[which] = await start('both');
        }
      };
      const killing = killer();
      // Each event comes twice: a provider that got no answer sends it again, and one that got one may too.
      const sent = await deliverAll(shuffled([...events, ...events]), alive);
      isOver = true;
      await killing;
      expect(kills).toBeGreaterThan(0);
      expect(sent).toBeGreaterThanOrEqual(2 * events.length);
      const total = events.length + founding().length;
      await until(async () => (await count(`status = 'applied'`)) === total);
      const heard = await rows<{ external_id: string }>(
        `select external_id from inbox where name not like 'dsync.user.%'`,
      );
      await expectAllOnce([...events, ...heard.map(({ external_id }) => ({ id: external_id, event: {} }))]);
    });
  });
});
