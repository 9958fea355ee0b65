// Links to the fake's set-up pages: signed by the world, good for five minutes and one purpose. Nothing of them is kept.

import { randomUUID } from 'node:crypto';
import { createLocalJWKSet, errors, jwtVerify } from 'jose';
import { z } from 'zod';
import type { FakeSessions } from '#adapters/identity/fake/sessions.ts';
import { type SetupIntent, setupIntents } from '#application/ports/identity-provider.ts';
import type { Clock } from '#application/ports/system.ts';

const linkSeconds = 300;

export interface Setup {
  readonly organization: string;
  readonly intent: SetupIntent;
  readonly returnTo: string;
}

const claims = z.object({ organization: z.string(), intent: z.enum(setupIntents), return_to: z.url() });

export class FakeSetupLinks {
  readonly #sessions: FakeSessions;
  readonly #clock: Clock;
  readonly #publicUrl: string;
  readonly #issuer: string;
  readonly #audience: string;

  constructor(sessions: FakeSessions, clock: Clock, publicUrl: string, issuer: string) {
    this.#sessions = sessions;
    this.#clock = clock;
    this.#publicUrl = publicUrl;
    this.#issuer = issuer;
    this.#audience = `${issuer}/setup`;
  }

  async linkFor({ organization, intent, returnTo }: Setup): Promise<string> {
    const now = Math.floor(this.#clock.now().getTime() / 1000);
    const ticket = await this.#sessions.sign({
      iss: this.#issuer,
      aud: this.#audience,
      jti: randomUUID(),
      iat: now,
      exp: now + linkSeconds,
      organization,
      intent,
      return_to: returnTo,
    });
    const url = new URL('/fake-idp/setup', this.#publicUrl);
    url.searchParams.set('ticket', ticket);
    return url.href;
  }

  /** Undefined when the ticket is too old, or none of ours. */
  async open(ticket: string): Promise<Setup | undefined> {
    try {
      const { payload } = await jwtVerify(ticket, createLocalJWKSet(this.#sessions.jwks()), {
        algorithms: ['RS256'],
        issuer: this.#issuer,
        audience: this.#audience,
        requiredClaims: ['exp'],
        currentDate: this.#clock.now(),
      });
      const { organization, intent, return_to: returnTo } = claims.parse(payload);
      return { organization, intent, returnTo };
    } catch (thrown) {
      if (thrown instanceof errors.JOSEError) return undefined;
      throw thrown;
    }
  }
}
