// Words to build a small world with: an organization, its people, and what their directory says of them.

import type { AgentState } from '#domain/access/agent.ts';
import type { ApiKeyState } from '#domain/access/api-key.ts';
import type { InvitationState } from '#domain/invitations/invitation.ts';
import type { MembershipState } from '#domain/memberships/membership.ts';
import type { OrganizationState } from '#domain/organizations/organization.ts';
import { defaultSessionPolicy } from '#domain/organizations/session-policy.ts';
import type { DirectoryEvent, DirectoryGroupFacts, DirectoryPerson } from '#domain/provisioning/directory-event.ts';
import { closedProvisioningPolicy } from '#domain/provisioning/provisioning-policy.ts';
import type { SessionState } from '#domain/sessions/session.ts';
import type { Id, IdPrefix } from '#domain/shared/ids.ts';
import { type Email, parseEmail } from '#domain/users/email.ts';
import type { UserState } from '#domain/users/user.ts';

/** Monday, nine o'clock: minute 0 of every test. */
export const monday = new Date('2026-03-02T09:00:00.000Z');

export const minute = (minutes: number): Date => new Date(monday.getTime() + minutes * 60_000);
export const second = (seconds: number): Date => new Date(monday.getTime() + seconds * 1000);
export const hours = (count: number): Date => minute(count * 60);
export const days = (count: number): Date => hours(count * 24);

/** A well-formed id that says in its last digits which one it is: `anId('user', 3)`. */
export const anId = <Prefix extends IdPrefix>(prefix: Prefix, number = 1): Id<Prefix> =>
  `${prefix}_01hq${String(number).padStart(22, '0')}` as Id<Prefix>;

export const anEmail = (text: string): Email => {
  const email = parseEmail(text);
  if (!email) throw new Error(`The test needs an e-mail address, not ${text}`);
  return email;
};

export const anOrganization = (facts: Partial<OrganizationState> = {}): OrganizationState => ({
  id: anId('org'),
  name: 'Acme',
  slug: 'acme',
  status: 'active',
  domains: [],
  provider: null,
  ownerless: false,
  sessionPolicy: defaultSessionPolicy,
  provisioningPolicy: closedProvisioningPolicy,
  createdAt: monday,
  version: 0,
  ...facts,
});

export const aUser = (facts: Partial<UserState> = {}): UserState => ({
  id: anId('user'),
  email: anEmail('ada@acme.test'),
  name: 'Ada',
  status: 'active',
  identities: [],
  asOf: monday,
  createdAt: monday,
  version: 0,
  ...facts,
});

export const aMembership = (facts: Partial<MembershipState> = {}): MembershipState => ({
  id: anId('mem'),
  organizationId: anId('org'),
  userId: anId('user'),
  role: 'analyst',
  status: 'active',
  managedBy: 'hand',
  asOf: monday,
  createdAt: monday,
  version: 0,
  ...facts,
});

/** Ada asks somebody in as an analyst, on Monday; no mail has been sent yet. */
export const anInvitation = (facts: Partial<InvitationState> = {}): InvitationState => ({
  id: anId('inv'),
  organizationId: anId('org'),
  email: anEmail('guest@elsewhere.test'),
  role: 'analyst',
  status: 'pending',
  invitedBy: anId('user'),
  askedAt: monday,
  sentAt: null,
  expiresAt: days(7),
  acceptedBy: null,
  provider: null,
  createdAt: monday,
  version: 0,
  ...facts,
});

export const aSession = (facts: Partial<SessionState> = {}): SessionState => ({
  id: anId('sess'),
  userId: anId('user'),
  organizationId: anId('org'),
  provider: 'fake',
  providerSession: 'session_provider_side',
  referenceDigest: 'd1'.repeat(32),
  method: 'sso',
  remembered: false,
  idleSeconds: defaultSessionPolicy.idleSeconds,
  startedAt: monday,
  authenticatedAt: monday,
  lastSeenAt: monday,
  absoluteExpiresAt: days(30),
  status: 'active',
  endedAt: null,
  endReason: null,
  ip: '192.0.2.7',
  userAgent: 'a browser',
  impersonator: null,
  version: 0,
  ...facts,
});

export const anAgent = (facts: Partial<AgentState> = {}): AgentState => ({
  id: anId('agent'),
  organizationId: anId('org'),
  name: 'nightly report',
  description: null,
  status: 'active',
  responsible: anId('user'),
  createdAt: monday,
  version: 0,
  ...facts,
});

