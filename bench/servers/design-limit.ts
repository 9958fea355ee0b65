// The limit of this design: plain Koa, SHA-256 of the credential, and one look-up in a Map of this process.

import { createHash } from 'node:crypto';
import { Router } from '@koa/router';
import Koa from 'koa';

const [port = '0', body = '{}', ...credentials] = process.argv.slice(2);

const digest = (credential: string): string => createHash('sha256').update(credential).digest('hex');
const callers = new Map(credentials.map((credential) => [digest(credential), JSON.parse(body) as unknown]));

const router = new Router();
router.get('/v1/whoami', (ctx) => {
  const credential = ctx.get('authorization') || ctx.get('cookie');
  const caller = callers.get(digest(credential));
  if (!caller) {
    ctx.status = 401;
    return;
  }
  ctx.type = 'application/json';
  ctx.body = JSON.stringify(caller);
});
new Koa().use(router.routes()).listen(Number(port), '127.0.0.1', () => process.send?.('listening'));
