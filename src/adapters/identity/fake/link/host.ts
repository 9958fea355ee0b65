// The node that plays the fake provider answers the others: they call the port over HTTP as if it were in their own process.

import type { Middleware } from 'koa';
import getRawBody from 'raw-body';
import type { Abilities, Call, Outcome } from '#adapters/identity/fake/link/wire.ts';
import { callLimit, isPass, linkPath, pack, unpack } from '#adapters/identity/fake/link/wire.ts';
import type { IdentityProvider } from '#application/ports/identity-provider.ts';
import { Refusal } from '#domain/shared/refusal.ts';

type Method = (...args: readonly unknown[]) => unknown;

const methodsOf = (part: object): Map<string, Method> =>
  new Map(Object.entries(part).filter((entry): entry is [string, Method] => typeof entry[1] === 'function'));

const partsOf = (provider: IdentityProvider): Map<string, Map<string, Method>> =>
  new Map(
    Object.entries(provider).flatMap(([name, part]) => (part instanceof Object ? [[name, methodsOf(part)]] : [])),
  );

const outcomeOf = async (work: () => unknown): Promise<Outcome> => {
  try {
    return { is: 'value', value: await work() };
  } catch (thrown) {
    if (thrown instanceof Refusal) return { is: 'refusal', reason: thrown.reason, details: thrown.details };
    return { is: 'fault', message: thrown instanceof Error ? thrown.message : String(thrown) };
  }
};

/** @param secret whoever shows a pass made of it is one of our nodes; everybody else finds nothing here */
export const fakeProviderLink = (provider: IdentityProvider, secret: string): Middleware => {
  const known = partsOf(provider);
  const abilities: Abilities = Object.fromEntries([...known].map(([part, methods]) => [part, [...methods.keys()]]));
  return async (ctx, next) => {
    if (ctx.path !== linkPath || !isPass(ctx.get('Authorization'), secret)) return next();
    ctx.type = 'application/octet-stream';
    if (ctx.method === 'GET') {
      ctx.body = pack(abilities);
      return;
    }
    const { part, method, args } = unpack<Call>(await getRawBody(ctx.req, { limit: callLimit }));
    const asked = known.get(part)?.get(method);
    ctx.body = pack(
      await outcomeOf(() => {
        if (!asked) throw new Error(`the fake provider has no ${part}.${method}`);
        return asked(...args);
      }),
    );
  };
};
