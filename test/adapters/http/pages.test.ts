// The pages that the server renders: readable, escaped, and unable to load or run anything.

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Refusal, refusals } from '#domain/shared/refusal.ts';
import { anEmail, anId } from '../../support/words.ts';
import { byCookie, byToken, friendly, serve } from './served.ts';

const html = { accept: 'text/html' };

const look = async (path: string, headers: Record<string, string> = html, ...how: Parameters<typeof serve>) => {
  const served = await serve(...how);
  const answered = await served.send('GET', path, { headers });
  await served.close();
  return answered;
};

describe('every page', () => {
  it.each(['/', '/docs', '/nowhere', '/auth/callback?error=x'])(
    '%s may load its own stylesheet and nothing else',
    async (path) => {
      const answered = await look(path);
      const policy = String(answered.headers['content-security-policy']);
      const style = /<style>([\s\S]*)<\/style>/.exec(answered.text)?.[1] ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain(`style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`);
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|script-src|\*/);
      expect(answered.text).not.toMatch(/<script|<link rel="stylesheet"|src=|style="| on\w+="/);
      expect(answered.text).toContain('<html lang="en">');
      expect(answered.headers['cache-control']).toBe('no-store');
    },
  );
});

describe('the home page', () => {
  it('offers to sign in, and what the operator added', async () => {
    const homeLinks = [{ label: 'The fake <directory>', href: '/fake-idp/directory?a=1&b="2"' }];
    const { text } = await look('/', html, {}, { homeLinks });
    expect(text).toContain('href="/auth/login?return_to=/"');
    expect(text).toContain('<a href="/fake-idp/directory?a=1&amp;b=&quot;2&quot;">The fake &lt;directory&gt;</a>');
    expect(text).not.toContain('Sign out');
  });

  it('tells who is signed in, escapes what people call themselves, and offers to sign out and to switch', async () => {
    const { text } = await look(
      '/',
      { ...html, ...byCookie },
      {
        whoAmI: async (caller) => ({
          ...(await friendly.whoAmI(caller)),
          user: { id: anId('user'), email: anEmail('ada@acme.test'), name: '<img src=x onerror=alert(1)>' },
          organizations: [
            { id: anId('org'), name: 'Acme', slug: 'acme', role: 'owner' },
            { id: anId('org', 2), name: 'Beta & Co', slug: 'beta', role: 'analyst' },
          ],
        }),
      },
    );
    expect(text).toContain('&lt;img src=x onerror=alert(1)&gt;');
    expect(text).toContain('<form class="actions" method="post" action="/auth/logout">');
    expect(text).toContain(`href="/auth/login?organization_id=${anId('org', 2)}&amp;return_to=/">Beta &amp; Co</a>`);
    expect(text).not.toContain(`organization_id=${anId('org')}&`);
  });

  it('is the signed-out one for a session that has ended', async () => {
    const ended = async (): Promise<never> => {
      throw new Refusal('session.ended');
    };
    const answered = await look('/', { ...html, ...byCookie }, { authenticateCaller: ended });
    expect(answered.status).toBe(200);
    expect(answered.text).toContain('Sign in');
  });

  it('says so when it cannot tell', async () => {
    const down = async (): Promise<never> => {
      throw new Refusal('storage.unavailable');
    };
    const answered = await look('/', { ...html, ...byCookie }, { authenticateCaller: down });
    expect(answered.status).toBe(503);
    expect(answered.text).toContain('storage.unavailable');
  });
});

describe('the documentation page', () => {
  it('has every operation, shape and reason, and its links lead somewhere', async () => {
    const { text } = await look('/docs');
    expect(text).toContain('/v1/organizations/{org}/members/{member}');
    for (const reason of Object.keys(refusals)) expect(text).toContain(`id="reason-${reason}"`);
    const targets = [...text.matchAll(/href="#([^"]+)"/g)].map(([, target]) => target);
    expect(targets.length).toBeGreaterThan(100);
    for (const target of new Set(targets)) expect(text).toContain(`id="${target}"`);
    expect(text).not.toMatch(/\[object |undefined|<p><p>/);
  });
});

describe('an address where nothing is', () => {
  it('is a page for a browser and an envelope for a program', async () => {
    const page = await look('/nowhere');
    const json = await look('/nowhere', { accept: '*/*' });
    expect([page.status, json.status]).toEqual([404, 404]);
    expect(page.headers['content-type']).toContain('text/html');
    expect(json.json).toMatchObject({ error: { code: 'NOT_FOUND', reason: 'request.unknown_route' } });
  });

  it('is always an envelope inside the API', async () => {
    const answered = await look('/v1/nowhere');
    expect(answered.json).toMatchObject({ error: { reason: 'request.unknown_route' } });
  });
});

describe('security headers', () => {
  it('stand on every answer, good or bad', async () => {
    const served = await serve();
    const answers = await Promise.all([
      served.send('GET', '/v1/whoami', { headers: byToken }),
      served.send('GET', '/v1/whoami'),
      served.send('GET', '/nowhere'),
      served.send('GET', '/'),
      served.send('DELETE', `/v1/sessions/${anId('sess')}`, { headers: byToken }),
    ]);
    await served.close();
    for (const { headers } of answers) {
      expect(headers).toMatchObject({
        'content-security-policy': expect.stringMatching(/^default-src 'none'; .*frame-ancestors 'none'/),
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'x-frame-options': 'DENY',
        'strict-transport-security': 'max-age=31536000; includeSubDomains',
        'cache-control': 'no-store',
        'x-request-id': expect.stringMatching(/^req_/),
      });
      expect(headers).not.toHaveProperty('x-powered-by');
      expect(headers).not.toHaveProperty('access-control-allow-origin');
    }
  });

  it('bind to https only where there is https', async () => {
    const answered = await look('/', html, {}, { publicUrl: new URL('http://localhost:3000') });
    expect(answered.headers).not.toHaveProperty('strict-transport-security');
  });
});

describe('further pages', () => {
  it('are asked when no route of ours matches, and get the same frame', async () => {
    const served = await serve(
      {},
      {
        extra: [
          async (ctx, next) => {
            if (ctx.path === '/fake-idp/authorize') ctx.body = 'a fake page';
            else await next();
          },
        ],
      },
    );
    const page = await served.send('GET', '/fake-idp/authorize');
    const none = await served.send('GET', '/fake-idp/nothing');
    await served.close();
    expect(page.text).toBe('a fake page');
    expect(page.headers['x-request-id']).toMatch(/^req_/);
    expect(none.status).toBe(404);
  });
});
