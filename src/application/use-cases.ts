// The table of contents of the system: everything one can ask it to do. Deliveries (HTTP, webhook, CLI) know only this list.

import type { OnlyOnce, Origin } from '#application/idempotency/once.ts';
import type { InvitationUseCases } from '#application/invitations/invitation-use-cases.ts';
import type { Delivery, TokenPair } from '#application/ports/identity-provider.ts';
import type {
  AuditFilter,
  DirectoryOverview,
  Member,
  MemberFilter,
  OrganizationOfUser,
  Page,
  PageRequest,
} from '#application/ports/read-models.ts';
import type { EventUseCases } from '#application/provisioning/event-use-cases.ts';
import type { ReconciliationUseCases } from '#application/provisioning/reconciliation.ts';
import type { LoginStarted } from '#application/sessions/login-box.ts';
import type { ConnectionTested, SsoUseCases } from '#application/sso/sso-use-cases.ts';
import type { AgentState } from '#domain/access/agent.ts';
import type { ApiKeyState } from '#domain/access/api-key.ts';
import type { ApiKeySecret, KeyMode } from '#domain/access/api-key-secret.ts';
import type { Caller } from '#domain/access/caller.ts';
import type { Credential } from '#domain/access/credential.ts';
import type { Scope } from '#domain/access/scope.ts';
import type { AuditEntry, Source } from '#domain/audit/audit-entry.ts';
import type { AssignableRole } from '#domain/memberships/role.ts';
import type { OrganizationState } from '#domain/organizations/organization.ts';
import type { ProvisioningPolicy } from '#domain/provisioning/provisioning-policy.ts';
import type { RoleMapping } from '#domain/provisioning/role-mapping.ts';
import type { SessionState } from '#domain/sessions/session.ts';
import type { AgentId, ApiKeyId, MembershipId, OrganizationId, SessionId, UserId } from '#domain/shared/ids.ts';
import type { RefusalReason } from '#domain/shared/refusal.ts';
import type { UserState } from '#domain/users/user.ts';

/**
 * Conventions. A use case that acts takes the caller, what is asked, and the source of the request (for the audit trail), and
 * decides itself whether the caller may: an organization that is not the caller's is Refusal `organization.not_found`, a
 * missing scope `caller.scope_missing`. Each may also throw `storage.unavailable` and, where writers met too often,
 * `request.conflict`; those that speak with the provider, `identity.unavailable` and `identity.throttled`.
 */
export interface UseCases extends EventUseCases, ReconciliationUseCases, SsoUseCases, InvitationUseCases {
  // Signing in and out
  readonly beginLogin: BeginLogin;
  readonly completeLogin: CompleteLogin;
  readonly signOut: SignOut;
  readonly refreshSession: RefreshSession;
  readonly keepSessionAlive: KeepSessionAlive;
  readonly switchOrganization: SwitchOrganization;

  /** Wraps a use case that takes an `Origin`: what it creates is created once, however often it is asked for under that key. */
  readonly onlyOnce: OnlyOnce;

  // Who is calling
  readonly authenticateCaller: AuthenticateCaller;
  readonly whoAmI: WhoAmI;

  // Sessions: one's own, and those of an organization
  readonly listMySessions: (caller: Caller) => Promise<readonly SessionState[]>;
  /** @throws Refusal `session.not_found` when it is not one's own. Ending an ended one changes nothing. */
  readonly endMySession: (caller: Caller, sessionId: SessionId, source: Source) => Promise<void>;
  readonly listSessions: (
    caller: Caller,
    organizationId: OrganizationId,
    filter: { readonly member?: MembershipId | undefined },
    page: PageRequest,
  ) => Promise<Page<SessionWithUser>>;
  readonly endSession: (
    caller: Caller,
    organizationId: OrganizationId,
    sessionId: SessionId,
    source: Source,
  ) => Promise<void>;
  /** Everybody's, the caller's own included; answers how many ended. */
  readonly endAllSessions: (caller: Caller, organizationId: OrganizationId, source: Source) => Promise<number>;
  /** All of one person's sessions that stand in this organization; answers how many ended. */
  readonly endMemberSessions: (
    caller: Caller,
    organizationId: OrganizationId,
    member: MembershipId,
    source: Source,
  ) => Promise<number>;

  // Organizations
  readonly createOrganization: CreateOrganization;
  readonly listMyOrganizations: (caller: Caller) => Promise<readonly OrganizationOfUser[]>;
  readonly getOrganization: (caller: Caller, organizationId: OrganizationId) => Promise<OrganizationState>;
  /** Hands the ownership to another active member; the owner becomes admin. Only the owner can. */
  readonly transferOwnership: (
    caller: Caller,
    organizationId: OrganizationId,
    to: UserId,
    source: Source,
  ) => Promise<void>;

