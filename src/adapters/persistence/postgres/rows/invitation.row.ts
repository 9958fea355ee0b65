// How an invitation lies in the database.

import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import type { InvitationState } from '#domain/invitations/invitation.ts';
import type { AssignableRole } from '#domain/memberships/role.ts';
import type { InvitationId, OrganizationId, UserId } from '#domain/shared/ids.ts';
import type { Email } from '#domain/users/email.ts';

export const InvitationRow = defineEntity({
  name: 'InvitationRow',
  tableName: 'invitations',
  properties: {
    id: p.string().$type<InvitationId>().primary(),
    organizationId: p.string().$type<OrganizationId>(),
    email: p.string().$type<Email>(),
    role: p.string().$type<AssignableRole>(),
    status: p.string().$type<InvitationState['status']>(),
    invitedBy: p.string().$type<UserId>(),
    askedAt: p.datetime(3),
    sentAt: p.datetime(3).nullable(),
    expiresAt: p.datetime(3),
    acceptedBy: p.string().$type<UserId>().nullable(),
    provider: p.string().nullable(),
    providerId: p.string().nullable(),
    createdAt: p.datetime(3),
    version: p.integer(),
  },
});
export type InvitationRow = InferEntity<typeof InvitationRow>;

export const invitationFromRow = (row: InvitationRow): InvitationState => ({
  id: row.id,
  organizationId: row.organizationId,
  email: row.email,
  role: row.role,
  status: row.status,
  invitedBy: row.invitedBy,
  askedAt: row.askedAt,
  sentAt: row.sentAt ?? null,
  expiresAt: row.expiresAt,
  acceptedBy: row.acceptedBy ?? null,
  provider: row.provider && row.providerId ? { provider: row.provider, id: row.providerId } : null,
  createdAt: row.createdAt,
  version: row.version,
});

export const invitationToRow = ({ provider, ...state }: InvitationState, version: number) => ({
  ...state,
  provider: provider?.provider ?? null,
  providerId: provider?.id ?? null,
  version,
});
