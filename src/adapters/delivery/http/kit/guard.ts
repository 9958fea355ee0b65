// Stands before every route: proves the caller, keeps the organizations apart, parses in, filters out, and lets only declared refusals pass.

import { Router } from '@koa/router';
import { z } from 'zod';
import type { Log } from '#application/ports/system.ts';
import type { UseCases } from '#application/use-cases.ts';
import { actingIn, type Caller, needsScope } from '#domain/access/caller.ts';
import { type Credential, credentialFrom } from '#domain/access/credential.ts';
import type { Source } from '#domain/audit/audit-entry.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';
import { Refusal, type RefusalReason } from '#domain/shared/refusal.ts';
import { type Cookies, cookiesOf } from './cookies.ts';
import type { Exchange, ExchangeState, Step } from './exchange.ts';
import { valuesOf } from './header-values.ts';
import { Html } from './html.ts';
import { createOnce, idempotencyKeyOf } from './idempotency.ts';
import { readAs } from './issues.ts';
import { pagePolicy } from './page.ts';
import { statusOf } from './problem.ts';
import { readJson, readRaw } from './read-body.ts';
import { type Answer, type Asked, isRaw, isScope, organizationParam, type Route, refusalsOf } from './route.ts';
import { mustBeOurOwnPage, writes } from './same-origin.ts';

export interface GuardParts {
  readonly useCases: Pick<UseCases, 'authenticateCaller' | 'keepSessionAlive' | 'onlyOnce' | 'recordRefusal'>;
  readonly publicUrl: URL;
  readonly log: Log;
  /** Development and tests: a refusal that its route does not declare is a fault. Otherwise it is logged and answered. */
  readonly strict: boolean;
  readonly addressOf: (request: Exchange['req']) => string | null;
}

const credentialOf = (ctx: Exchange, cookies: Cookies): Credential | undefined => {
  // Node keeps the first of several and drops the others.
  const authorizations = valuesOf(ctx.req.rawHeaders, 'authorization');
  if (new Set(authorizations).size > 1) throw new Refusal('credential.ambiguous');
  return credentialFrom({
    authorization: authorizations[0],
    apiKeyHeader: headerOf(ctx, 'x-api-key'),
    sessionCookie: cookies.session(),
  });
};

const headerOf = (ctx: Exchange, name: string): string | undefined => {
  const value = ctx.req.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
};

const readable = (text: string | undefined): string | null =>
  text === undefined ? null : text.replace(/[^\x20-\x7e]/g, '?').slice(0, 512);

const readParams = (route: Route, sent: Readonly<Record<string, string>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(route.params).map(([name, param]) => {
      const value = param.read(sent[name] ?? '');
      if (value === undefined) throw new Refusal(param.otherwise);
      return [name, value];
    }),
  );

/** The body as it was sent, and as the route reads it. */
const readBody = async (route: Route, ctx: Exchange): Promise<{ readonly sent?: unknown; readonly body?: unknown }> => {
  if (!route.body) return {};
  if (isRaw(route.body)) return { body: await readRaw(ctx, route.body.raw.limitBytes) };
  const sent = await readJson(ctx);
  if (sent === undefined) throw new Refusal('request.invalid', { issues: ['body: is required'] });
  return { sent, body: readAs(route.body, sent, 'body') };
};

/** What does not fit the declared answer is a fault; what is not declared in it stays home. */
const jsonOf = (answer: Answer, given: unknown): string =>
  JSON.stringify(typeof answer === 'string' ? given : answer.parse(given));

const write = (ctx: Exchange, answer: Answer, given: unknown): void => {
  if (answer === 'nothing') {
    ctx.body = null;
  } else if (answer === 'redirect') {
    const status = ctx.status;
    ctx.redirect(z.string().parse(given));
    ctx.status = status;
    ctx.type = 'text/plain';
    ctx.body = '';
  } else if (answer === 'page') {
    ctx.set('Content-Security-Policy', pagePolicy);
    ctx.type = 'text/html';
    ctx.body = z.instanceof(Html).parse(given).toString();
  } else {
    ctx.type = 'application/json';
    ctx.body = jsonOf(answer, given);
  }
};

