// May this caller do that, in this organization? Asked of the cached caller first, and again inside the transaction that does it.

import type { Origin } from '#application/idempotency/once.ts';
import type { Repositories } from '#application/ports/store.ts';
import type { Transaction, UnitOfWork } from '#application/unit-of-work.ts';
import { actingIn, type Caller, type CallerIn, needsScope } from '#domain/access/caller.ts';
import type { Scope } from '#domain/access/scope.ts';
import type { Actor } from '#domain/audit/audit-entry.ts';
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

/** Who acts, as the trail names them: for a person, also who of the support staff acts in their name. */
export const actorOf = (caller: Caller): Actor => {
  const impersonator = caller.kind === 'user' ? caller.impersonator?.email : undefined;
  return impersonator === undefined
    ? { kind: caller.kind, id: caller.id }
    : { kind: caller.kind, id: caller.id, impersonator };
};

/**
 * Runs an act of a caller who may, in one transaction of the organization. The work gets the caller as the rows have it: a
 * session, a role or a key that ended a moment ago no longer counts, however fresh the cached caller looked.
 * @throws Refusal as `permitted` and `stillCalling`; `membership.not_active`, `organization.not_active`
 */
export const acting = async <T>(
  uow: UnitOfWork,
  caller: Caller,
  organizationId: OrganizationId,
  scope: Scope,
  source: Origin,
  work: (tx: Transaction, caller: CallerIn) => Promise<T>,
): Promise<T> => acts(uow.run, caller, organizationId, scope, source, work);

/** The same for an act that must not be done twice: what the work answers is what the use case answers (see `UnitOfWork.once`). */
export const actingOnce: typeof acting = (uow, ...act) => acts(uow.once, ...act);

const acts = async <T>(
  run: UnitOfWork['run'],
  caller: Caller,
  organizationId: OrganizationId,
  scope: Scope,
  source: Origin,
  work: (tx: Transaction, caller: CallerIn) => Promise<T>,
): Promise<T> => {
  const inside = permitted(caller, organizationId, scope);
  return run(organizationId, { actor: actorOf(inside), source }, async (tx) => {
    const now = await asItStands(tx, await stillCalling(tx, inside));
    needsScope(now, scope);
    return work(tx, now);
  });
};

/**
 * The caller, if their own credential still holds inside this transaction, an agent with the scopes that its key has now:
 * between the proof at the door and the act a slow body may have been sent, and the session or key have ended.
 * @throws Refusal `session.ended`, `session.organization_changed`, `user.not_active`, `api_key.revoked`, `api_key.expired`, `agent.not_active`
 */
export const stillCalling = async <C extends Caller>(tx: Transaction, caller: C): Promise<C> => {
  if (caller.kind === 'user') {
    const session = await tx.sessions.get(caller.sessionId);
    // Sessions are never deleted: one that is not to be seen from here stands in another organization by now.
    if (!session) throw new Refusal('session.organization_changed');
    // Its idle window slid with this very request, which may not be written down yet: only the cap and an end count.
    const isOver = session.state.status === 'ended' || tx.now >= session.state.absoluteExpiresAt;
    if (isOver || session.state.userId !== caller.id) throw new Refusal('session.ended');
    const user = await tx.users.get(caller.id);
    if (user?.state.status !== 'active') throw new Refusal('user.not_active');
    return caller;
  }
  const key = (await tx.apiKeys.get(caller.organizationId, caller.apiKeyId))?.state;
  if (!key || key.status === 'revoked') throw new Refusal('api_key.revoked');
  if (key.expiresAt && tx.now >= key.expiresAt) throw new Refusal('api_key.expired');
  const agent = await tx.agents.get(caller.organizationId, caller.id);
  if (agent?.state.status !== 'active') throw new Refusal('agent.not_active');
  return { ...caller, scopes: key.scopes };
};

/** The organization must be active, and a person has the role that they hold in it now. */
const asItStands = async (tx: Repositories, caller: CallerIn): Promise<CallerIn> => {
  const { organizationId } = caller;
  const organization = await tx.organizations.get(organizationId);
  if (organization?.state.status !== 'active') throw new Refusal('organization.not_active');
  if (caller.kind === 'agent') return caller;
  const membership = await tx.memberships.ofUser(organizationId, caller.id);
  if (membership?.state.status !== 'active') throw new Refusal('membership.not_active');
  const { role } = membership.state;
  return { ...caller, role, scopes: scopesOf(role) };
};
