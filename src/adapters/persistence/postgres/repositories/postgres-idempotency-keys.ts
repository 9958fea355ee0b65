// What was asked for under a key, and what was answered, in the database.

import type { IdempotencyKeys } from '#application/ports/idempotency-keys.ts';
import { Conflict } from '../../conflict.ts';
import { afresh, type PostgresRun } from '../postgres-run.ts';
import { IdempotencyKeyRow } from '../rows/idempotency-key.row.ts';

interface Affected {
  readonly affectedRows: number;
}

export const postgresIdempotencyKeys = ({ em }: PostgresRun): IdempotencyKeys => ({
  async claim({ id, organizationId, holder, fingerprint, heldUntil, forgetAt }, now) {
    const at = now.toISOString();
    // One statement: whoever comes at the same moment waits here for the commit of the first, and then finds its row.
    const { affectedRows } = await em.execute<Affected>(
      `insert into idempotency_keys as kept (id, organization_id, holder, fingerprint, held_until, forget_at)
      values (?, ?, ?, ?, ?::timestamptz, ?::timestamptz)
      on conflict (id) do update set organization_id = excluded.organization_id, holder = excluded.holder, answer = null,
        fingerprint = excluded.fingerprint, held_until = excluded.held_until, forget_at = excluded.forget_at
      where kept.forget_at <= ?::timestamptz or (kept.answer is null and kept.held_until <= ?::timestamptz)`,
      [id, organizationId, holder, fingerprint, heldUntil.toISOString(), forgetAt.toISOString(), at, at],
      'run',
    );
    if (affectedRows > 0) return undefined;
    const kept = await em.findOne(IdempotencyKeyRow, { id }, afresh);
    // Let go of between the two statements: look again.
    if (!kept) throw new Conflict(`idempotency_keys ${id}`);
    return { fingerprint: kept.fingerprint, heldUntil: kept.heldUntil, answer: kept.answer ?? null };
  },
  async answer({ id, organizationId, holder }, answer) {
    const changed = await em.nativeUpdate(IdempotencyKeyRow, { id, organizationId, holder, answer: null }, { answer });
    return changed > 0;
  },
  async release({ id, organizationId, holder }) {
    await em.nativeDelete(IdempotencyKeyRow, { id, organizationId, holder, answer: null });
  },
  async forget(now, limit) {
    const { affectedRows } = await em.execute<Affected>(
      `delete from idempotency_keys where id in
        (select id from idempotency_keys where forget_at <= ?::timestamptz order by forget_at limit ? for update skip locked)`,
      [now.toISOString(), limit],
      'run',
    );
    return affectedRows;
  },
});
