// How a session lies in the database.

import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import type { Impersonator, SessionEndReason, SessionState, SignInMethod } from '#domain/sessions/session.ts';
import type { OrganizationId, SessionId, UserId } from '#domain/shared/ids.ts';

export const SessionRow = defineEntity({
  name: 'SessionRow',
  tableName: 'sessions',
  properties: {
    id: p.string().$type<SessionId>().primary(),
    userId: p.string().$type<UserId>(),
    organizationId: p.string().$type<OrganizationId>().nullable(),
    provider: p.string(),
    providerSession: p.string(),
    referenceDigest: p.string(),
    method: p.string().$type<SignInMethod>(),
    remembered: p.boolean(),
    idleSeconds: p.integer(),
    startedAt: p.datetime(3),
    authenticatedAt: p.datetime(3),
    lastSeenAt: p.datetime(3),
    absoluteExpiresAt: p.datetime(3),
    status: p.string().$type<SessionState['status']>(),
    endedAt: p.datetime(3).nullable(),
    endReason: p.string().$type<SessionEndReason>().nullable(),
    ip: p.string().nullable(),
    userAgent: p.string().nullable(),
    impersonator: p.json<Impersonator>().nullable(),
    version: p.integer(),
  },
});
export type SessionRow = InferEntity<typeof SessionRow>;

export const sessionFromRow = (row: SessionRow): SessionState => ({
  id: row.id,
  userId: row.userId,
  organizationId: row.organizationId ?? null,
  provider: row.provider,
  providerSession: row.providerSession,
  referenceDigest: row.referenceDigest,
  method: row.method,
  remembered: row.remembered,
  idleSeconds: row.idleSeconds,
  startedAt: row.startedAt,
  authenticatedAt: row.authenticatedAt,
  lastSeenAt: row.lastSeenAt,
  absoluteExpiresAt: row.absoluteExpiresAt,
  status: row.status,
  endedAt: row.endedAt ?? null,
  endReason: row.endReason ?? null,
  ip: row.ip ?? null,
  userAgent: row.userAgent ?? null,
  impersonator: row.impersonator ?? null,
  version: row.version,
});

export const sessionToRow = (state: SessionState, version: number) => ({ ...state, version });
