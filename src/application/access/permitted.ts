// May this caller do that, in this organization? Asked first by every use case that acts in one.

import { actingIn, type Caller, type CallerIn, needsScope } from '#domain/access/caller.ts';
import type { Scope } from '#domain/access/scope.ts';
import type { Actor } from '#domain/audit/audit-entry.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';

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
