// Tells each event as a line of the audit trail. Total: an event without a line does not compile.

import type { AgentState } from '#domain/access/agent.ts';
import type { ApiKeyState } from '#domain/access/api-key.ts';
import type { AuditDraft, Facts } from '#domain/audit/audit-entry.ts';
import type { DomainEvent } from '#domain/events.ts';
import type { InvitationState } from '#domain/invitations/invitation.ts';
import type { MembershipState } from '#domain/memberships/membership.ts';
import type { OrganizationState } from '#domain/organizations/organization.ts';
import { type DirectoryGroup, type DirectoryUser, isPresent } from '#domain/provisioning/directory-picture.ts';
import type { SessionState } from '#domain/sessions/session.ts';
import type { UserState } from '#domain/users/user.ts';

const ofOrganization = (state: OrganizationState): Facts => ({
  name: state.name,
  slug: state.slug,
  status: state.status,
  domains: state.domains.map(({ name, state: claim }) => `${name} (${claim})`),
  provider: state.provider && `${state.provider.provider}:${state.provider.id}`,
  default_role: state.provisioningPolicy.defaultRole,
  gate_group: state.provisioningPolicy.gateGroupId,
  just_in_time: state.provisioningPolicy.justInTime,
});
const ofUser = (state: UserState): Facts => ({ email: state.email, name: state.name, status: state.status });
const ofMembership = (state: MembershipState): Facts => ({
  user: state.userId,
  role: state.role,
  status: state.status,
  managed_by: state.managedBy,
});
const ofInvitation = (state: InvitationState): Facts => ({
  email: state.email,
  role: state.role,
  status: state.status,
  invited_by: state.invitedBy,
  expires_at: state.expiresAt.toISOString(),
  accepted_by: state.acceptedBy,
});
const ofSession = (state: SessionState): Facts => ({
  user: state.userId,
  organization: state.organizationId,
  method: state.method,
  remembered: state.remembered,
  impersonator: state.impersonator?.email ?? null,
});
const ofAgent = (state: AgentState): Facts => ({
  name: state.name,
  status: state.status,
  responsible: state.responsible,
});
const ofKey = (state: ApiKeyState): Facts => ({
  name: state.name,
  agent: state.agentId,
  key: `${state.prefix}…${state.lastFour}`,
  mode: state.mode,
  scopes: state.scopes,
  status: state.status,
  expires_at: state.expiresAt?.toISOString() ?? null,
});
const ofPerson = (state: DirectoryUser): Facts => ({
  email: state.email,
  name: state.name,
  state: isPresent(state) ? state.state : 'deleted',
  idp_id: state.idpId,
});
const ofGroup = (state: DirectoryGroup): Facts => ({ name: state.name });

/** Only what differs, on both sides: a reader sees the change, not the record. */
const difference = (before: Facts, after: Facts): { before: Facts; after: Facts } => {
  const changed = Object.keys(after).filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  const pick = (facts: Facts): Facts => Object.fromEntries(changed.map((name) => [name, facts[name] ?? null]));
  return { before: pick(before), after: pick(after) };
};

const done = 'done' as const;

