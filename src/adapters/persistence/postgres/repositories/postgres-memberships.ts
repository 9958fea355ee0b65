// Memberships in the database.

import type { Memberships } from '#application/ports/store.ts';
import { Membership } from '#domain/memberships/membership.ts';
import type { Role } from '#domain/memberships/role.ts';
import { byStanding } from '../../newest.ts';
import { afresh, type PostgresRun, saveEntity } from '../postgres-run.ts';
import { MembershipRow, membershipFromRow, membershipToRow } from '../rows/membership.row.ts';

const restored = (row: MembershipRow): Membership => Membership.restore(membershipFromRow(row));
const byId = { ...afresh, orderBy: { id: 'asc' } } as const;

export const postgresMemberships = (run: PostgresRun): Memberships => {
  const { em } = run;
  return {
    async get(organizationId, id) {
      const row = await em.findOne(MembershipRow, { organizationId, id }, afresh);
      return row === null ? undefined : restored(row);
    },
    async ofUser(organizationId, userId) {
      const rows = await em.find(MembershipRow, { organizationId, userId }, afresh);
      const [newest] = rows.map(membershipFromRow).toSorted(byStanding);
      return newest && Membership.restore(newest);
    },
    async ofUsers(organizationId, userIds) {
      if (userIds.length === 0) return [];
      const rows = await em.find(MembershipRow, { organizationId, userId: { $in: [...userIds] } }, byId);
      const byUser = Map.groupBy(rows.map(membershipFromRow), ({ userId }) => userId);
      const newest = [...byUser.values()].flatMap((memberships) => memberships.toSorted(byStanding).slice(0, 1));
      return newest.toSorted((a, b) => (a.id < b.id ? -1 : 1)).map(Membership.restore);
    },
    async withRole(organizationId, role) {
      const rows = await em.find(MembershipRow, { organizationId, role: role as Role, status: 'active' }, byId);
      return rows.map(restored);
    },
    async acrossOrganizations(userId) {
      return (await em.find(MembershipRow, { userId, status: 'active' }, byId)).map(restored);
    },
    async save(membership) {
      const { state } = membership;
      const { id, organizationId } = state;
      await saveEntity(
        run,
        membership,
        (version) => em.insert(MembershipRow, membershipToRow(state, version)),
        (expected, version) =>
          em.nativeUpdate(MembershipRow, { id, organizationId, version: expected }, membershipToRow(state, version)),
      );
    },
  };
};
