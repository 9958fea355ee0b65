// Words that the two contracts of persistence share: ids, a filled organization, and what a store under test offers.

import { createHash } from 'node:crypto';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import type { ReadModels, Standings } from '#application/ports/read-models.ts';
import type { InboxEvent, Repositories, Scope, Store } from '#application/ports/store.ts';
import type { Ids } from '#application/ports/system.ts';
import { Agent, type AgentState } from '#domain/access/agent.ts';
import { ApiKey, type ApiKeyState } from '#domain/access/api-key.ts';
import { Invitation, type InvitationState } from '#domain/invitations/invitation.ts';
import { Membership, type MembershipState } from '#domain/memberships/membership.ts';
import { Organization, type OrganizationState } from '#domain/organizations/organization.ts';
import type { Directory, DirectoryGroup, DirectoryUser, GroupLink } from '#domain/provisioning/directory-picture.ts';
import { Session, type SessionState } from '#domain/sessions/session.ts';
import type { Id, IdPrefix, OrganizationId } from '#domain/shared/ids.ts';
import type { Connection } from '#domain/sso/connection.ts';
import { User, type UserState } from '#domain/users/user.ts';
import {
  aMembership,
  anAgent,
  anApiKey,
  anEmail,
  anInvitation,
  anOrganization,
  aSession,
  aUser,
  days,
  minute,
  monday,
} from '../support/words.ts';

export interface StoreUnderTest {
  readonly store: Store;
  readonly readModels: ReadModels & Standings;
  close(): Promise<void>;
}

export interface StoreKind {
  /** Opens it; a second time, after closing: the same data again, when `keeps`. */
  open(ids: Ids): Promise<StoreUnderTest>;
  /** Whether two transactions can be open at once. (PGlite has one connection.) */
  readonly parallel: boolean;
  /** Whether the data outlives closing. */
  readonly keeps: boolean;
}

/** Past every wall, for tests that look at the whole. */
export const everywhere: Scope = { across: 'inbox' };

let made = 0;
/** A number that no test of this process has used. */
export const fresh = (): number => {
  made += 1;
  return made;
};

export const newId = <Prefix extends IdPrefix>(prefix: Prefix): Id<Prefix> =>
  `${prefix}_01hq${String(fresh()).padStart(22, '0')}` as Id<Prefix>;

export const countingIds: Ids = { next: newId };

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Lets every other waiting piece of work have its turn. */
export const others = (): Promise<void> => turnOfTheLoop();

export const twenty = <T>(each: (number: number) => Promise<T>): Promise<PromiseSettledResult<T>[]> =>
  Promise.allSettled(Array.from({ length: 20 }, (_, number) => each(number)));

/** Found, or the test is wrong. */
export const found = <T>(value: T | null | undefined): T => {
  if (value === undefined || value === null) throw new Error('The test expected to find something here');
  return value;
};

/** Restored with version 0, an entity counts as never stored. */
export const organizationWith = (facts: Partial<OrganizationState> = {}): Organization => {
  const number = fresh();
  return Organization.restore(anOrganization({ id: newId('org'), slug: `acme-${number}`, ...facts }));
};

export const userWith = (facts: Partial<UserState> = {}): User => {
  const number = fresh();
  return User.restore(aUser({ id: newId('user'), email: anEmail(`person-${number}@acme.test`), ...facts }));
};

export const membershipWith = (facts: Partial<MembershipState> & Pick<MembershipState, 'organizationId'>): Membership =>
  Membership.restore(aMembership({ id: newId('mem'), userId: newId('user'), ...facts }));

export const invitationWith = (facts: Partial<InvitationState> & Pick<InvitationState, 'organizationId'>): Invitation =>
  Invitation.restore(anInvitation({ id: newId('inv'), email: anEmail(`guest-${fresh()}@elsewhere.test`), ...facts }));

export const sessionWith = (facts: Partial<SessionState> = {}): Session => {
  const number = fresh();
  return Session.restore(
    aSession({
      id: newId('sess'),
      referenceDigest: sha256(`reference ${number}`),
      providerSession: `provider-session-${number}`,
      ...facts,
    }),
  );
};

export const agentWith = (facts: Partial<AgentState> & Pick<AgentState, 'organizationId'>): Agent =>
  Agent.restore(anAgent({ id: newId('agent'), name: `agent ${fresh()}`, ...facts }));

export const keyWith = (facts: Partial<ApiKeyState> & Pick<ApiKeyState, 'organizationId' | 'agentId'>): ApiKey =>
  ApiKey.restore(anApiKey({ id: newId('key'), digest: sha256(`key ${fresh()}`), ...facts }));

export const inboxEvent = (facts: Partial<InboxEvent> = {}): InboxEvent => ({
  id: newId('evt'),
  provider: 'fake',
  externalId: `event-${fresh()}`,
  name: 'dsync.user.updated',
  organizationRef: 'org_provider_side',
  organizationId: null,
  occurredAt: minute(1),
  receivedAt: minute(2),
  payload: {
    event: 'dsync.user.updated',
    data: { name: 'Zoë "Z" O\'Hara \\ ? \u0000 ☃', nested: [1, null, { a: 0.1 }] },
  },
  status: 'stored',
  attempts: 0,
  dueAt: minute(2),
  settledAt: null,
  note: null,
  ...facts,
});

type Appended = Parameters<Repositories['audit']['append']>[0][number];

