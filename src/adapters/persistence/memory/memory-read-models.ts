// Answers to questions from what the memory store has committed. Each answer is of one moment, since nothing is awaited while reading.

import type { Member, ReadModels, SessionStanding, Standings } from '#application/ports/read-models.ts';
import { standingOf as invitationStanding } from '#domain/invitations/invitation.ts';
import type { OrganizationState } from '#domain/organizations/organization.ts';
import { type DirectoryPicture, groupsOf, isConnected, isPresent } from '#domain/provisioning/directory-picture.ts';
import type { SessionState } from '#domain/sessions/session.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';
import type { UserState } from '#domain/users/user.ts';
import { outsideTransactionsOnly } from '../inside-transaction.ts';
import { byStanding } from '../newest.ts';
import { keyIn, numberIn, pageOf } from '../page-cursor.ts';
import { searchableText, sortableName } from '../text.ts';
import type { MemoryStore } from './memory-store.ts';
import { trailOf, uniqueKey } from './memory-tables.ts';

const copy = <T>(value: T): T => structuredClone(value);
const byId = (a: { readonly id: string }, b: { readonly id: string }): number => (a.id < b.id ? -1 : 1);
const batchSize = 500;

const asPerson = ({ id, email, name }: UserState): Member['user'] => ({ id, email, name });

