// May this caller do that, in this organization? Asked of the cached caller first, and again inside the transaction that does it.

import type { Repositories } from '#application/ports/store.ts';
import type { Transaction, UnitOfWork } from '#application/unit-of-work.ts';
import { actingIn, type Caller, type CallerIn, needsScope } from '#domain/access/caller.ts';
import type { Scope } from '#domain/access/scope.ts';
import type { Actor, Source } from '#domain/audit/audit-entry.ts';
import { scopesOf } from '#domain/memberships/role.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';
import { Refusal } from '#domain/shared/refusal.ts';

/**
 * The caller as one who may. Another organization than the caller's does not exist, whatever scopes they have.
 * @throws Refusal `organization.not_found`, `caller.scope_missing`
 */
export const permitted = (caller: Caller, organizationId: OrganizationId, scope: Scope): CallerIn => {
  const inside = actingIn(caller, organizationId);
  needsScope(inside, scope);
  return inside;
};

export const actorOf = (caller: Caller): Actor => ({ kind: caller.kind, id: caller.id });

/**
 * Runs an act of a caller who may, in one transaction of the organization. The work gets the caller as the rows have it: a
 * role or a key that was taken away a moment ago no longer counts, however fresh the cached caller looked.
 * @throws Refusal as `permitted`; `membership.not_active`, `api_key.revoked`, `agent.not_active`, `organization.not_active`
 */
export const acting = async <T>(
  uow: UnitOfWork,
  caller: Caller,
  organizationId: OrganizationId,
  scope: Scope,
  source: Source,
  work: (tx: Transaction, caller: CallerIn) => Promise<T>,
): Promise<T> => {
  const inside = permitted(caller, organizationId, scope);
  return uow.run(organizationId, { actor: actorOf(inside), source }, async (tx) => {
    const now = await asItStands(tx, inside);
    needsScope(now, scope);
    return work(tx, now);
  });
};

const asItStands = async (tx: Repositories, caller: CallerIn): Promise<CallerIn> => {
  const { organizationId } = caller;
  const organization = await tx.organizations.get(organizationId);
  if (organization?.state.status !== 'active') throw new Refusal('organization.not_active');
  if (caller.kind === 'user') {
    const membership = await tx.memberships.ofUser(organizationId, caller.id);
    if (membership?.state.status !== 'active') throw new Refusal('membership.not_active');
    const { role } = membership.state;
    return { ...caller, role, scopes: scopesOf(role) };
  }
  const key = await tx.apiKeys.get(organizationId, caller.apiKeyId);
  if (key?.state.status !== 'active') throw new Refusal('api_key.revoked');
  const agent = await tx.agents.get(organizationId, caller.id);
  if (agent?.state.status !== 'active') throw new Refusal('agent.not_active');
  return { ...caller, scopes: key.state.scopes };
};
