// WorkOS as an identity provider: the parts of the port, put together over one transport.

import { setTimeout as sleep } from 'node:timers/promises';
import { CallBudget, CallDebts } from '#adapters/identity/workos/call-budget.ts';
import { workosDeliveries } from '#adapters/identity/workos/deliveries.ts';
import { workosDirectoryReader } from '#adapters/identity/workos/directory-reader.ts';
import { workosEventFeed } from '#adapters/identity/workos/event-feed.ts';
import { hostedLogin } from '#adapters/identity/workos/hosted-login.ts';
import { invitationPost } from '#adapters/identity/workos/invitation-post.ts';
import { keyRing } from '#adapters/identity/workos/key-ring.ts';
import { organizationRegistry } from '#adapters/identity/workos/organization-registry.ts';
import { Pace } from '#adapters/identity/workos/pace.ts';
import { sessionAuthority } from '#adapters/identity/workos/session-authority.ts';
import { workosTokens } from '#adapters/identity/workos/session-tokens.ts';
import { ssoAdministration } from '#adapters/identity/workos/sso-administration.ts';
import { defaultLimits, type Limits, openTransport } from '#adapters/identity/workos/transport.ts';
import type { IdentityProvider } from '#application/ports/identity-provider.ts';
import type { Clock, Log } from '#application/ports/system.ts';

/** WorkOS allows four requests a second for each directory. */
const directoryCallsPerSecond = 4;

export interface WorkosOptions {
  /** `sk_…`; a secret, never printed. */
  readonly apiKey: string;
  /** `client_…` of the same environment. */
  readonly clientId: string;
  /** Origin of WorkOS' API: `https://api.workos.com`, or a custom auth domain, or an emulator (http) at a desk. */
  readonly apiUrl: string;
  /** The `iss` that this environment writes into its tokens, exactly; several while one replaces another. */
  readonly issuers: readonly string[];
  readonly webhookSecrets: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
  /**
   * How many requests a second this process may spend on asking whether sessions live. WorkOS allows 100 a second from one
   * address for everything, so the nodes behind one address share that. 40 unless said otherwise.
   */
  readonly aliveChecksPerSecond?: number | undefined;
  /** Whether connections are made from here too, see `ssoAdministration`; off unless told. */
  readonly connectionCreation?: boolean | undefined;
  readonly limits?: Limits | undefined;
  /** Waits between two attempts; for tests, which do not. */
  readonly pause?: ((milliseconds: number) => Promise<void>) | undefined;
}

/**
 * No request is made until somebody asks something.
 * @throws Error with every fault of the options, by the names that the environment has for them
 */
export const workosIdentityProvider = async (options: WorkosOptions): Promise<IdentityProvider> => {
  const faults = faultsOf(options);
  if (faults.length > 0) throw new Error(`WorkOS cannot be used: ${faults.join('; ')}`);
  const { apiKey, clientId, apiUrl, issuers, webhookSecrets, clock, log } = options;
  const limits = options.limits ?? defaultLimits;
  const pause = options.pause ?? ((milliseconds) => sleep(milliseconds));

  const transport = await openTransport({ apiKey, clientId, apiUrl, clock, log, limits, pause });
  const { background, interactive } = transport;
  const keys = keyRing({ transport, clientId, timeoutMs: limits.interactive.timeoutMs, clock });
  const tokens = workosTokens({ keys, clientId, issuers, clock, log });
  const checksPerSecond = options.aliveChecksPerSecond ?? 40;
  const budget = new CallBudget(checksPerSecond, clock);
  // Nobody gets much more than a quarter of it by having very many sessions.
  const debts = new CallDebts(checksPerSecond / 4, clock);
  return {
    name: 'workos',
    login: hostedLogin({ transport, tokens, clock }),
    tokens: { verify: tokens.verify },
    sessions: sessionAuthority({ transport, tokens, budget, debts, log }),
    organizations: organizationRegistry({ lane: background, clock, log }),
    invitations: invitationPost({ lane: background }),
    deliveries: workosDeliveries({ secrets: webhookSecrets, clock, log }),
    feed: workosEventFeed({ lane: background, clock, log }),
    sso: ssoAdministration({ lane: interactive, connectionCreation: options.connectionCreation ?? false }),
    directory: workosDirectoryReader({
      lane: background,
      pace: new Pace(directoryCallsPerSecond, clock, pause),
      clock,
    }),
  };
};

const faultsOf = ({ apiKey, clientId, apiUrl, issuers }: WorkosOptions): string[] => {
  const faults: string[] = [];
  if (apiKey.trim() === '') faults.push('WORKOS_API_KEY is missing');
  if (!/^[\w-]+$/.test(clientId)) faults.push('WORKOS_CLIENT_ID is missing or no client id');
  if (issuers.length === 0) faults.push('WORKOS_ISSUERS is empty, so no token could ever be accepted');
  const url = URL.parse(apiUrl);
  if (!url || !/^https?:$/.test(url.protocol)) faults.push('WORKOS_API_URL is no http or https address');
  else if (url.pathname !== '/' || url.search !== '') faults.push('WORKOS_API_URL must not have a path');
  return faults;
};
