// Invitations in the database.

import type { Invitations } from '#application/ports/store.ts';
import { Invitation } from '#domain/invitations/invitation.ts';
import { afresh, type PostgresRun, saveEntity } from '../postgres-run.ts';
import { InvitationRow, invitationFromRow, invitationToRow } from '../rows/invitation.row.ts';

const restored = (row: InvitationRow): Invitation => Invitation.restore(invitationFromRow(row));
const maybe = (row: InvitationRow | null | undefined): Invitation | undefined => (row ? restored(row) : undefined);

export const postgresInvitations = (run: PostgresRun): Invitations => {
  const { em } = run;
  return {
    get: async (organizationId, id) => maybe(await em.findOne(InvitationRow, { organizationId, id }, afresh)),
    pendingTo: async (organizationId, email) =>
      maybe(await em.findOne(InvitationRow, { organizationId, email, status: 'pending' }, afresh)),
    async newestTo(organizationId, email) {
      const newestFirst = { ...afresh, orderBy: { id: 'desc' }, limit: 1 } as const;
      const [newest] = await em.find(InvitationRow, { organizationId, email }, newestFirst);
      return maybe(newest);
    },
    async pendingBy(organizationId, userId) {
      const theirs = { organizationId, invitedBy: userId, status: 'pending' } as const;
      return (await em.find(InvitationRow, theirs, { ...afresh, orderBy: { id: 'asc' } })).map(restored);
    },
    async save(invitation) {
      const { state } = invitation;
      const { id, organizationId } = state;
      await saveEntity(
        run,
        invitation,
        (version) => em.insert(InvitationRow, invitationToRow(state, version)),
        (expected, version) =>
          em.nativeUpdate(InvitationRow, { id, organizationId, version: expected }, invitationToRow(state, version)),
      );
    },
  };
};
