// What deploy/nginx.conf does, for a desk without nginx: nodes behind one address, and a service that lets them say who may come in.

import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createProxyServer } from 'httpxy';

export interface ProxyTargets {
  readonly port: number;
  /** Origins of the nodes, asked in turn. */
  readonly nodes: readonly string[];
  /** Origin of the service that is guarded under /sample/. */
  readonly sample: string;
}

export interface RunningProxy {
  readonly url: string;
  close(): Promise<void>;
}

/** The ways in which a credential is shown. */
const shownIn = ['cookie', 'authorization', 'x-api-key'];

const toldBy = ['organization', 'caller', 'kind', 'role', 'scopes'].map((fact) => `x-hati-${fact}`);

/** Only what has no effect is asked again at another node. */
const isSafe = (method: string | undefined): boolean => method === 'GET' || method === 'HEAD';

export const startProxy = async ({ port, nodes, sample }: ProxyTargets): Promise<RunningProxy> => {
  const proxy = createProxyServer({});
  let turn = 0;

  const fail = (response: ServerResponse, status: number, message: string): void => {
    if (response.headersSent) return void response.destroy();
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${message}\n`);
  };

  /** Each node in turn, beginning with the next one; a node that cannot be reached is passed over. */
  const atSomeNode = async <T>(ask: (node: string) => Promise<T>, mayRepeat: boolean): Promise<T> => {
    turn += 1;
    for (let passed = 0; ; passed += 1) {
      try {
        return await ask(nodes[(turn + passed) % nodes.length] ?? '');
      } catch (fault) {
        const isRefused = (fault as NodeJS.ErrnoException).code === 'ECONNREFUSED';
        if (passed + 1 >= nodes.length || !(isRefused || mayRepeat)) throw fault;
      }
    }
  };

  const verified = ({ headers, socket }: IncomingMessage): Promise<Response> => {
    const shown: Record<string, string> = { 'x-forwarded-for': socket.remoteAddress ?? '' };
    for (const name of shownIn) {
      const value = headers[name];
      if (typeof value === 'string') shown[name] = value;
    }
    return atSomeNode((node) => fetch(`${node}/v1/verify?scope=query:read`, { headers: shown }), true);
  };

  const guarded = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const verdict = await verified(request);
    if (verdict.status !== 204) return fail(response, verdict.status, await verdict.text());
    // What clients send under these names must not get through, nor must the service be able to act as the caller.
    const drop = new Set([...toldBy, ...shownIn]);
    const kept: IncomingHttpHeaders = Object.fromEntries(
      // Some servers take `_` for `-` in names; nginx leaves such headers out by itself.
      Object.entries(request.headers).filter(([name]) => !drop.has(name.replaceAll('_', '-'))),
    );
    for (const name of toldBy) {
      const told = verdict.headers.get(name);
      if (told !== null) kept[name] = told;
    }
    request.headers = kept;
    request.url = request.url?.replace(/^\/sample/, '') ?? '/';
    await proxy.web(request, response, { target: sample });
  };

  const server = createServer((request, response) => {
    // What the client claims of its own address is dropped, not extended.
    request.headers['x-forwarded-for'] = request.socket.remoteAddress ?? '';
    const passed = request.url?.startsWith('/sample/')
      ? guarded(request, response)
      : atSomeNode((target) => proxy.web(request, response, { target }), isSafe(request.method));
    passed.catch(() => fail(response, 502, 'No node answers.'));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://localhost:${port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
