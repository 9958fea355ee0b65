// What every answer carries, whatever became of the request: its id, security headers, and one line in the log.

import helmet from 'helmet';
import type { Ids, Log } from '#application/ports/system.ts';
import type { Step } from './exchange.ts';
import { dataPolicy } from './page.ts';

/** The request gets an id of ours; one that the client sends is not ours and is not repeated. */
export const requestId =
  (ids: Ids): Step =>
  async (ctx, next) => {
    ctx.state.requestId = ids.next('req');
    ctx.set('X-Request-Id', ctx.state.requestId);
    await next();
  };

/**
 * One line per request: never a path (it may hold what a person typed), a query, a header or a body.
 */
export const accessLog =
  (log: Log): Step =>
  async (ctx, next) => {
    const started = performance.now();
    await next();
    log.info('request', {
      method: ctx.method,
      route: ctx.state.route ?? null,
      status: ctx.status,
      ms: Math.round((performance.now() - started) * 10) / 10,
      request_id: ctx.state.requestId,
      caller_id: ctx.state.callerId ?? null,
    });
  };

const year = 365 * 24 * 3600;

/** Strict for everything; pages then set the policy that they need. Nothing is kept by caches: answers are about somebody. */
export const securityHeaders = (publicUrl: URL): Step => {
  const guardHeaders = helmet({
    contentSecurityPolicy: false,
    strictTransportSecurity:
      publicUrl.protocol === 'https:' ? { maxAge: year, includeSubDomains: true, preload: false } : false,
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
  });
  return async (ctx, next) => {
    await new Promise<void>((resolve, reject) => {
      guardHeaders(ctx.req, ctx.res, (fault) => (fault ? reject(fault) : resolve()));
    });
    ctx.set('Content-Security-Policy', dataPolicy);
    ctx.set('Cache-Control', 'no-store');
    await next();
  };
};
