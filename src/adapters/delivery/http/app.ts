// The whole HTTP side as one Koa application, not yet listening.

import Koa, { type Middleware } from 'koa';
import type { Ids, Log, Networks } from '#application/ports/system.ts';
import type { UseCases } from '#application/use-cases.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { webhookRoutes } from '../webhook/webhook.routes.ts';
import { agentRoutes } from './agents.routes.ts';
import { auditRoutes } from './audit.routes.ts';
import { authRoutes } from './auth.routes.ts';
import { directoryRoutes } from './directory.routes.ts';
import { eventRoutes } from './events.routes.ts';
import { type HomeLink, homeRoutes } from './home.routes.ts';
import { invitationRoutes } from './invitations.routes.ts';
import { clientAddress } from './kit/client-address.ts';
import { cookieNames } from './kit/cookies.ts';
import { accessLog, requestId, securityHeaders } from './kit/every-answer.ts';
import type { ExchangeState, Step } from './kit/exchange.ts';
import { mount } from './kit/guard.ts';
import { valuesOf } from './kit/header-values.ts';
import { type OpenApi, openapi } from './kit/openapi.ts';
import { problems } from './kit/problems.ts';
import type { Route } from './kit/route.ts';
import { memberRoutes } from './members.routes.ts';
import { type Check, operationRoutes } from './operations.routes.ts';
import { organizationRoutes } from './organizations.routes.ts';
import { reconciliationRoutes } from './reconciliation.routes.ts';
import { sessionRoutes } from './session.routes.ts';
import { organizationSessionRoutes } from './sessions.routes.ts';
import { ssoRoutes } from './sso.routes.ts';

export interface HttpAppParts {
  readonly useCases: UseCases;
  /** How browsers reach us; its scheme decides about secure cookies and HSTS, its origin about cross-site requests. */
  readonly publicUrl: URL;
  readonly log: Log;
  readonly ids: Ids;
  readonly networks: Networks;
  /** Whose `X-Forwarded-For` is believed: CIDR blocks. */
  readonly trustedProxies: readonly string[];
  /** What must answer for this service to be ready, by name. */
  readonly checks: Readonly<Record<string, Check>>;
  /** Per provider whose deliveries are taken in at `/webhooks/{name}`: the header with the signature, lower case. */
  readonly signatureHeaders: Readonly<Record<string, string>>;
  readonly homeLinks?: readonly HomeLink[];
  /** Further pages, such as the fake provider's; asked when no route of ours matches. */
  readonly extra?: readonly Middleware[];
  /** True in development and tests: an undeclared refusal is a fault. */
  readonly strict: boolean;
}

type RouteParts = Pick<HttpAppParts, 'useCases' | 'publicUrl' | 'checks' | 'signatureHeaders' | 'homeLinks'>;

/** Every route there is, in the order of the documentation. */
export const allRoutes = (parts: RouteParts): readonly Route[] => {
  const { useCases, publicUrl, checks, signatureHeaders, homeLinks = [] } = parts;
  let rendered: OpenApi | undefined;
  const document = (): OpenApi => {
    const sessionCookie = cookieNames(publicUrl.protocol === 'https:').session;
    rendered ??= openapi(routes, { publicUrl, sessionCookie });
    return rendered;
  };
  const routes: readonly Route[] = [
    ...authRoutes(useCases),
    ...sessionRoutes(useCases),
    ...organizationRoutes(useCases),
    ...memberRoutes(useCases),
    ...invitationRoutes(useCases),
    ...organizationSessionRoutes(useCases),
    ...agentRoutes(useCases),
    ...ssoRoutes(useCases),
    ...directoryRoutes(useCases),
    ...reconciliationRoutes(useCases),
    ...eventRoutes(useCases),
    ...auditRoutes(useCases),
    ...webhookRoutes(useCases, signatureHeaders),
    ...operationRoutes(checks, document),
    ...homeRoutes(useCases, homeLinks),
  ];
  return routes;
};

/** RFC 9112 §3.2: an HTTP/1.1 request without exactly one Host is malformed. */
const oneHost: Step = async (ctx, next) => {
  if (valuesOf(ctx.req.rawHeaders, 'host').length !== 1 && ctx.req.httpVersion === '1.1') {
    throw new Refusal('request.invalid', { issues: ['host: is required, once'] });
  }
  await next();
};

const nothingHere: Step = async () => {
  throw new Refusal('request.unknown_route');
};

export const httpApp = (parts: HttpAppParts): Koa<ExchangeState> => {
  const { useCases, publicUrl, log, ids, networks, trustedProxies, strict, extra = [] } = parts;
  const app = new Koa<ExchangeState>();
  app.on('error', (fault: unknown) => log.error('an answer broke off', { fault: String(fault) }));
  app.use(requestId(ids));
  app.use(accessLog(log));
  app.use(securityHeaders(publicUrl));
  app.use(problems(log));
  app.use(oneHost);
  const addressOf = clientAddress(networks, trustedProxies);
  app.use(mount(allRoutes(parts), { useCases, publicUrl, log, strict, addressOf }));
  for (const middleware of extra) app.use(middleware);
  app.use(nothingHere);
  return app;
};
