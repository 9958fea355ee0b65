// What follows from each event outside the transaction: cached callers to forget, and effects to carry out in the world.

import type { Forgettable } from '#application/ports/caller-cache.ts';
import type { Effect } from '#application/ports/store.ts';
import type { DomainEvent } from '#domain/events.ts';

export interface Consequences {
  readonly forget: readonly Forgettable[];
  readonly effects: readonly Effect[];
}

const none: Consequences = { forget: [], effects: [] };
const forgetting = (...forget: readonly Forgettable[]): Consequences => ({ forget, effects: [] });

/** Total, so that a new event cannot be added without saying what it invalidates. */
export const consequencesOf = (event: DomainEvent): Consequences => {
  switch (event.type) {
    case 'organization.founded':
      return { forget: [], effects: [{ do: 'register_organization', organizationId: event.organization.id }] };
    case 'organization.linked':
    case 'organization.renamed':
    case 'organization.provisioning_changed':
    case 'organization.domain_changed':
    case 'organization.ownerless':
    case 'organization.ownership_passed':
    case 'organization.deleted':
      return forgetting(event.organization.id);
    case 'user.identity_linked':
    case 'user.changed':
    case 'user.deleted':
      return forgetting(event.user.id);
    case 'membership.granted':
    case 'membership.revoked': {
      const { organizationId, userId, managedBy } = event.membership;
      // What the provider said it knows already; what we decide about one of its members it does not.
      const isItsOwnWord =
        event.type === 'membership.granted' ? managedBy === 'provider' : event.because === 'provider_says_so';
      const align: Effect[] = isItsOwnWord ? [] : [{ do: 'align_membership', organizationId, userId }];
      return { forget: [userId], effects: align };
    }
    case 'membership.role_changed':
    case 'membership.manager_changed':
      return forgetting(event.membership.userId);
    case 'invitation.sent':
    case 'invitation.resent':
    case 'invitation.accepted':
    case 'invitation.revoked': {
      const { organizationId, id: invitationId } = event.invitation;
      return { forget: [], effects: [{ do: 'align_invitation', organizationId, invitationId }] };
    }
    case 'session.switched':
      return forgetting(event.session.id);
    case 'session.ended': {
      const { id, provider, providerSession } = event.session;
      // The provider told us; telling it back would only cost a call. A replaced session may live on at the provider.
      const leave = event.because === 'provider_ended' || event.because === 'replaced';
      return { forget: [id], effects: leave ? [] : [{ do: 'end_provider_session', provider, providerSession }] };
    }
    case 'api_key.revoked':
    case 'api_key.expired':
      return forgetting(event.key.id);
    case 'user.registered':
    case 'invitation.expired':
    case 'session.started':
    case 'agent.created':
    case 'api_key.issued':
    case 'directory.connected':
    case 'directory.disconnected':
    case 'directory_user.provisioned':
    case 'directory_user.updated':
    case 'directory_user.deprovisioned':
    case 'directory_group.created':
    case 'directory_group.renamed':
    case 'directory_group.deleted':
    case 'directory_group.member_added':
    case 'directory_group.member_removed':
    case 'connection.changed':
    case 'connection.certificate_expiring':
    case 'connection.certificate_renewed':
    case 'connection.tested':
    case 'connection.created':
    case 'connection.removed':
    case 'setup_link.issued':
    case 'directory.reconciliation_begun':
    case 'role_mappings.replaced':
    case 'sign_in.refused':
    case 'act.refused':
    case 'provider_event.replayed':
      return none;
    default:
      return event satisfies never;
  }
};