export const anApiKey = (facts: Partial<ApiKeyState> = {}): ApiKeyState => ({
  id: anId('key'),
  organizationId: anId('org'),
  agentId: anId('agent'),
  name: 'production',
  mode: 'live',
  scopes: ['query:read'],
  digest: 'ab'.repeat(32),
  prefix: 'hd_live_AbCd',
  lastFour: 'wXyZ',
  ipAllowlist: [],
  status: 'active',
  expiresAt: null,
  lastUsedAt: null,
  createdBy: { kind: 'user', id: anId('user') },
  createdAt: monday,
  revokedAt: null,
  version: 0,
  ...facts,
});

/** The directory that speaks unless a word names another. */
export const directoryId = 'directory_acme';

/** The provider's id for somebody, and the customer's own: `hired('ada')` is about `directory_user_ada`, `okta-ada`. */
export const recordId = (who: string): string => `directory_user_${who}`;
export const groupId = (group: string): string => `directory_group_${group}`;

type PersonFacts = Partial<DirectoryPerson> & { readonly directoryId?: string };

const person = (who: string, at: Date, { directoryId: _, ...facts }: PersonFacts = {}): DirectoryPerson => ({
  id: recordId(who),
  idpId: `okta-${who}`,
  email: `${who}@acme.test`,
  name: who,
  state: 'active',
  updatedAt: at,
  ...facts,
});

const group = (name: string, at: Date): DirectoryGroupFacts => ({ id: groupId(name), name, updatedAt: at });

/** Two events with the same words at the same minute are one event, delivered twice. */
const said = (words: string, when: number, facts: PersonFacts = {}) => ({
  id: `event_${words}_at_${when}`,
  directoryId: facts.directoryId ?? directoryId,
  at: minute(when),
});

// What a directory says. The number is the minute at which it happened; without one, minute 0.

export const hired = (who: string, when = 0, facts: PersonFacts = {}): DirectoryEvent => ({
  ...said(`hired_${facts.id ?? who}`, when, facts),
  kind: 'user.created',
  user: person(who, minute(when), facts),
});

/** Something about the person changed: `changed('ada', 3, { email: 'ada.l@acme.test' })`. */
export const changed = (who: string, when: number, facts: PersonFacts = {}): DirectoryEvent => ({
  ...said(`changed_${facts.id ?? who}`, when, facts),
  kind: 'user.updated',
  user: person(who, minute(when), facts),
});

export const terminated = (who: string, when: number, facts: PersonFacts = {}): DirectoryEvent => ({
  ...said(`terminated_${facts.id ?? who}`, when, facts),
  kind: 'user.deleted',
  user: person(who, minute(when), facts),
});

export const groupMade = (name: string, when = 0): DirectoryEvent => ({
  ...said(`made_${name}`, when),
  kind: 'group.created',
  group: group(name, minute(when)),
});

export const groupRenamed = (name: string, to: string, when: number): DirectoryEvent => ({
  ...said(`renamed_${name}`, when),
  kind: 'group.updated',
  group: { ...group(name, minute(when)), name: to },
});

export const groupDropped = (name: string, when: number): DirectoryEvent => ({
  ...said(`dropped_${name}`, when),
  kind: 'group.deleted',
  group: group(name, minute(when)),
});

/** The person and the group are quoted as they were at minute `facts.updatedAt` (0 unless told). */
export const joined = (who: string, name: string, when = 0, facts: PersonFacts = {}): DirectoryEvent => ({
  ...said(`joined_${facts.id ?? who}_${name}`, when, facts),
  kind: 'group.member_added',
  user: person(who, monday, facts),
  group: group(name, monday),
});

export const left = (who: string, name: string, when: number, facts: PersonFacts = {}): DirectoryEvent => ({
  ...said(`left_${facts.id ?? who}_${name}`, when, facts),
  kind: 'group.member_removed',
  user: person(who, monday, facts),
  group: group(name, monday),
});

export const connected = (when = 0): DirectoryEvent => ({
  ...said('connected', when),
  kind: 'directory.connected',
  name: 'Acme Okta',
  type: 'okta scim v2.0',
});

export const disconnected = (when: number): DirectoryEvent => ({
  ...said('disconnected', when),
  kind: 'directory.disconnected',
});