  // Members
  readonly listMembers: (
    caller: Caller,
    organizationId: OrganizationId,
    filter: MemberFilter,
    page: PageRequest,
  ) => Promise<Page<Member>>;
  readonly changeRole: (
    caller: Caller,
    request: { readonly organizationId: OrganizationId; readonly member: MembershipId; readonly role: AssignableRole },
    source: Source,
  ) => Promise<Member>;
  /** Ends the membership and, with it, the person's sessions here. Removing somebody already gone changes nothing. */
  readonly removeMember: (
    caller: Caller,
    organizationId: OrganizationId,
    member: MembershipId,
    source: Source,
  ) => Promise<void>;

  // Agents and their keys
  readonly createAgent: (
    caller: Caller,
    request: { readonly organizationId: OrganizationId; readonly name: string; readonly description: string | null },
    source: Origin,
  ) => Promise<AgentState>;
  readonly listAgents: (caller: Caller, organizationId: OrganizationId, page: PageRequest) => Promise<Page<AgentState>>;
  readonly getAgent: (caller: Caller, organizationId: OrganizationId, agentId: AgentId) => Promise<AgentState>;
  readonly issueApiKey: IssueApiKey;
  readonly listApiKeys: (
    caller: Caller,
    organizationId: OrganizationId,
    filter: { readonly agentId?: AgentId | undefined; readonly prefix?: string | undefined },
    page: PageRequest,
  ) => Promise<Page<ApiKeyState>>;
  readonly revokeApiKey: (
    caller: Caller,
    organizationId: OrganizationId,
    key: ApiKeyId,
    source: Source,
  ) => Promise<void>;

  // Directory and provisioning
  readonly getDirectory: (caller: Caller, organizationId: OrganizationId) => Promise<DirectoryOverview>;
  readonly listGroups: (
    caller: Caller,
    organizationId: OrganizationId,
    page: PageRequest,
  ) => Promise<
    Page<{ readonly id: string; readonly directoryId: string; readonly name: string; readonly members: number }>
  >;
  readonly getRoleMappings: (caller: Caller, organizationId: OrganizationId) => Promise<readonly NamedRoleMapping[]>;
  readonly setRoleMappings: SetRoleMappings;
  readonly getProvisioningPolicy: (caller: Caller, organizationId: OrganizationId) => Promise<ProvisioningPolicy>;
  /** Takes effect at once for everybody whom a directory knows. */
  readonly setProvisioningPolicy: (
    caller: Caller,
    organizationId: OrganizationId,
    policy: ProvisioningPolicy,
    source: Source,
  ) => Promise<ProvisioningPolicy>;

  // What providers tell us
  readonly receiveDelivery: ReceiveDelivery;

  // Audit
  readonly searchAudit: (
    caller: Caller,
    organizationId: OrganizationId,
    filter: AuditFilter,
    page: PageRequest,
  ) => Promise<Page<AuditEntry>>;
  readonly verifyAudit: (caller: Caller, organizationId: OrganizationId) => Promise<AuditVerdict>;
  /** Puts a refused act of a known caller into the trail. */
  readonly recordRefusal: (
    caller: Caller,
    refused: { readonly attempt: string; readonly reason: RefusalReason },
    source: Source,
  ) => Promise<void>;
}

/**
 * Starts a sign-in. An e-mail of a verified domain leads to that organization's own identity provider; any other goes to the
 * hosted page, and nothing in the answer tells the two apart but where it leads.
 */
export type BeginLogin = (request: {
  /** As typed; an unreadable one is ignored. */
  readonly email: string | undefined;
  readonly organizationId: OrganizationId | undefined;
  /** Where to land afterwards. Anything but a path of our own becomes `/`. */
  readonly returnTo: string | undefined;
  readonly remember: boolean;
  /** The provider's invitation that brought the person here. It travels in the URL and in the box, and is kept nowhere. */
  readonly invitationToken?: string | undefined;
}) => Promise<LoginStarted>;

/**
 * Finishes a sign-in: the code must belong to a login that this very browser started, once. Where that was a test of a
 * connection, its result is recorded instead, whatever it is.
 * @throws Refusal `sign_in.state_invalid` (start afresh), `sign_in.code_spent`, `sign_in.email_unverified`,
 * `sign_in.not_a_member`, `sign_in.denied`; each is audited where the person is known
 */
export type CompleteLogin = (request: {
  readonly code: string;
  readonly state: string;
  readonly box: string | undefined;
  /** The session reference this browser still has; that session ends. */
  readonly replaces: string | undefined;
  readonly source: Source;
}) => Promise<SignedIn | ConnectionTested>;

export interface SignedIn {
  readonly is: 'signed_in';
  readonly sessionId: SessionId;
  readonly userId: UserId;
  readonly organizationId: OrganizationId | null;
  /** 256 bits for the session cookie; we keep only its digest. */
  readonly reference: string;
  /** The provider's refresh token, sealed, for the refresh cookie. */
  readonly refreshBox: string;
  readonly remembered: boolean;
  /** How long the browser should keep the cookies at most. */
  readonly cookieSeconds: number;
  readonly returnTo: string;
}

/** Ends the caller's session here and at the provider. For a caller without a session (an agent): `caller.person_required`. */
export type SignOut = (caller: Caller, source: Source) => Promise<{ readonly logoutUrl: string | undefined }>;

