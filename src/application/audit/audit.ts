// The audit trail: searched, proven whole, and told of refusals.

import { actorOf, permitted } from '#application/access/permitted.ts';
import type { ReadModels } from '#application/ports/read-models.ts';
import type { Digest } from '#application/ports/system.ts';
import type { UnitOfWork } from '#application/unit-of-work.ts';
import type { AuditVerdict, UseCases } from '#application/use-cases.ts';
import { emptyChain, follows } from '#domain/audit/hash-chain.ts';

export const searchAudit =
  (readModels: ReadModels): UseCases['searchAudit'] =>
  async (caller, organizationId, filter, page) => {
    permitted(caller, organizationId, 'audit:read');
    return readModels.audit(organizationId, filter, page);
  };

export const verifyAudit =
  (readModels: ReadModels, digest: Digest): UseCases['verifyAudit'] =>
  async (caller, organizationId): Promise<AuditVerdict> => {
    permitted(caller, organizationId, 'audit:read');
    let head = emptyChain;
    for await (const entries of readModels.auditTrail(organizationId)) {
      for (const entry of entries) {
        const next = follows(head, entry, digest.sha256);
        if (!next) {
          const firstBroken = { sequence: entry.sequence, id: entry.id };
          return { entries: head.sequence, whole: false, lastHash: head.hash, firstBroken };
        }
        head = next;
      }
    }
    return { entries: head.sequence, whole: true, lastHash: head.hash, firstBroken: null };
  };

export const recordRefusal =
  (uow: UnitOfWork): UseCases['recordRefusal'] =>
  async (caller, { attempt, reason }, source) => {
    const { organizationId } = caller;
    await uow.run(organizationId ?? { across: 'refusal' }, { actor: actorOf(caller), source }, async (tx) =>
      tx.tell({ type: 'act.refused', organizationId, attempt, reason }),
    );
  };
