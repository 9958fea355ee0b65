// The repositories of one run in the database.

import type { Repositories } from '#application/ports/store.ts';
import { postgresAnnouncements } from './announcements.ts';
import type { PostgresRun } from './postgres-run.ts';
import { postgresAgents, postgresApiKeys } from './repositories/postgres-agents.ts';
import { postgresAuditTrail } from './repositories/postgres-audit-trail.ts';
import { postgresDirectory } from './repositories/postgres-directory.ts';
import { postgresIdempotencyKeys } from './repositories/postgres-idempotency-keys.ts';
import { postgresInvitations } from './repositories/postgres-invitations.ts';
import { postgresMemberships } from './repositories/postgres-memberships.ts';
import { postgresOrganizations } from './repositories/postgres-organizations.ts';
import { postgresInbox, postgresOutbox, postgresSignIns } from './repositories/postgres-queues.ts';
import { postgresReconciliations } from './repositories/postgres-reconciliations.ts';
import { postgresSessions } from './repositories/postgres-sessions.ts';
import { postgresConnections, postgresRoleMappings } from './repositories/postgres-settings.ts';
import { postgresUsers } from './repositories/postgres-users.ts';

export const postgresRepositories = (run: PostgresRun): Repositories => ({
  organizations: postgresOrganizations(run),
  users: postgresUsers(run),
  memberships: postgresMemberships(run),
  invitations: postgresInvitations(run),
  sessions: postgresSessions(run),
  agents: postgresAgents(run),
  apiKeys: postgresApiKeys(run),
  directory: postgresDirectory(run),
  reconciliations: postgresReconciliations(run),
  roleMappings: postgresRoleMappings(run),
  connections: postgresConnections(run),
  inbox: postgresInbox(run),
  outbox: postgresOutbox(run),
  audit: postgresAuditTrail(run),
  signIns: postgresSignIns(run),
  announcements: postgresAnnouncements(run),
  idempotencyKeys: postgresIdempotencyKeys(run),
});
