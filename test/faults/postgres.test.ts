// PostgreSQL crashed and recovered under load, and out of connections: callers hear 503 meanwhile, and everything goes on by itself.

import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { withOwnPostgres } from '../support/own-postgres.ts';
import type { ServiceProcess } from '../support/service-process.ts';
import {
  databaseDown,
  expectFewWords,
  expectIntact,
  linesOf,
  readiness,
  ready,
  rounds,
  type Stage,
  staged,
  traffic,
} from './staging.ts';

vi.setConfig({ testTimeout: 120_000 * rounds, hookTimeout: 120_000 });

/** Room for what two processes need at most, and no more than that. */
const most = 40;

await withOwnPostgres('PostgreSQL that fails', [`max_connections=${most}`], (server) => {
  let stage: Stage;
  let nodes: readonly ServiceProcess[];
  beforeAll(async () => {
    stage = await staged(server.url, ['both', 'both']);
    nodes = stage.nodes;
  });
  afterAll(() => stage?.close());

  const everyNodeIs = async (state: typeof ready): Promise<void> => {
    for (const node of nodes) await expect.poll(() => readiness(node), { timeout: 20_000 }).toEqual(state);
  };

  describe('PostgreSQL', () => {
    it('crashed and recovered under load: 503 meanwhile, nothing lost, nobody back, two lines a part', async () => {
      const before = nodes.map((node) => linesOf(node).length);
      const load = await traffic(stage);
      for (let crash = 0; crash < rounds; crash += 1) {
        await sleep(1000);
        await server.crash();
        await everyNodeIs(databaseDown);
        await sleep(1500);
        await server.start();
        await everyNodeIs(ready);
        await sleep(1000);
      }
      await load.stop();
      await expectIntact(stage, load);
      expect(load.webhooks.get(503)).toBeGreaterThan(0);
      for (const [at, node] of nodes.entries()) await expectFewWords(node, before[at], rounds);
    });

    it('out of connections: 503 until there are some, nothing lost, nobody back', async () => {
      const before = nodes.map((node) => linesOf(node).length);
      const load = await traffic(stage);
      let cuts = 0;
      for (let shortage = 0; shortage < rounds; shortage += 1) {
        await sleep(1000);
        const taken = await takeAll(server.url);
        cuts += taken.cuts;
        await everyNodeIs(databaseDown);
        await sleep(1500);
        await taken.giveBack();
        await everyNodeIs(ready);
        await sleep(1000);
      }
      await load.stop();
      await expectIntact(stage, load);
      for (const [at, node] of nodes.entries()) await expectFewWords(node, before[at], cuts);
    });
  });
});

/**
 * Somebody else takes every connection that the server has, also those that the service had: whatever comes in between is cut again,
 * and each cut is an outage of its own to whoever had just come back.
 */
const takeAll = async (url: string): Promise<{ readonly cuts: number; giveBack(): Promise<void> }> => {
  let cuts = 0;
  const mine: pg.Client[] = [];
  while (mine.length < most) {
    const client = new pg.Client({ connectionString: url, application_name: 'greedy' });
    client.on('error', () => {});
    const isIn = await client.connect().then(
      () => true,
      () => false,
    );
    if (isIn) mine.push(client);
    else {
      cuts += 1;
      await mine[0]?.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and application_name <> 'greedy'`,
      );
    }
  }
  return { cuts, giveBack: async () => void (await Promise.all(mine.map((client) => client.end()))) };
};
