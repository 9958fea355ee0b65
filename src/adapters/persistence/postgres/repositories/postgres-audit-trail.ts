// The audit trail in the database. The head of each chain is a row that writers hold until they commit, so no chain forks.

import { createHash } from 'node:crypto';
import type { AuditTrail } from '#application/ports/store.ts';
import type { AuditEntry } from '#domain/audit/audit-entry.ts';
import { type ChainHead, chained, emptyChain } from '#domain/audit/hash-chain.ts';
import type { PostgresRun } from '../postgres-run.ts';
import { AuditEntryRow, auditEntryToRow, trailOf } from '../rows/audit.row.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

export const postgresAuditTrail = ({ em, ids }: PostgresRun): AuditTrail => {
  /** The head, locked until the transaction ends. Updating it to itself locks the newest committed row. */
  const holdHead = async (trail: string): Promise<ChainHead> => {
    const [row] = await em.execute<{ sequence: string | number; hash: string }[]>(
      `insert into audit_heads (organization_id, sequence, hash) values (?, ?, ?)
      on conflict (organization_id) do update set organization_id = excluded.organization_id
      returning sequence, hash`,
      [trail, emptyChain.sequence, emptyChain.hash],
    );
    return row ? { sequence: Number(row.sequence), hash: row.hash } : emptyChain;
  };

  return {
    async append(entries) {
      const heads = new Map<string, ChainHead>();
      // In one order for everybody, so that two writers never wait for each other.
      for (const trail of [...new Set(entries.map(({ organizationId }) => trailOf(organizationId)))].toSorted()) {
        heads.set(trail, await holdHead(trail));
      }
      const added = entries.map((entry): AuditEntry => {
        const trail = trailOf(entry.organizationId);
        const next = chained(heads.get(trail) ?? emptyChain, { ...entry, id: ids.next('aud') }, sha256);
        heads.set(trail, { sequence: next.sequence, hash: next.hash });
        return next;
      });
      if (added.length > 0) await em.insertMany(AuditEntryRow, added.map(auditEntryToRow));
      for (const [trail, { sequence, hash }] of heads) {
        await em.execute('update audit_heads set sequence = ?, hash = ? where organization_id = ?', [
          sequence,
          hash,
          trail,
        ]);
      }
      return added;
    },
  };
};
