// One line of the audit trail: who did what to whom, when, from where, and what it was before and after.

import type { DomainEventType } from '#domain/events.ts';
import type { AuditEntryId, OrganizationId } from '#domain/shared/ids.ts';

/** Who acted. `directory` and `provider` act through signed events; `system` is this service itself; `anonymous` has not signed in. */
export interface Actor {
  readonly kind: 'user' | 'agent' | 'directory' | 'provider' | 'system' | 'anonymous';
  readonly id: string | null;
  /** E-mail of whoever acts in this person's name; absent for everybody who acts as themself. */
  readonly impersonator?: string;
}

/** From where. Every field that is unknown is null. */
export interface Source {
  readonly via: 'http' | 'webhook' | 'job' | 'cli';
  readonly ip: string | null;
  readonly userAgent: string | null;
  /** The request's id, or our id of the provider's event that caused it. */
  readonly requestId: string | null;
}

/** Values that may stand in the trail: curated, and never a secret. */
export type Facts = { readonly [name: string]: string | number | boolean | null | readonly string[] };

export interface AuditDraft {
  /** Null for what belongs to no organization (a person's registration, a refused sign-in without one). */
  readonly organizationId: OrganizationId | null;
  readonly action: DomainEventType;
  readonly target: { readonly kind: string; readonly id: string | null };
  readonly before: Facts | null;
  readonly after: Facts | null;
  readonly outcome: 'done' | 'refused';
}

export interface AuditEntry extends AuditDraft {
  readonly id: AuditEntryId;
  readonly at: Date;
  readonly actor: Actor;
  readonly source: Source;
  /** Position in the organization's chain: 1, 2, 3 … without a gap. */
  readonly sequence: number;
  /** Hash of the entry before; the genesis value for the first. */
  readonly previousHash: string;
  /** SHA-256 over the canonical form of everything above. */
  readonly hash: string;
}
