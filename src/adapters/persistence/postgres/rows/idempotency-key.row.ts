// How what was asked for under a key lies in the database: who and what only as digests, the answer sealed.

import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import type { OrganizationId } from '#domain/shared/ids.ts';

export const IdempotencyKeyRow = defineEntity({
  name: 'IdempotencyKeyRow',
  tableName: 'idempotency_keys',
  properties: {
    id: p.string().primary(),
    organizationId: p.string().$type<OrganizationId>().nullable(),
    holder: p.string(),
    fingerprint: p.string(),
    heldUntil: p.datetime(3),
    forgetAt: p.datetime(3),
    answer: p.text().nullable(),
  },
});
export type IdempotencyKeyRow = InferEntity<typeof IdempotencyKeyRow>;
