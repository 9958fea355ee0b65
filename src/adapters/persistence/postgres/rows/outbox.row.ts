// How something still to be done in the world lies in the database.

import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import type { Effect, OutboxItem } from '#application/ports/store.ts';
import type { EffectId } from '#domain/shared/ids.ts';

export const OutboxRow = defineEntity({
  name: 'OutboxRow',
  tableName: 'outbox',
  properties: {
    id: p.string().$type<EffectId>().primary(),
    effect: p.json<Effect>(),
    attempts: p.integer(),
    dueAt: p.datetime(3),
    note: p.text().nullable(),
  },
});
export type OutboxRow = InferEntity<typeof OutboxRow>;

export const outboxItemFromRow = (row: OutboxRow): OutboxItem => ({
  id: row.id,
  effect: row.effect,
  attempts: row.attempts,
  dueAt: row.dueAt,
});

export const outboxItemToRow = (item: OutboxItem) => ({ ...item, note: null });
