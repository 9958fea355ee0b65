// Where things are kept. One transaction at a time, repositories inside it, and the promise that all of it happens or none.

import type { Announcements } from '#application/ports/caller-cache.ts';
import type { IdempotencyKeys } from '#application/ports/idempotency-keys.ts';
import type { Reconciliations } from '#application/ports/reconciliations.ts';
import type { Agent } from '#domain/access/agent.ts';
import type { ApiKey } from '#domain/access/api-key.ts';
import type { Actor, AuditDraft, AuditEntry, Source } from '#domain/audit/audit-entry.ts';
import type { Invitation } from '#domain/invitations/invitation.ts';
import type { Membership } from '#domain/memberships/membership.ts';
import type { Organization, ProviderRef } from '#domain/organizations/organization.ts';
import type {
  Directory,
  DirectoryGroup,
  DirectoryPicture,
  DirectoryUser,
  Learned,
} from '#domain/provisioning/directory-picture.ts';
import type { RoleMapping } from '#domain/provisioning/role-mapping.ts';
import type { Session } from '#domain/sessions/session.ts';
import type {
  AgentId,
  ApiKeyId,
  EffectId,
  InboxEventId,
  InvitationId,
  MembershipId,
  OrganizationId,
  SessionId,
  UserId,
} from '#domain/shared/ids.ts';
import type { Connection } from '#domain/sso/connection.ts';
import type { Email } from '#domain/users/email.ts';
import type { User } from '#domain/users/user.ts';

/**
 * Why a transaction may reach across organizations: the paths that belong to no single one. A new path is a new name here, and a
 * test knows where each is used (test/architecture/crossings.test.ts).
 */
export const crossings = [
  /** Somebody arrives: who they are, where they belong, and the session that replaces others of theirs. */
  'sign_in',
  /** A person's own session ends, or moves to another of their organizations; wherever it stands. */
  'own_session',
  /** An organization that does not exist yet. */
  'founding',
  /** What a caller who stands in no organization was refused. */
  'refusal',
  /** What providers said, stored and applied: about people, or about organizations yet to be found. */
  'inbox',
  /** Where in a provider's list of events we stand. */
  'event_feed',
  /** What is still to be done in the world, for everybody. */
  'outbox',
  /** Who was seen, and which keys were used, written down in one batch. */
  'activity',
  /** Whether this was asked before under the same key: seen before the turn of any organization, also by who stands in none. */
  'idempotency',
  /** What has run out by itself: sessions, keys, sign-ins, what old events said. */
  'expiry',
  /** Which organizations' directories are to be reconciled; each of them is then done by itself. */
  'reconciliation',
] as const;
export type Crossing = (typeof crossings)[number];

export interface Across {
  readonly across: Crossing;
  /** Takes turns with the writers of this organization all the same. */
  readonly inTurnWith?: OrganizationId | undefined;
}

/**
 * Whose rows a transaction may touch. An organization: it sees and writes the rows of that one and no other, and writers of the
 * same organization take turns, so what was read stays true until the commit. `across`: reaches all of them, for a named reason,
 * and relies on unique keys and versions.
 */
export type Scope = OrganizationId | Across;

/** Whose turn a transaction waits for, if anybody's. */
export const turnOf = (scope: Scope): OrganizationId | undefined =>
  typeof scope === 'string' ? scope : scope.inTurnWith;

/**
 * Runs work in one transaction: commits when it returns, rolls back when it throws.
 *
 * The work may run more than once: when two writers met (a stale version, a unique key, a deadlock), it is run again from the
 * start with fresh reads, several times. So it must not speak to the outside world, and must not keep anything from a run that
 * failed. When writers keep meeting, Refusal `request.conflict`; when the database cannot be reached, Refusal `storage.unavailable`.
 */
export interface Store {
  transact<T>(scope: Scope, work: (tx: Repositories) => Promise<T>): Promise<T>;
}

/** Entities are saved whole. Saving one that somebody else saved since it was read is a conflict (see `Store`). */
export interface Repositories {
  readonly organizations: Organizations;
  readonly users: Users;
  readonly memberships: Memberships;
  readonly invitations: Invitations;
  readonly sessions: Sessions;
  readonly agents: Agents;
  readonly apiKeys: ApiKeys;
  readonly directory: DirectoryRecords;
  readonly reconciliations: Reconciliations;
  readonly roleMappings: RoleMappings;
  readonly connections: Connections;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly audit: AuditTrail;
  readonly signIns: SignIns;
  readonly announcements: Announcements;
  readonly idempotencyKeys: IdempotencyKeys;
}

