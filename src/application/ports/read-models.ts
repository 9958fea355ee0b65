// Questions with answers shaped for their asker. Read only; no rule is protected here, so these are queries and nothing more.

import type { InboxEvent, InboxStatus } from '#application/ports/store.ts';
import type { AgentState } from '#domain/access/agent.ts';
import type { ApiKeyState } from '#domain/access/api-key.ts';
import type { AuditEntry } from '#domain/audit/audit-entry.ts';
import type { InvitationState } from '#domain/invitations/invitation.ts';
import type { MembershipState } from '#domain/memberships/membership.ts';
import type { Role } from '#domain/memberships/role.ts';
import type { OrganizationState } from '#domain/organizations/organization.ts';
import type { SessionState } from '#domain/sessions/session.ts';
import type {
  AgentId,
  ApiKeyId,
  InvitationId,
  MembershipId,
  OrganizationId,
  SessionId,
  UserId,
} from '#domain/shared/ids.ts';
import type { Connection } from '#domain/sso/connection.ts';
import type { UserState } from '#domain/users/user.ts';

/** A page of a list. Keyset: stable while rows are added. */
export interface PageRequest {
  /** 1 … 200 */
  readonly limit: number;
  /** Where the page before ended; opaque to the caller. */
  readonly cursor: string | null;
}
export interface Page<T> {
  readonly items: readonly T[];
  /** Null when this is the last page. */
  readonly next: string | null;
}

/** Everything needed to judge a session, read at one moment in one round trip. */
export interface SessionStanding {
  readonly session: SessionState;
  readonly user: UserState;
  /** The active membership in the session's organization, if any. */
  readonly membership: MembershipState | null;
  readonly organization: OrganizationState | null;
}

export interface KeyStanding {
  readonly key: ApiKeyState;
  readonly agent: AgentState;
  readonly organization: OrganizationState;
}

/** The source behind the caller cache. */
export interface Standings {
  ofSessionReference(referenceDigest: string): Promise<SessionStanding | undefined>;
  ofProviderSession(provider: string, providerSession: string): Promise<SessionStanding | undefined>;
  /** @param digests one per pepper, newest first */
  ofApiKey(digests: readonly string[]): Promise<KeyStanding | undefined>;
}

export interface OrganizationOfUser {
  readonly id: OrganizationId;
  readonly name: string;
  readonly slug: string;
  /** Null for an agent, which has scopes and no role. */
  readonly role: Role | null;
}

export interface Member {
  readonly membership: MembershipState;
  readonly user: Pick<UserState, 'id' | 'email' | 'name'>;
}

export interface MemberFilter {
  readonly status?: 'active' | 'revoked' | undefined;
  readonly role?: Role | undefined;
  /** Part of a name or an e-mail, any case. */
  readonly text?: string | undefined;
}

export interface InvitationFilter {
  /** As it stands at `at`. */
  readonly status?: InvitationState['status'] | undefined;
  readonly at: Date;
}

export interface DirectoryOverview {
  readonly directories: readonly {
    readonly id: string;
    readonly name: string;
    readonly type: string;
    readonly state: 'connected' | 'disconnected';
    readonly users: number;
    readonly groups: number;
  }[];
  /** When the newest event about it happened. */
  readonly lastEventAt: Date | null;
}

export interface AuditFilter {
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly target?: string | undefined;
  /** Inclusive. */
  readonly from?: Date | undefined;
  /** Exclusive. */
  readonly to?: Date | undefined;
}

/** An event that was heard, without what it said. */
export type HeardOf = Omit<InboxEvent, 'payload'>;

export interface ReadModels {
  /** An active organization that verified this domain: where a sign-in with such an address goes. */
  organizationVerifying(domain: string): Promise<OrganizationState | undefined>;
  organization(id: OrganizationId): Promise<OrganizationState | undefined>;
  user(id: UserId): Promise<UserState | undefined>;
  agent(organizationId: OrganizationId, id: AgentId): Promise<AgentState | undefined>;
  /** Active organizations in which the person has an active membership, by name. */
  organizationsOf(userId: UserId): Promise<readonly OrganizationOfUser[]>;
  members(organizationId: OrganizationId, filter: MemberFilter, page: PageRequest): Promise<Page<Member>>;
  /** One membership with its person, revoked or not. */
  member(organizationId: OrganizationId, id: MembershipId): Promise<Member | undefined>;
  /** Newest first. */
  invitations(
    organizationId: OrganizationId,
    filter: InvitationFilter,
    page: PageRequest,
  ): Promise<Page<InvitationState>>;
  invitation(organizationId: OrganizationId, id: InvitationId): Promise<InvitationState | undefined>;
  /** A person's active sessions, in all organizations, newest first. */
  sessionsOfUser(userId: UserId): Promise<readonly SessionState[]>;
  /** One active session, wherever it stands. */
  session(id: SessionId): Promise<SessionState | undefined>;
  /** Active sessions that stand in the organization, with their person, newest first. */
  sessionsIn(
    organizationId: OrganizationId,
    filter: { readonly userId?: UserId | undefined },
    page: PageRequest,
  ): Promise<Page<{ readonly session: SessionState; readonly user: Pick<UserState, 'id' | 'email' | 'name'> }>>;
  /** What providers told about the organization, the last received first. */
  events(
    organizationId: OrganizationId,
    filter: { readonly status?: InboxStatus | undefined },
    page: PageRequest,
  ): Promise<Page<HeardOf>>;
  agents(organizationId: OrganizationId, page: PageRequest): Promise<Page<AgentState>>;
  apiKeys(
    organizationId: OrganizationId,
    filter: { readonly agentId?: AgentId | undefined; readonly prefix?: string | undefined },
    page: PageRequest,
  ): Promise<Page<ApiKeyState>>;
  apiKey(organizationId: OrganizationId, id: ApiKeyId): Promise<ApiKeyState | undefined>;
  directory(organizationId: OrganizationId): Promise<DirectoryOverview>;
  /** The connections that exist, by id. */
  connections(organizationId: OrganizationId): Promise<readonly Connection[]>;
  /** Groups that exist now, by name, with how many people stand in them. */
  groups(
    organizationId: OrganizationId,
    page: PageRequest,
  ): Promise<
    Page<{ readonly id: string; readonly directoryId: string; readonly name: string; readonly members: number }>
  >;
  /** Newest first. */
  audit(organizationId: OrganizationId, filter: AuditFilter, page: PageRequest): Promise<Page<AuditEntry>>;
  /** The whole trail in order, oldest first, in batches: to verify or export it. */
  auditTrail(organizationId: OrganizationId): AsyncIterable<readonly AuditEntry[]>;
}
