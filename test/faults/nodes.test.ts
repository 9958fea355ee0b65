// Real processes: revoked on one node, refused by the other, also by one that was frozen meanwhile and wakes with an old memory.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boundMilliseconds } from '#adapters/cache/shared/trust.ts';
import { httpClient } from '#bootstrap/testing/http-client.ts';
import { freePort } from '../../deploy/free-port.ts';
import { issueKey } from '../journeys/words.ts';
import { withPostgres } from '../support/postgres.ts';
import { type TestRedis, withRedis } from '../support/redis.ts';

const main = new URL('../../src/bootstrap/main.ts', import.meta.url).pathname;

interface Node {
  readonly url: string;
  readonly child: ChildProcess;
  readonly said: () => string;
}

const started = async (env: Readonly<Record<string, string>>): Promise<Node> => {
  const port = await freePort();
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, LOG_LEVEL: 'warn', NODE_ENV: 'development', PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      said += chunk;
    });
  }
  const url = `http://127.0.0.1:${port}`;
  while (!said.includes('is ready at')) {
    if (child.exitCode !== null) throw new Error(`the node ended:\n${said}`);
    await sleep(20);
  }
  return { url, child, said: () => said };
};

let redis: TestRedis | undefined;
await withRedis('processes with Redis', (found) => {
  redis = found;
});

await withPostgres('processes on one PostgreSQL', (database) => {
  let folder: string;
  let nodes: Node[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'identity-nodes-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const story = (title: string, env: () => Readonly<Record<string, string>>, told: RegExp) =>
    describe(title, () => {
      beforeAll(async () => {
        const common = {
          DATABASE_URL: database,
          // The same for both stories: the fake provider remembers whom the database remembers.
          DATA_DIR: join(folder, 'data'),
          SESSION_SECRETS: 'a session secret of all nodes of the test',
          API_KEY_PEPPERS: 'a pepper that all nodes of the test share',
          ...env(),
        };
        const first = await started(common);
        nodes = [first, await started({ ...common, FAKE_IDENTITY_URL: first.url, DATA_DIR: join(folder, 'other') })];
      });
      afterAll(async () => {
        for (const { child } of nodes.splice(0)) {
          const ended = once(child, 'exit');
          if (child.kill('SIGKILL')) await ended;
        }
      });

      const cast = async () => {
        const [a, b] = nodes as [Node, Node];
        const cookie = /hd_session=[\w-]{43}/.exec(a.said())?.[0] ?? '';
        const origin = /ready at (\S+)/.exec(a.said())?.[1] ?? '';
        const owner = httpClient(a.url, { cookie, origin });
        const organization = (await owner.get('/v1/whoami')).body.organization.id as string;
        const { id, secret } = await issueKey(owner, organization);
        const agent = (node: Node) => httpClient(node.url, { authorization: `ApiKey ${secret}` });
        const revoke = () => owner.delete(`/v1/organizations/${organization}/api-keys/${id}`);
        return { a, b, agent, revoke };
      };

      it('says at the start how callers are remembered', () => {
        for (const { said } of nodes) expect(said()).toMatch(told);
      });

      it('revoked on one process, refused by the other', async () => {
        const { a, b, agent, revoke } = await cast();
        for (const node of [a, b]) expect((await agent(node).get('/v1/whoami')).status).toBe(200);
        expect((await revoke()).status).toBeLessThan(300);
        await expect
          .poll(async () => (await agent(b).get('/v1/whoami')).status, { interval: 1, timeout: boundMilliseconds / 2 })
          .toBe(401);
      });

      it('revoked while the other process is frozen: it refuses as soon as it wakes', async () => {
        const { b, agent, revoke } = await cast();
        expect((await agent(b).get('/v1/whoami')).status).toBe(200);
        b.child.kill('SIGSTOP');
        // Waits in front of the frozen process, and is the first thing that it sees.
        const waiting = sleep(boundMilliseconds + 300).then(() => agent(b).get('/v1/whoami'));
        expect((await revoke()).status).toBeLessThan(300);
        await sleep(boundMilliseconds + 500);
        b.child.kill('SIGCONT');
        expect((await waiting).status).toBe(401);
      });
    });

  story(
    'two processes, told by PostgreSQL',
    () => ({ REDIS_URL: '' }),
    /remembered in each process, told by PostgreSQL/,
  );
  if (!redis) return;
  const { url } = redis;
  story('two processes with Redis', () => ({ REDIS_URL: url }), /remembered shared over Redis, told by PostgreSQL/);
});
