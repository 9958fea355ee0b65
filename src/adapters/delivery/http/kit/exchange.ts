// What one request and its answer carry through the middleware.

import type Koa from 'koa';
import type { RequestId } from '#domain/shared/ids.ts';
import type { RefusalReason } from '#domain/shared/refusal.ts';
import type { RefusalStatus } from './problem.ts';

export interface ExchangeState {
  requestId: RequestId;
  /** The pattern of the route that answers, never the path itself; undefined when there is none. */
  route?: string;
  /** Where this route answers a refusal with another status than the general one. */
  statuses?: Partial<Readonly<Record<RefusalReason, RefusalStatus>>>;
  /** Known once the credential was proven. */
  callerId?: string;
}

export type Exchange = Koa.ParameterizedContext<ExchangeState>;
export type Step = (ctx: Exchange, next: () => Promise<unknown>) => Promise<void>;
