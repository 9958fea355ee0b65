// A service that knows nothing of sign-in: the proxy in front of it asks HatiData Identity, and tells it who is calling.

import { createServer } from 'node:http';

const port = Number(process.env['PORT'] ?? 4000);
const host = process.env['HOST'] ?? '127.0.0.1';

const server = createServer((request, response) => {
  const told = (name: string): string | null => request.headers[`x-hati-${name}`]?.toString() ?? null;
  const answer = {
    message: `Hello ${told('caller') ?? 'stranger'}: here are the orders of ${told('organization') ?? 'nobody'}.`,
    caller: { id: told('caller'), kind: told('kind'), organization: told('organization'), role: told('role') },
    scopes: told('scopes')?.split(' ') ?? [],
  };
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
  response.end(`${JSON.stringify(answer, null, 2)}\n`);
});

server.listen(port, host);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}
