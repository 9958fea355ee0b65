// An organization's role mappings and SSO connections in the database.

import type { Connections, RoleMappings } from '#application/ports/store.ts';
import type { RoleMapping } from '#domain/provisioning/role-mapping.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';
import { afresh, type PostgresRun } from '../postgres-run.ts';
import { ConnectionRow, connectionFromRow, connectionToRow, RoleMappingsRow } from '../rows/settings.row.ts';

export const postgresRoleMappings = ({ em }: PostgresRun): RoleMappings => {
  // Asked for with each event; whoever changes them has the organization's turn.
  const known = new Map<OrganizationId, readonly RoleMapping[]>();
  return {
    async of(organizationId) {
      const mappings =
        known.get(organizationId) ?? (await em.findOne(RoleMappingsRow, { organizationId }, afresh))?.mappings ?? [];
      known.set(organizationId, mappings);
      return mappings;
    },
    async replace(organizationId, mappings) {
      known.delete(organizationId);
      await em
        .createQueryBuilder(RoleMappingsRow)
        .insert({ organizationId, mappings })
        .onConflict('organizationId')
        .merge()
        .execute();
    },
  };
};

export const postgresConnections = ({ em }: PostgresRun): Connections => ({
  async get(organizationId, id) {
    const row = await em.findOne(ConnectionRow, { organizationId, id }, afresh);
    return row === null ? undefined : connectionFromRow(row);
  },
  async save(connection) {
    await em
      .createQueryBuilder(ConnectionRow)
      .insert(connectionToRow(connection))
      .onConflict(['organizationId', 'id'])
      .merge()
      .execute();
  },
});
