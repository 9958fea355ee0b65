// How an event heard from a provider lies in the database.

import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import type { InboxEvent, InboxStatus } from '#application/ports/store.ts';
import type { InboxEventId, OrganizationId } from '#domain/shared/ids.ts';

export const InboxRow = defineEntity({
  name: 'InboxRow',
  tableName: 'inbox',
  properties: {
    id: p.string().$type<InboxEventId>().primary(),
    provider: p.string(),
    externalId: p.string(),
    name: p.string(),
    organizationRef: p.string().nullable(),
    organizationId: p.string().$type<OrganizationId>().nullable(),
    occurredAt: p.datetime(3),
    receivedAt: p.datetime(3),
    payload: p.json<Readonly<Record<string, unknown>>>().nullable(),
    status: p.string().$type<InboxStatus>(),
    attempts: p.integer(),
    dueAt: p.datetime(3),
    settledAt: p.datetime(3).nullable(),
    note: p.text().nullable(),
  },
});
export type InboxRow = InferEntity<typeof InboxRow>;

export const heardOfFromRow = (row: Omit<InboxRow, 'payload'>): Omit<InboxEvent, 'payload'> => ({
  id: row.id,
  provider: row.provider,
  externalId: row.externalId,
  name: row.name,
  organizationRef: row.organizationRef ?? null,
  organizationId: row.organizationId ?? null,
  occurredAt: row.occurredAt,
  receivedAt: row.receivedAt,
  status: row.status,
  attempts: row.attempts,
  dueAt: row.dueAt,
  settledAt: row.settledAt ?? null,
  note: row.note ?? null,
});

export const inboxEventFromRow = (row: InboxRow): InboxEvent => ({
  ...heardOfFromRow(row),
  payload: row.payload ?? null,
});

export const inboxEventToRow = (event: InboxEvent) => ({ ...event });

export const FeedCursorRow = defineEntity({
  name: 'FeedCursorRow',
  tableName: 'feed_cursors',
  properties: { provider: p.string().primary(), eventId: p.string() },
});
