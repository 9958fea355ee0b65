// Everything that the memory store holds, with the keys that may not occur twice: the same ones that the database enforces.

import type { Claim } from '#application/ports/idempotency-keys.ts';
import type { ReconciliationItem } from '#application/ports/reconciliations.ts';
import type { InboxEvent, OutboxItem } from '#application/ports/store.ts';
import type { AgentState } from '#domain/access/agent.ts';
import type { ApiKeyState } from '#domain/access/api-key.ts';
import type { AuditEntry } from '#domain/audit/audit-entry.ts';
import type { InvitationState } from '#domain/invitations/invitation.ts';
import type { MembershipState } from '#domain/memberships/membership.ts';
import type { OrganizationState, ProviderRef } from '#domain/organizations/organization.ts';
import type { Directory, DirectoryGroup, DirectoryUser, GroupLink } from '#domain/provisioning/directory-picture.ts';
import type { Reconciliation } from '#domain/provisioning/reconciliation.ts';
import type { RoleMapping } from '#domain/provisioning/role-mapping.ts';
import type { SessionState } from '#domain/sessions/session.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';
import type { Connection } from '#domain/sso/connection.ts';
import type { ProviderIdentity, UserState } from '#domain/users/user.ts';
import { heldDomains } from '../held-domains.ts';
import { Draft, Table } from './table.ts';

export const uniqueKey = {
  slug: (slug: string) => `organizations.slug ${slug}`,
  providerRef: (ref: ProviderRef) => `organizations.provider ${ref.provider} ${ref.id}`,
  verifiedDomain: (name: string) => `organizations.verified_domain ${name}`,
  identity: ({ provider, subject }: ProviderIdentity) => `users.identity ${provider} ${subject}`,
  owner: (m: Pick<MembershipState, 'organizationId'>) => `owner of ${m.organizationId}`,
  activeMembership: (m: Pick<MembershipState, 'organizationId' | 'userId'>) =>
    `memberships.active ${m.organizationId} ${m.userId}`,
  pendingInvitation: (i: Pick<InvitationState, 'organizationId' | 'email'>) =>
    `invitations.pending ${i.organizationId} ${i.email}`,
  sessionReference: (digest: string) => `sessions.reference ${digest}`,
  activeProviderSession: (provider: string, id: string) => `sessions.provider ${provider} ${id}`,
  agentName: (organizationId: OrganizationId, name: string) => `agents.name ${organizationId} ${name}`,
  apiKeyDigest: (digest: string) => `api_keys.digest ${digest}`,
  externalEvent: (provider: string, id: string) => `inbox.external_id ${provider} ${id}`,
};

/** Records of a directory are kept per organization, so that no organization's news ever lands on another's record. */
export const recordKey = (organizationId: OrganizationId, ...ids: readonly string[]): string =>
  [organizationId, ...ids].join(' ');

/** With its answer, once there is one. */
export type KeptClaim = Claim & { readonly answer: string | null; readonly version: number };

const versionOf = ({ version }: { readonly version: number }): number => version;
const later = <T extends Date | null>(a: T, b: T): T => (a !== null && (b === null || a > b) ? a : b);

const tables = () => ({
  organizations: new Table<OrganizationState>({
    versionOf,
    uniqueKeysOf: (row) => [
      uniqueKey.slug(row.slug),
      ...(row.provider ? [uniqueKey.providerRef(row.provider)] : []),
      ...heldDomains(row).map(uniqueKey.verifiedDomain),
    ],
  }),
  users: new Table<UserState>({ versionOf, uniqueKeysOf: ({ identities }) => identities.map(uniqueKey.identity) }),
  memberships: new Table<MembershipState>({
    versionOf,
    uniqueKeysOf: (row) =>
      row.status === 'active'
        ? [uniqueKey.activeMembership(row), ...(row.role === 'owner' ? [uniqueKey.owner(row)] : [])]
        : [],
  }),
  invitations: new Table<InvitationState>({
    versionOf,
    uniqueKeysOf: (row) => (row.status === 'pending' ? [uniqueKey.pendingInvitation(row)] : []),
  }),
  sessions: new Table<SessionState>({
    versionOf,
    uniqueKeysOf: (row) => [
      uniqueKey.sessionReference(row.referenceDigest),
      ...(row.status === 'active' ? [uniqueKey.activeProviderSession(row.provider, row.providerSession)] : []),
    ],
    merge: (replaced, row) => ({ ...row, lastSeenAt: later(replaced.lastSeenAt, row.lastSeenAt) }),
  }),
  agents: new Table<AgentState>({
    versionOf,
    uniqueKeysOf: (row) => (row.status === 'deleted' ? [] : [uniqueKey.agentName(row.organizationId, row.name)]),
  }),
  apiKeys: new Table<ApiKeyState>({
    versionOf,
    uniqueKeysOf: ({ digest }) => [uniqueKey.apiKeyDigest(digest)],
    merge: (replaced, row) => ({ ...row, lastUsedAt: later(replaced.lastUsedAt, row.lastUsedAt) }),
  }),
  directories: new Table<Directory>(),
  directoryUsers: new Table<DirectoryUser>(),
  directoryGroups: new Table<DirectoryGroup>(),
  groupLinks: new Table<GroupLink>(),
  reconciliations: new Table<Reconciliation>(),
  reconciliationItems: new Table<ReconciliationItem & { readonly organizationId: OrganizationId }>(),
  roleMappings: new Table<readonly RoleMapping[]>(),
  connections: new Table<Connection>(),
  inbox: new Table<InboxEvent>({
    uniqueKeysOf: ({ provider, externalId }) => [uniqueKey.externalEvent(provider, externalId)],
  }),
  feedCursors: new Table<string>(),
  outbox: new Table<OutboxItem & { readonly note: string | null }>({
    // Whoever takes an item moves its time, so of two takers one is told that it came too late.
    versionOf: ({ dueAt }) => dueAt.getTime(),
  }),
  spentSignIns: new Table<Date>(),
  idempotencyKeys: new Table<KeptClaim>({ versionOf }),
});

export class MemoryTables {
  readonly rows = tables();
  /** One trail per organization, oldest first; '-' is the one of no organization. */
  readonly trails = new Map<string, AuditEntry[]>();
}

export const trailOf = (organizationId: OrganizationId | null): string => organizationId ?? '-';

type Rows = ReturnType<typeof tables>;
type Drafts = { readonly [Name in keyof Rows]: Rows[Name] extends Table<infer R> ? Draft<R> : never };

export const draftsOf = (rows: Rows): Drafts =>
  Object.fromEntries(
    Object.entries(rows).map(([name, table]) => [name, new Draft(table as Table<unknown>)]),
  ) as unknown as Drafts;

export type { Drafts };
