// Turns whatever was thrown into the one error envelope, or into a page where a browser asked for one.

import type { Log } from '#application/ports/system.ts';
import { Refusal, type RefusalReason } from '#domain/shared/refusal.ts';
import type { Exchange, Step } from './exchange.ts';
import { html } from './html.ts';
import { page, pagePolicy } from './page.ts';
import { envelope, type Problem, problemHeaders, problemOf } from './problem.ts';

/** Everything that can be known of a fault, for the log only. */
const described = (thrown: unknown, depth = 0): unknown => {
  if (!(thrown instanceof Error)) return typeof thrown;
  const cause = thrown.cause === undefined || depth > 3 ? {} : { cause: described(thrown.cause, depth + 1) };
  return { name: thrown.name, message: thrown.message, stack: thrown.stack, ...cause };
};

/** Koa's and its friends' own errors about a request that cannot be read (http-errors): the sender's doing, not ours. */
const asRefusal = (thrown: unknown): unknown => {
  const status = thrown instanceof Error && 'status' in thrown ? thrown.status : undefined;
  if (thrown instanceof Refusal || typeof status !== 'number' || status < 400 || status > 499) return thrown;
  return new Refusal(status === 413 ? 'request.too_large' : 'request.invalid');
};

const speaksHtml = (ctx: Exchange): boolean =>
  !/^\/(?:v1|webhooks)(?:\/|$)/.test(ctx.path) && ctx.accepts('application/json', 'text/html') === 'text/html';

const headings: Readonly<Record<number, string>> = {
  401: 'Please sign in',
  403: 'You cannot go in here',
  404: 'There is nothing here',
  500: 'Something went wrong',
  503: 'We cannot do this right now',
};

const problemPage = (problem: Problem, requestId: string, signIn: boolean) =>
  page(
    headings[problem.status] ?? 'That did not work',
    html`<h1>${headings[problem.status] ?? 'That did not work'}</h1>
<p>${problem.message}</p>
<p class="actions">${signIn ? html`<a class="button" href="/auth/login">Sign in again</a>` : undefined}<a class="button quiet" href="/">Home</a></p>
<dl class="soft">
<dt>Reason</dt><dd><code>${problem.reason}</code></dd>
<dt>Request</dt><dd><code>${requestId}</code></dd>
</dl>`,
  );

/** An operator reads once a minute why we are unavailable, not once for everybody who asks, nor for each shape of one outage. */
const quietMilliseconds = 60_000;

const unavailable = (log: Log): ((refusal: Refusal) => void) => {
  const said = new Map<RefusalReason, number>();
  return ({ reason, cause }) => {
    if (!(cause instanceof Error)) return;
    const now = performance.now();
    if (now - (said.get(reason) ?? Number.NEGATIVE_INFINITY) < quietMilliseconds) return;
    said.set(reason, now);
    log.warn('requests are answered with 503', { reason, fault: cause });
  };
};

export const problems = (log: Log): Step => {
  const sayWhy = unavailable(log);
  return async (ctx, next) => {
    try {
      await next();
    } catch (thrown) {
      const problem = problemOf(asRefusal(thrown), ctx.state.statuses);
      if (problem.status === 500) {
        log.error('fault', { request_id: ctx.state.requestId, route: ctx.state.route, fault: described(thrown) });
      }
      if (problem.status === 503 && thrown instanceof Refusal) sayWhy(thrown);
      ctx.status = problem.status;
      ctx.set(problemHeaders(problem));
      ctx.remove('Location');
      if (speaksHtml(ctx)) {
        ctx.set('Content-Security-Policy', pagePolicy);
        ctx.type = 'text/html';
        ctx.body = problemPage(problem, ctx.state.requestId, ctx.path.startsWith('/auth/')).toString();
      } else {
        ctx.type = 'application/json';
        ctx.body = JSON.stringify(envelope(problem, ctx.state.requestId));
      }
    }
  };
};
