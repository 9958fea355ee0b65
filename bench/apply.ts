// How fast events become people with access: our worker beside a plain transaction with three inserts, and beside Ory Polis; and how long one delivery waits.

import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ask, dropDatabases, freshDatabase } from './lib/databases.ts';
import {
  directoryActivated,
  type Event,
  organizationCreated,
  signed,
  userCreated,
  webhookSecret,
} from './lib/events.ts';
import { inTurn, percentile, print, ratios, spread, table } from './lib/figures.ts';
import { type Hand, startHand, startService, stopAll } from './lib/processes.ts';
import type { ApplyAnswer, ApplyAsked } from './workers/answering.ts';

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '5' },
    events: { type: 'string', default: '1500' },
    seconds: { type: 'string', default: '20' },
    only: { type: 'string', default: 'rate,delay' },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  print('npm run bench:apply -- [--pairs 5] [--events 1500] [--seconds 20] [--only rate|delay] [--quick]');
  process.exit(0);
}
const pairs = values.quick ? 1 : Number(values.pairs);
const events = values.quick ? 80 : Number(values.events);
const seconds = values.quick ? 3 : Number(values.seconds);

type Side = 'plain' | 'ours' | 'effects' | 'polis';
const sides: readonly Side[] = ['plain', 'ours', 'effects', 'polis'];

/** @param lanes how many organizations the events are about; as many are applied at once, at most four (see `lanesAtOnce`) */
const rates = async (lanes: number): Promise<Record<Side, number[]>> => {
  const hands = String(Math.min(lanes, 4));
  const start = async (file: string, env: Record<string, string> = {}): Promise<Hand<ApplyAsked, ApplyAnswer>> =>
    startHand(file, {
      URL: await freshDatabase(`${file.replace(/\W/g, '_')}_${lanes}_${env['EFFECTS'] ?? 'no'}`),
      HANDS: hands,
      ...env,
    });
  const workers: Record<Side, Hand<ApplyAsked, ApplyAnswer>> = {
    plain: await start('apply-plain.ts'),
    ours: await start('apply-ours.ts'),
    effects: await start('apply-ours.ts', { EFFECTS: 'yes' }),
    polis: await start('apply-polis.ts'),
  };
  const perSecond = async (side: Side, count: number): Promise<number> => {
    const asked = { events: count, organizations: lanes };
    await workers[side].ask({ do: 'prepare', ...asked });
    return count / (await workers[side].ask({ do: 'run', ...asked })).seconds;
  };
  for (const side of sides) await perSecond(side, Math.ceil(events / 3));
  const found: Record<Side, number[]> = { plain: [], ours: [], effects: [], polis: [] };
  for (let pair = 0; pair < pairs; pair += 1) {
    for (const side of inTurn(sides, pair)) found[side].push(await perSecond(side, events));
  }
  return found;
};

const rateRow = (name: string, found: Record<Side, number[]>): string[] => [
  name,
  ...(['plain', 'ours', 'polis'] as const).map((side) => spread(found[side], 0)),
  spread(ratios(found.ours, found.plain)),
  spread(ratios(found.ours, found.polis), 1),
  spread(found.effects, 0),
];

const post = async (url: string, event: Event): Promise<void> => {
  const { body, signature } = signed(event);
  const headers = { 'content-type': 'application/json', 'workos-signature': signature };
  const answer = await fetch(`${url}/webhooks/workos`, { method: 'POST', headers, body });
  if (!answer.ok) throw new Error(`a delivery was answered ${answer.status}`);
  await answer.arrayBuffer();
};

/** Deliveries at a steady pace, whatever becomes of them; how long after it was accepted each was written into the trail. */
const delays = async (ways: { receive: string; database: string }, perSecond: number): Promise<number[]> => {
  const organizations = Array.from({ length: 8 }, (_, index) => `at${perSecond}y${index}`);
  for (const name of organizations) {
    await post(ways.receive, organizationCreated(name));
    await post(ways.receive, directoryActivated(name));
  }
  await sleep(2000);
  const all = perSecond * seconds;
  const under: Promise<void>[] = [];
  const started = performance.now();
  for (let sent = 0; sent < all; sent += 1) {
    const wait = started + (sent * 1000) / perSecond - performance.now();
    if (wait > 1) await sleep(wait);
    under.push(post(ways.receive, userCreated(organizations[sent % 8] ?? '', `at${perSecond}p${sent}`)));
  }
  await Promise.all(under);
  const rows = () =>
    ask<{ ms: number }>(
      ways.database,
      `select (extract(epoch from min(a.at) - i.received_at) * 1000)::float8 as ms
      from inbox i join audit_entries a on a.request_id = i.id and a.action = 'directory_user.provisioned'
      where i.organization_ref like 'org_bench_at${perSecond}y%' group by i.id, i.received_at`,
    );
  let found = await rows();
  for (let tries = 0; found.length < all && tries < 60; tries += 1) {
    await sleep(1000);
    found = await rows();
  }
  if (found.length !== all) throw new Error(`${all} deliveries were accepted, ${found.length} were applied`);
  return found.map(({ ms }) => ms);
};

const delayRow = (name: string, perSecond: number, found: readonly number[]): string[] => [
  name,
  `${perSecond}/s`,
  ...[0.5, 0.95, 0.99, 1].map((share) => percentile(found, share).toFixed(0)),
];

try {
  print(
    `${pairs} pairs of ${events} events, Node ${process.version}, ${cpus().length} cores for database and worker together`,
  );
  if (values.only.includes('rate')) {
    const rows = [rateRow('8 organizations, 4 at once', await rates(8)), rateRow('one organization', await rates(1))];
    await stopAll();
    table(
      [
        'people per second',
        'BEGIN, 3 INSERTs, COMMIT',
        'ours',
        'Ory Polis',
        'ours / plain',
        'ours / Polis',
        'ours, effects carried out too',
      ],
      rows,
    );
  }
  if (values.only.includes('delay')) {
    const database = await freshDatabase('delay');
    const common = { DATABASE_URL: database, WORKOS_WEBHOOK_SECRETS: webhookSecret };
    const rows: string[][] = [];
    const one = await startService(common);
    for (const pace of [20, 60]) {
      rows.push(delayRow('one node does both', pace, await delays({ receive: one.url, database }, pace)));
    }
    table(['accepted → applied, ms', 'pace', 'p50', 'p95', 'p99', 'longest'], rows);
  }
} finally {
  await stopAll();
  await dropDatabases();
}
