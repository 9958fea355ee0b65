// Looks at organizations: one's own list, and the one the caller is in.

import type { ReadModels } from '#application/ports/read-models.ts';
import type { UseCases } from '#application/use-cases.ts';
import { actingIn } from '#domain/access/caller.ts';
import { Refusal } from '#domain/shared/refusal.ts';

export const listMyOrganizations =
  (readModels: ReadModels): UseCases['listMyOrganizations'] =>
  async (caller) => {
    if (caller.kind === 'user') return readModels.organizationsOf(caller.id);
    const own = await readModels.organization(caller.organizationId);
    return own ? [{ id: own.id, name: own.name, slug: own.slug, role: null }] : [];
  };

/** Every member and agent may look at the organization they are in. */
export const getOrganization =
  (readModels: ReadModels): UseCases['getOrganization'] =>
  async (caller, organizationId) => {
    actingIn(caller, organizationId);
    const organization = await readModels.organization(organizationId);
    if (!organization) throw new Refusal('organization.not_found');
    return organization;
  };