export const memoryReadModels = (store: MemoryStore): ReadModels & Standings => {
  const { rows, trails } = store.tables;

  const standingOf = (session: SessionState | undefined): SessionStanding | undefined => {
    const user = session && rows.users.get(session.userId);
    if (!session || !user) return undefined;
    const { organizationId } = session;
    return copy({
      session,
      user,
      membership:
        (organizationId && rows.memberships.byKey(uniqueKey.activeMembership({ organizationId, userId: user.id }))) ??
        null,
      organization: (organizationId && rows.organizations.get(organizationId)) ?? null,
    });
  };

  const pictureOf = (organizationId: OrganizationId): DirectoryPicture => {
    const ours = (row: { readonly organizationId: OrganizationId }): boolean => row.organizationId === organizationId;
    return {
      directories: rows.directories.where(ours).toSorted(byId),
      users: rows.directoryUsers.where(ours),
      groups: rows.directoryGroups.where(ours),
      links: rows.groupLinks.where(ours),
    };
  };

  return outsideTransactionsOnly<ReadModels & Standings>({
    ofSessionReference: async (digest) => standingOf(rows.sessions.byKey(uniqueKey.sessionReference(digest))),
    async ofProviderSession(provider, providerSession) {
      const active = rows.sessions.byKey(uniqueKey.activeProviderSession(provider, providerSession));
      if (active) return standingOf(active);
      const [newest] = rows.sessions
        .where((row) => row.provider === provider && row.providerSession === providerSession)
        .toSorted(byStanding);
      return standingOf(newest);
    },
    async ofApiKey(digests) {
      const key = digests.map((digest) => rows.apiKeys.byKey(uniqueKey.apiKeyDigest(digest))).find((row) => row);
      const agent = key && rows.agents.get(key.agentId);
      const organization = key && rows.organizations.get(key.organizationId);
      return key && agent && organization ? copy({ key, agent, organization }) : undefined;
    },

    async organizationVerifying(domain) {
      const organization = rows.organizations.byKey(uniqueKey.verifiedDomain(domain));
      return organization?.status === 'active' ? copy(organization) : undefined;
    },
    organization: async (id) => copy(rows.organizations.get(id)),
    user: async (id) => copy(rows.users.get(id)),
    async agent(organizationId, id) {
      const agent = rows.agents.get(id);
      return agent?.organizationId === organizationId ? copy(agent) : undefined;
    },
    async organizationsOf(userId) {
      const standing = rows.memberships.where((row) => row.userId === userId && row.status === 'active');
      const active = (organization: OrganizationState | undefined): OrganizationState[] =>
        organization?.status === 'active' ? [organization] : [];
      return standing
        .flatMap(({ organizationId, role }) =>
          active(rows.organizations.get(organizationId)).map(({ id, name, slug }) => ({ id, name, slug, role })),
        )
        .toSorted((a, b) => (sortableName(a) < sortableName(b) ? -1 : 1));
    },
    async members(organizationId, filter, page) {
      const [after = ''] = keyIn(page.cursor, 1) ?? [];
      const found = rows.memberships
        .where(
          (row) =>
            row.organizationId === organizationId &&
            row.id > after &&
            (filter.status === undefined || row.status === filter.status) &&
            (filter.role === undefined || row.role === filter.role),
        )
        .toSorted(byId)
        .flatMap((membership) => {
          const user = rows.users.get(membership.userId);
          const wanted = user && (!filter.text || searchableText(user).includes(filter.text.toLowerCase()));
          return user && wanted ? [{ membership, user: asPerson(user) }] : [];
        });
      return pageOf(
        found,
        page,
        ({ membership }) => [membership.id],
        (member) => copy(member),
      );
    },
    async member(organizationId, id) {
      const membership = rows.memberships.get(id);
      const user = membership && rows.users.get(membership.userId);
      if (!user || membership.organizationId !== organizationId) return undefined;
      return copy({ membership, user: asPerson(user) });
    },
    async invitations(organizationId, filter, page) {
      const [before] = keyIn(page.cursor, 1) ?? [];
      const found = rows.invitations
        .where(
          (row) =>
            row.organizationId === organizationId &&
            (before === undefined || row.id < before) &&
            (filter.status === undefined || invitationStanding(row, filter.at) === filter.status),
        )
        .toSorted((a, b) => byId(b, a));
      return pageOf(
        found,
        page,
        ({ id }) => [id],
        (row) => copy(row),
      );
    },
    async invitation(organizationId, id) {
      const row = rows.invitations.get(id);
      return row?.organizationId === organizationId ? copy(row) : undefined;
    },
    sessionsOfUser: async (userId) =>
      copy(
        rows.sessions.where((row) => row.userId === userId && row.status === 'active').toSorted((a, b) => byId(b, a)),
      ),
    async session(id) {
      const session = rows.sessions.get(id);
      return session?.status === 'active' ? copy(session) : undefined;
    },
    async sessionsIn(organizationId, filter, page) {
      const [before] = keyIn(page.cursor, 1) ?? [];
      const found = rows.sessions
        .where(
          (row) =>
            row.organizationId === organizationId &&
            row.status === 'active' &&
            (before === undefined || row.id < before) &&
            (filter.userId === undefined || row.userId === filter.userId),
        )
        .toSorted((a, b) => byId(b, a))
        .flatMap((session) => {
          const user = rows.users.get(session.userId);
          return user ? [{ session, user: asPerson(user) }] : [];
        });
      return pageOf(
        found,
        page,
        ({ session }) => [session.id],
        (row) => copy(row),
      );
    },
    async events(organizationId, { status }, page) {
      const [before] = keyIn(page.cursor, 1) ?? [];
      const found = rows.inbox
        .where(
          (row) =>
            row.organizationId === organizationId &&
            (status === undefined || row.status === status) &&
            (before === undefined || row.id < before),
        )
        .toSorted((a, b) => byId(b, a));
      return pageOf(
        found,
        page,
        ({ id }) => [id],
        ({ payload: _, ...heard }) => copy(heard),
      );
    },
    async agents(organizationId, page) {
      const [after = ''] = keyIn(page.cursor, 1) ?? [];
      const found = rows.agents
        .where((row) => row.organizationId === organizationId && row.status !== 'deleted' && row.id > after)
        .toSorted(byId);
      return pageOf(
        found,
        page,
        ({ id }) => [id],
        (agent) => copy(agent),
      );
    },
    async apiKeys(organizationId, filter, page) {
      const [after = ''] = keyIn(page.cursor, 1) ?? [];
      const found = rows.apiKeys
        .where(
          (row) =>
            row.organizationId === organizationId &&
            row.id > after &&
            (filter.agentId === undefined || row.agentId === filter.agentId) &&
            (filter.prefix === undefined || row.prefix === filter.prefix),
        )
        .toSorted(byId);
      return pageOf(
        found,
        page,
        ({ id }) => [id],
        (key) => copy(key),
      );
    },
    async apiKey(organizationId, id) {
      const key = rows.apiKeys.get(id);
      return key?.organizationId === organizationId ? copy(key) : undefined;
    },
    async directory(organizationId) {
      const { directories, users, groups, links } = pictureOf(organizationId);
      const moments = [
        ...directories.flatMap(({ connectedAt, disconnectedAt }) => [connectedAt, disconnectedAt]),
        ...[...users, ...groups].flatMap(({ described, createdAt, deletedAt }) => [described.at, createdAt, deletedAt]),
        ...links.map(({ said }) => said.at),
      ].flatMap((moment) => (moment ? [moment.getTime()] : []));
      return {
        directories: directories.map((directory) => ({
          id: directory.id,
          name: directory.name,
          type: directory.type,
          state: isConnected(directory) ? 'connected' : 'disconnected',
          users: users.filter((user) => user.directoryId === directory.id && isPresent(user)).length,
          groups: groups.filter((group) => group.directoryId === directory.id && isPresent(group)).length,
        })),
        lastEventAt: moments.length > 0 ? new Date(Math.max(...moments)) : null,
      };
    },
    connections: async (organizationId) =>
      copy(
        rows.connections
          .where((row) => row.organizationId === organizationId && row.state !== 'deleted')
          .toSorted(byId),
      ),
    async groups(organizationId, page) {
      const [afterName = '', afterId = ''] = keyIn(page.cursor, 2) ?? [];
      const picture = pictureOf(organizationId);
      const standing = picture.users.filter(isPresent).flatMap((user) => [...groupsOf(picture, user)]);
      const found = picture.groups
        .filter(isPresent)
        .map((group) => ({ group, name: sortableName(group) }))
        .filter(({ group, name }) => name > afterName || (name === afterName && group.id > afterId))
        .toSorted((a, b) => (a.name === b.name ? byId(a.group, b.group) : a.name < b.name ? -1 : 1));
      return pageOf(
        found,
        page,
        ({ group, name }) => [name, group.id],
        ({ group: { id, directoryId, name } }) => ({
          id,
          directoryId,
          name,
          members: standing.filter((groupId) => groupId === id).length,
        }),
      );
    },
    async audit(organizationId, filter, page) {
      const before = numberIn(page.cursor) ?? Number.POSITIVE_INFINITY;
      const found = (trails.get(trailOf(organizationId)) ?? []).filter(
        (entry) =>
          entry.sequence < before &&
          (filter.actor === undefined || entry.actor.id === filter.actor) &&
          (filter.action === undefined || entry.action === filter.action) &&
          (filter.target === undefined || entry.target.id === filter.target) &&
          (filter.from === undefined || entry.at >= filter.from) &&
          (filter.to === undefined || entry.at < filter.to),
      );
      return pageOf(
        found.toReversed(),
        page,
        ({ sequence }) => [String(sequence)],
        (entry) => copy(entry),
      );
    },
    async *auditTrail(organizationId) {
      for (let read = 0; ; read += batchSize) {
        const batch = (trails.get(trailOf(organizationId)) ?? []).slice(read, read + batchSize);
        if (batch.length === 0) return;
        yield copy(batch);
      }
    },
  });
};