export const narrate = (event: DomainEvent): AuditDraft => {
  switch (event.type) {
    case 'organization.founded':
    case 'organization.ownerless': {
      const { id } = event.organization;
      const after = event.type === 'organization.founded' ? ofOrganization(event.organization) : { ownerless: true };
      return {
        organizationId: id,
        action: event.type,
        target: { kind: 'organization', id },
        before: null,
        after,
        outcome: done,
      };
    }
    case 'organization.linked':
    case 'organization.renamed':
    case 'organization.provisioning_changed':
    case 'organization.domain_changed':
    case 'organization.deleted': {
      const { id } = event.organization;
      const change = difference(ofOrganization(event.before), ofOrganization(event.organization));
      return { organizationId: id, action: event.type, target: { kind: 'organization', id }, ...change, outcome: done };
    }
    case 'organization.ownership_passed': {
      const { id } = event.organization;
      const target = { kind: 'organization', id };
      return {
        organizationId: id,
        action: event.type,
        target,
        before: { owner: event.from },
        after: { owner: event.to },
        outcome: done,
      };
    }
    case 'user.registered':
    case 'user.identity_linked': {
      const after =
        event.type === 'user.registered'
          ? ofUser(event.user)
          : { identity: `${event.identity.provider}:${event.identity.subject}` };
      return {
        organizationId: null,
        action: event.type,
        target: { kind: 'user', id: event.user.id },
        before: null,
        after,
        outcome: done,
      };
    }
    case 'user.changed':
    case 'user.deleted':
      return {
        organizationId: null,
        action: event.type,
        target: { kind: 'user', id: event.user.id },
        ...difference(ofUser(event.before), ofUser(event.user)),
        outcome: done,
      };
    case 'membership.granted': {
      const { organizationId, id } = event.membership;
      const target = { kind: 'member', id };
      return {
        organizationId,
        action: event.type,
        target,
        before: null,
        after: ofMembership(event.membership),
        outcome: done,
      };
    }
    case 'membership.role_changed':
    case 'membership.manager_changed':
    case 'membership.revoked': {
      const { organizationId, id, userId } = event.membership;
      const change = difference(ofMembership(event.before), ofMembership(event.membership));
      const because = event.type === 'membership.revoked' ? { because: event.because } : {};
      return {
        organizationId,
        action: event.type,
        target: { kind: 'member', id },
        before: change.before,
        after: { user: userId, ...change.after, ...because },
        outcome: done,
      };
    }
    case 'invitation.sent':
    case 'invitation.expired': {
      const { organizationId, id } = event.invitation;
      const target = { kind: 'invitation', id };
      return {
        organizationId,
        action: event.type,
        target,
        before: null,
        after: ofInvitation(event.invitation),
        outcome: done,
      };
    }
    case 'invitation.resent':
    case 'invitation.accepted':
    case 'invitation.revoked': {
      const { organizationId, id, email } = event.invitation;
      const change = difference(ofInvitation(event.before), ofInvitation(event.invitation));
      const because = event.type === 'invitation.revoked' ? { because: event.because } : {};
      return {
        organizationId,
        action: event.type,
        target: { kind: 'invitation', id },
        before: change.before,
        after: { email, ...change.after, ...because },
        outcome: done,
      };
    }
    case 'session.started':
    case 'session.ended': {
      const { organizationId, id } = event.session;
      const after =
        event.type === 'session.started'
          ? ofSession(event.session)
          : { user: event.session.userId, because: event.because };
      return {
        organizationId,
        action: event.type,
        target: { kind: 'session', id },
        before: null,
        after,
        outcome: done,
      };
    }
    case 'session.switched': {
      const { organizationId, id } = event.session;
      const change = difference(ofSession(event.before), ofSession(event.session));
      return { organizationId, action: event.type, target: { kind: 'session', id }, ...change, outcome: done };
    }
    case 'agent.created': {
      const { organizationId, id } = event.agent;
      const target = { kind: 'agent', id };
      return { organizationId, action: event.type, target, before: null, after: ofAgent(event.agent), outcome: done };
    }
    case 'api_key.issued':
    case 'api_key.expired':
    case 'api_key.revoked': {
      const { organizationId, id } = event.key;
      const target = { kind: 'api_key', id };
      return { organizationId, action: event.type, target, before: null, after: ofKey(event.key), outcome: done };
    }
    case 'directory.connected':
    case 'directory.disconnected': {
      const { organizationId, id, name, type } = event.directory;
      const target = { kind: 'directory', id };
      return { organizationId, action: event.type, target, before: null, after: { name, type }, outcome: done };
    }
    case 'directory_user.provisioned':
    case 'directory_user.updated':
    case 'directory_user.deprovisioned': {
      const { organizationId, id } = event.person;
      const after = ofPerson(event.person);
      const change = event.before ? difference(ofPerson(event.before), after) : { before: null, after };
      return { organizationId, action: event.type, target: { kind: 'directory_user', id }, ...change, outcome: done };
    }
    case 'directory_group.created':
    case 'directory_group.renamed':
    case 'directory_group.deleted': {
      const { organizationId, id } = event.group;
      const target = { kind: 'directory_group', id };
      return {
        organizationId,
        action: event.type,
        target,
        before: event.before && ofGroup(event.before),
        after: ofGroup(event.group),
        outcome: done,
      };
    }
    case 'directory_group.member_added':
    case 'directory_group.member_removed': {
      const { organizationId, groupId, directoryUserId } = event.link;
      const target = { kind: 'directory_group', id: groupId };
      return {
        organizationId,
        action: event.type,
        target,
        before: null,
        after: { directory_user: directoryUserId },
        outcome: done,
      };
    }
    case 'connection.changed': {
      const { organizationId, id, name, type, state } = event.connection;
      const before = event.before && { name: event.before.name, type: event.before.type, state: event.before.state };
      const target = { kind: 'connection', id };
      return { organizationId, action: event.type, target, before, after: { name, type, state }, outcome: done };
    }
    case 'connection.certificate_expiring':
    case 'connection.certificate_renewed': {
      const { kind, expiresAt } = event.certificate;
      const { organizationId, id, name } = event.connection;
      const target = { kind: 'connection', id };
      const after = { name, certificate: kind, expires_at: expiresAt?.toISOString() ?? null };
      return { organizationId, action: event.type, target, before: null, after, outcome: done };
    }
    case 'connection.tested': {
      const { outcome, error, email, missing } = event.test;
      const { organizationId, id, name } = event.connection;
      const target = { kind: 'connection', id };
      const after = { name, result: outcome, error, email, missing };
      return { organizationId, action: event.type, target, before: null, after, outcome: done };
    }
    case 'connection.created':
    case 'connection.removed': {
      const { organizationId, id, name, type } = event.connection;
      const target = { kind: 'connection', id };
      const facts = { name, type };
      const change =
        event.type === 'connection.created'
          ? { before: null, after: facts }
          : { before: facts, after: { removed: true } };
      return { organizationId, action: event.type, target, ...change, outcome: done };
    }
    case 'setup_link.issued': {
      const { organizationId, intent } = event;
      const target = { kind: 'organization', id: organizationId };
      return { organizationId, action: event.type, target, before: null, after: { intent }, outcome: done };
    }
    case 'directory.reconciliation_begun': {
      const { organizationId, reconciliation: id, plan } = event;
      const after: Facts = {
        changes: Object.entries(plan.changes).map(([change, count]) => `${change}: ${count}`),
        removes_most: plan.removesMost,
      };
      return {
        organizationId,
        action: event.type,
        target: { kind: 'reconciliation', id },
        before: null,
        after,
        outcome: done,
      };
    }
    case 'role_mappings.replaced': {
      const lines = (mappings: typeof event.after): Facts => ({
        mappings: mappings.map(({ groupId, role }) => `${groupId} → ${role}`),
      });
      const { organizationId } = event;
      const target = { kind: 'organization', id: organizationId };
      return {
        organizationId,
        action: event.type,
        target,
        before: lines(event.before),
        after: lines(event.after),
        outcome: done,
      };
    }
    case 'sign_in.refused': {
      const { organizationId, email, reason } = event;
      const target = { kind: 'user', id: null };
      return { organizationId, action: event.type, target, before: null, after: { email, reason }, outcome: 'refused' };
    }
    case 'provider_event.replayed': {
      const { id, externalId, name, status, attempts } = event.event;
      return {
        organizationId: event.organizationId,
        action: event.type,
        target: { kind: 'provider_event', id },
        before: { status, attempts },
        after: { provider_event: externalId, name, status: 'stored' },
        outcome: done,
      };
    }
    case 'act.refused': {
      const { organizationId, attempt, reason } = event;
      const target = { kind: 'route', id: attempt };
      return { organizationId, action: event.type, target, before: null, after: { reason }, outcome: 'refused' };
    }
    default:
      return event satisfies never;
  }
};
