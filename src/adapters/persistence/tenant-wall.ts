// A transaction that belongs to one organization sees and writes the rows of that organization only, whatever it asks for.

import type { Repositories, Scope } from '#application/ports/store.ts';
import type { Organization } from '#domain/organizations/organization.ts';
import type { Session } from '#domain/sessions/session.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';

const nobody: readonly never[] = [];

/**
 * The repositories behind the wall of a scope. A question about another organization gets the answer that an organization
 * without rows would give; a write to another organization, and a question that needs a scope across, are faults. In the database
 * row-level security stands behind this wall, and sees the same.
 */
export const walled = (scope: Scope, open: Repositories): Repositories => {
  if (typeof scope !== 'string') return open;

  const sees = (organizationId: OrganizationId | null): boolean => organizationId === scope;
  const ask = <T, Nothing>(
    organizationId: OrganizationId,
    question: () => Promise<T>,
    nothing: Nothing,
  ): Promise<T | Nothing> => (sees(organizationId) ? question() : Promise.resolve(nothing));
  const mustSee = (organizationId: OrganizationId | null): void => {
    if (!sees(organizationId))
      throw new Error(`A transaction of ${scope} may not write rows of ${organizationId ?? 'no organization'}`);
  };
  const needsAcross = async (what: string): Promise<never> => {
    throw new Error(`${what} needs a scope across, not ${scope}`);
  };
  const ownSession = (session: Session | undefined): Session | undefined =>
    session?.state.organizationId === scope ? session : undefined;
  const ownOrganization = (organization: Organization | undefined): Organization | undefined =>
    organization?.state.id === scope ? organization : undefined;
  const {
    organizations,
    memberships,
    invitations,
    sessions,
    agents,
    apiKeys,
    directory,
    reconciliations,
    roleMappings,
    connections,
  } = open;

  return {
    ...open,
    organizations: {
      get: (id) => ask(id, () => organizations.get(id), undefined),
      byProvider: async (ref) => ownOrganization(await organizations.byProvider(ref)),
      isTaken: () => needsAcross('organizations.isTaken'),
      verifying: async (domain) => ownOrganization(await organizations.verifying(domain)),
      async save(organization) {
        mustSee(organization.state.id);
        await organizations.save(organization);
      },
    },
    memberships: {
      get: (organizationId, id) => ask(organizationId, () => memberships.get(organizationId, id), undefined),
      ofUser: (organizationId, userId) =>
        ask(organizationId, () => memberships.ofUser(organizationId, userId), undefined),
      ofUsers: (organizationId, userIds) =>
        ask(organizationId, () => memberships.ofUsers(organizationId, userIds), nobody),
      withRole: (organizationId, role) => ask(organizationId, () => memberships.withRole(organizationId, role), nobody),
      acrossOrganizations: () => needsAcross('memberships.acrossOrganizations'),
      async save(membership) {
        mustSee(membership.state.organizationId);
        await memberships.save(membership);
      },
    },
    invitations: {
      get: (organizationId, id) => ask(organizationId, () => invitations.get(organizationId, id), undefined),
      pendingTo: (organizationId, email) =>
        ask(organizationId, () => invitations.pendingTo(organizationId, email), undefined),
      newestTo: (organizationId, email) =>
        ask(organizationId, () => invitations.newestTo(organizationId, email), undefined),
      pendingBy: (organizationId, userId) =>
        ask(organizationId, () => invitations.pendingBy(organizationId, userId), nobody),
      async save(invitation) {
        mustSee(invitation.state.organizationId);
        await invitations.save(invitation);
      },
    },
    sessions: {
      get: async (id) => ownSession(await sessions.get(id)),
      byProviderSession: async (provider, id) => ownSession(await sessions.byProviderSession(provider, id)),
      activeOfUser: () => needsAcross('sessions.activeOfUser'),
      activeOfUserIn: (organizationId, userId) =>
        ask(organizationId, () => sessions.activeOfUserIn(organizationId, userId), nobody),
      activeIn: (organizationId) => ask(organizationId, () => sessions.activeIn(organizationId), nobody),
      async save(session) {
        mustSee(session.state.organizationId);
        await sessions.save(session);
      },
      overdue: () => needsAcross('sessions.overdue'),
      touch: () => needsAcross('sessions.touch'),
    },
    agents: {
      get: (organizationId, id) => ask(organizationId, () => agents.get(organizationId, id), undefined),
      isNamed: (organizationId, name) => ask(organizationId, () => agents.isNamed(organizationId, name), false),
      async save(agent) {
        mustSee(agent.state.organizationId);
        await agents.save(agent);
      },
    },
    apiKeys: {
      get: (organizationId, id) => ask(organizationId, () => apiKeys.get(organizationId, id), undefined),
      activeMadeBy: (organizationId, userId) =>
        ask(organizationId, () => apiKeys.activeMadeBy(organizationId, userId), nobody),
      async save(key) {
        mustSee(key.state.organizationId);
        await apiKeys.save(key);
      },
      overdue: () => needsAcross('apiKeys.overdue'),
      touch: () => needsAcross('apiKeys.touch'),
    },
    directory: {
      directory: (organizationId, id) => ask(organizationId, () => directory.directory(organizationId, id), undefined),
      directories: (organizationId) => ask(organizationId, () => directory.directories(organizationId), nobody),
      usersById: (organizationId, ids) => ask(organizationId, () => directory.usersById(organizationId, ids), nobody),
      groupsById: (organizationId, ids) => ask(organizationId, () => directory.groupsById(organizationId, ids), nobody),
      organizationOf: () => needsAcross('directory.organizationOf'),
      anyConnected: (organizationId) => ask(organizationId, () => directory.anyConnected(organizationId), false),
      user: (organizationId, id) => ask(organizationId, () => directory.user(organizationId, id), undefined),
      group: (organizationId, id) => ask(organizationId, () => directory.group(organizationId, id), undefined),
      groups: (organizationId) => ask(organizationId, () => directory.groups(organizationId), nobody),
      usersOfDirectory: (organizationId, id) =>
        ask(organizationId, () => directory.usersOfDirectory(organizationId, id), nobody),
      usersOfGroup: (organizationId, id) =>
        ask(organizationId, () => directory.usersOfGroup(organizationId, id), nobody),
      usersOfOrganization: (organizationId) =>
        ask(organizationId, () => directory.usersOfOrganization(organizationId), nobody),
      recordsOf: (organizationId, userIds) =>
        ask(organizationId, () => directory.recordsOf(organizationId, userIds), nobody),
      withEmail: (organizationId, email) =>
        ask(organizationId, () => directory.withEmail(organizationId, email), nobody),
      withIdpId: (organizationId, directoryId, idpId) =>
        ask(organizationId, () => directory.withIdpId(organizationId, directoryId, idpId), nobody),
      pictureOf: (organizationId, users) =>
        ask(organizationId, () => directory.pictureOf(organizationId, users), {
          directories: nobody,
          users: nobody,
          groups: nobody,
          links: nobody,
        }),
      async save(learned) {
        for (const record of [...learned.directories, ...learned.users, ...learned.groups, ...learned.links]) {
          mustSee(record.organizationId);
        }
        await directory.save(learned);
      },
    },
    reconciliations: {
      of: (organizationId) => ask(organizationId, () => reconciliations.of(organizationId), undefined),
      async save(run) {
        mustSee(run.organizationId);
        await reconciliations.save(run);
      },
      due: () => needsAcross('reconciliations.due'),
      neglected: () => needsAcross('reconciliations.neglected'),
      async note(organizationId, items) {
        mustSee(organizationId);
        await reconciliations.note(organizationId, items);
      },
      item: (organizationId, kind, key) =>
        ask(organizationId, () => reconciliations.item(organizationId, kind, key), undefined),
      async clear(organizationId) {
        mustSee(organizationId);
        await reconciliations.clear(organizationId);
      },
      counts: (organizationId) => ask(organizationId, () => reconciliations.counts(organizationId), {}),
      steps: (organizationId, limit) => ask(organizationId, () => reconciliations.steps(organizationId, limit), nobody),
      async settle(organizationId, steps) {
        mustSee(organizationId);
        await reconciliations.settle(organizationId, steps);
      },
      listedGroups: (organizationId, ...rest) =>
        ask(organizationId, () => reconciliations.listedGroups(organizationId, ...rest), nobody),
      unlistedUsers: (organizationId, ...rest) =>
        ask(organizationId, () => reconciliations.unlistedUsers(organizationId, ...rest), nobody),
      unlistedGroups: (organizationId, ...rest) =>
        ask(organizationId, () => reconciliations.unlistedGroups(organizationId, ...rest), nobody),
      unlistedLinks: (organizationId, ...rest) =>
        ask(organizationId, () => reconciliations.unlistedLinks(organizationId, ...rest), nobody),
      headcount: (organizationId, reading) =>
        ask(organizationId, () => reconciliations.headcount(organizationId, reading), {
          people: 0,
          peopleLeaving: 0,
          places: 0,
          placesLeaving: 0,
        }),
    },
    roleMappings: {
      of: (organizationId) => ask(organizationId, () => roleMappings.of(organizationId), nobody),
      async replace(organizationId, mappings) {
        mustSee(organizationId);
        await roleMappings.replace(organizationId, mappings);
      },
    },
    connections: {
      get: (organizationId, id) => ask(organizationId, () => connections.get(organizationId, id), undefined),
      async save(connection) {
        mustSee(connection.organizationId);
        await connections.save(connection);
      },
    },
    inbox: {
      ...open.inbox,
      lanes: () => needsAcross('inbox.lanes'),
      get: (organizationId, id) => ask(organizationId, () => open.inbox.get(organizationId, id), undefined),
      forgetPayloads: () => needsAcross('inbox.forgetPayloads'),
      cursor: () => needsAcross('inbox.cursor'),
      moveCursor: () => needsAcross('inbox.moveCursor'),
    },
    outbox: {
      add: (items) => open.outbox.add(items),
      due: () => needsAcross('outbox.due'),
      claim: () => needsAcross('outbox.claim'),
      done: () => needsAcross('outbox.done'),
      postpone: () => needsAcross('outbox.postpone'),
    },
    audit: {
      async append(entries) {
        // What happened to a person belongs to no organization, and is told all the same by whoever did it.
        for (const { organizationId } of entries) if (organizationId !== null) mustSee(organizationId);
        return open.audit.append(entries);
      },
    },
    idempotencyKeys: {
      claim: () => needsAcross('idempotencyKeys.claim'),
      answer: async (attempt, answer) =>
        sees(attempt.organizationId) && (await open.idempotencyKeys.answer(attempt, answer)),
      release: () => needsAcross('idempotencyKeys.release'),
      forget: () => needsAcross('idempotencyKeys.forget'),
    },
    signIns: { spend: () => needsAcross('signIns.spend') },
  };
};
