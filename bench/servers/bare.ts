// The floor of the framework: bare Koa and router, answering the same bytes to everybody.

import { Router } from '@koa/router';
import Koa from 'koa';

const [port = '0', body = '{}'] = process.argv.slice(2);

const router = new Router();
router.get('/v1/whoami', (ctx) => {
  ctx.type = 'application/json';
  ctx.body = body;
});
new Koa().use(router.routes()).listen(Number(port), '127.0.0.1', () => process.send?.('listening'));
