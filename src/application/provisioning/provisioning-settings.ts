// What an organization's admins decide about their directory: which group confers which role, and what happens without a group.

import { acting, permitted } from '#application/access/permitted.ts';
import type { ReadModels } from '#application/ports/read-models.ts';
import type { Clock, Ids } from '#application/ports/system.ts';
import { carryOutAll } from '#application/provisioning/carry-out.ts';
import { knownOfAll } from '#application/provisioning/known.ts';
import type { Transaction, UnitOfWork } from '#application/unit-of-work.ts';
import type { NamedRoleMapping, SetRoleMappings, UseCases } from '#application/use-cases.ts';
import type { CallerIn } from '#domain/access/caller.ts';
import type { Source } from '#domain/audit/audit-entry.ts';
import type { Organization } from '#domain/organizations/organization.ts';
import { decideAnew } from '#domain/provisioning/decide.ts';
import { isPresent } from '#domain/provisioning/directory-picture.ts';
import { type RoleMapping, touchesAdmins } from '#domain/provisioning/role-mapping.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';
import { Refusal } from '#domain/shared/refusal.ts';

export const getDirectory =
  (readModels: ReadModels): UseCases['getDirectory'] =>
  async (caller, organizationId) => {
    permitted(caller, organizationId, 'orgs:manage');
    return readModels.directory(organizationId);
  };

export const listGroups =
  (readModels: ReadModels): UseCases['listGroups'] =>
  async (caller, organizationId, page) => {
    permitted(caller, organizationId, 'orgs:manage');
    return readModels.groups(organizationId, page);
  };

export const getProvisioningPolicy =
  (readModels: ReadModels): UseCases['getProvisioningPolicy'] =>
  async (caller, organizationId) => {
    permitted(caller, organizationId, 'orgs:manage');
    const organization = await readModels.organization(organizationId);
    if (!organization) throw new Refusal('organization.not_found');
    return organization.provisioningPolicy;
  };

export const getRoleMappings =
  (uow: UnitOfWork): UseCases['getRoleMappings'] =>
  async (caller, organizationId) => {
    const source: Source = { via: 'http', ip: null, userAgent: null, requestId: null };
    return acting(uow, caller, organizationId, 'orgs:manage', source, async (tx) =>
      named(tx, organizationId, await tx.roleMappings.of(organizationId)),
    );
  };

/** A group that has gone may stay in the list (it may come back); one that was never heard of may not enter it. */
export const setRoleMappings =
  (uow: UnitOfWork, clock: Clock, ids: Ids): SetRoleMappings =>
  async (caller, organizationId, mappings, source) => {
    if (new Set(mappings.map(({ groupId }) => groupId)).size !== mappings.length)
      throw new Refusal('role_mapping.group_twice');
    return acting(uow, caller, organizationId, 'orgs:manage', source, async (tx, actor) => {
      await refuseUnknownGroups(
        tx,
        organizationId,
        mappings.map(({ groupId }) => groupId),
      );
      const before = await tx.roleMappings.of(organizationId);
      if (JSON.stringify(before) !== JSON.stringify(mappings)) {
        if (touchesAdmins(before, mappings)) needsOwner(actor);
        await tx.roleMappings.replace(organizationId, mappings);
        tx.tell({ type: 'role_mappings.replaced', organizationId, before, after: mappings });
        await reviewEverybody(tx, await required(tx, organizationId), mappings, clock, ids);
      }
      return named(tx, organizationId, mappings);
    });
  };

export const setProvisioningPolicy =
  (uow: UnitOfWork, clock: Clock, ids: Ids): UseCases['setProvisioningPolicy'] =>
  async (caller, organizationId, policy, source) => {
    return acting(uow, caller, organizationId, 'orgs:manage', source, async (tx, actor) => {
      if (policy.gateGroupId !== null) await refuseUnknownGroups(tx, organizationId, [policy.gateGroupId]);
      const organization = await required(tx, organizationId);
      const before = organization.state.provisioningPolicy.defaultRole;
      if (before !== policy.defaultRole && [before, policy.defaultRole].includes('admin')) needsOwner(actor);
      organization.changeProvisioning(policy);
      await tx.save(organization);
      await reviewEverybody(tx, organization, await tx.roleMappings.of(organizationId), clock, ids);
      return organization.state.provisioningPolicy;
    });
  };

/** Only the owner makes or unmakes admins, and a group or a default role that does is no way around. */
const needsOwner = (actor: CallerIn): void => {
  if (actor.kind !== 'user' || actor.role !== 'owner') throw new Refusal('membership.only_owner_makes_admins');
};

const required = async (tx: Transaction, organizationId: OrganizationId): Promise<Organization> => {
  const organization = await tx.organizations.get(organizationId);
  if (!organization) throw new Refusal('organization.not_found');
  return organization;
};

const refuseUnknownGroups = async (
  tx: Transaction,
  organizationId: OrganizationId,
  groupIds: readonly string[],
): Promise<void> => {
  for (const group of groupIds) {
    if (!(await tx.directory.group(organizationId, group))) throw new Refusal('role_mapping.unknown_group', { group });
  }
};

/** Asks the question of every person anew; those for whom the answer changed get it in this commit. */
const reviewEverybody = async (
  tx: Transaction,
  organization: Organization,
  mappings: readonly RoleMapping[],
  clock: Clock,
  ids: Ids,
): Promise<void> => {
  const now = clock.now();
  const known = await knownOfAll(tx, organization.state.id);
  const standings = decideAnew(known, mappings, organization.state.provisioningPolicy);
  const changes = standings.filter((decision) => decision.do !== 'nothing');
  await carryOutAll(tx, { organization, said: now, now, ids }, changes);
};

const named = async (
  tx: Transaction,
  organizationId: OrganizationId,
  mappings: readonly RoleMapping[],
): Promise<readonly NamedRoleMapping[]> => {
  const groups = new Map(
    (await tx.directory.groups(organizationId)).filter(isPresent).map(({ id, name }) => [id, name]),
  );
  return mappings.map((mapping) => ({ ...mapping, groupName: groups.get(mapping.groupId) ?? null }));
};
