// PostgreSQL that answers, but not in time: what waits for a lock is given up after the stated fifteen seconds, and nobody else waits for it.

import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { withOwnPostgres } from '../support/own-postgres.ts';
import {
  delivered,
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

const statementMilliseconds = 15_000;

await withOwnPostgres('PostgreSQL that is slow', [], (server) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await staged(server.url, ['both', 'both']);
  });
  afterAll(() => stage?.close());

  describe('PostgreSQL', () => {
    it('behind a lock: deliveries hear 503 when the time is up, callers who are known hardly notice, and it goes on by itself', async () => {
      const [first, second] = stage.nodes as [(typeof stage.nodes)[0], (typeof stage.nodes)[0]];
      const before = stage.nodes.map((node) => linesOf(node).length);
      const load = await traffic(stage);
      const holder = new pg.Client(server.url);
      holder.on('error', () => {});
      await holder.connect();
      for (let times = 0; times < rounds; times += 1) {
        await holder.query('begin; lock table inbox in access exclusive mode');
        const began = performance.now();
        // More than one node has connections for: the other one does not suffer.
        const crowd = Array.from({ length: 14 }, (_, number) =>
          stage.onlyDelivered(stage.directory.hire(`crowd-${times}-${number}@acme.test`)),
        );
        const heard = new Map<number, number>();
        const waiting = Promise.all(crowd.map((event) => delivered(stage.stub, event, () => first, heard)));
        await sleep(3000);
        expect(await readiness(second)).toEqual(ready);
        await sleep(statementMilliseconds + 1500 - (performance.now() - began));
        await holder.query('rollback');
        await waiting;
        expect(heard.get(503)).toBeGreaterThan(0);
        expect(heard.get(0)).toBe(undefined);
        for (const { at, email } of crowd.map(({ data }, at) => ({ at, email: (data as { email: string }).email }))) {
          const renamed = stage.onlyDelivered(stage.directory.change(email, { first_name: 'Renamed' }));
          await delivered(stage.stub, renamed, () => (at % 2 ? first : second));
          stage.accepted.push(crowd[at] as (typeof crowd)[0], renamed);
        }
      }
      await holder.end();
      await load.stop();
      await expectIntact(stage, load);
      // On the crowded node a question to the database may find no connection in time: some hear 503, most are answered.
      const asked = [...load.live.values()].reduce((sum, count) => sum + count, 0);
      expect((load.live.get(503) ?? 0) / asked).toBeLessThan(0.1);
      for (const node of stage.nodes) expect(await readiness(node)).toEqual(ready);
      for (const [at, node] of stage.nodes.entries()) await expectFewWords(node, before[at], rounds);
    });
  });
});
