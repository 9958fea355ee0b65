// The Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header-07): read, and turned into one request that is done once.

import { z } from 'zod';
import type { Keyed, Once, Shown } from '#application/idempotency/once.ts';
import type { UseCases } from '#application/use-cases.ts';
import type { Caller } from '#domain/access/caller.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import type { Exchange } from './exchange.ts';
import { organizationParam, type Route } from './route.ts';

export const longestKey = 255;

/** Visible ASCII without `"` and `\`: the draft writes it as a quoted string, most clients (Stripe's) without the quotes. */
const form = new RegExp(
  `^(?:"([\\x21\\x23-\\x5b\\x5d-\\x7e]{1,${longestKey}})"|([\\x21\\x23-\\x5b\\x5d-\\x7e]{1,${longestKey}}))$`,
);

/**
 * The key, the same with quotes and without; undefined when there is none.
 * @throws Refusal `idempotency_key.malformed`, also for several
 */
export const idempotencyKeyOf = (ctx: Exchange): string | undefined => {
  const sent = ctx.req.headersDistinct['idempotency-key'];
  if (sent === undefined) return undefined;
  const [, quoted, bare] = (sent.length === 1 && form.exec(sent[0] ?? '')) || [];
  const key = quoted ?? bare;
  if (key === undefined) throw new Refusal('idempotency_key.malformed');
  return key;
};

/** Objects with their names sorted, so that the order in which a client writes them does not matter. */
const sorted = (_name: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value;

/** The request as its sender meant it: what is filled in by default may change between two versions of this service. */
export interface Sent {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

const keyedBy = (key: string, route: Route, { params, query, body }: Sent): Keyed => ({
  key,
  organizationId: (params[organizationParam] as OrganizationId | undefined) ?? null,
  operation: route.operation,
  request: JSON.stringify([route.method, route.path, params, query, body ?? null], sorted),
});

const keptAnswer = z.object({ status: z.int(), body: z.string() });

/** An answer of the route as it goes over the wire, and whether it went before. */
export interface Created {
  readonly status: number;
  readonly body: string;
  readonly replayed: boolean;
}

/**
 * @param toJson writes what a use case answered as the body of the answer
 * @throws Refusal as `OnlyOnce`
 */
export const createOnce = async (
  useCases: Pick<UseCases, 'onlyOnce'>,
  route: Route,
  asked: { readonly caller: Caller; readonly key: string; readonly sent: Sent },
  act: (once: Once) => Promise<unknown>,
  toJson: (made: unknown) => string,
): Promise<Created> => {
  const shows = (made: unknown): Shown => ({ status: route.answers[0], body: toJson(made) });
  const { answer, replayed } = await useCases.onlyOnce(asked.caller, keyedBy(asked.key, route, asked.sent), act, shows);
  return { ...keptAnswer.parse(answer), replayed };
};
