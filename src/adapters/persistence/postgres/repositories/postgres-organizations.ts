// Organizations in the database.

import type { Organizations } from '#application/ports/store.ts';
import { Organization, type OrganizationState } from '#domain/organizations/organization.ts';
import { heldDomains } from '../../held-domains.ts';
import { afresh, type PostgresRun, saveEntity } from '../postgres-run.ts';
import {
  OrganizationRow,
  organizationFromRow,
  organizationToRow,
  VerifiedDomainRow,
} from '../rows/organization.row.ts';

const restored = (row: OrganizationRow | null): Organization | undefined =>
  row === null ? undefined : Organization.restore(organizationFromRow(row));

export const postgresOrganizations = (run: PostgresRun): Organizations => {
  const { em } = run;

  /** Writes only what changed: taking a domain that another organization holds is a unique violation. */
  const holdDomains = async (state: OrganizationState): Promise<void> => {
    const held = heldDomains(state);
    const known = await em.find(VerifiedDomainRow, { organizationId: state.id }, afresh);
    const given = known.filter(({ name }) => !held.includes(name)).map(({ name }) => name);
    const taken = held.filter((name) => !known.some((row) => row.name === name));
    if (given.length > 0) {
      await em.nativeDelete(VerifiedDomainRow, { name: { $in: given }, organizationId: state.id });
    }
    if (taken.length > 0) {
      await em.insertMany(
        VerifiedDomainRow,
        taken.map((name) => ({ name, organizationId: state.id })),
      );
    }
  };

  return {
    get: async (id) => restored(await em.findOne(OrganizationRow, { id }, afresh)),
    byProvider: async ({ provider, id }) =>
      restored(await em.findOne(OrganizationRow, { provider, providerId: id }, afresh)),
    isTaken: async (slug) => (await em.findOne(OrganizationRow, { slug }, afresh)) !== null,
    async verifying(domain) {
      const held = await em.findOne(VerifiedDomainRow, { name: domain }, afresh);
      return held === null
        ? undefined
        : restored(await em.findOne(OrganizationRow, { id: held.organizationId }, afresh));
    },
    async save(organization) {
      const { state } = organization;
      await saveEntity(
        run,
        organization,
        (version) => em.insert(OrganizationRow, organizationToRow(state, version)),
        (expected, version) =>
          em.nativeUpdate(OrganizationRow, { id: state.id, version: expected }, organizationToRow(state, version)),
      );
      await holdDomains(state);
    },
  };
};
