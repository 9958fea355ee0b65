// deploy/nginx.conf as nginx runs it: two names for one running service, and a service behind that is told who is calling.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../deploy/free-port.ts';
import { type RunningService, startService } from '../browser/running-service.ts';

const isInstalled = spawnSync('nginx', ['-v']).status === 0;
const loud = 'NOT TESTED: deploy/nginx.conf. There is no nginx on the PATH: apt-get install nginx-light.';

const running = (service: RunningService): { readonly key: string; readonly session: string } => ({
  key: /ApiKey (hd_live_\S+)'/.exec(service.welcome)?.[1] ?? '',
  session: /(hd_session=\S+)'/.exec(service.welcome)?.[1] ?? '',
});

describe.runIf(isInstalled)('nginx in front of the service', () => {
  let service: RunningService;
  let behind: Server;
  let heard: IncomingHttpHeaders[] = [];
  let url = '';
  let folder = '';
  let stop: () => Promise<void>;

  beforeAll(async () => {
    service = await startService();
    behind = createServer((request, response) => {
      heard.push(request.headers);
      response.end(`orders at ${request.url}`);
    }).listen(0, '127.0.0.1');
    await once(behind, 'listening');
    folder = await mkdtemp(join(tmpdir(), 'identity-nginx-'));
    const port = await freePort();
    const nobody = await freePort();
    url = `http://127.0.0.1:${port}`;
    const conf = (await readFile(join(import.meta.dirname, '../../deploy/nginx.conf'), 'utf8'))
      .replace('identity-1:3000', `127.0.0.1:${nobody}`) // a node that is down
      .replace('identity-2:3000', new URL(service.url).host.replace('localhost', '127.0.0.1'))
      .replace('sample:4000', `127.0.0.1:${(behind.address() as AddressInfo).port}`)
      .replace('listen 8080', `listen 127.0.0.1:${port}`)
      .replaceAll('/tmp/', `${folder}/`);
    await writeFile(join(folder, 'nginx.conf'), conf);
    const options = ['-c', join(folder, 'nginx.conf'), '-p', folder, '-g', 'daemon off; user root;'];
    const nginx = spawn('nginx', process.getuid?.() === 0 ? options : [...options.slice(0, -1), 'daemon off;'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let complaints = '';
    nginx.stderr.on('data', (chunk: Buffer) => {
      complaints += chunk.toString();
    });
    const gone = once(nginx, 'exit');
    stop = async () => {
      nginx.kill('SIGQUIT');
      await gone;
    };
    for (let tries = 0; ; tries += 1) {
      const ok = await fetch(`${url}/healthz`).then(
        ({ status }) => status === 200,
        () => false,
      );
      if (ok) break;
      if (tries > 100 || nginx.exitCode !== null) throw new Error(`nginx does not answer:\n${complaints}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });

  afterAll(async () => {
    await stop?.();
    behind?.close();
    await service?.[Symbol.asyncDispose]();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  const ask = async (headers: Record<string, string>) => {
    heard = [];
    const answer = await fetch(`${url}/sample/orders?page=2`, { headers });
    return { status: answer.status, text: await answer.text(), told: heard[0] };
  };

  it('lets nobody through without a credential, and the service behind hears nothing of it', async () => {
    expect(await ask({})).toMatchObject({ status: 401, told: undefined });
    expect(await ask({ authorization: 'ApiKey hd_live_nonsense' })).toMatchObject({ status: 401, told: undefined });
  });

  it('lets an agent through, and says who it is, for which organization, with which scopes', async () => {
    const { key } = running(service);
    const { status, text, told } = await ask({ authorization: `ApiKey ${key}` });
    expect(status).toBe(200);
    expect(text).toBe('orders at /orders?page=2');
    expect(told).toMatchObject({
      'x-hati-caller': expect.stringMatching(/^agent_/),
      'x-hati-kind': 'agent',
      'x-hati-organization': expect.stringMatching(/^org_/),
      'x-hati-scopes': expect.stringContaining('query:read'),
    });
    expect(told).not.toHaveProperty('x-hati-role');
  });

  it('lets a person through by their session', async () => {
    const { status, told } = await ask({ cookie: running(service).session });
    expect(status).toBe(200);
    expect(told).toMatchObject({ 'x-hati-kind': 'user', 'x-hati-role': 'owner' });
  });

  it('passes on no claim of the client about who it is, nor the credential', async () => {
    const { key } = running(service);
    const { told } = await ask({
      authorization: `ApiKey ${key}`,
      'x-hati-caller': 'user_me',
      'x-hati-role': 'owner',
      'x-hati-organization': 'org_mine',
    });
    expect(JSON.stringify(told)).not.toMatch(/user_me|org_mine|hd_live_/);
    expect(told).not.toHaveProperty('x-hati-role');
    expect(told).not.toHaveProperty('authorization');
    const person = await ask({ cookie: running(service).session });
    expect(person.told).not.toHaveProperty('cookie');
    // The third way in which a key may be shown.
    const other = await ask({ 'x-api-key': key });
    expect(other).toMatchObject({ status: 200, told: { 'x-hati-kind': 'agent' } });
    expect(JSON.stringify(other.told)).not.toContain('hd_live_');
  });

  it('refuses a caller whose scopes do not reach, with 403', async () => {
    const { session } = running(service);
    const headers = { cookie: session, origin: service.url, 'content-type': 'application/json' };
    const api = async <T>(path: string, body?: unknown): Promise<T> => {
      const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
      return (await fetch(`${service.url}${path}`, { headers, ...sent })).json() as Promise<T>;
    };
    const { organization } = await api<{ organization: { id: string } }>('/v1/whoami');
    const at = `/v1/organizations/${organization.id}`;
    const { data } = await api<{ data: readonly [{ id: string }] }>(`${at}/agents`);
    const wish = { name: 'lists tables only', agent_id: data[0].id, scopes: ['tables:list'] };
    const { secret } = await api<{ secret: string }>(`${at}/api-keys`, wish);
    expect(secret).toMatch(/^hd_live_/);
    expect(await ask({ authorization: `ApiKey ${secret}` })).toMatchObject({ status: 403, told: undefined });
  });
});

if (!isInstalled) {
  if (process.env['CI']) throw new Error(loud);
  describe('nginx in front of the service', () => it('has an nginx to run', ({ skip }) => skip(loud)));
  process.on('exit', () => process.stderr.write(`\n${loud}\n`));
}
