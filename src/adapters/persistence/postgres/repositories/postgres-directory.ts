// What we know of directories, in the database.

import type { DirectoryRecords } from '#application/ports/store.ts';
import { isConnected } from '#domain/provisioning/directory-picture.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';
import { afresh, type PostgresRun } from '../postgres-run.ts';
import {
  DirectoryGroupRow,
  DirectoryRow,
  DirectoryUserRow,
  directoryFromRow,
  directoryGroupFromRow,
  directoryGroupToRow,
  directoryToRow,
  directoryUserFromRow,
  directoryUserToRow,
  GroupLinkRow,
  groupLinkFromRow,
  groupLinkToRow,
} from '../rows/directory.row.ts';

const byId = { ...afresh, orderBy: { id: 'asc' } } as const;
const unique = (texts: readonly string[]): string[] => [...new Set(texts)];

export const postgresDirectory = ({ em }: PostgresRun): DirectoryRecords => {
  /** Asked for with each event; whoever changes them has the organization's turn. */
  const known = new Map<string, DirectoryRow>();
  // Most questions about an event's surroundings are about nobody: then the database is not asked.
  const usersIn = async (organizationId: OrganizationId, ids: readonly string[]) =>
    ids.length === 0
      ? []
      : (await em.find(DirectoryUserRow, { organizationId, id: { $in: unique(ids) } }, byId)).map(directoryUserFromRow);
  const groupsIn = async (organizationId: OrganizationId, ids: readonly string[]) =>
    ids.length === 0
      ? []
      : (await em.find(DirectoryGroupRow, { organizationId, id: { $in: unique(ids) } }, byId)).map(
          directoryGroupFromRow,
        );

  return {
    async directory(organizationId, id) {
      const key = `${organizationId} ${id}`;
      const row = known.get(key) ?? (await em.findOne(DirectoryRow, { organizationId, id }, afresh));
      if (row === null) return undefined;
      known.set(key, row);
      return directoryFromRow(row);
    },
    directories: async (organizationId) =>
      (await em.find(DirectoryRow, { organizationId }, byId)).map(directoryFromRow),
    async organizationOf(directoryId) {
      const [first] = await em.execute<{ organization_id: OrganizationId }[]>(
        'select organization_id from directories where id = ? order by heard_order limit 1',
        [directoryId],
      );
      return first?.organization_id;
    },
    anyConnected: async (organizationId) =>
      (await em.find(DirectoryRow, { organizationId }, afresh)).map(directoryFromRow).some(isConnected),
    async user(organizationId, id) {
      const row = await em.findOne(DirectoryUserRow, { organizationId, id }, afresh);
      return row === null ? undefined : directoryUserFromRow(row);
    },
    async group(organizationId, id) {
      const row = await em.findOne(DirectoryGroupRow, { organizationId, id }, afresh);
      return row === null ? undefined : directoryGroupFromRow(row);
    },
    groups: async (organizationId) =>
      (await em.find(DirectoryGroupRow, { organizationId }, byId)).map(directoryGroupFromRow),
    usersById: usersIn,
    groupsById: groupsIn,
    usersOfDirectory: async (organizationId, directoryId) =>
      (await em.find(DirectoryUserRow, { organizationId, directoryId }, byId)).map(directoryUserFromRow),
    async usersOfGroup(organizationId, groupId) {
      const links = await em.find(GroupLinkRow, { organizationId, groupId }, afresh);
      return usersIn(
        organizationId,
        links.map(({ directoryUserId }) => directoryUserId),
      );
    },
    usersOfOrganization: async (organizationId) =>
      (await em.find(DirectoryUserRow, { organizationId }, byId)).map(directoryUserFromRow),
    recordsOf: async (organizationId, userIds) =>
      userIds.length === 0
        ? []
        : (await em.find(DirectoryUserRow, { organizationId, userId: { $in: [...userIds] } }, byId)).map(
            directoryUserFromRow,
          ),
    async withEmail(organizationId, email) {
      const found = await em.execute<{ id: string }[]>(
        'select id from directory_users where organization_id = ? and address = ?',
        [organizationId, email],
      );
      return usersIn(
        organizationId,
        found.map(({ id }) => id),
      );
    },
    withIdpId: async (organizationId, directoryId, idpId) =>
      (await em.find(DirectoryUserRow, { organizationId, directoryId, idpId }, byId)).map(directoryUserFromRow),

    async pictureOf(organizationId, users) {
      if (users.length === 0) return { directories: [], users: [], groups: [], links: [] };
      const directoryIds = unique(users.map(({ directoryId }) => directoryId));
      const directories = await em.find(DirectoryRow, { organizationId, id: { $in: directoryIds } }, byId);
      const userIds = unique(users.map(({ id }) => id));
      const links = await em.find(GroupLinkRow, { organizationId, directoryUserId: { $in: userIds } }, afresh);
      const groups = await groupsIn(
        organizationId,
        links.map(({ groupId }) => groupId),
      );
      return {
        directories: directories.map(directoryFromRow),
        users: [...users],
        groups,
        links: links.map(groupLinkFromRow),
      };
    },

    async save(learned) {
      if (learned.directories.length > 0) {
        known.clear();
        const rows = learned.directories.map(directoryToRow);
        await em.createQueryBuilder(DirectoryRow).insert(rows).onConflict(['organizationId', 'id']).merge().execute();
      }
      if (learned.users.length > 0) {
        const rows = learned.users.map(directoryUserToRow);
        await em
          .createQueryBuilder(DirectoryUserRow)
          .insert(rows)
          .onConflict(['organizationId', 'id'])
          .merge()
          .execute();
      }
      if (learned.groups.length > 0) {
        const rows = learned.groups.map(directoryGroupToRow);
        await em
          .createQueryBuilder(DirectoryGroupRow)
          .insert(rows)
          .onConflict(['organizationId', 'id'])
          .merge()
          .execute();
      }
      if (learned.links.length > 0) {
        const rows = learned.links.map(groupLinkToRow);
        await em
          .createQueryBuilder(GroupLinkRow)
          .insert(rows)
          .onConflict(['organizationId', 'groupId', 'directoryUserId'])
          .merge()
          .execute();
      }
    },
  };
};
