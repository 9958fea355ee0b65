// Measures whoami of the real service beside two floors: the same load, in turn, in the same run.

import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { median, print } from './lib/figures.ts';
import { startFloor, startService, stopAll } from './lib/processes.ts';

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '4' },
    connections: { type: 'string', default: '20' },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write('npm run bench -- [--pairs 7] [--seconds 4] [--connections 20] [--quick]\n');
  process.exit(0);
}
const pairs = values.quick ? 1 : Number(values.pairs);
const seconds = values.quick ? 1 : Number(values.seconds);
const connections = Number(values.connections);

interface Run {
  readonly perSecond: number;
  readonly p99: number;
}

const load = async (url: string, headers: Record<string, string>, lasting: number): Promise<Run> => {
  const result = await autocannon({ url: `${url}/v1/whoami`, connections, duration: lasting, headers });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${url}: ${result.non2xx} refusals, ${result.errors} errors`);
  return { perSecond: result.requests.average, p99: result.latency.p99 };
};

const answerTo = async (url: string, headers: Record<string, string>): Promise<string> => {
  const answer = await fetch(`${url}/v1/whoami`, { headers });
  if (!answer.ok) throw new Error(`whoami answered ${answer.status}`);
  return answer.text();
};

try {
  const service = await startService({ DATABASE_URL: 'memory:' });
  const byKey = { authorization: `ApiKey ${service.key}` };
  const bySession = { cookie: service.cookie };
  const body = await answerTo(service.url, bySession);
  const keyBody = await answerTo(service.url, byKey);

  const cases = [
    { name: 'session cookie', headers: bySession, body, credential: service.cookie },
    { name: 'API key', headers: byKey, body: keyBody, credential: byKey.authorization },
  ];
  print(
    `whoami, ${connections} connections, ${pairs} pairs of ${seconds} s, Node ${process.version}, ${cpus().length} cores for server and load together`,
  );
  print('');
  print(
    '| caller | bare Koa + router | design limit | ours | ours / bare | ours / limit | p99 ours, ms | p99 limit, ms |',
  );
  print('|---|---|---|---|---|---|---|---|');
  for (const { name, headers, body: bytes, credential } of cases) {
    const bare = (await startFloor('bare.ts', bytes)).url;
    const limit = (await startFloor('design-limit.ts', bytes, credential)).url;
    const targets = { bare, limit, ours: service.url };
    for (const url of Object.values(targets)) await load(url, headers, values.quick ? 1 : 2);

    const runs: Record<keyof typeof targets, Run[]> = { bare: [], limit: [], ours: [] };
    for (let pair = 0; pair < pairs; pair += 1) {
      const order = pair % 2 === 0 ? (['bare', 'limit', 'ours'] as const) : (['ours', 'limit', 'bare'] as const);
      for (const target of order) runs[target].push(await load(targets[target], headers, seconds));
    }
    const perSecond = (target: keyof typeof targets): number => median(runs[target].map((run) => run.perSecond));
    const ratio = (to: 'bare' | 'limit'): number =>
      median(runs.ours.map((run, pair) => run.perSecond / (runs[to][pair]?.perSecond ?? Number.NaN)));
    const p99 = (target: keyof typeof targets): number => median(runs[target].map((run) => run.p99));
    const cells = [
      name,
      ...(['bare', 'limit', 'ours'] as const).map((target) => `${Math.round(perSecond(target))}/s`),
      ratio('bare').toFixed(2),
      ratio('limit').toFixed(2),
      p99('ours').toFixed(0),
      p99('limit').toFixed(0),
    ];
    print(`| ${cells.join(' | ')} |`);
  }
} finally {
  await stopAll();
}