export const auditDraft = (organizationId: OrganizationId | null, facts: Partial<Appended> = {}): Appended => ({
  organizationId,
  action: 'membership.role_changed',
  target: { kind: 'membership', id: 'mem_1' },
  before: { role: 'analyst', zeta: null, alpha: ['b', 'a'] },
  after: { role: 'admin', count: 3, share: 0.1, remembered: true },
  outcome: 'done',
  at: new Date('2026-03-02T09:00:00.007Z'),
  actor: { kind: 'user', id: 'user_1' },
  source: { via: 'http', ip: '2001:db8::1', userAgent: 'Zoë\'s "browser" \\ ☃', requestId: 'req_1' },
  ...facts,
});

export const directoryOf = (organizationId: OrganizationId, facts: Partial<Directory> = {}): Directory => ({
  id: `directory-${fresh()}`,
  organizationId,
  name: 'Okta',
  type: 'okta scim v2.0',
  connectedAt: monday,
  disconnectedAt: null,
  ...facts,
});

export const directoryUserOf = (
  { organizationId, id: directoryId }: Pick<Directory, 'organizationId' | 'id'>,
  facts: Partial<DirectoryUser> = {},
): DirectoryUser => ({
  id: `directory-user-${fresh()}`,
  directoryId,
  organizationId,
  idpId: null,
  email: 'ada@acme.test',
  name: 'Ada',
  state: 'active',
  described: { at: minute(1), event: 'event-1' },
  createdAt: minute(1),
  deletedAt: null,
  userId: null,
  ...facts,
});

export const directoryGroupOf = (
  { organizationId, id: directoryId }: Pick<Directory, 'organizationId' | 'id'>,
  facts: Partial<DirectoryGroup> = {},
): DirectoryGroup => ({
  id: `group-${fresh()}`,
  directoryId,
  organizationId,
  name: 'Engineering',
  described: { at: minute(1), event: 'event-1' },
  createdAt: minute(1),
  deletedAt: null,
  ...facts,
});

export const linkOf = (user: DirectoryUser, group: DirectoryGroup, facts: Partial<GroupLink> = {}): GroupLink => ({
  directoryId: user.directoryId,
  organizationId: user.organizationId,
  groupId: group.id,
  directoryUserId: user.id,
  present: true,
  said: { at: minute(2), event: 'event-2' },
  ...facts,
});

/** One of everything that an organization can have. */
export const filledOrganization = () => {
  const number = fresh();
  const organization = organizationWith({
    name: 'Zoë & Sons',
    provider: { provider: 'fake', id: `provider-org-${number}` },
    domains: [
      { name: `verified-${number}.test`, state: 'verified', asOf: minute(3) },
      { name: 'pending.test', state: 'pending', asOf: minute(4) },
    ],
  });
  const organizationId = organization.state.id;
  const user = userWith({
    identities: [
      { provider: 'fake', subject: `subject-${number}` },
      { provider: 'fake', subject: `second-subject-${number}` },
    ],
  });
  const userId = user.state.id;
  const membership = membershipWith({ organizationId, userId, role: 'admin', managedBy: 'directory' });
  const invitation = invitationWith({
    organizationId,
    invitedBy: userId,
    sentAt: minute(5),
    provider: { provider: 'fake', id: `invitation-${number}` },
  });
  const session = sessionWith({
    organizationId,
    userId,
    lastSeenAt: minute(5),
    impersonator: { email: 'support@example.test', reason: null },
  });
  const agent = agentWith({ organizationId, description: 'counts', responsible: userId });
  const key = keyWith({
    organizationId,
    agentId: agent.state.id,
    scopes: ['query:read', 'tables:list'],
    ipAllowlist: ['192.0.2.0/24', '2001:db8::/32'],
    expiresAt: days(90),
  });
  const directory = directoryOf(organizationId);
  const directoryUser = directoryUserOf(directory, { idpId: `idp-${number}`, userId });
  const group = directoryGroupOf(directory);
  const link = linkOf(directoryUser, group);
  const connection: Connection = {
    id: `connection-${number}`,
    organizationId,
    name: 'Okta',
    type: 'OktaSAML',
    state: 'active',
    asOf: minute(6),
    certificates: [
      { kind: 'RequestSigning', expiresAt: null, warnedAt: null, asOf: minute(3) },
      { kind: 'ResponseSigning', expiresAt: days(30), warnedAt: minute(2), asOf: minute(4) },
    ],
    lastTest: {
      at: minute(5),
      by: userId,
      outcome: 'failed',
      error: 'email_unverified',
      email: 'ada@acme.test',
      missing: ['verified_email', 'name'],
    },
  };
  const event = inboxEvent({ organizationId });
  const item = {
    id: newId('eff'),
    effect: { do: 'end_provider_session', provider: 'fake', providerSession: `provider-${number}` } as const,
    attempts: 0,
    dueAt: minute(7),
  };
  const state = sha256(`state ${number}`);
  return {
    organizationId,
    userId,
    organization,
    user,
    membership,
    invitation,
    session,
    agent,
    key,
    directory,
    directoryUser,
    group,
    link,
    connection,
    event,
    item,
    signInState: state,
    mappings: [{ groupId: group.id, role: 'developer' as const }],
    async saveIn(tx: Repositories): Promise<void> {
      await tx.organizations.save(organization);
      await tx.users.save(user);
      await tx.memberships.save(membership);
      await tx.invitations.save(invitation);
      await tx.sessions.save(session);
      await tx.agents.save(agent);
      await tx.apiKeys.save(key);
      await tx.directory.save({ directories: [directory], users: [directoryUser], groups: [group], links: [link] });
      await tx.roleMappings.replace(organizationId, this.mappings);
      await tx.connections.save(connection);
      await tx.inbox.add(event);
      await tx.outbox.add([item]);
      await tx.audit.append([auditDraft(organizationId)]);
      await tx.signIns.spend(state, days(1));
    },
  };
};

export type FilledOrganization = ReturnType<typeof filledOrganization>;
