// Webhook ingest (verified, stored, answered) of the service as it runs, beside plain Koa with an HMAC and one INSERT.

import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { ask, dropDatabases, freshDatabase } from './lib/databases.ts';
import { type Signed, signed, userCreated, webhookSecret } from './lib/events.ts';
import { inTurn, median, print, ratios, spread, table } from './lib/figures.ts';
import { cpuOf, type Server, startFloor, startService, stopAll } from './lib/processes.ts';

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '7' },
    events: { type: 'string', default: '6000' },
    connections: { type: 'string', default: '20' },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  print('npm run bench:ingest -- [--pairs 7] [--events 6000] [--connections 20] [--quick]');
  process.exit(0);
}
const pairs = values.quick ? 1 : Number(values.pairs);
const events = values.quick ? 500 : Number(values.events);
const connections = Number(values.connections);

let people = 0;
/** Made and signed before the clock runs: what the sender costs is not ours. */
const deliveries = (count: number): Signed[] =>
  Array.from({ length: count }, () => {
    people += 1;
    return signed(userCreated(`o${people % 8}`, `p${people}`));
  });

interface Run {
  readonly perSecond: number;
  readonly p99: number;
  /** Processor time of the server for each event, in microseconds. */
  readonly cpu: number;
}

const load = async (server: Server, count: number): Promise<Run> => {
  const all = deliveries(count).values();
  const before = await cpuOf(server.pid);
  const started = performance.now();
  const result = await autocannon({
    url: server.url,
    connections,
    amount: count,
    // It ends with a sample, and by itself takes one a second.
    sampleInt: 20,
    requests: [
      {
        method: 'POST',
        path: '/webhooks/workos',
        setupRequest(request) {
          const { value } = all.next();
          if (!value) throw new Error('more requests than deliveries');
          const headers = { 'content-type': 'application/json', 'workos-signature': value.signature };
          return { ...request, headers, body: value.body };
        },
      },
    ],
  });
  const seconds = (performance.now() - started) / 1000;
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${server.url}: ${result.non2xx} refusals, ${result.errors} errors`);
  }
  const cpu = (((await cpuOf(server.pid)) - before) * 1000) / count;
  return { perSecond: count / seconds, p99: result.latency.p99, cpu };
};

try {
  const [ourDatabase, plainDatabase] = [await freshDatabase('ours'), await freshDatabase('plain')];
  const ours = await startService({
    DATABASE_URL: ourDatabase,
    // What follows from a delivery is another node's errand here: it is measured by `bench:apply`.
    ROLE: 'serve',
    WORKOS_WEBHOOK_SECRETS: webhookSecret,
  });
  const plain = await startFloor('plain-ingest.ts', plainDatabase, webhookSecret);
  const servers = { ours, plain };
  print(
    `webhook ingest, ${connections} connections, ${pairs} pairs of ${events} deliveries, Node ${process.version}, ${cpus().length} cores for database, server and load together`,
  );
  for (const server of [ours, plain]) await load(server, Math.ceil(events / 3));

  const runs: Record<keyof typeof servers, Run[]> = { ours: [], plain: [] };
  for (let pair = 0; pair < pairs; pair += 1) {
    for (const name of inTurn(['ours', 'plain'] as const, pair)) runs[name].push(await load(servers[name], events));
  }

  const [stored] = await ask<{ ours: number }>(
    ourDatabase,
    `select count(*)::int as ours from inbox where provider = 'workos'`,
  );
  const expected = Math.ceil(events / 3) + pairs * events;
  if (stored?.ours !== expected) throw new Error(`${expected} deliveries were accepted and ${stored?.ours} are stored`);

  const of = (name: keyof typeof servers, what: keyof Run): number[] => runs[name].map((run) => run[what]);
  table(
    ['', 'plain Koa + HMAC + INSERT', 'ours', 'ours / plain'],
    [
      [
        'deliveries per second',
        spread(of('plain', 'perSecond'), 0),
        spread(of('ours', 'perSecond'), 0),
        spread(ratios(of('ours', 'perSecond'), of('plain', 'perSecond'))),
      ],
      ['p99, ms', median(of('plain', 'p99')).toFixed(0), median(of('ours', 'p99')).toFixed(0), ''],
      [
        'processor time of the server, µs each',
        median(of('plain', 'cpu')).toFixed(0),
        median(of('ours', 'cpu')).toFixed(0),
        '',
      ],
    ],
  );
} finally {
  await stopAll();
  await dropDatabases();
}
