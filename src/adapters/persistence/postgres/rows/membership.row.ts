// How a membership lies in the database.

import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import type { Manager, MembershipState } from '#domain/memberships/membership.ts';
import type { Role } from '#domain/memberships/role.ts';
import type { MembershipId, OrganizationId, UserId } from '#domain/shared/ids.ts';

export const MembershipRow = defineEntity({
  name: 'MembershipRow',
  tableName: 'memberships',
  properties: {
    id: p.string().$type<MembershipId>().primary(),
    organizationId: p.string().$type<OrganizationId>(),
    userId: p.string().$type<UserId>(),
    role: p.string().$type<Role>(),
    status: p.string().$type<MembershipState['status']>(),
    managedBy: p.string().$type<Manager>(),
    asOf: p.datetime(3),
    createdAt: p.datetime(3),
    version: p.integer(),
  },
});
export type MembershipRow = InferEntity<typeof MembershipRow>;

export const membershipFromRow = (row: MembershipRow): MembershipState => ({
  id: row.id,
  organizationId: row.organizationId,
  userId: row.userId,
  role: row.role,
  status: row.status,
  managedBy: row.managedBy,
  asOf: row.asOf,
  createdAt: row.createdAt,
  version: row.version,
});

export const membershipToRow = (state: MembershipState, version: number) => ({ ...state, version });