export interface Organizations {
  get(id: OrganizationId): Promise<Organization | undefined>;
  byProvider(ref: ProviderRef): Promise<Organization | undefined>;
  /** Whether a slug is taken by any organization, deleted ones included. */
  isTaken(slug: string): Promise<boolean>;
  /** The organization that has verified this domain, if any. */
  verifying(domain: string): Promise<Organization | undefined>;
  save(organization: Organization): Promise<void>;
}

export interface Users {
  get(id: UserId): Promise<User | undefined>;
  byIdentity(provider: string, subject: string): Promise<User | undefined>;
  /**
   * Users with this address who are not deleted, oldest first. Several are possible; an address is no key. Whoever asks comes before
   * or after everybody else who asks for the same address: of two who would register somebody new, the second finds them.
   */
  byEmail(email: Email): Promise<readonly User[]>;
  save(user: User): Promise<void>;
}

export interface Memberships {
  get(organizationId: OrganizationId, id: MembershipId): Promise<Membership | undefined>;
  /** The newest membership of a user here, revoked ones included. There is never more than one active. */
  ofUser(organizationId: OrganizationId, userId: UserId): Promise<Membership | undefined>;
  /** The newest membership of each of these users here, revoked ones included, for those who have one. */
  ofUsers(organizationId: OrganizationId, userIds: readonly UserId[]): Promise<readonly Membership[]>;
  /** Every active membership here with that role. */
  withRole(organizationId: OrganizationId, role: string): Promise<readonly Membership[]>;
  /** A person's active memberships in all organizations. Needs a scope across. */
  acrossOrganizations(userId: UserId): Promise<readonly Membership[]>;
  save(membership: Membership): Promise<void>;
}

export interface Invitations {
  get(organizationId: OrganizationId, id: InvitationId): Promise<Invitation | undefined>;
  /** The pending one to this address here, whether or not its time has run out; there is never more than one. */
  pendingTo(organizationId: OrganizationId, email: Email): Promise<Invitation | undefined>;
  /** The newest one to this address here, whatever became of it. */
  newestTo(organizationId: OrganizationId, email: Email): Promise<Invitation | undefined>;
  /** The pending ones that this person sent, or sent again, last. */
  pendingBy(organizationId: OrganizationId, userId: UserId): Promise<readonly Invitation[]>;
  save(invitation: Invitation): Promise<void>;
}

export interface Sessions {
  get(id: SessionId): Promise<Session | undefined>;
  /** The newest session over this session of the provider; never more than one of them is active. */
  byProviderSession(provider: string, providerSession: string): Promise<Session | undefined>;
  activeOfUser(userId: UserId): Promise<readonly Session[]>;
  /** Active sessions of a user that stand in this organization. */
  activeOfUserIn(organizationId: OrganizationId, userId: UserId): Promise<readonly Session[]>;
  activeIn(organizationId: OrganizationId): Promise<readonly Session[]>;
  /** Active ones whose time has run out by then. Needs a scope across. */
  overdue(now: Date, limit: number): Promise<readonly Session[]>;
  save(session: Session): Promise<void>;
  /** Moves `lastSeenAt` forward for many sessions at once, never back; no version changes, ended sessions stay as they are. */
  touch(seen: ReadonlyMap<SessionId, Date>): Promise<void>;
}

export interface Agents {
  get(organizationId: OrganizationId, id: AgentId): Promise<Agent | undefined>;
  /** Whether an agent that is not deleted has this name here. */
  isNamed(organizationId: OrganizationId, name: string): Promise<boolean>;
  save(agent: Agent): Promise<void>;
}

export interface ApiKeys {
  get(organizationId: OrganizationId, id: ApiKeyId): Promise<ApiKey | undefined>;
  /** Active keys that this person made. */
  activeMadeBy(organizationId: OrganizationId, userId: UserId): Promise<readonly ApiKey[]>;
  /** Active ones whose time has run out by then. Needs a scope across. */
  overdue(now: Date, limit: number): Promise<readonly ApiKey[]>;
  save(key: ApiKey): Promise<void>;
  /** Moves `lastUsedAt` forward for many keys at once, never back; no version changes. */
  touch(used: ReadonlyMap<ApiKeyId, Date>): Promise<void>;
}

