// What an organization's people managers do: look at members, change a role, let somebody go.

import { actorOf, permitted } from '#application/access/permitted.ts';
import { endAccess } from '#application/memberships/end-access.ts';
import type { ReadModels } from '#application/ports/read-models.ts';
import type { Clock } from '#application/ports/system.ts';
import type { Transaction, UnitOfWork } from '#application/unit-of-work.ts';
import type { UseCases } from '#application/use-cases.ts';
import { asPerson, type CallerIn, needsScope } from '#domain/access/caller.ts';
import type { Membership } from '#domain/memberships/membership.ts';
import { type ActingMember, mayChangeRole, mayRemove } from '#domain/memberships/ownership.ts';
import { scopesOf } from '#domain/memberships/role.ts';
import type { MembershipId, OrganizationId } from '#domain/shared/ids.ts';
import { Refusal } from '#domain/shared/refusal.ts';

export const listMembers =
  (readModels: ReadModels): UseCases['listMembers'] =>
  async (caller, organizationId, filter, page) => {
    permitted(caller, organizationId, 'users:manage');
    return readModels.members(organizationId, filter, page);
  };

export const changeRole =
  (uow: UnitOfWork, readModels: ReadModels, clock: Clock): UseCases['changeRole'] =>
  async (caller, { organizationId, member, role }, source) => {
    const inside = permitted(caller, organizationId, 'users:manage');
    await uow.run(organizationId, { actor: actorOf(inside), source }, async (tx) => {
      const { actor, target } = await bothOf(tx, organizationId, inside, member);
      mayChangeRole(actor, target.state, role);
      target.changeRole(role, clock.now());
      await tx.save(target);
    });
    const changed = await readModels.member(organizationId, member);
    if (!changed) throw new Refusal('membership.not_found');
    return changed;
  };

export const removeMember =
  (uow: UnitOfWork, clock: Clock): UseCases['removeMember'] =>
  async (caller, organizationId, member, source) => {
    const inside = permitted(caller, organizationId, 'users:manage');
    await uow.run(organizationId, { actor: actorOf(inside), source }, async (tx) => {
      const { actor, target } = await bothOf(tx, organizationId, inside, member);
      if (target.state.status === 'revoked') return;
      mayRemove(actor, target.state);
      const organization = await tx.organizations.get(organizationId);
      if (!organization) throw new Refusal('organization.not_found');
      const now = clock.now();
      await endAccess(tx, organization, target, 'removed_by_member', now, now);
    });
  };

/** Who acts and on whom, read inside the transaction: a role that was taken away a moment ago no longer counts. */
const bothOf = async (
  tx: Transaction,
  organizationId: OrganizationId,
  caller: CallerIn,
  member: MembershipId,
): Promise<{ actor: ActingMember; target: Membership }> => {
  const person = asPerson(caller);
  const own = await tx.memberships.ofUser(organizationId, person.id);
  if (own?.state.status !== 'active') throw new Refusal('membership.not_active');
  needsScope({ scopes: scopesOf(own.state.role) }, 'users:manage');
  const target = await tx.memberships.get(organizationId, member);
  if (!target) throw new Refusal('membership.not_found');
  return { actor: { userId: person.id, role: own.state.role }, target };
};