const guard = (route: Route, parts: GuardParts): ((ctx: Exchange) => Promise<void>) => {
  const { useCases, publicUrl, log } = parts;
  const declared = refusalsOf(route);
  const [usualStatus, answer] = route.answers;
  const statuses = new Set([usualStatus, ...Object.keys(route.also ?? {}).map(Number)]);

  const serve = async (ctx: Exchange, source: Source, known: (caller: Caller) => void): Promise<void> => {
    const cookies = cookiesOf(publicUrl, headerOf(ctx, 'cookie'), (line) => ctx.append('Set-Cookie', line));
    const header = (name: string): string | undefined => headerOf(ctx, name);
    const sentParams: Readonly<Record<string, string>> = ctx['params'] ?? {};

    /** The person is active: their cookies live on, and the provider hears of it. */
    const keepAlive = async (caller: Caller, reference: string): Promise<void> => {
      const kept = await useCases.keepSessionAlive(caller, cookies.refreshBox());
      if (kept) cookies.keepSession(reference, kept.refreshBox, kept.cookieSeconds);
    };
    const prove = async (credential: Credential): Promise<Caller> => {
      const caller = await useCases.authenticateCaller(credential, { ip: source.ip });
      ctx.state.callerId = caller.id;
      known(caller);
      if (credential.kind === 'session_reference' && !route.leavesCookies)
        await keepAlive(caller, credential.reference);
      return caller;
    };
    let caller: Caller | undefined;
    if (route.allows !== 'anyone') {
      const credential = credentialOf(ctx, cookies);
      if (!credential) throw new Refusal('credential.missing');
      caller = await prove(credential);
      const organization = route.params[organizationParam];
      if (organization) {
        const named = organization.read(sentParams[organizationParam] ?? '');
        if (named === undefined) throw new Refusal(organization.otherwise);
        actingIn(caller, named as OrganizationId);
      }
      if (isScope(route.allows)) needsScope(caller, route.allows);
      if (credential.kind === 'session_reference' && writes(ctx.method)) mustBeOurOwnPage(publicUrl, header);
    }
    if (route.ownPagesOnly) mustBeOurOwnPage(publicUrl, header);

    const identify: Asked<unknown, unknown, unknown, unknown>['identify'] = async (whenRefused) => {
      try {
        const credential = credentialOf(ctx, cookies);
        return credential && (await prove(credential));
      } catch (thrown) {
        const isNobody = thrown instanceof Refusal && statusOf[thrown.reason] < 500;
        if (!isNobody) throw thrown;
        whenRefused?.(thrown);
        return undefined;
      }
    };
    const params = readParams(route, sentParams);
    const query = route.query && readAs(route.query, { ...ctx.query }, 'query');
    const { sent, body } = await readBody(route, ctx);
    let status = usualStatus;
    const reply = {
      status(other: number) {
        if (!statuses.has(other)) throw new Error(`${route.operation} does not declare status ${other}`);
        status = other;
      },
      header: (name: string, value: string) => ctx.set(name, value),
    };
    const asked = { params, query, body, caller, source, cookies, header, identify, reply };
    const { shows = (given: unknown) => given } = route;
    const key = route.shows && idempotencyKeyOf(ctx);
    if (caller && key !== undefined) {
      const created = await createOnce(
        useCases,
        route,
        { caller, key, sent: { params: sentParams, query: { ...ctx.query }, body: sent } },
        async (once) => route.handle({ ...asked, source: { ...source, once } }),
        (made) => jsonOf(answer, shows(made)),
      );
      if (created.replayed) ctx.set('Idempotent-Replayed', 'true');
      ctx.status = created.status;
      ctx.type = 'application/json';
      ctx.body = created.body;
      return;
    }
    const given = shows(await route.handle(asked));
    ctx.status = status;
    write(ctx, answer, given);
  };

  const record = async (caller: Caller, reason: RefusalReason, source: Source): Promise<void> => {
    try {
      await useCases.recordRefusal(caller, { attempt: `${route.method.toUpperCase()} ${route.path}`, reason }, source);
    } catch (thrown) {
      log.warn('a refusal could not be recorded', { request_id: source.requestId, reason, fault: String(thrown) });
    }
  };

  return async (ctx) => {
    ctx.state.route = route.path;
    if (route.statuses) ctx.state.statuses = route.statuses;
    const source: Source = {
      via: 'http',
      ip: parts.addressOf(ctx.req),
      userAgent: readable(headerOf(ctx, 'user-agent')),
      requestId: ctx.state.requestId,
    };
    let caller: Caller | undefined;
    try {
      await serve(ctx, source, (proven) => {
        caller = proven;
      });
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown;
      if (!declared.has(thrown.reason)) {
        if (parts.strict) throw new Error(`${route.operation} does not declare ${thrown.reason}`, { cause: thrown });
        log.warn('an undeclared refusal was answered', { operation: route.operation, reason: thrown.reason });
      }
      const status = route.statuses?.[thrown.reason] ?? statusOf[thrown.reason];
      if (caller && writes(ctx.method) && (status === 403 || status === 422)) {
        await record(caller, thrown.reason, source);
      }
      throw thrown;
    }
  };
};

/** `/v1/{org}` as the router writes it. */
const routerPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

/** All routes behind their guards. What matches none goes on to whatever comes after. */
export const mount = (routes: readonly Route[], parts: GuardParts): Step => {
  const router = new Router<ExchangeState>({ sensitive: true, strict: true });
  // Addresses without a parameter are looked up; the router would try one pattern after another on every request.
  const known = new Map<string, (ctx: Exchange) => Promise<void>>();
  for (const route of routes) {
    const guarded = guard(route, parts);
    router[route.method](routerPath(route.path), guarded);
    if (!route.path.includes('{')) known.set(`${route.method} ${route.path}`, guarded);
  }
  const matching = router.routes() as unknown as Step;
  return (ctx, next) => {
    const method = ctx.method === 'HEAD' ? 'get' : ctx.method.toLowerCase();
    const found = known.get(`${method} ${ctx.path}`);
    return found ? found(ctx) : matching(ctx, next);
  };
};
