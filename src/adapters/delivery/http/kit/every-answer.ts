// What every answer carries, whatever became of the request: its id, security headers, and one line in the log.

import type { IncomingMessage, ServerResponse } from 'node:http';
import helmet, { type HelmetOptions } from 'helmet';
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

/** The headers that helmet sets with these options. They are the same for every answer, so it is asked once. */
const headersOf = (options: HelmetOptions): ReadonlyMap<string, string> => {
  const headers = new Map<string, string>();
  const answer = {
    setHeader: (name: string, value: string) => headers.set(name, value),
    removeHeader: (name: string) => headers.delete(name),
  };
  helmet(options)({} as IncomingMessage, answer as unknown as ServerResponse, (fault) => {
    if (fault) throw fault;
  });
  return headers;
};

/** Strict for everything; pages then set the policy that they need. Nothing is kept by caches: answers are about somebody. */
export const securityHeaders = (publicUrl: URL): Step => {
  const headers = new Map([
    ...headersOf({
      contentSecurityPolicy: false,
      strictTransportSecurity:
        publicUrl.protocol === 'https:' ? { maxAge: year, includeSubDomains: true, preload: false } : false,
      crossOriginOpenerPolicy: { policy: 'same-origin' },
      crossOriginResourcePolicy: { policy: 'same-origin' },
      referrerPolicy: { policy: 'no-referrer' },
      xFrameOptions: { action: 'deny' },
    }),
    ['Content-Security-Policy', dataPolicy],
    ['Cache-Control', 'no-store'],
  ]);
  return async (ctx, next) => {
    ctx.res.setHeaders(headers);
    await next();
  };
};
