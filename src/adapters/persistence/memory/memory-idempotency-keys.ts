// What was asked for under a key, and what was answered, in memory.

import type { Attempt, IdempotencyKeys } from '#application/ports/idempotency-keys.ts';
import type { MemoryRun } from './memory-run.ts';
import type { KeptClaim } from './memory-tables.ts';

export const memoryIdempotencyKeys = ({ drafts: { idempotencyKeys } }: MemoryRun): IdempotencyKeys => {
  const heldBy = ({ id, organizationId, holder }: Attempt): KeptClaim | undefined => {
    const row = idempotencyKeys.get(id);
    const holds = row?.holder === holder && row.organizationId === organizationId && row.answer === null;
    return holds ? row : undefined;
  };
  return {
    async claim(claim, now) {
      const before = idempotencyKeys.get(claim.id);
      const isFree = before && (before.forgetAt <= now || (before.answer === null && before.heldUntil <= now));
      if (before && !isFree) return structuredClone(before);
      const version = before?.version ?? 0;
      idempotencyKeys.put(claim.id, { ...structuredClone(claim), answer: null, version: version + 1 }, version);
      return undefined;
    },
    async answer(attempt, answer) {
      const held = heldBy(attempt);
      if (held) idempotencyKeys.put(held.id, { ...held, answer, version: held.version + 1 }, held.version);
      return held !== undefined;
    },
    async release(attempt) {
      const held = heldBy(attempt);
      if (held) idempotencyKeys.remove(held.id);
    },
    async forget(now, limit) {
      const over = idempotencyKeys.where(({ forgetAt }) => forgetAt <= now).slice(0, limit);
      for (const { id } of over) idempotencyKeys.remove(id);
      return over.length;
    },
  };
};
