// The caller: who a request says it is, proven. People and agents end in the same shape.

import type { KeyMode } from '#domain/access/api-key-secret.ts';
import type { Scope } from '#domain/access/scope.ts';
import type { Role } from '#domain/memberships/role.ts';
import type { Impersonator } from '#domain/sessions/session.ts';
import type { AgentId, ApiKeyId, OrganizationId, SessionId, UserId } from '#domain/shared/ids.ts';
import { Refusal } from '#domain/shared/refusal.ts';

export interface UserCaller {
  readonly kind: 'user';
  readonly id: UserId;
  /** Null only for somebody who belongs to no organization yet. */
  readonly organizationId: OrganizationId | null;
  readonly role: Role | null;
  readonly scopes: readonly Scope[];
  readonly sessionId: SessionId;
  readonly impersonator: Impersonator | null;
}

export interface AgentCaller {
  readonly kind: 'agent';
  readonly id: AgentId;
  readonly organizationId: OrganizationId;
  readonly scopes: readonly Scope[];
  readonly mode: KeyMode;
  readonly apiKeyId: ApiKeyId;
}

export type Caller = UserCaller | AgentCaller;

/** A caller who has an organization: what nearly every use case needs. */
export type CallerIn = (UserCaller & { readonly organizationId: OrganizationId; readonly role: Role }) | AgentCaller;

/**
 * The caller, if they act in this organization. Another organization does not exist for them.
 * @throws Refusal `organization.not_found`
 */
export const actingIn = (caller: Caller, organizationId: OrganizationId): CallerIn => {
  if (caller.organizationId !== organizationId) throw new Refusal('organization.not_found');
  if (caller.kind === 'user' && caller.role === null) throw new Refusal('organization.not_found');
  return caller as CallerIn;
};

/**
 * @throws Refusal `caller.scope_missing`
 */
export const needsScope = (caller: Pick<Caller, 'scopes'>, scope: Scope): void => {
  if (!caller.scopes.includes(scope)) throw new Refusal('caller.scope_missing', { scope });
};

/**
 * The caller, if it is a person.
 * @throws Refusal `caller.person_required`
 */
export const asPerson = <C extends Caller>(caller: C): Extract<C, { kind: 'user' }> => {
  if (caller.kind !== 'user') throw new Refusal('caller.person_required');
  return caller as Extract<C, { kind: 'user' }>;
};
