// The repositories of one run in memory. Rows are cloned on the way in and on the way out, so nobody changes them through a reference.

import type { Repositories } from '#application/ports/store.ts';
import type { Ids } from '#application/ports/system.ts';
import { Agent } from '#domain/access/agent.ts';
import { ApiKey } from '#domain/access/api-key.ts';
import type { AuditEntry } from '#domain/audit/audit-entry.ts';
import { type ChainHead, chained, emptyChain } from '#domain/audit/hash-chain.ts';
import { Invitation } from '#domain/invitations/invitation.ts';
import { Membership, type MembershipState } from '#domain/memberships/membership.ts';
import { Organization } from '#domain/organizations/organization.ts';
import { isConnected } from '#domain/provisioning/directory-picture.ts';
import { isExpired, Session, type SessionState } from '#domain/sessions/session.ts';
import { User } from '#domain/users/user.ts';
import { byStanding } from '../newest.ts';
import { memoryIdempotencyKeys } from './memory-idempotency-keys.ts';
import { memoryInbox, memoryOutbox } from './memory-queues.ts';
import { memoryReconciliations } from './memory-reconciliations.ts';
import type { MemoryRun } from './memory-run.ts';
import { type MemoryTables, recordKey, trailOf, uniqueKey } from './memory-tables.ts';
import type { Draft } from './table.ts';

const copy = <T>(value: T): T => structuredClone(value);
const day = 24 * 3600 * 1000;

const byId = (a: { readonly id: string }, b: { readonly id: string }): number => (a.id < b.id ? -1 : 1);
const byNews = (a: { readonly at: Date; readonly id: string }, b: { readonly at: Date; readonly id: string }): number =>
  a.at.getTime() - b.at.getTime() || byId(a, b);

