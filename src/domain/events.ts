// Everything that can happen, in the past tense. Entities collect these; the unit of work turns them into audit entries and effects.

import type { AgentState } from '#domain/access/agent.ts';
import type { ApiKeyState } from '#domain/access/api-key.ts';
import type { LeavingReason, MembershipState } from '#domain/memberships/membership.ts';
import type { DomainClaim, OrganizationState } from '#domain/organizations/organization.ts';
import type { Directory, DirectoryGroup, DirectoryUser, GroupLink } from '#domain/provisioning/directory-picture.ts';
import type { RoleMapping } from '#domain/provisioning/role-mapping.ts';
import type { SessionEndReason, SessionState } from '#domain/sessions/session.ts';
import type { OrganizationId, UserId } from '#domain/shared/ids.ts';
import type { Connection } from '#domain/sso/connection.ts';
import type { ProviderIdentity, UserState } from '#domain/users/user.ts';

export type OrganizationEvent =
  | { readonly type: 'organization.founded' | 'organization.ownerless'; readonly organization: OrganizationState }
  | {
      readonly type:
        | 'organization.linked'
        | 'organization.renamed'
        | 'organization.provisioning_changed'
        | 'organization.deleted';
      readonly organization: OrganizationState;
      readonly before: OrganizationState;
    }
  | {
      readonly type: 'organization.domain_changed';
      readonly organization: OrganizationState;
      readonly before: OrganizationState;
      readonly domain: DomainClaim;
    }
  | {
      readonly type: 'organization.ownership_passed';
      readonly organization: OrganizationState;
      readonly from: UserId | null;
      readonly to: UserId;
    };

export type UserEvent =
  | { readonly type: 'user.registered'; readonly user: UserState }
  | { readonly type: 'user.identity_linked'; readonly user: UserState; readonly identity: ProviderIdentity }
  | { readonly type: 'user.changed' | 'user.deleted'; readonly user: UserState; readonly before: UserState };

export type MembershipEvent =
  | { readonly type: 'membership.granted'; readonly membership: MembershipState }
  | {
      readonly type: 'membership.role_changed' | 'membership.manager_changed';
      readonly membership: MembershipState;
      readonly before: MembershipState;
    }
  | {
      readonly type: 'membership.revoked';
      readonly membership: MembershipState;
      readonly before: MembershipState;
      readonly because: LeavingReason;
    };

export type SessionEvent =
  | { readonly type: 'session.started'; readonly session: SessionState }
  | { readonly type: 'session.switched'; readonly session: SessionState; readonly before: SessionState }
  | { readonly type: 'session.ended'; readonly session: SessionState; readonly because: SessionEndReason };

export type AgentEvent = { readonly type: 'agent.created'; readonly agent: AgentState };

export type ApiKeyEvent = { readonly type: 'api_key.issued' | 'api_key.revoked'; readonly key: ApiKeyState };

/** What a directory or connection told us; told by the use case that heard it, since records are no entities. */
export type HeardEvent =
  | { readonly type: 'directory.connected' | 'directory.disconnected'; readonly directory: Directory }
  | {
      readonly type: 'directory_user.provisioned' | 'directory_user.updated' | 'directory_user.deprovisioned';
      readonly person: DirectoryUser;
      readonly before: DirectoryUser | null;
    }
  | {
      readonly type: 'directory_group.created' | 'directory_group.renamed' | 'directory_group.deleted';
      readonly group: DirectoryGroup;
      readonly before: DirectoryGroup | null;
    }
  | { readonly type: 'directory_group.member_added' | 'directory_group.member_removed'; readonly link: GroupLink }
  | { readonly type: 'connection.changed'; readonly connection: Connection; readonly before: Connection | null };

/** Acts that change no entity but belong in the trail. */
export type ActEvent =
  | {
      readonly type: 'role_mappings.replaced';
      readonly organizationId: OrganizationId;
      readonly before: readonly RoleMapping[];
      readonly after: readonly RoleMapping[];
    }
  | {
      readonly type: 'sign_in.refused';
      readonly organizationId: OrganizationId | null;
      readonly email: string | null;
      readonly reason: string;
    }
  | {
      readonly type: 'act.refused';
      readonly organizationId: OrganizationId | null;
      /** What was tried, as method and route pattern. */
      readonly attempt: string;
      readonly reason: string;
    };

export type DomainEvent =
  | OrganizationEvent
  | UserEvent
  | MembershipEvent
  | SessionEvent
  | AgentEvent
  | ApiKeyEvent
  | HeardEvent
  | ActEvent;

export type DomainEventType = DomainEvent['type'];
