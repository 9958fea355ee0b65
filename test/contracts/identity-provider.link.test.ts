// The identity provider contract once more, with the fake world in one node and the provider in another.

import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import Koa from 'koa';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { linkedFakePages, linkedFakeProvider } from '#adapters/identity/fake/link/guest.ts';
import { fakeProviderLink } from '#adapters/identity/fake/link/host.ts';
import { linkPath, pack, passOf } from '#adapters/identity/fake/link/wire.ts';
import { fakeProviderPages } from '#adapters/identity/fake/routes.ts';
import { fakeProviderWorld, publicUrl, stageWorld } from '../adapters/fake/fake-provider-world.ts';
import { identityProviderContract } from './identity-provider.contract.ts';

const secret = 'the secret that all nodes share, long enough';
const servers = new Set<Server>();

const listening = async (...middleware: readonly Koa.Middleware[]): Promise<string> => {
  const app = new Koa();
  for (const one of middleware) app.use(one);
  const server = createServer(app.callback());
  servers.add(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const closeAll = async (): Promise<void> => {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  servers.clear();
};
afterEach(closeAll);
afterAll(closeAll);

identityProviderContract('the fake of another node', async () => {
  const world = await fakeProviderWorld();
  const url = await listening(fakeProviderLink(world.provider, secret));
  return { ...world, provider: await linkedFakeProvider({ url, secret, publicUrl }) };
});

/** As a browser at the service's own address. */
const visit = async (url: string, method = 'GET', body?: string) => {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { host: new URL(publicUrl).host, 'content-type': 'application/x-www-form-urlencoded' };
    const asked = request(url, { method, headers }, resolve).once('error', reject);
    asked.end(body);
  });
  const text = await new Response(Readable.toWeb(answer) as ReadableStream).text();
  const { 'content-type': type, 'cache-control': cache, 'content-security-policy': policy } = answer.headers;
  return { status: answer.statusCode, type, cache, policy, text: text.replaceAll(/req_\w{26}/g, 'req') };
};

const hosting = async () => {
  const { world } = await stageWorld();
  const { provider } = await fakeProviderWorld();
  return { url: await listening(fakeProviderPages(world, fakeProviderLink(provider, secret))) };
};

describe('the link between the nodes', () => {
  it('is nowhere to be found for whoever does not know the secret, and the port behind it is not called', async () => {
    const { url } = await hosting();
    const call = new Uint8Array(pack({ part: 'sessions', method: 'end', args: ['session_1'] }));
    for (const authorization of ['', 'Link x', passOf('another secret that is long enough')]) {
      const answer = await fetch(`${url}${linkPath}`, { method: 'POST', headers: { authorization }, body: call });
      expect(answer.status).not.toBe(200);
    }
    const wrong = linkedFakeProvider({ url, secret: 'another secret that is long enough', publicUrl });
    await expect(wrong).rejects.toThrow('does not take us for one of its nodes');
    expect((await fetch(`${url}${linkPath}`, { headers: { authorization: passOf(secret) } })).status).toBe(200);
  });

  it('calls nothing that is no method of the port', async () => {
    const { url } = await hosting();
    const provider = await linkedFakeProvider({ url, secret, publicUrl });
    expect(Object.keys(provider.sessions).toSorted()).toEqual(['end', 'isAlive', 'logoutUrl', 'refresh']);
    for (const [part, method] of [
      ['sessions', 'constructor'],
      ['constructor', 'constructor'],
      ['sessions', '__proto__'],
    ]) {
      const call = new Uint8Array(pack({ part, method, args: ['return 1'] }));
      const answer = await fetch(`${url}${linkPath}`, {
        method: 'POST',
        headers: { authorization: passOf(secret) },
        body: call,
      });
      expect(Buffer.from(await answer.arrayBuffer()).toString()).toContain('has no');
    }
  });

  it('that is cut makes the provider unavailable, as an outage does', async () => {
    const { url } = await hosting();
    const provider = await linkedFakeProvider({ url, secret, publicUrl });
    await closeAll();
    const asked = provider.sessions.isAlive({ providerSession: 'session_1', subject: 'user_1' });
    await expect(asked).rejects.toMatchObject({ reason: 'identity.unavailable' });
  });

  it('that leads nowhere is said at the start, with the address', async () => {
    const nowhere = linkedFakeProvider({ url: 'http://127.0.0.1:1', secret, publicUrl: '', patience: 0 });
    await expect(nowhere).rejects.toThrow('http://127.0.0.1:1');
  });

  it('brings the pages too, as they are: status, headers, body, and what was sent', async () => {
    const { url } = await hosting();
    const guest = await listening(linkedFakePages({ url, secret, publicUrl: '' }));
    for (const path of ['/fake-idp/style.css', '/fake-idp/directory', '/fake-idp/nothing']) {
      const there = await visit(`${url}${path}`);
      expect(there.status).not.toBe(403);
      expect(await visit(`${guest}${path}`)).toEqual(there);
    }
    const hire = ['POST', 'email=nobody'] as const;
    const sent = await visit(`${guest}/fake-idp/directory/hire`, ...hire);
    expect(sent).toEqual(await visit(`${url}/fake-idp/directory/hire`, ...hire));
    expect((await visit(`${guest}/elsewhere`)).status).toBe(404);
  });

  it('leads nowhere else, whatever address a request names', async () => {
    const { world } = await stageWorld();
    const beside: string[] = [];
    const url = await listening(fakeProviderPages(world), (ctx) => void beside.push(ctx.path));
    const heard: string[] = [];
    const elsewhere = await listening(async (ctx) => {
      heard.push(ctx.url);
      ctx.body = 'not the fake provider';
    });
    const { port } = new URL(await listening(linkedFakePages({ url, secret, publicUrl: '' })));
    const named = [`${elsewhere}/fake-idp/style.css`, `//${new URL(elsewhere).host}/fake-idp/style.css`];
    const climbing = ['/fake-idp/../v1/whoami', '/fake-idp/%2e%2e/v1/whoami'];
    const statuses: (number | undefined)[] = [];
    for (const path of [...named, ...climbing]) {
      const options = { host: '127.0.0.1', port, path, headers: { host: new URL(publicUrl).host } };
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        request(options, resolve).once('error', reject).end();
      });
      answer.resume();
      statuses.push(answer.statusCode);
    }
    expect([heard, beside]).toEqual([[], []]);
    // The first is a page of the fake provider after all; nothing answers to the others.
    expect(statuses).toEqual([200, 404, 404, 404]);
  });
});
