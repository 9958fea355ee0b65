// The fake provider as another node plays it: every call goes there, and its pages come from there.

import { request } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import type { Middleware } from 'koa';
import { fakeLogoutUrl } from '#adapters/identity/fake/fake-identity-provider.ts';
import type { Abilities, Call, Outcome } from '#adapters/identity/fake/link/wire.ts';
import { linkPath, pack, passOf, unpack } from '#adapters/identity/fake/link/wire.ts';
import { interpret } from '#adapters/identity/wire/interpret.ts';
import type { IdentityProvider } from '#application/ports/identity-provider.ts';
import { Refusal } from '#domain/shared/refusal.ts';

export interface FakeLink {
  /** Where the node is reached that plays the fake: an origin. */
  readonly url: string;
  /** The secret that all nodes share. */
  readonly secret: string;
  /** Where browsers reach the service. */
  readonly publicUrl: string;
  /** How long to wait for the other node at the start, in seconds. */
  readonly patience?: number;
}

const callSeconds = 10;

const knock = async ({ url, secret }: FakeLink, body?: Buffer): Promise<Buffer> => {
  let answer: Response;
  try {
    answer = await fetch(new URL(linkPath, url), {
      method: body ? 'POST' : 'GET',
      headers: { authorization: passOf(secret) },
      signal: AbortSignal.timeout(callSeconds * 1000),
      ...(body && { body: new Uint8Array(body) }),
    });
  } catch {
    throw new Refusal('identity.unavailable');
  }
  if (answer.status === 404 || answer.status === 401) {
    throw new Error(
      `${url} does not take us for one of its nodes: all nodes need the same SESSION_SECRETS, and the fake provider there`,
    );
  }
  if (!answer.ok) throw new Refusal('identity.unavailable');
  return Buffer.from(await answer.arrayBuffer());
};

/** The other node may be starting at the same moment. */
const abilitiesOf = async (link: FakeLink): Promise<Abilities> => {
  for (let left = link.patience ?? 60; ; left -= 1) {
    try {
      return unpack<Abilities>(await knock(link));
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown;
      if (left <= 0) {
        throw new Error(`The fake identity provider at ${link.url} cannot be reached: start the node that plays it.`, {
          cause: thrown,
        });
      }
      await setTimeout(1000);
    }
  }
};

const callOf = (link: FakeLink, part: string, method: string) => {
  return async (...args: readonly unknown[]): Promise<unknown> => {
    const call: Call = { part, method, args };
    const outcome = unpack<Outcome>(await knock(link, pack(call)));
    switch (outcome.is) {
      case 'value':
        return outcome.value;
      case 'refusal':
        throw new Refusal(outcome.reason, outcome.details);
      case 'fault':
        throw new Error(`the fake provider failed: ${outcome.message}`);
    }
  };
};

/** @throws Error naming the address when nobody answers there, or does not take us for one of its nodes */
export const linkedFakeProvider = async (link: FakeLink): Promise<IdentityProvider> => {
  const abilities = await abilitiesOf(link);
  const provider: Record<string, unknown> = { name: 'fake' };
  for (const [part, methods] of Object.entries(abilities)) {
    provider[part] = Object.fromEntries(methods.map((method) => [method, callOf(link, part, method)]));
  }
  // What the port answers without waiting is answered here.
  Object.assign(provider['deliveries'] as object, { interpret });
  Object.assign(provider['sessions'] as object, {
    logoutUrl: (session: string, returnTo: string) => fakeLogoutUrl(link.publicUrl, session, returnTo),
  });
  return provider as unknown as IdentityProvider;
};

/** Hands everything under /fake-idp to the other node, as it came. */
export const linkedFakePages =
  ({ url }: FakeLink): Middleware =>
  async (ctx, next) => {
    // Path and query only: a request may name a whole address, or climb out of the path; neither is where it goes.
    const there = new URL(url);
    [there.pathname, there.search] = [ctx.path, ctx.search];
    if (!there.pathname.startsWith('/fake-idp')) return next();
    const answered = await new Promise<import('node:http').IncomingMessage | undefined>((resolve) => {
      const asked = request(there, { method: ctx.method, headers: ctx.headers }, resolve);
      asked.once('error', () => resolve(undefined));
      ctx.req.pipe(asked);
    });
    if (!answered) throw new Refusal('identity.unavailable');
    ctx.status = answered.statusCode ?? 502;
    for (const [name, value] of Object.entries(answered.headers)) {
      if (value !== undefined && !['connection', 'keep-alive', 'transfer-encoding'].includes(name))
        ctx.set(name, value);
    }
    ctx.body = answered;
  };
