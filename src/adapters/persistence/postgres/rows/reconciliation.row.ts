// How a reconciliation lies in the database: one row for each organization, and one for each record that was listed.

import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import type { ReconciliationItem } from '#application/ports/reconciliations.ts';
import type { Actor } from '#domain/audit/audit-entry.ts';
import type { DirectoryEvent } from '#domain/provisioning/directory-event.ts';
import { type Change, changes, type ListedDirectory } from '#domain/provisioning/drift.ts';
import type { Plan } from '#domain/provisioning/plan.ts';
import type { Progress, Reconciliation, ReconciliationState } from '#domain/provisioning/reconciliation.ts';
import type { OrganizationId, ReconciliationId } from '#domain/shared/ids.ts';

export const ReconciliationRow = defineEntity({
  name: 'ReconciliationRow',
  tableName: 'reconciliations',
  properties: {
    organizationId: p.string().$type<OrganizationId>().primary(),
    id: p.string().$type<ReconciliationId>(),
    state: p.string().$type<ReconciliationState>(),
    askedBy: p.json<Actor>(),
    unasked: p.boolean(),
    startedAt: p.datetime(3),
    finishedAt: p.datetime(3).nullable(),
    asOf: p.datetime(3).nullable(),
    directories: p.json<readonly ListedDirectory[]>(),
    progress: p.json<Progress>(),
    plan: p.json<Plan>().nullable(),
    settled: p.integer(),
    holder: p.string().nullable(),
    dueAt: p.datetime(3),
    attempts: p.integer(),
    note: p.text().nullable(),
  },
});
export type ReconciliationRow = InferEntity<typeof ReconciliationRow>;

export const reconciliationFromRow = ({ askedBy, ...row }: ReconciliationRow): Reconciliation => ({
  id: row.id,
  organizationId: row.organizationId,
  state: row.state,
  by: askedBy,
  unasked: row.unasked,
  startedAt: row.startedAt,
  finishedAt: row.finishedAt ?? null,
  asOf: row.asOf ?? null,
  directories: row.directories,
  progress: row.progress,
  plan: row.plan ?? null,
  settled: row.settled,
  holder: row.holder ?? null,
  dueAt: row.dueAt,
  attempts: row.attempts,
  note: row.note ?? null,
});

export const reconciliationToRow = ({ by, ...run }: Reconciliation) => ({ ...run, askedBy: by });

export const ReconciliationItemRow = defineEntity({
  name: 'ReconciliationItemRow',
  tableName: 'reconciliation_items',
  properties: {
    organizationId: p.string().$type<OrganizationId>().primary(),
    kind: p.string().$type<ReconciliationItem['kind']>().primary(),
    key: p.string().primary(),
    directoryId: p.string(),
    active: p.boolean(),
    address: p.string().nullable(),
    /** The place of the change in the order of changes; null when nothing waits. */
    turn: p.integer().nullable(),
    event: p.json<unknown>().nullable(),
  },
});
export type ReconciliationItemRow = InferEntity<typeof ReconciliationItemRow>;

export const reconciliationItemToRow = (organizationId: OrganizationId, { drift, ...item }: ReconciliationItem) => ({
  ...item,
  organizationId,
  turn: drift && changes.indexOf(drift.change),
  event: drift?.event ?? null,
});

/** Times come back as texts: these are all that an event has. */
const revived = (key: string, value: unknown): unknown =>
  (key === 'at' || key === 'updatedAt') && typeof value === 'string' ? new Date(value) : value;

export const changeAt = (turn: number): Change => {
  const change = changes[turn];
  if (!change) throw new Error(`no change has the turn ${turn}`);
  return change;
};

export const reconciliationItemFromRow = (row: ReconciliationItemRow): ReconciliationItem => {
  const event: DirectoryEvent | null = JSON.parse(JSON.stringify(row.event ?? null), revived);
  const drift = event && typeof row.turn === 'number' ? { change: changeAt(row.turn), event } : null;
  const { kind, key, directoryId, active } = row;
  return { kind, key, directoryId, active, address: row.address ?? null, drift };
};
