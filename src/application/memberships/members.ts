// What an organization's people managers do: look at members, change a role, let somebody go.

import { acting, permitted } from '#application/access/permitted.ts';
import { endAccess } from '#application/memberships/end-access.ts';
import type { ReadModels } from '#application/ports/read-models.ts';
import type { Clock } from '#application/ports/system.ts';
import type { Transaction, UnitOfWork } from '#application/unit-of-work.ts';
import type { UseCases } from '#application/use-cases.ts';
import { asPerson } from '#domain/access/caller.ts';
import type { Membership } from '#domain/memberships/membership.ts';
import { mayChangeRole, mayRemove } from '#domain/memberships/ownership.ts';
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
    await acting(uow, caller, organizationId, 'users:manage', source, async (tx, inside) => {
      const { id: userId, role: own } = asPerson(inside);
      const actor = { userId, role: own };
      const target = await memberOf(tx, organizationId, member);
      mayChangeRole(actor, target.state, role);
      target.assignRole(role, clock.now());
      await tx.save(target);
    });
    const changed = await readModels.member(organizationId, member);
    if (!changed) throw new Refusal('membership.not_found');
    return changed;
  };

export const removeMember =
  (uow: UnitOfWork, clock: Clock): UseCases['removeMember'] =>
  async (caller, organizationId, member, source) => {
    await acting(uow, caller, organizationId, 'users:manage', source, async (tx, inside) => {
      const { id: userId, role: own } = asPerson(inside);
      const actor = { userId, role: own };
      const target = await memberOf(tx, organizationId, member);
      if (target.state.status === 'revoked') return;
      mayRemove(actor, target.state);
      const organization = await tx.organizations.get(organizationId);
      if (!organization) throw new Refusal('organization.not_found');
      const now = clock.now();
      await endAccess(tx, organization, target, 'removed_by_member', now, now);
    });
  };

const memberOf = async (tx: Transaction, organizationId: OrganizationId, id: MembershipId): Promise<Membership> => {
  const member = await tx.memberships.get(organizationId, id);
  if (!member) throw new Refusal('membership.not_found');
  return member;
};
