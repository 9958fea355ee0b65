// How an organization's role mappings and SSO connections lie in the database.

import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import type { RoleMapping } from '#domain/provisioning/role-mapping.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';
import type { Connection } from '#domain/sso/connection.ts';

/** The whole ordered list in one row: it is only ever read and replaced whole. */
export const RoleMappingsRow = defineEntity({
  name: 'RoleMappingsRow',
  tableName: 'role_mappings',
  properties: {
    organizationId: p.string().$type<OrganizationId>().primary(),
    mappings: p.json<readonly RoleMapping[]>(),
  },
});

export const ConnectionRow = defineEntity({
  name: 'ConnectionRow',
  tableName: 'connections',
  properties: {
    organizationId: p.string().$type<OrganizationId>().primary(),
    id: p.string().primary(),
    name: p.string(),
    type: p.string(),
    state: p.string().$type<Connection['state']>(),
    asOf: p.datetime(3),
  },
});
export type ConnectionRow = InferEntity<typeof ConnectionRow>;

export const connectionFromRow = (row: ConnectionRow): Connection => ({
  id: row.id,
  organizationId: row.organizationId,
  name: row.name,
  type: row.type,
  state: row.state,
  asOf: row.asOf,
});

export const connectionToRow = (connection: Connection) => ({ ...connection });
