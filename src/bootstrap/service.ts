// The whole service, assembled and idle: what `main` serves, and what the harness holds in its hand.

import 'reflect-metadata';
import type { RequestListener } from 'node:http';
import { Container } from 'inversify';
import { MemoryCallerCache } from '#adapters/cache/memory/memory-caller-cache.ts';
import { type HttpAppParts, httpApp } from '#adapters/delivery/http/app.ts';
import type { HomeLink } from '#adapters/delivery/http/home.routes.ts';
import { MemoryJobs } from '#adapters/jobs/memory/memory-jobs.ts';
import type { Activity } from '#application/access/activity.ts';
import type { CallerCache } from '#application/ports/caller-cache.ts';
import type { IdentityProvider } from '#application/ports/identity-provider.ts';
import type { Job, Jobs } from '#application/ports/jobs.ts';
import type { Clock, Log } from '#application/ports/system.ts';
import type { Worker } from '#application/reactions/worker.ts';
import type { UseCases } from '#application/use-cases.ts';
import type { Secrets } from '#bootstrap/generated-secrets.ts';
import { applicationModule } from '#bootstrap/modules/application.module.ts';
import { identityModule } from '#bootstrap/modules/identity.module.ts';
import { type Persistence, persistenceModule } from '#bootstrap/modules/persistence.module.ts';
import { systemModule } from '#bootstrap/modules/system.module.ts';
import { T } from '#bootstrap/tokens.ts';

type Extra = NonNullable<HttpAppParts['extra']>[number];

export interface ServiceParts {
  readonly publicUrl: string;
  readonly trustSeconds: number;
  readonly trustedProxies: readonly string[];
  readonly workosWebhookSecrets: readonly string[];
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly log: Log;
  readonly persistence: Persistence;
  /** This process' own unless told. */
  readonly callerCache?: CallerCache | undefined;
  /** Where jobs are enqueued; started and stopped by whoever made it. In memory, and at rest, unless told. */
  readonly jobs?: Jobs | undefined;
  readonly provider: IdentityProvider;
  /** Pages that come with the provider, and what the home page says of them; the fake has some. */
  readonly pages?: { readonly serve: Extra; readonly links: readonly HomeLink[] } | undefined;
  /** Tests: a refusal that its route does not declare is a fault. Else it is answered, and logged. */
  readonly strict: boolean;
  /** What must hold for the service to take requests, by name. */
  readonly checks: Readonly<Record<string, () => Promise<unknown>>>;
}

export interface Service {
  readonly useCases: UseCases;
  /** Answers every HTTP request; give it to `httpServer`. */
  readonly listener: RequestListener;
  readonly inbox: Worker;
  readonly outbox: Worker;
  readonly activity: Activity;
  /** The jobs of the service, for a runner to do. */
  readonly jobList: readonly Job[];
  /** Takes over from the provider's feed what no delivery brought; answers how many events. */
  readonly catchUp: () => Promise<number>;
}

export const assemble = (parts: ServiceParts): Service => {
  const { publicUrl, trustSeconds, clock, log, provider, pages } = parts;
  const container = new Container();
  container.load(
    systemModule(clock, log, parts.secrets, parts.callerCache ?? new MemoryCallerCache(clock)),
    persistenceModule(parts.persistence),
    identityModule(provider, parts.workosWebhookSecrets),
    applicationModule,
  );
  container.bind(T.jobs).toConstantValue(parts.jobs ?? new MemoryJobs({ clock, log }));
  const loginUrl = `${publicUrl}/auth/login`;
  container.bind(T.settings).toConstantValue({
    publicUrl,
    trustSeconds,
    loginUrl,
    callbackUrl: `${publicUrl}/auth/callback`,
    lanesAtOnce: parts.persistence.lanesAtOnce ?? 1,
  });

  const useCases = container.get(T.useCases);
  const app = httpApp({
    useCases,
    publicUrl: new URL(publicUrl),
    log,
    ids: container.get(T.ids),
    networks: container.get(T.networks),
    trustedProxies: parts.trustedProxies,
    checks: parts.checks,
    signatureHeaders: { workos: 'workos-signature', [provider.name]: 'workos-signature' },
    homeLinks: pages?.links ?? [],
    extra: pages ? [pages.serve] : [],
    strict: parts.strict,
  });
  return {
    useCases,
    listener: app.callback(),
    inbox: container.get(T.inboxWorker),
    outbox: container.get(T.outboxWorker),
    activity: container.get(T.activity),
    catchUp: container.get(T.catchUp),
    jobList: container.get(T.jobList),
  };
};
