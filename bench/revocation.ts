// Measures how long the second node still serves somebody after the first one answered that they are revoked.

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import pg from 'pg';
import { createClient } from 'redis';
import { percentile, print } from './lib/figures.ts';
import { freePort } from './lib/processes.ts';

const { values } = parseArgs({
  options: {
    revocations: { type: 'string', default: '1000' },
    rate: { type: 'string', default: '500' },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(
    'npm run revocation -- [--revocations 1000] [--rate 500] [--quick]\nBENCH_DATABASE_URL names the PostgreSQL.\n',
  );
  process.exit(0);
}
const revocations = values.quick ? 50 : Number(values.revocations);
const rate = Number(values.rate);
const server = process.env['BENCH_DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';
/** How many requests are under way to the second node for the one who is being revoked. */
const probers = 3;

const started: ChildProcess[] = [];
const folder = await mkdtemp(join(tmpdir(), 'revocation-'));

const sql = async (statement: string): Promise<void> => {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  await client.query(statement);
  await client.end();
};

interface Node {
  readonly url: string;
  readonly said: string;
}

const startNode = async (env: Readonly<Record<string, string>>): Promise<Node> => {
  const port = await freePort();
  const child = spawn(process.execPath, [fileURLToPath(new URL('../src/bootstrap/main.ts', import.meta.url))], {
    env: { ...process.env, NODE_ENV: 'development', LOG_LEVEL: 'error', PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.push(child);
  let said = '';
  for await (const chunk of child.stdout) {
    said += chunk;
    if (said.includes('Ctrl+C') || said.includes('is ready at')) break;
  }
  await sleep(100);
  return { url: `http://127.0.0.1:${port}`, said };
};

const startRedis = async (): Promise<{ readonly url: string; readonly child: ChildProcess }> => {
  const port = await freePort();
  const child = spawn('redis-server', ['--port', String(port), '--save', '', '--dir', folder], { stdio: 'ignore' });
  started.push(child);
  await Promise.race([sleep(500), once(child, 'error').then(([fault]) => Promise.reject(fault))]);
  return { url: `redis://127.0.0.1:${port}`, child };
};

const shown = (numbers: readonly number[]): string =>
  [0.5, 0.99, 1].map((share) => percentile(numbers, share).toFixed(1)).join(' | ');

/** Milliseconds after the answer at which the last request that was still served began; 0 when none was. */
const lagOf = async (ask: () => Promise<number>, revoke: () => Promise<void>): Promise<number> => {
  if ((await ask()) !== 200) throw new Error('not served before the revocation');
  const served: number[] = [];
  const probing = Array.from({ length: probers }, async () => {
    for (;;) {
      const began = performance.now();
      const status = await ask();
      if (status === 401) return;
      if (status !== 200) throw new Error(`the second node answered ${status}`);
      served.push(began);
    }
  });
  await revoke();
  const answered = performance.now();
  await Promise.all(probing);
  return Math.max(0, ...served.map((began) => began - answered));
};

const pubSub = async (url: string, times: number): Promise<number[]> => {
  const [publisher, subscriber] = [createClient({ url }), createClient({ url })];
  await Promise.all([publisher.connect(), subscriber.connect()]);
  let heard: () => void = () => {};
  await subscriber.subscribe('bench', () => heard());
  const lags: number[] = [];
  for (let time = 0; time < times; time += 1) {
    const { promise, resolve } = Promise.withResolvers<void>();
    heard = resolve;
    const began = performance.now();
    const published = publisher.publish('bench', 'org_00000000000000000000000001 key_00000000000000000000000001');
    await promise;
    lags.push(performance.now() - began);
    await published;
  }
  publisher.destroy();
  subscriber.destroy();
  return lags;
};

const measure = async (name: string, how: { readonly redis: boolean; readonly isDead?: boolean }): Promise<void> => {
  const database = `revocation_${process.pid}_${randomBytes(3).toString('hex')}`;
  await sql(`create database ${database}`);
  const url = new URL(server);
  url.pathname = `/${database}`;
  const redis = how.redis ? await startRedis() : undefined;
  const mine = started.length;
  try {
    const common = {
      DATABASE_URL: url.href,
      REDIS_URL: redis?.url ?? '',
      SESSION_SECRETS: 'a session secret of all nodes of the bench',
      API_KEY_PEPPERS: 'a pepper that all nodes of the bench share',
    };
    const a = await startNode({ ...common, DATA_DIR: join(folder, database) });
    const b = await startNode({ ...common, DATA_DIR: join(folder, `${database}-b`), FAKE_IDENTITY_URL: a.url });
    const cookie = /hd_session=[\w-]{43}/.exec(a.said)?.[0] ?? '';
    const origin = /ready at (\S+)/.exec(a.said)?.[1] ?? '';
    const owner = { cookie, origin, 'content-type': 'application/json' };
    const whoami = (await (await fetch(`${a.url}/v1/whoami`, { headers: owner })).json()) as {
      readonly organization: { readonly id: string };
    };
    const path = `${a.url}/v1/organizations/${whoami.organization.id}`;
    const post = async (to: string, body: unknown) => {
      const answer = await fetch(`${path}${to}`, { method: 'POST', headers: owner, body: JSON.stringify(body) });
      if (answer.status !== 201) throw new Error(`${to}: ${answer.status} ${await answer.text()}`);
      return (await answer.json()) as { readonly id: string; readonly secret: string };
    };
    const agent = await post('/agents', { name: 'revoked a thousand times' });
    if (how.isDead) redis?.child.kill('SIGKILL');

    const others = {
      url: `${b.url}/v1/whoami`,
      connections: 10,
      overallRate: rate,
      duration: 3600,
      headers: { cookie },
    };
    const load = autocannon(others, () => {});
    const bare = redis && !how.isDead ? await pubSub(redis.url, revocations) : [];
    const lags: number[] = [];
    const answers: number[] = [];
    for (let time = 0; time < revocations; time += 1) {
      const key = await post('/api-keys', { agent_id: agent.id, name: 'key', scopes: ['query:read'] });
      const headers = { authorization: `ApiKey ${key.secret}` };
      const ask = async (): Promise<number> => {
        const answer = await fetch(`${b.url}/v1/whoami`, { headers });
        await answer.arrayBuffer();
        return answer.status;
      };
      const revoke = async (): Promise<void> => {
        const began = performance.now();
        const answer = await fetch(`${path}/api-keys/${key.id}`, { method: 'DELETE', headers: owner });
        await answer.arrayBuffer();
        if (!answer.ok) throw new Error(`the revocation was answered ${answer.status}`);
        answers.push(performance.now() - began);
      };
      lags.push(await lagOf(ask, revoke));
    }
    load.stop();
    const none = lags.filter((lag) => lag === 0).length;
    print(`| ${name} | ${shown(lags)} | ${((100 * none) / lags.length).toFixed(0)} % | ${shown(answers)} |`);
    if (bare.length > 0) print(`| bare Redis pub/sub, one way | ${shown(bare)} | | | | |`);
  } finally {
    for (const child of started.splice(mine)) child.kill('SIGKILL');
    redis?.child.kill('SIGKILL');
    await sql(`drop database if exists ${database} with (force)`);
  }
};

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    for (const child of started) child.kill('SIGKILL');
    process.exit(1);
  });
}

try {
  print(
    `${revocations} revocations of an API key, ${rate} requests/s of others on the second node, Node ${process.version}, ${cpus().length} cores for all`,
  );
  print('');
  print('| | lag p50, ms | p99 | worst | not served at all after the answer | DELETE p50, ms | p99 | worst |');
  print('|---|---|---|---|---|---|---|---|');
  await measure('PostgreSQL and Redis', { redis: true });
  await measure('PostgreSQL alone', { redis: false });
  await measure('PostgreSQL, Redis dead', { redis: true, isDead: true });
} finally {
  for (const child of started) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
}
