// The audit trail proves itself: each entry's hash covers the entry and the hash before it. An edit, a gap or a swap breaks every hash after it.

import type { AuditEntry } from '#domain/audit/audit-entry.ts';

/** What stands before the first entry of every chain. */
export const genesis = '0'.repeat(64);

type Plain = string | number | boolean | null | readonly Plain[] | { readonly [name: string]: Plain };

/** JSON with sorted names: one value has one text, whoever writes it. */
const canonical = (value: Plain): string => {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const fields = Object.entries(value as { readonly [name: string]: Plain });
  return `{${fields
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`)
    .join(',')}}`;
};

/**
 * The text whose SHA-256 is the entry's hash. Times are ISO 8601 in UTC with milliseconds. The leading word keeps these hashes
 * apart from any other use of the same function.
 */
export const textToHash = (entry: Omit<AuditEntry, 'hash'>): string =>
  `hatidata.audit.v1\n${canonical({
    id: entry.id,
    organization_id: entry.organizationId,
    sequence: entry.sequence,
    at: entry.at.toISOString(),
    actor: {
      kind: entry.actor.kind,
      id: entry.actor.id,
      ...(entry.actor.impersonator !== undefined && { impersonator: entry.actor.impersonator }),
    },
    action: entry.action,
    target: { kind: entry.target.kind, id: entry.target.id },
    source: {
      via: entry.source.via,
      ip: entry.source.ip,
      user_agent: entry.source.userAgent,
      request_id: entry.source.requestId,
    },
    before: entry.before,
    after: entry.after,
    outcome: entry.outcome,
    previous_hash: entry.previousHash,
  })}`;

/** Where a chain stands: what the next entry builds on. */
export interface ChainHead {
  readonly sequence: number;
  readonly hash: string;
}

export const emptyChain: ChainHead = { sequence: 0, hash: genesis };

/** Adds one entry to a chain. */
export const chained = (
  head: ChainHead,
  entry: Omit<AuditEntry, 'hash' | 'sequence' | 'previousHash'>,
  sha256: (text: string) => string,
): AuditEntry => {
  const unhashed = { ...entry, sequence: head.sequence + 1, previousHash: head.hash };
  return { ...unhashed, hash: sha256(textToHash(unhashed)) };
};

/** Checks one entry against the head before it; the new head, or undefined where the chain is broken. */
export const follows = (head: ChainHead, entry: AuditEntry, sha256: (text: string) => string): ChainHead | undefined =>
  entry.sequence === head.sequence + 1 && entry.previousHash === head.hash && entry.hash === sha256(textToHash(entry))
    ? { sequence: entry.sequence, hash: entry.hash }
    : undefined;
