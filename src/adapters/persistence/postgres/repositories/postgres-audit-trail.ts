// The audit trail in the database. The head of each chain is a row that writers hold until they commit, so no chain forks.

import { createHash } from 'node:crypto';
import type { AuditTrail } from '#application/ports/store.ts';
import type { AuditEntry } from '#domain/audit/audit-entry.ts';
import { type ChainHead, chained, emptyChain } from '#domain/audit/hash-chain.ts';
import type { PostgresRun } from '../postgres-run.ts';
import { AuditEntryRow, auditEntryToRow, trailOf } from '../rows/audit.row.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

export const postgresAuditTrail = ({ em, ids }: PostgresRun): AuditTrail => {
  /**
   * The heads, locked until the transaction ends. Updating one to itself locks the newest committed row.
   * @param trails in one order for everybody, so that two writers never wait for each other
   */
  const holdHeads = async (trails: readonly string[]): Promise<Map<string, ChainHead>> => {
    const rows = await em.execute<{ organization_id: string; sequence: string | number; hash: string }[]>(
      `insert into audit_heads (organization_id, sequence, hash) values ${trails.map(() => '(?, ?, ?)').join(', ')}
      on conflict (organization_id) do update set organization_id = excluded.organization_id
      returning organization_id, sequence, hash`,
      trails.flatMap((trail) => [trail, emptyChain.sequence, emptyChain.hash]),
    );
    return new Map(rows.map((row) => [row.organization_id, { sequence: Number(row.sequence), hash: row.hash }]));
  };

  return {
    async append(entries) {
      if (entries.length === 0) return [];
      const heads = await holdHeads(
        [...new Set(entries.map(({ organizationId }) => trailOf(organizationId)))].toSorted(),
      );
      const added = entries.map((entry): AuditEntry => {
        const trail = trailOf(entry.organizationId);
        const next = chained(heads.get(trail) ?? emptyChain, { ...entry, id: ids.next('aud') }, sha256);
        heads.set(trail, { sequence: next.sequence, hash: next.hash });
        return next;
      });
      await em.insertMany(AuditEntryRow, added.map(auditEntryToRow));
      await em.execute(
        `update audit_heads set sequence = head.sequence, hash = head.hash
        from jsonb_to_recordset(?::jsonb) as head(trail text, sequence bigint, hash text)
        where organization_id = head.trail`,
        [JSON.stringify([...heads].map(([trail, head]) => ({ trail, ...head })))],
      );
      return added;
    },
  };
};
