// How an organization's role mappings and SSO connections lie in the database.

import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import type { RoleMapping } from '#domain/provisioning/role-mapping.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';
import type { Certificate, Connection, ConnectionTest } from '#domain/sso/connection.ts';

/** The whole ordered list in one row: it is only ever read and replaced whole. */
export const RoleMappingsRow = defineEntity({
  name: 'RoleMappingsRow',
  tableName: 'role_mappings',
  properties: {
    organizationId: p.string().$type<OrganizationId>().primary(),
    mappings: p.json<readonly RoleMapping[]>(),
  },
});

/** As JSON has it: times are texts. */
type Written<T> = {
  readonly [Field in keyof T]: T[Field] extends Date ? string : T[Field] extends Date | null ? string | null : T[Field];
};

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
    certificates: p.json<readonly Written<Certificate>[]>(),
    lastTest: p.json<Written<ConnectionTest>>().nullable(),
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
  certificates: row.certificates.map(({ kind, expiresAt, warnedAt, asOf }) => ({
    kind,
    expiresAt: expiresAt === null ? null : new Date(expiresAt),
    warnedAt: warnedAt === null ? null : new Date(warnedAt),
    asOf: new Date(asOf),
  })),
  lastTest: row.lastTest ? { ...row.lastTest, at: new Date(row.lastTest.at) } : null,
});

export const connectionToRow = ({ certificates, lastTest, ...connection }: Connection) => ({
  ...connection,
  certificates: certificates.map(({ kind, expiresAt, warnedAt, asOf }) => ({
    kind,
    expiresAt: expiresAt?.toISOString() ?? null,
    warnedAt: warnedAt?.toISOString() ?? null,
    asOf: asOf.toISOString(),
  })),
  lastTest: lastTest && { ...lastTest, at: lastTest.at.toISOString() },
});