/**
 * For API clients: trades a refresh token (the provider's, or our sealed form of it) for a new pair.
 * @throws Refusal `session.refresh_refused`, `session.ended`, `session.reauthentication_required`, `organization.not_found`
 */
export type RefreshSession = (
  request: { readonly refreshToken: string; readonly organizationId: OrganizationId | undefined },
  source: Source,
) => Promise<{ readonly tokens: TokenPair; readonly organizationId: OrganizationId | null }>;

/**
 * For browsers: refreshes the provider's side of the session shortly before its access token ends, and answers the new cookies
 * for as long as the browser still shows the old ones. Undefined: nothing to set. A provider that does not answer ends nothing.
 */
export type KeepSessionAlive = (
  caller: Caller,
  refreshBox: string | undefined,
) => Promise<{ readonly refreshBox: string; readonly cookieSeconds: number } | undefined>;

/**
 * Moves the caller's session to another organization of theirs.
 * @throws Refusal `organization.not_found` when they do not belong to it, `session.reauthentication_required` with
 * `login_url` when a fresh sign-in is needed
 */
export type SwitchOrganization = (
  caller: Caller,
  request: { readonly organizationId: OrganizationId; readonly refreshBox: string | undefined },
  source: Source,
) => Promise<{ readonly refreshBox: string | undefined; readonly cookieSeconds: number }>;

/**
 * Who a credential belongs to, right now. The hot path.
 * @throws Refusal `credential.*`, `session.*`, `api_key.*`, `user.not_active`, `membership.not_active`, `agent.not_active`,
 * `organization.not_active` (all 401 but `api_key.address_not_allowed`), or `identity.unavailable` when a session must be
 * confirmed by the provider and the provider does not answer
 */
export type AuthenticateCaller = (credential: Credential, from: { readonly ip: string | null }) => Promise<Caller>;

export type WhoAmI = (caller: Caller) => Promise<Profile>;

export interface Profile {
  readonly caller: Caller;
  readonly user: Pick<UserState, 'id' | 'email' | 'name'> | null;
  readonly agent: Pick<AgentState, 'id' | 'name'> | null;
  readonly organization: Pick<OrganizationState, 'id' | 'name' | 'slug'> | null;
  /** Empty for agents. */
  readonly organizations: readonly OrganizationOfUser[];
}

export interface SessionWithUser {
  readonly session: SessionState;
  readonly user: Pick<UserState, 'id' | 'email' | 'name'>;
}

/**
 * Founds an organization; the caller becomes its owner. The provider's counterpart follows by itself. The caller's session
 * stays where it is, unless it had no organization: then it moves in.
 * @throws Refusal `organization.slug_taken`, `caller.person_required`
 */
export type CreateOrganization = (
  caller: Caller,
  request: {
    readonly name: string;
    /** Made from the name when absent. */
    readonly slug: string | undefined;
    /** Domains to claim; pending until the provider verified them. */
    readonly domains: readonly string[];
  },
  source: Origin,
) => Promise<OrganizationState>;

/**
 * Makes a key for an agent. The secret is in this answer and nowhere else.
 * @throws Refusal `agent.not_found`, `agent.not_active`, `api_key.beyond_maker`, `api_key.without_scopes`, `request.invalid`
 */
export type IssueApiKey = (
  caller: Caller,
  request: {
    readonly organizationId: OrganizationId;
    readonly agentId: AgentId;
    readonly name: string;
    readonly scopes: readonly Scope[];
    readonly mode: KeyMode;
    /** Null: never. */
    readonly expiresInDays: number | null;
    readonly ipAllowlist: readonly string[];
  },
  source: Origin,
) => Promise<{ readonly key: ApiKeyState; readonly secret: ApiKeySecret }>;

export interface NamedRoleMapping extends RoleMapping {
  /** Null when the group has gone since. */
  readonly groupName: string | null;
}

/**
 * Replaces the ordered list and re-evaluates everybody whom a directory knows, in the same commit.
 * @throws Refusal `role_mapping.unknown_group`, `role_mapping.group_twice`
 */
export type SetRoleMappings = (
  caller: Caller,
  organizationId: OrganizationId,
  mappings: readonly RoleMapping[],
  source: Source,
) => Promise<readonly NamedRoleMapping[]>;

/**
 * Takes in one delivery: verified, stored, and only then acknowledged; it is applied right after. A delivery of an event
 * heard before changes nothing and answers the same.
 * @throws Refusal `delivery.unverified`, `delivery.malformed`, `storage.unavailable` (the provider will send it again)
 */
export type ReceiveDelivery = (provider: string, delivery: Delivery) => Promise<'stored' | 'heard_before'>;

export interface AuditVerdict {
  readonly entries: number;
  readonly whole: boolean;
  readonly lastHash: string;
  /** Where the chain first fails to follow; null when whole. */
  readonly firstBroken: { readonly sequence: number; readonly id: string } | null;
}