export const memoryRepositories = (
  run: MemoryRun,
  committed: MemoryTables,
  ids: Ids,
  sha256: (text: string) => string,
): Repositories => {
  const { drafts } = run;

  const restored = <S, E>(row: S | undefined, restore: (state: S) => E): E | undefined =>
    row === undefined ? undefined : restore(copy(row));

  const save = async <S extends { readonly id: string; readonly version: number }>(
    draft: Draft<S>,
    entity: { readonly state: S },
  ): Promise<void> => {
    const { state } = entity;
    const expected = run.saved.expectedOf(entity);
    if ((draft.get(state.id)?.version ?? 0) !== expected) throw run.saved.staleness(entity);
    draft.put(state.id, { ...copy(state), version: expected + 1 }, expected);
    run.saved.markSaved(entity, expected + 1);
  };

  const sessionsWhere = async (holds: (session: SessionState) => boolean): Promise<Session[]> =>
    drafts.sessions
      .where((session) => session.status === 'active' && holds(session))
      .toSorted(byId)
      .map((session) => Session.restore(copy(session)));

  const membershipsWhere = (holds: (membership: MembershipState) => boolean): Membership[] =>
    drafts.memberships
      .where(holds)
      .toSorted(byId)
      .map((membership) => Membership.restore(copy(membership)));

  const chainHead = (trail: string, appended: readonly AuditEntry[]): ChainHead =>
    appended.at(-1) ?? committed.trails.get(trail)?.at(-1) ?? emptyChain;

  return {
    organizations: {
      get: async (id) => restored(drafts.organizations.get(id), Organization.restore),
      byProvider: async (ref) => restored(drafts.organizations.byKey(uniqueKey.providerRef(ref)), Organization.restore),
      isTaken: async (slug) => drafts.organizations.byKey(uniqueKey.slug(slug)) !== undefined,
      verifying: async (domain) =>
        restored(drafts.organizations.byKey(uniqueKey.verifiedDomain(domain)), Organization.restore),
      save: (organization) => save(drafts.organizations, organization),
    },

    users: {
      get: async (id) => restored(drafts.users.get(id), User.restore),
      byIdentity: async (provider, subject) =>
        restored(drafts.users.byKey(uniqueKey.identity({ provider, subject })), User.restore),
      async byEmail(email) {
        run.askFor(email);
        return drafts.users
          .where((user) => user.email === email && user.status !== 'deleted')
          .toSorted((a, b) => byNews({ at: a.createdAt, id: a.id }, { at: b.createdAt, id: b.id }))
          .map((user) => User.restore(copy(user)));
      },
      save: (user) => save(drafts.users, user),
    },

    memberships: {
      async get(organizationId, id) {
        const row = drafts.memberships.get(id);
        return row?.organizationId === organizationId ? Membership.restore(copy(row)) : undefined;
      },
      async ofUser(organizationId, userId) {
        const [newest] = drafts.memberships
          .where((row) => row.organizationId === organizationId && row.userId === userId)
          .toSorted(byStanding);
        return restored(newest, Membership.restore);
      },
      async ofUsers(organizationId, userIds) {
        const asked = new Set(userIds);
        const newest = new Map<string, MembershipState>();
        const rows = drafts.memberships.where((row) => row.organizationId === organizationId && asked.has(row.userId));
        for (const row of rows.toSorted(byStanding)) if (!newest.has(row.userId)) newest.set(row.userId, row);
        return [...newest.values()].toSorted(byId).map((row) => Membership.restore(copy(row)));
      },
      withRole: async (organizationId, role) =>
        membershipsWhere(
          (row) => row.organizationId === organizationId && row.role === role && row.status === 'active',
        ),
      acrossOrganizations: async (userId) =>
        membershipsWhere((row) => row.userId === userId && row.status === 'active'),
      save: (membership) => save(drafts.memberships, membership),
    },

    invitations: {
      async get(organizationId, id) {
        const row = drafts.invitations.get(id);
        return row?.organizationId === organizationId ? Invitation.restore(copy(row)) : undefined;
      },
      pendingTo: async (organizationId, email) =>
        restored(drafts.invitations.byKey(uniqueKey.pendingInvitation({ organizationId, email })), Invitation.restore),
      async newestTo(organizationId, email) {
        const rows = drafts.invitations.where((row) => row.organizationId === organizationId && row.email === email);
        return restored(rows.toSorted(byId).at(-1), Invitation.restore);
      },
      pendingBy: async (organizationId, userId) =>
        drafts.invitations
          .where((row) => row.organizationId === organizationId && row.invitedBy === userId && row.status === 'pending')
          .toSorted(byId)
          .map((row) => Invitation.restore(copy(row))),
      save: (invitation) => save(drafts.invitations, invitation),
    },

    sessions: {
      get: async (id) => restored(drafts.sessions.get(id), Session.restore),
      async byProviderSession(provider, providerSession) {
        const [newest] = drafts.sessions
          .where((session) => session.provider === provider && session.providerSession === providerSession)
          .toSorted(byStanding);
        return restored(newest, Session.restore);
      },
      activeOfUser: (userId) => sessionsWhere((session) => session.userId === userId),
      activeOfUserIn: (organizationId, userId) =>
        sessionsWhere((session) => session.organizationId === organizationId && session.userId === userId),
      activeIn: (organizationId) => sessionsWhere((session) => session.organizationId === organizationId),
      overdue: async (now, limit) => (await sessionsWhere((session) => isExpired(session, now))).slice(0, limit),
      save: (session) => save(drafts.sessions, session),
      async touch(seen) {
        for (const [id, at] of seen) {
          const moment = copy(at);
          drafts.sessions.patch(id, (row) =>
            row.status === 'active' && row.lastSeenAt < moment ? { ...row, lastSeenAt: moment } : row,
          );
        }
      },
    },

    agents: {
      async get(organizationId, id) {
        const row = drafts.agents.get(id);
        return row?.organizationId === organizationId ? Agent.restore(copy(row)) : undefined;
      },
      isNamed: async (organizationId, name) =>
        drafts.agents.byKey(uniqueKey.agentName(organizationId, name)) !== undefined,
      save: (agent) => save(drafts.agents, agent),
    },

    apiKeys: {
      async get(organizationId, id) {
        const row = drafts.apiKeys.get(id);
        return row?.organizationId === organizationId ? ApiKey.restore(copy(row)) : undefined;
      },
      activeMadeBy: async (organizationId, userId) =>
        drafts.apiKeys
          .where(
            (key) => key.organizationId === organizationId && key.status === 'active' && key.createdBy.id === userId,
          )
          .toSorted(byId)
          .map((key) => ApiKey.restore(copy(key))),
      overdue: async (now, limit) =>
        drafts.apiKeys
          .where(({ status, expiresAt }) => status === 'active' && expiresAt !== null && expiresAt <= now)
          .toSorted(byId)
          .slice(0, limit)
          .map((key) => ApiKey.restore(copy(key))),
      save: (key) => save(drafts.apiKeys, key),
      async touch(used) {
        for (const [id, at] of used) {
          const moment = copy(at);
          drafts.apiKeys.patch(id, (row) =>
            row.lastUsedAt === null || row.lastUsedAt < moment ? { ...row, lastUsedAt: moment } : row,
          );
        }
      },
    },

    directory: {
      directory: async (organizationId, id) => copy(drafts.directories.get(recordKey(organizationId, id))),
      // Rows stand in the order in which they were first saved.
      organizationOf: async (directoryId) =>
        drafts.directories.where(({ id }) => id === directoryId)[0]?.organizationId,
      directories: async (organizationId) =>
        copy(drafts.directories.where((row) => row.organizationId === organizationId).toSorted(byId)),
      usersById: async (organizationId, asked) =>
        copy(asked.flatMap((id) => drafts.directoryUsers.get(recordKey(organizationId, id)) ?? [])),
      groupsById: async (organizationId, asked) =>
        copy(asked.flatMap((id) => drafts.directoryGroups.get(recordKey(organizationId, id)) ?? [])),
      anyConnected: async (organizationId) =>
        drafts.directories.where((row) => row.organizationId === organizationId && isConnected(row)).length > 0,
      user: async (organizationId, id) => copy(drafts.directoryUsers.get(recordKey(organizationId, id))),
      group: async (organizationId, id) => copy(drafts.directoryGroups.get(recordKey(organizationId, id))),
      groups: async (organizationId) =>
        copy(drafts.directoryGroups.where((row) => row.organizationId === organizationId).toSorted(byId)),
      usersOfDirectory: async (organizationId, directoryId) =>
        copy(
          drafts.directoryUsers
            .where((row) => row.organizationId === organizationId && row.directoryId === directoryId)
            .toSorted(byId),
        ),
      async usersOfGroup(organizationId, groupId) {
        const links = drafts.groupLinks.where(
          (link) => link.organizationId === organizationId && link.groupId === groupId,
        );
        const users = links.flatMap(
          (link) => drafts.directoryUsers.get(recordKey(organizationId, link.directoryUserId)) ?? [],
        );
        return copy(users.toSorted(byId));
      },
      usersOfOrganization: async (organizationId) =>
        copy(drafts.directoryUsers.where((row) => row.organizationId === organizationId).toSorted(byId)),
      async recordsOf(organizationId, userIds) {
        const asked = new Set<string | null>(userIds);
        return copy(
          drafts.directoryUsers
            .where((row) => row.organizationId === organizationId && row.userId !== null && asked.has(row.userId))
            .toSorted(byId),
        );
      },
      withEmail: async (organizationId, email) =>
        copy(
          drafts.directoryUsers
            .where((row) => row.organizationId === organizationId && row.email?.trim().toLowerCase() === email)
            .toSorted(byId),
        ),
      withIdpId: async (organizationId, directoryId, idpId) =>
        copy(
          drafts.directoryUsers
            .where(
              (row) => row.organizationId === organizationId && row.directoryId === directoryId && row.idpId === idpId,
            )
            .toSorted(byId),
        ),
      async pictureOf(organizationId, users) {
        const people = new Set(users.map(({ id }) => id));
        const links = drafts.groupLinks.where(
          (link) => link.organizationId === organizationId && people.has(link.directoryUserId),
        );
        const directories = new Set(users.map(({ directoryId }) => directoryId));
        const groups = new Set(links.map(({ groupId }) => groupId));
        return copy({
          directories: [...directories].flatMap((id) => drafts.directories.get(recordKey(organizationId, id)) ?? []),
          users,
          groups: [...groups].flatMap((id) => drafts.directoryGroups.get(recordKey(organizationId, id)) ?? []),
          links,
        });
      },
      async save(learned) {
        for (const row of learned.directories) drafts.directories.put(recordKey(row.organizationId, row.id), copy(row));
        for (const row of learned.users) drafts.directoryUsers.put(recordKey(row.organizationId, row.id), copy(row));
        for (const row of learned.groups) drafts.directoryGroups.put(recordKey(row.organizationId, row.id), copy(row));
        for (const row of learned.links) {
          drafts.groupLinks.put(recordKey(row.organizationId, row.groupId, row.directoryUserId), copy(row));
        }
      },
    },

    reconciliations: memoryReconciliations(run),

    roleMappings: {
      of: async (organizationId) => copy(drafts.roleMappings.get(organizationId)) ?? [],
      replace: async (organizationId, mappings) => drafts.roleMappings.put(organizationId, copy(mappings)),
    },

    connections: {
      get: async (organizationId, id) => copy(drafts.connections.get(recordKey(organizationId, id))),
      save: async (connection) =>
        drafts.connections.put(recordKey(connection.organizationId, connection.id), copy(connection)),
    },

    inbox: memoryInbox(run),
    outbox: memoryOutbox(run),

    audit: {
      async append(entries) {
        const trails = new Map<string, AuditEntry[]>();
        // In one order for everybody, so that two writers never wait for each other.
        for (const trail of [...new Set(entries.map(({ organizationId }) => trailOf(organizationId)))].toSorted()) {
          trails.set(trail, await run.holdTrail(trail));
        }
        return entries.map((entry) => {
          const trail = trailOf(entry.organizationId);
          const appended = trails.get(trail) ?? [];
          const added = chained(chainHead(trail, appended), { ...copy(entry), id: ids.next('aud') }, sha256);
          appended.push(added);
          return copy(added);
        });
      },
    },

    // One process, whose own cache is told after the commit: there is nobody else to tell.
    announcements: { toForget: async () => {} },
    idempotencyKeys: memoryIdempotencyKeys(run),
    signIns: {
      async spend(stateDigest, until) {
        if (drafts.spentSignIns.get(stateDigest) !== undefined) return false;
        for (const forgotten of forgettable(drafts.spentSignIns, committed, until))
          drafts.spentSignIns.remove(forgotten);
        drafts.spentSignIns.put(stateDigest, copy(until), 0);
        return true;
      },
    },
  };
};

/** States that were over a day before this one will be: nobody can bring them any more. */
const forgettable = (draft: Draft<Date>, committed: MemoryTables, until: Date): string[] =>
  [...committed.rows.spentSignIns.rows.keys()].filter((digest) => {
    const over = draft.get(digest);
    return over !== undefined && over.getTime() < until.getTime() - day;
  });
