// Bytes that are hardly HTTP: whatever comes over the socket, the answer is the envelope, and never a 5xx.

import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { byToken, type Served, serve } from './served.ts';

describe('the socket', () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve();
  });
  afterAll(() => served.close());

  /** Writes the bytes and reads until the server hangs up. */
  const say = (bytes: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(served.port, '127.0.0.1', () => socket.write(bytes));
      let heard = '';
      socket.on('data', (chunk) => {
        heard += chunk.toString('utf8');
      });
      socket.on('close', () => resolve(heard));
      socket.on('error', reject);
    });
  const close = 'Connection: close\r\n';
  const authorized = `Authorization: ${byToken.authorization}\r\n`;

  it.each([
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['a method that nobody knows', 'BREW /v1/whoami HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['a header that is none', `GET /v1/whoami HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n`, 400],
    ['two lengths', `POST /auth/logout HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab`, 400],
    [
      'a length and chunks',
      `POST /auth/logout HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    [
      'broken chunks',
      `POST /webhooks/fake HTTP/1.1\r\nHost: x\r\n${close}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`,
      400,
    ],
    ['a head without end', `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`, 413],
    ['no Host', `GET /healthz HTTP/1.1\r\n${close}\r\n`, 400],
    ['two Hosts', `GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n${close}\r\n`, 400],
    [
      'two credentials in one header name',
      `GET /v1/whoami HTTP/1.1\r\nHost: x\r\n${close}${authorized}Authorization: Bearer d.e.f\r\n\r\n`,
      400,
    ],
    ['an address with a broken escape', `GET /%zz%E0%A4%A HTTP/1.1\r\nHost: x\r\n${close}\r\n`, 404],
    ['an absolute address', `GET http://other.example/v1/nothing HTTP/1.1\r\nHost: x\r\n${close}\r\n`, 404],
    ['an address that is none', `GET //[::1 HTTP/1.1\r\nHost: [::1\r\n${close}\r\n`, 404],
    ['a star', `OPTIONS * HTTP/1.1\r\nHost: x\r\n${close}\r\n`, 404],
    ['TRACE', `TRACE /v1/whoami HTTP/1.1\r\nHost: x\r\n${close}\r\n`, 404],
    ['a query that is none', `GET /healthz?%&&&=%zz&a[b]=c HTTP/1.1\r\nHost: x\r\n${close}\r\n`, 200],
    ['an odd expectation', `GET /healthz HTTP/1.1\r\nHost: x\r\n${close}Expect: miracles\r\n\r\n`, 200],
    ['an upgrade to something else', `GET /healthz HTTP/1.1\r\nHost: x\r\n${close}Upgrade: h2c\r\n\r\n`, 200],
    ['HTTP/1.0', `GET /healthz HTTP/1.0\r\n\r\n`, 200],
  ])('with %s is answered', async (_what, bytes, status) => {
    const heard = await say(bytes);
    expect(heard).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(heard).toMatch(/x-request-id: req_[0-9a-z]{26}/i);
    if (status >= 400) {
      const body = JSON.parse(heard.slice(heard.indexOf('\r\n\r\n') + 4)) as { error: Record<string, unknown> };
      expect(Object.keys(body.error)).toEqual(['code', 'reason', 'message', 'details', 'request_id']);
    }
  });

  it('that hangs up in the middle of a body is no fault', async () => {
    const before = served.log.length;
    await new Promise<void>((resolve, reject) => {
      const socket = connect(served.port, '127.0.0.1', () => {
        socket.write(`POST /webhooks/fake HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nonly this`, () =>
          setImmediate(() => socket.destroy()),
        );
      });
      socket.on('close', () => resolve());
      socket.on('error', reject);
    });
    await expect.poll(() => served.log.length).toBeGreaterThan(before);
    expect(served.log.slice(before).map(({ level }) => level)).not.toContain('error');
  });

  it('is of use again after a body that was too large', async () => {
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    const head = `POST /v1/session/refresh HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const next = `GET /healthz HTTP/1.1\r\nHost: x\r\n${close}\r\n`;
    const heard = await say(`${head}${chunk.repeat(20)}0\r\n\r\n${next}`);
    expect(heard.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 200']);
  });

  it('still serves others afterwards', async () => {
    expect((await served.send('GET', '/healthz')).status).toBe(200);
  });

  it('answers HEAD like GET, without the body', async () => {
    const answered = await served.send('HEAD', '/healthz');
    expect(answered.status).toBe(200);
    expect(answered.text).toBe('');
  });
});
