// A route, told once: who may call it, what goes in, what comes out, and how it may say no. Guard and OpenAPI both read this.

import type { z } from 'zod';
import type { Origin } from '#application/idempotency/once.ts';
import type { Caller } from '#domain/access/caller.ts';
import type { Scope } from '#domain/access/scope.ts';
import type { Refusal, RefusalReason } from '#domain/shared/refusal.ts';
import type { Cookies } from './cookies.ts';
import type { Html } from './html.ts';
import type { RefusalStatus } from './problem.ts';

/** Who may call. A scope means: a caller who holds it, in the organization of the path. */
export type Allows = 'anyone' | 'any caller' | Scope;

/** One `{name}` in a path. A text that cannot name such a thing names nothing: not found, so that shapes cannot be probed. */
export interface PathParam<T> {
  readonly shape: z.ZodType<string>;
  readonly read: (text: string) => T | undefined;
  readonly otherwise: RefusalReason;
}

/** A body that nobody parses before the use case does: webhooks are verified over their bytes. */
export interface RawBody {
  readonly raw: { readonly limitBytes: number; readonly mediaType: string };
}

/** What an answer consists of: JSON of a shape, nothing, the address to go to, or a page. */
export type Answer = z.ZodType | 'nothing' | 'redirect' | 'page' | 'document';

export const tags = [
  'sign-in',
  'session',
  'organizations',
  'members',
  'sessions',
  'agents',
  'sso',
  'directory',
  'audit',
  'webhooks',
  'operations',
] as const;
export type Tag = (typeof tags)[number];

/** What a handler gets. By then the caller is proven and everything is parsed. */
export interface Asked<Params, Query, Body, Who> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly caller: Who;
  /** For the audit trail; and what is created, is created once by it. */
  readonly source: Origin;
  readonly cookies: Cookies;
  /** Undefined when absent. */
  readonly header: (name: string) => string | undefined;
  /**
   * Where anyone may call: the caller behind the credential, if there is a good one; who has one that is not good is told
   * apart from who has none by `whenRefused`. Throws only when it cannot be told.
   */
  readonly identify: (whenRefused?: (refusal: Refusal) => void) => Promise<Caller | undefined>;
  readonly reply: {
    /** Another declared status than the usual one. */
    readonly status: (status: number) => void;
    readonly header: (name: string, value: string) => void;
  };
}

export interface Route {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** With `{name}` for each parameter, as OpenAPI writes it. */
  readonly path: string;
  /** The operationId; generated clients name their methods after it. */
  readonly operation: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly [Tag];
  readonly allows: Allows;
  readonly params: Readonly<Record<string, PathParam<unknown>>>;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType | RawBody;
  readonly answers: readonly [status: number, answer: Answer];
  /** Further statuses with the same answer, and what they mean. */
  readonly also?: Readonly<Record<number, string>>;
  /** The refusals of its own; those that come with `allows`, parameters and bodies are added by `refusalsOf`. */
  readonly refuses: readonly RefusalReason[];
  /** Where a refusal means something else here than in general. */
  readonly statuses?: Partial<Readonly<Record<RefusalReason, RefusalStatus>>>;
  /** A write that must come from our own pages even when no session cookie is sent. */
  readonly ownPagesOnly?: boolean;
  /** Sets or clears the session's cookies itself, or its answer's cookies never reach the browser: nothing is refreshed on the way. */
  readonly leavesCookies?: boolean;
  /**
   * It creates something and takes an `Idempotency-Key`: `handle` gives what the use case answered, and this is what the caller
   * sees of it. Made by `creating`.
   */
  readonly shows?: (made: unknown) => unknown;
  handle(asked: Asked<unknown, unknown, unknown, unknown>): unknown;
}

/** The organization that the path names, if it names one. */
export const organizationParam = 'org';

type NamesIn<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never;
type ParamsOf<P> = { readonly [Name in keyof P]: P[Name] extends PathParam<infer T> ? T : never };
type BodyOf<B> = B extends z.ZodType ? z.output<B> : B extends RawBody ? Uint8Array : undefined;
type Given<A extends Answer> = A extends z.ZodType
  ? z.input<A>
  : A extends 'nothing'
    ? undefined
    : A extends 'redirect'
      ? string
      : A extends 'page'
        ? Html
        : Readonly<Record<string, unknown>>;

