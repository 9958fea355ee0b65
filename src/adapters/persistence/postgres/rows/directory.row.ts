// How the records of a directory lie in the database: per organization, so that no organization's news ever lands on another's record.

import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import type { Directory, DirectoryGroup, DirectoryUser, GroupLink } from '#domain/provisioning/directory-picture.ts';
import type { OrganizationId, UserId } from '#domain/shared/ids.ts';
import { sortableName } from '../../text.ts';

export const DirectoryRow = defineEntity({
  name: 'DirectoryRow',
  tableName: 'directories',
  properties: {
    organizationId: p.string().$type<OrganizationId>().primary(),
    id: p.string().primary(),
    name: p.string(),
    type: p.string(),
    connectedAt: p.datetime(3).nullable(),
    disconnectedAt: p.datetime(3).nullable(),
  },
});
export type DirectoryRow = InferEntity<typeof DirectoryRow>;

export const directoryFromRow = (row: DirectoryRow): Directory => ({
  id: row.id,
  organizationId: row.organizationId,
  name: row.name,
  type: row.type,
  connectedAt: row.connectedAt ?? null,
  disconnectedAt: row.disconnectedAt ?? null,
});

export const directoryToRow = (directory: Directory) => ({ ...directory });

export const DirectoryUserRow = defineEntity({
  name: 'DirectoryUserRow',
  tableName: 'directory_users',
  properties: {
    organizationId: p.string().$type<OrganizationId>().primary(),
    id: p.string().primary(),
    directoryId: p.string(),
    idpId: p.string().nullable(),
    email: p.string().nullable(),
    name: p.string().nullable(),
    state: p.string(),
    describedAt: p.datetime(3),
    describedBy: p.string(),
    createdAt: p.datetime(3).nullable(),
    deletedAt: p.datetime(3).nullable(),
    userId: p.string().$type<UserId>().nullable(),
  },
});
export type DirectoryUserRow = InferEntity<typeof DirectoryUserRow>;

export const directoryUserFromRow = (row: DirectoryUserRow): DirectoryUser => ({
  id: row.id,
  directoryId: row.directoryId,
  organizationId: row.organizationId,
  createdAt: row.createdAt ?? null,
  deletedAt: row.deletedAt ?? null,
  userId: row.userId ?? null,
  idpId: row.idpId ?? null,
  email: row.email ?? null,
  name: row.name ?? null,
  state: row.state,
  described: { at: row.describedAt, event: row.describedBy },
});

export const directoryUserToRow = ({ described, ...user }: DirectoryUser) => ({
  ...user,
  describedAt: described.at,
  describedBy: described.event,
});

export const DirectoryGroupRow = defineEntity({
  name: 'DirectoryGroupRow',
  tableName: 'directory_groups',
  properties: {
    organizationId: p.string().$type<OrganizationId>().primary(),
    id: p.string().primary(),
    directoryId: p.string(),
    name: p.string(),
    sortName: p.string(),
    describedAt: p.datetime(3),
    describedBy: p.string(),
    createdAt: p.datetime(3).nullable(),
    deletedAt: p.datetime(3).nullable(),
  },
});
export type DirectoryGroupRow = InferEntity<typeof DirectoryGroupRow>;

export const directoryGroupFromRow = (row: DirectoryGroupRow): DirectoryGroup => ({
  id: row.id,
  directoryId: row.directoryId,
  organizationId: row.organizationId,
  createdAt: row.createdAt ?? null,
  deletedAt: row.deletedAt ?? null,
  name: row.name,
  described: { at: row.describedAt, event: row.describedBy },
});

export const directoryGroupToRow = ({ described, ...group }: DirectoryGroup) => ({
  ...group,
  sortName: sortableName(group),
  describedAt: described.at,
  describedBy: described.event,
});

export const GroupLinkRow = defineEntity({
  name: 'GroupLinkRow',
  tableName: 'directory_group_links',
  properties: {
    organizationId: p.string().$type<OrganizationId>().primary(),
    groupId: p.string().primary(),
    directoryUserId: p.string().primary(),
    directoryId: p.string(),
    present: p.boolean(),
    saidAt: p.datetime(3),
    saidBy: p.string(),
  },
});
export type GroupLinkRow = InferEntity<typeof GroupLinkRow>;

export const groupLinkFromRow = (row: GroupLinkRow): GroupLink => ({
  directoryId: row.directoryId,
  organizationId: row.organizationId,
  groupId: row.groupId,
  directoryUserId: row.directoryUserId,
  present: row.present,
  said: { at: row.saidAt, event: row.saidBy },
});

export const groupLinkToRow = ({ said, ...link }: GroupLink) => ({ ...link, saidAt: said.at, saidBy: said.event });
