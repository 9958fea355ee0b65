// deploy/proxy.ts keeps what deploy/nginx.conf keeps: what the guarded service hears is the node's word, and no credential.

import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../deploy/free-port.ts';
import { type RunningProxy, startProxy } from '../../deploy/proxy.ts';

describe('the proxy of a desk, before the guarded service,', () => {
  const servers: Server[] = [];
  let proxy: RunningProxy;
  let asked: IncomingHttpHeaders[] = [];
  let told: IncomingHttpHeaders[] = [];

  const serving = async (listener: RequestListener): Promise<string> => {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  beforeAll(async () => {
    const node = await serving(({ headers }, response) => {
      asked.push(headers);
      const isKnown = headers.cookie ?? headers.authorization ?? headers['x-api-key'];
      response.writeHead(isKnown ? 204 : 401, { 'x-hati-caller': 'agent_1' }).end();
    });
    const sample = await serving(({ headers }, response) => {
      told.push(headers);
      response.end('orders');
    });
    proxy = await startProxy({ port: await freePort(), nodes: [node], sample });
  });
  beforeEach(() => {
    [asked, told] = [[], []];
  });
  afterAll(async () => {
    await proxy?.close();
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  });

  const ask = (headers: Record<string, string>) =>
    fetch(`${proxy.url.replace('localhost', '127.0.0.1')}/sample/orders`, { headers });

  it.each(['cookie', 'authorization', 'x-api-key'])('shows the credential in %s to the node alone', async (name) => {
    expect((await ask({ [name]: 'a-credential' })).status).toBe(200);
    expect(asked).toMatchObject([{ [name]: 'a-credential' }]);
    expect(told).toMatchObject([{ 'x-hati-caller': 'agent_1' }]);
    expect(JSON.stringify(told)).not.toContain('a-credential');
  });

  it('passes on no claim of the client about who it is, in either spelling', async () => {
    const claims = { 'x-hati-caller': 'user_me', x_hati_caller: 'user_me', 'X-Hati_Role': 'owner' };
    expect((await ask({ ...claims, 'x-api-key': 'a-credential' })).status).toBe(200);
    expect(told[0]?.['x-hati-caller']).toBe('agent_1');
    expect(JSON.stringify(told)).not.toMatch(/user_me|owner/);
  });

  it('lets nobody through whom the node does not know', async () => {
    expect((await ask({})).status).toBe(401);
    expect(told).toEqual([]);
  });
});
