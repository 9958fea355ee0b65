// WorkOS through the stub: the provider with the real SDK, a clock to turn, a log that is listened to, and nobody waiting in between.

import { createHash } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { type WorkosOptions, workosIdentityProvider } from '#adapters/identity/workos/workos-identity-provider.ts';
import { FakeClock } from '#adapters/system/fake-clock.ts';
import type { IdentityProvider, ProvenIdentity } from '#application/ports/identity-provider.ts';
import type { Log } from '#application/ports/system.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { startWorkosStub, type WorkosStub } from '../../support/workos-stub/workos-stub.ts';

export interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface WorkosWorld {
  readonly stub: WorkosStub;
  readonly clock: FakeClock;
  readonly provider: IdentityProvider;
  /** Another one of the same WorkOS, as on another node, or with other options. */
  another(options: Partial<WorkosOptions>): Promise<IdentityProvider>;
  readonly lines: Line[];
  /** Milliseconds that would have been waited between attempts. */
  readonly pauses: number[];
  /** The requests so far, as "METHOD path". */
  asked(): readonly string[];
}

const listener = (lines: Line[]): Log => {
  const at =
    (level: Line['level']) =>
    (message: string, facts: Readonly<Record<string, unknown>> = {}): void => {
      lines.push({ level, message, facts });
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
};

/** Closes itself when the test has finished. */
export const workosWorld = async (options: Partial<WorkosOptions> = {}): Promise<WorkosWorld> => {
  const clock = new FakeClock();
  const stub = await startWorkosStub(clock);
  onTestFinished(() => stub.close());
  const lines: Line[] = [];
  const pauses: number[] = [];
  const base: WorkosOptions = {
    apiKey: stub.apiKey,
    clientId: stub.clientId,
    apiUrl: stub.url,
    issuers: [stub.issuer],
    webhookSecrets: [stub.events.webhookSecret],
    clock,
    log: listener(lines),
    pause: async (milliseconds) => {
      pauses.push(milliseconds);
    },
    ...options,
  };
  const provider = await workosIdentityProvider(base);
  const another = (more: Partial<WorkosOptions>) => workosIdentityProvider({ ...base, ...more });
  const asked = () => stub.requests.map(({ method, path }) => `${method} ${path}`);
  return { stub, clock, provider, another, lines, pauses, asked };
};

/** The browser's part of a sign-in: what the callback brings. */
export const callbackOf = async (
  { provider }: Pick<WorkosWorld, 'provider'>,
  request: {
    readonly email: string;
    readonly codeChallenge: string;
    readonly organization?: string | undefined;
    readonly connection?: string | undefined;
    readonly invitationToken?: string | undefined;
  },
): Promise<URLSearchParams> => {
  const url = await provider.login.urlFor({
    state: 'a-state',
    redirectUri: 'http://localhost:3000/auth/callback',
    codeChallenge: request.codeChallenge,
    organization: request.organization,
    connection: request.connection,
    invitationToken: request.invitationToken,
    loginHint: request.email,
  });
  const answer = await fetch(url, { redirect: 'manual' });
  return new URL(answer.headers.get('location') ?? '').searchParams;
};

export const codeVerifier = 'a-verifier-of-forty-three-characters-or-more-0123456789';
export const codeChallenge = createHash('sha256').update(codeVerifier).digest('base64url');
const browser = { ip: '203.0.113.7', userAgent: 'a browser' };

/** Ada of Acme, who signs in with a password unless the stub was told otherwise. */
export const staffed = (world: WorkosWorld) => {
  const { organizations } = world.stub;
  const ada = organizations.addUser({ email: 'ada@acme.test', firstName: 'Ada', lastName: 'Lovelace' });
  const acme = organizations.addOrganization('Acme');
  organizations.addMembership(acme.id, ada.id);

  const code = async (organization: string | undefined = acme.id): Promise<string> => {
    const callback = await callbackOf(world, { email: ada.email, codeChallenge, organization });
    return callback.get('code') ?? '';
  };
  const redeem = async (organization?: string): Promise<ProvenIdentity | undefined> =>
    world.provider.login.redeem({ code: await code(), codeVerifier, organization, ...browser });
  const signIn = async (): Promise<ProvenIdentity> => {
    const identity = await redeem();
    if (!identity) throw new Error('the sign-in failed');
    return identity;
  };
  return { ada, acme, code, redeem, signIn };
};

/** What became of a call: its value, the reason of its refusal, or the fault. */
export const outcomeOf = async (call: Promise<unknown>): Promise<unknown> => {
  try {
    return await call;
  } catch (thrown) {
    return thrown instanceof Refusal ? thrown.reason : thrown;
  }
};
