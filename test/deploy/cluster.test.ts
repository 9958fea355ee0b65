// The topology of docker-compose.yml as processes on this machine: whatever one node learns, the others hold to.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, httpClient } from '#bootstrap/testing/http-client.ts';
import { type Cluster, startCluster } from '../../deploy/cluster.ts';
import { Browser } from '../journeys/browser.ts';
import { withPostgres } from '../support/postgres.ts';
import { type RedisServer, withOwnRedis } from '../support/redis.ts';

const dora = { email: 'dora.developer@acme.test', method: 'sso' } as const;
const anna = { email: 'anna.analyst@acme.test', method: 'sso' } as const;
const olivia = { email: 'olivia.owner@acme.test', method: 'sso' } as const;

const cases = (databaseUrl: string, redisUrl: string | undefined): void => {
  let cluster: Cluster;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'identity-cluster-test-'));
    cluster = await startCluster({ databaseUrl, redisUrl, dataDir: folder, environment: { LOG_LEVEL: 'warn' } });
  }, 120_000);
  afterAll(async () => {
    await cluster?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** A browser that comes in by the proxy. */
  const browser = (): Browser => new Browser({ url: cluster.url, anonymous: httpClient(cluster.url, {}) });
  /** The same session, shown to one node directly. */
  const at = async (node: string, jar: Browser, path = '/v1/whoami'): Promise<Answer> => {
    const cookie = [...jar.cookies()].map(([name, value]) => `${name}=${value}`).join('; ');
    return httpClient(node, {}).send('GET', path, { headers: { cookie } });
  };
  const both = () => [cluster.nodes['identity-1'], cluster.nodes['identity-2']] as const;

  it('a session that one node began is good at the other, and at the guarded service', async () => {
    const jar = browser();
    expect((await jar.signIn(dora)).status).toBe(302);
    for (const node of both()) expect((await at(node, jar)).status, node).toBe(200);
    const guarded = await jar.get('/sample/');
    expect(guarded.body).toMatchObject({ caller: { kind: 'user', role: 'developer' } });
  });

  it('a session that is ended at one node is refused at the other by the time the ending is answered, also when it was warm there', async () => {
    const jar = browser();
    const admin = browser();
    await jar.signIn(dora);
    await admin.signIn(olivia);
    for (let round = 0; round < 10; round += 1) for (const node of both()) await at(node, jar);
    const { session_id: id } = (await at(both()[0], jar)).body.caller;
    expect((await admin.send('DELETE', `/v1/sessions/${id}`)).status).toBe(404); // not theirs: by the organization it is
    const { organization } = (await at(both()[0], admin)).body;
    const ended = await admin.send('DELETE', `/v1/organizations/${organization.id}/sessions/${id}`);
    expect(ended.status).toBe(204);
    for (const node of both()) expect((await at(node, jar)).status, node).toBe(401);
    expect((await jar.get('/sample/')).status).toBe(401);
  });

  it('whom the directory lets go is out at every node, and the guarded service', async () => {
    const jar = browser();
    await jar.signIn(anna);
    for (const node of both()) expect((await at(node, jar)).status).toBe(200);
    const office = httpClient(cluster.url, {});
    const [directory] = (await office.get('/fake-idp/directories')).body.data;
    const { users } = (await office.get(`/fake-idp/directories/${directory.id}`)).body;
    const leaver = users.find(({ email }: { email: string }) => email === anna.email);
    const told = await office.patch(`/fake-idp/directories/${directory.id}/users/${leaver.id}`, { active: false });
    expect(told.status).toBe(200);
    const statuses = () => Promise.all(both().map(async (node) => (await at(node, jar)).status));
    await expect.poll(statuses, { timeout: 5000 }).toEqual([401, 401]);
    expect((await jar.get('/sample/')).status).toBe(401);
  });

  it('when a node is killed the proxy goes on with the other, and what it had promised is done', async () => {
    const jar = browser();
    await jar.signIn(olivia);
    await cluster.stop('identity-2', 'SIGKILL');
    for (let ask = 0; ask < 6; ask += 1) expect((await jar.get('/v1/whoami')).status).toBe(200);
    await cluster.start('identity-2');
    expect((await at(cluster.nodes['identity-2'], jar)).status).toBe(200);
  }, 60_000);

  it('without its worker nothing is lost: what is heard meanwhile is done when it is back', async () => {
    await cluster.stop('worker', 'SIGKILL');
    const jar = browser();
    await jar.signIn(olivia);
    const made = await jar.send('POST', '/v1/organizations', { name: 'Made without a worker' });
    expect(made.status).toBe(201);
    await cluster.start('worker');
    const moved = () => jar.send('POST', '/v1/session/organization', { organization_id: made.body.id });
    await expect.poll(async () => (await moved()).status, { timeout: 20_000 }).toBe(200);
  }, 60_000);
};

let redis: RedisServer | undefined;
await withOwnRedis('a cluster on PostgreSQL and Redis', (server) => {
  redis = server;
});
if (redis) {
  const { url } = redis;
  await withPostgres('a cluster on PostgreSQL and Redis', (databaseUrl) =>
    describe('a cluster on PostgreSQL and Redis', () => cases(databaseUrl, url)),
  );
}
await withPostgres('a cluster on PostgreSQL alone', (databaseUrl) =>
  describe('a cluster on PostgreSQL alone', () => cases(databaseUrl, undefined)),
);
