// Everything that can happen, in the past tense. Entities collect these; the unit of work turns them into audit entries and effects.

import type { AgentEvent } from '#domain/access/agent.ts';
import type { ApiKeyEvent } from '#domain/access/api-key.ts';
import type { InvitationEvent } from '#domain/invitations/invitation.ts';
import type { MembershipEvent } from '#domain/memberships/membership.ts';
import type { OrganizationEvent } from '#domain/organizations/organization.ts';
import type { Directory, DirectoryGroup, DirectoryUser, GroupLink } from '#domain/provisioning/directory-picture.ts';
import type { Plan } from '#domain/provisioning/plan.ts';
import type { RoleMapping } from '#domain/provisioning/role-mapping.ts';
import type { SessionEvent } from '#domain/sessions/session.ts';
import type { InboxEventId, OrganizationId } from '#domain/shared/ids.ts';
import type { Certificate, Connection, ConnectionTest } from '#domain/sso/connection.ts';
import type { UserEvent } from '#domain/users/user.ts';

/** What a directory or connection told us; told by the use case that heard it, since records are no entities. */
export type LearnedEvent =
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
  | { readonly type: 'connection.changed'; readonly connection: Connection; readonly before: Connection | null }
  | {
      readonly type: 'connection.certificate_expiring' | 'connection.certificate_renewed';
      readonly connection: Connection;
      readonly certificate: Certificate;
    };

export type NamedConnection = Pick<Connection, 'id' | 'organizationId' | 'name' | 'type'>;

/** Acts that change no entity but belong in the trail. */
export type ActEvent =
  | {
      readonly type: 'role_mappings.replaced';
      readonly organizationId: OrganizationId;
      readonly before: readonly RoleMapping[];
      readonly after: readonly RoleMapping[];
    }
  /** The changes of a reconciliation begin: because somebody wants them, or by schedule. Each is then told as what it is. */
  | {
      readonly type: 'directory.reconciliation_begun';
      readonly organizationId: OrganizationId;
      readonly reconciliation: string;
      readonly plan: Plan;
    }
  | { readonly type: 'connection.tested'; readonly connection: Connection; readonly test: ConnectionTest }
  /** The provider was asked to make or to remove a connection and did; what became of it, its events tell. */
  | { readonly type: 'connection.created' | 'connection.removed'; readonly connection: NamedConnection }
  /** Somebody got a link to the provider's set-up pages. The link itself is nowhere. */
  | { readonly type: 'setup_link.issued'; readonly organizationId: OrganizationId; readonly intent: string }
  | {
      readonly type: 'sign_in.refused';
      readonly organizationId: OrganizationId | null;
      readonly email: string | null;
      readonly reason: string;
    }
  /** An event that was heard, and not applied, is to be applied again. */
  | {
      readonly type: 'provider_event.replayed';
      readonly organizationId: OrganizationId;
      readonly event: {
        readonly id: InboxEventId;
        readonly externalId: string;
        readonly name: string;
        readonly status: string;
        readonly attempts: number;
      };
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
  | InvitationEvent
  | SessionEvent
  | AgentEvent
  | ApiKeyEvent
  | LearnedEvent
  | ActEvent;

export type DomainEventType = DomainEvent['type'];
