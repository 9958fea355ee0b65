// How the audit trail lies in the database: exactly as it was hashed, so that the chain still proves itself when it is read back.

import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import type { Actor, AuditEntry, Facts, Source } from '#domain/audit/audit-entry.ts';
import type { AuditEntryId, OrganizationId } from '#domain/shared/ids.ts';

/** Stands for the organization in the trail of what belongs to none: a unique key treats two nulls as different. */
export const noOrganization = '-';

export const trailOf = (organizationId: OrganizationId | null): string => organizationId ?? noOrganization;

export const AuditEntryRow = defineEntity({
  name: 'AuditEntryRow',
  tableName: 'audit_entries',
  properties: {
    id: p.string().$type<AuditEntryId>().primary(),
    organizationId: p.string(),
    sequence: p.bigint('number'),
    at: p.datetime(3),
    actorKind: p.string().$type<Actor['kind']>(),
    actorId: p.string().nullable(),
    actorImpersonator: p.string().nullable(),
    action: p.string().$type<AuditEntry['action']>(),
    targetKind: p.string(),
    targetId: p.string().nullable(),
    via: p.string().$type<Source['via']>(),
    ip: p.string().nullable(),
    userAgent: p.string().nullable(),
    requestId: p.string().nullable(),
    before: p.json<Facts>().nullable(),
    after: p.json<Facts>().nullable(),
    outcome: p.string().$type<AuditEntry['outcome']>(),
    previousHash: p.string(),
    hash: p.string(),
  },
});
export type AuditEntryRow = InferEntity<typeof AuditEntryRow>;

export const auditEntryFromRow = (row: AuditEntryRow): AuditEntry => ({
  id: row.id,
  organizationId: row.organizationId === noOrganization ? null : (row.organizationId as OrganizationId),
  sequence: row.sequence,
  at: row.at,
  actor: {
    kind: row.actorKind,
    id: row.actorId ?? null,
    ...(row.actorImpersonator && { impersonator: row.actorImpersonator }),
  },
  action: row.action,
  target: { kind: row.targetKind, id: row.targetId ?? null },
  source: {
    via: row.via,
    ip: row.ip ?? null,
    userAgent: row.userAgent ?? null,
    requestId: row.requestId ?? null,
  },
  before: row.before ?? null,
  after: row.after ?? null,
  outcome: row.outcome,
  previousHash: row.previousHash,
  hash: row.hash,
});

export const auditEntryToRow = (entry: AuditEntry) => ({
  id: entry.id,
  organizationId: trailOf(entry.organizationId),
  sequence: entry.sequence,
  at: entry.at,
  actorKind: entry.actor.kind,
  actorId: entry.actor.id,
  actorImpersonator: entry.actor.impersonator ?? null,
  action: entry.action,
  targetKind: entry.target.kind,
  targetId: entry.target.id,
  via: entry.source.via,
  ip: entry.source.ip,
  userAgent: entry.source.userAgent,
  requestId: entry.source.requestId,
  before: entry.before,
  after: entry.after,
  outcome: entry.outcome,
  previousHash: entry.previousHash,
  hash: entry.hash,
});
