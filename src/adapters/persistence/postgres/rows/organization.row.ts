// How an organization lies in the database.

import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import type { DomainClaim, OrganizationState } from '#domain/organizations/organization.ts';
import type { SessionPolicy } from '#domain/organizations/session-policy.ts';
import type { ProvisioningPolicy } from '#domain/provisioning/provisioning-policy.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';

type StoredClaim = Omit<DomainClaim, 'asOf'> & { readonly asOf: string };

export const OrganizationRow = defineEntity({
  name: 'OrganizationRow',
  tableName: 'organizations',
  properties: {
    id: p.string().$type<OrganizationId>().primary(),
    name: p.string(),
    slug: p.string(),
    status: p.string().$type<OrganizationState['status']>(),
    domains: p.json<readonly StoredClaim[]>(),
    provider: p.string().nullable(),
    providerId: p.string().nullable(),
    ownerless: p.boolean(),
    sessionPolicy: p.json<SessionPolicy>(),
    provisioningPolicy: p.json<ProvisioningPolicy>(),
    createdAt: p.datetime(3),
    version: p.integer(),
  },
});
export type OrganizationRow = InferEntity<typeof OrganizationRow>;

/** One row per domain that an organization holds: what keeps two organizations from holding the same. */
export const VerifiedDomainRow = defineEntity({
  name: 'VerifiedDomainRow',
  tableName: 'verified_domains',
  properties: {
    name: p.string().primary(),
    organizationId: p.string().$type<OrganizationId>(),
  },
});

export const organizationFromRow = (row: OrganizationRow): OrganizationState => ({
  id: row.id,
  name: row.name,
  slug: row.slug,
  status: row.status,
  domains: row.domains.map(({ name, state, asOf }) => ({ name, state, asOf: new Date(asOf) })),
  provider: row.provider && row.providerId ? { provider: row.provider, id: row.providerId } : null,
  ownerless: row.ownerless,
  sessionPolicy: row.sessionPolicy,
  provisioningPolicy: row.provisioningPolicy,
  createdAt: row.createdAt,
  version: row.version,
});

export const organizationToRow = (state: OrganizationState, version: number) => ({
  id: state.id,
  name: state.name,
  slug: state.slug,
  status: state.status,
  domains: state.domains.map(({ name, state, asOf }) => ({ name, state, asOf: asOf.toISOString() })),
  provider: state.provider?.provider ?? null,
  providerId: state.provider?.id ?? null,
  ownerless: state.ownerless,
  sessionPolicy: state.sessionPolicy,
  provisioningPolicy: state.provisioningPolicy,
  createdAt: state.createdAt,
  version,
});