/** What we know of directories. Records, not entities: `learn` decides, these only remember. */
export interface DirectoryRecords {
  directory(organizationId: OrganizationId, directoryId: string): Promise<Directory | undefined>;
  directories(organizationId: OrganizationId): Promise<readonly Directory[]>;
  /** The organization in which we first heard of this directory. Needs a scope across. */
  organizationOf(directoryId: string): Promise<OrganizationId | undefined>;
  /** Whether any directory of the organization is connected now. */
  anyConnected(organizationId: OrganizationId): Promise<boolean>;
  user(organizationId: OrganizationId, directoryUserId: string): Promise<DirectoryUser | undefined>;
  group(organizationId: OrganizationId, groupId: string): Promise<DirectoryGroup | undefined>;
  groups(organizationId: OrganizationId): Promise<readonly DirectoryGroup[]>;
  /** Those of these that we know, in any order. */
  usersById(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly DirectoryUser[]>;
  groupsById(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly DirectoryGroup[]>;
  usersOfDirectory(organizationId: OrganizationId, directoryId: string): Promise<readonly DirectoryUser[]>;
  /** Everybody ever linked to this group, present or not. */
  usersOfGroup(organizationId: OrganizationId, groupId: string): Promise<readonly DirectoryUser[]>;
  usersOfOrganization(organizationId: OrganizationId): Promise<readonly DirectoryUser[]>;
  /** All directory records that belong to these users of ours. */
  recordsOf(organizationId: OrganizationId, userIds: readonly UserId[]): Promise<readonly DirectoryUser[]>;
  /** Records with this address, whoever is behind them, present or not. */
  withEmail(organizationId: OrganizationId, email: Email): Promise<readonly DirectoryUser[]>;
  /** Records of the same person under other ids: same directory and same customer's id. */
  withIdpId(organizationId: OrganizationId, directoryId: string, idpId: string): Promise<readonly DirectoryUser[]>;
  /** The picture around these directory users: their directories, their links, and the groups those name. */
  pictureOf(organizationId: OrganizationId, users: readonly DirectoryUser[]): Promise<DirectoryPicture>;
  save(learned: Learned): Promise<void>;
}

export interface RoleMappings {
  of(organizationId: OrganizationId): Promise<readonly RoleMapping[]>;
  /** Replaces the whole ordered list. */
  replace(organizationId: OrganizationId, mappings: readonly RoleMapping[]): Promise<void>;
}

export interface Connections {
  get(organizationId: OrganizationId, id: string): Promise<Connection | undefined>;
  save(connection: Connection): Promise<void>;
}

/**
 * `stored`: to be applied. `waiting`: about something we have not heard of yet; tried again when news comes and from time
 * to time. `applied`, `ignored`: done. `dead`: given up after many tries; an operator replays it.
 */
export type InboxStatus = 'stored' | 'waiting' | 'applied' | 'ignored' | 'dead';

export interface InboxEvent {
  readonly id: InboxEventId;
  readonly provider: string;
  /** The provider's id of the event: unique per provider. */
  readonly externalId: string;
  readonly name: string;
  /** The provider's name of the organization; null when the event names none. */
  readonly organizationRef: string | null;
  /** Ours, once known. */
  readonly organizationId: OrganizationId | null;
  readonly occurredAt: Date;
  readonly receivedAt: Date;
  /** Null once it is forgotten, long after it was applied or ignored. */
  readonly payload: Readonly<Record<string, unknown>> | null;
  readonly status: InboxStatus;
  readonly attempts: number;
  /** Not before this moment. */
  readonly dueAt: Date;
  /** When it was applied, ignored or given up; null while it is open. */
  readonly settledAt: Date | null;
  /** Why it was ignored, waits, or died. */
  readonly note: string | null;
}

/** Events of one provider about one organization, as the provider names it, or about none: they are worked in their order. */
export interface Lane {
  readonly name: string;
  /** To be applied now, the oldest happening first; empty when all of them wait for their time. */
  readonly events: readonly InboxEvent[];
}

/** Which lane an event belongs to. */
export const laneOf = ({ provider, organizationRef }: Pick<InboxEvent, 'provider' | 'organizationRef'>): string =>
  `${provider} ${organizationRef ?? ''}`;

export type Settlement = Pick<InboxEvent, 'status' | 'attempts' | 'dueAt' | 'settledAt' | 'note' | 'organizationId'>;

export interface Inbox {
  /**
   * Where it names an organization that we know by the provider's name, ours is filled in.
   * @returns false when this event was heard before; then nothing changes
   */
  add(event: InboxEvent): Promise<boolean>;
  /** The same for several at once. @returns the ids of those that are new */
  addAll(events: readonly InboxEvent[]): Promise<ReadonlySet<InboxEventId>>;
  /** Takes an event for this transaction; undefined if it is gone, done, or in another transaction's hands. */
  claim(id: InboxEventId): Promise<InboxEvent | undefined>;
  /** The same for several at once: those from the front, up to the first that is not to be had. */
  claimInOrder(ids: readonly InboxEventId[]): Promise<readonly InboxEvent[]>;
  /** Records what became of it. */
  settle(id: InboxEventId, outcome: Settlement): Promise<void>;
  /** The same for several at once. */
  settleAll(outcomes: ReadonlyMap<InboxEventId, Settlement>): Promise<void>;
  /**
   * The next lanes with open events (stored or waiting), in the order of their names, after that one; each with the oldest of
   * those that are due. However much one lane holds, the others are seen.
   */
  lanes(
    now: Date,
    page: { readonly after: string | null; readonly lanes: number; readonly each: number },
  ): Promise<readonly Lane[]>;
  /** An event of this organization, whatever became of it, held until the end of this transaction. */
  get(organizationId: OrganizationId, id: InboxEventId): Promise<InboxEvent | undefined>;
  /** Forgets what done events said that were received before that moment, so many at most; that they were heard is kept. */
  forgetPayloads(receivedBefore: Date, limit: number): Promise<number>;
  /** Makes every waiting event due at once. Called when something became known. Returns how many. */
  wake(now: Date): Promise<number>;
  /** How the feed stands: the last event of a provider's feed that we took over. */
  cursor(provider: string): Promise<string | undefined>;
  moveCursor(provider: string, eventId: string): Promise<void>;
}

/** Something to do in the world after the commit. Each is harmless to repeat. */
export type Effect =
  | { readonly do: 'end_provider_session'; readonly provider: string; readonly providerSession: string }
  | { readonly do: 'register_organization'; readonly organizationId: OrganizationId }
  /** Make the provider's membership agree with ours, as ours stands when this is carried out. */
  | { readonly do: 'align_membership'; readonly organizationId: OrganizationId; readonly userId: UserId }
  /** Make the provider's invitations to the address of this one agree with ours: send the open one, or take back what is open there. */
  | { readonly do: 'align_invitation'; readonly organizationId: OrganizationId; readonly invitationId: InvitationId };

export interface OutboxItem {
  readonly id: EffectId;
  readonly effect: Effect;
  readonly attempts: number;
  readonly dueAt: Date;
}

export interface Outbox {
  add(items: readonly OutboxItem[]): Promise<void>;
  due(now: Date, limit: number): Promise<readonly OutboxItem[]>;
  /**
   * Takes one that is due. Nobody else gets it until that moment: by then it is done, postponed, or its taker is gone.
   * @returns false when somebody else was faster
   */
  claim(id: EffectId, now: Date, until: Date): Promise<boolean>;
  /** Carried out: forget it. */
  done(id: EffectId): Promise<void>;
  postpone(id: EffectId, dueAt: Date, note: string): Promise<void>;
}

export interface AuditTrail {
  /** Adds entries to their organizations' chains, in order. Concurrent writers never fork a chain. */
  append(
    entries: readonly (AuditDraft & { readonly at: Date; readonly actor: Actor; readonly source: Source })[],
  ): Promise<readonly AuditEntry[]>;
}

export interface SignIns {
  /** Marks a sign-in state as used. False when it was used before. It may be forgotten after `until`. */
  spend(stateDigest: string, until: Date): Promise<boolean>;
}
