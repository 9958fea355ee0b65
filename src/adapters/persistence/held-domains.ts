// The domains that an organization keeps from others.

import type { OrganizationState } from '#domain/organizations/organization.ts';

/** What it verified. A deleted organization no longer holds any, so that its customer can come back under a new one. */
export const heldDomains = (organization: OrganizationState): readonly string[] =>
  organization.status === 'deleted'
    ? []
    : organization.domains.filter(({ state }) => state === 'verified').map(({ name }) => name);