/** What a route says of itself, but for what it does. */
type Told<
  Path extends string,
  P,
  Q extends z.ZodType | undefined,
  B extends z.ZodType | RawBody | undefined,
  W extends Allows,
  A extends Answer,
> = Omit<Route, 'method' | 'path' | 'params' | 'query' | 'body' | 'allows' | 'answers' | 'shows' | 'handle'> & {
  readonly path: Path;
  readonly allows: W;
  readonly query?: Q;
  readonly body?: B;
  readonly answers: readonly [status: number, answer: A];
} & ([NamesIn<Path>] extends [never]
    ? { readonly params?: P }
    : { readonly params: P & Readonly<Record<NamesIn<Path>, PathParam<unknown>>> });

type AskedOf<P, Q extends z.ZodType | undefined, B extends z.ZodType | RawBody | undefined, W extends Allows> = Asked<
  ParamsOf<P>,
  Q extends z.ZodType ? z.output<Q> : undefined,
  BodyOf<B>,
  W extends 'anyone' ? undefined : Caller
>;

/** Ties the types of the parts together; the compiler checks that every `{name}` of the path is a parameter. */
export const route = <
  const Path extends string,
  W extends Allows,
  A extends Answer,
  P extends Readonly<Record<string, PathParam<unknown>>> = Readonly<Record<never, never>>,
  Q extends z.ZodType | undefined = undefined,
  B extends z.ZodType | RawBody | undefined = undefined,
>(
  definition: Told<Path, P, Q, B, W, A> & {
    readonly method: Route['method'];
    handle(asked: AskedOf<P, Q, B, W>): Given<A> | Promise<Given<A>>;
  },
): Route => ({ params: {}, ...definition }) as unknown as Route;

/**
 * The same for what creates something, so that a request that is sent twice does not create two. `handle` gives its `source` to
 * the use case and answers what that answered, untouched; `shows` makes it what the caller sees.
 */
export const creating = <
  const Path extends string,
  W extends Exclude<Allows, 'anyone'>,
  A extends z.ZodType,
  Made,
  P extends Readonly<Record<string, PathParam<unknown>>> = Readonly<Record<never, never>>,
  Q extends z.ZodType | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
>(
  definition: Told<Path, P, Q, B, W, A> & {
    handle(asked: AskedOf<P, Q, B, W>): Promise<Made>;
    shows(made: Made): Given<A>;
  },
): Route => ({ params: {}, ...definition, method: 'post' }) as unknown as Route;

const keyRefusals: readonly RefusalReason[] = [
  'idempotency_key.malformed',
  'idempotency_key.reused',
  'idempotency_key.under_way',
  'idempotency_key.answer_gone',
];

const provingRefusals: readonly RefusalReason[] = [
  'credential.missing',
  'credential.ambiguous',
  'credential.malformed',
  'session.unknown',
  'session.ended',
  'session.expired',
  'session.token_invalid',
  'session.token_expired',
  'session.organization_changed',
  'api_key.malformed',
  'api_key.unknown',
  'api_key.revoked',
  'api_key.expired',
  'api_key.address_not_allowed',
  'agent.not_active',
  'user.not_active',
  'membership.not_active',
  'organization.not_active',
  'identity.unavailable',
  'identity.throttled',
  'storage.unavailable',
];

export const isRaw = (body: z.ZodType | RawBody): body is RawBody => 'raw' in body;
export const isScope = (allows: Allows): allows is Scope => allows !== 'anyone' && allows !== 'any caller';

/** Every reason with which this route may say no: its own, and those that its parts bring along. */
export const refusalsOf = (route: Route): ReadonlySet<RefusalReason> => {
  const isWrite = route.method !== 'get';
  return new Set<RefusalReason>([
    ...route.refuses,
    ...(route.allows === 'anyone' ? [] : provingRefusals),
    ...(route.allows !== 'anyone' && isWrite ? (['request.cross_origin', 'request.conflict'] as const) : []),
    ...(route.ownPagesOnly ? (['request.cross_origin'] as const) : []),
    ...(isScope(route.allows) ? (['caller.scope_missing'] as const) : []),
    ...Object.values(route.params).map(({ otherwise }) => otherwise),
    ...(route.query || route.body ? (['request.invalid'] as const) : []),
    ...(route.body ? (['request.too_large'] as const) : []),
    ...(route.shows ? keyRefusals : []),
  ]);
};
