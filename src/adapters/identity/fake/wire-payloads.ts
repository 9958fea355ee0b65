// What the fake says, in the provider's wire shapes: snake_case records as WorkOS documents them (https://workos.com/docs/events).

import type {
  FakeConnection,
  FakeDirectory,
  FakeDirectoryGroup,
  FakeDirectoryUser,
  FakeDomain,
  FakeInvitation,
  FakeMembership,
  FakeOrganization,
  FakeSession,
  Person,
} from '#adapters/identity/fake/world-state.ts';

export type WireRecord = Readonly<Record<string, unknown>>;

const nameParts = (name: string | null): { first_name: string | null; last_name: string | null } => {
  const [first, ...rest] = (name ?? '').split(' ').filter((part) => part !== '');
  return { first_name: first ?? null, last_name: rest.join(' ') || null };
};

const times = (record: { createdAt: string; updatedAt: string }) => ({
  created_at: record.createdAt,
  updated_at: record.updatedAt,
});

export const userOnWire = (person: Person): WireRecord => ({
  object: 'user',
  id: person.subject,
  email: person.email,
  email_verified: person.emailVerified,
  name: person.name,
  ...nameParts(person.name),
  profile_picture_url: null,
  external_id: null,
  metadata: {},
  last_sign_in_at: person.lastSignInAt,
  locale: null,
  ...times(person),
});

export const domainOnWire = (organization: FakeOrganization, domain: FakeDomain): WireRecord => ({
  object: 'organization_domain',
  id: domain.id,
  organization_id: organization.ref,
  domain: domain.name,
  state: domain.state,
  verification_strategy: 'manual',
  ...times(domain),
});

export const organizationOnWire = (organization: FakeOrganization): WireRecord => ({
  object: 'organization',
  id: organization.ref,
  name: organization.name,
  external_id: organization.externalId,
  metadata: {},
  stripe_customer_id: null,
  domains: organization.domains.map((domain) => domainOnWire(organization, domain)),
  ...times(organization),
});

export const connectionOnWire = (organization: FakeOrganization, connection: FakeConnection): WireRecord => ({
  object: 'connection',
  id: connection.id,
  organization_id: organization.ref,
  name: connection.name,
  connection_type: connection.type,
  state: connection.state,
  status: connection.state === 'active' ? 'linked' : 'unlinked',
  external_key: connection.id.slice('conn_'.length).toLowerCase(),
  domains: organization.domains.map(({ id, name }) => ({ object: 'connection_domain', id, domain: name })),
  ...times(connection),
});

/** The deletion of a connection says less than its activation. */
export const deletedConnectionOnWire = (organization: FakeOrganization, connection: FakeConnection): WireRecord => {
  const { external_key: _, status: __, domains: ___, ...rest } = connectionOnWire(organization, connection);
  return rest;
};

/** A warning says in how many days; a renewal does not. */
export const certificateOnWire = (
  organization: FakeOrganization,
  connection: FakeConnection,
  days: number | undefined,
): WireRecord => ({
  connection: { id: connection.id, organization_id: organization.ref },
  certificate: {
    certificate_type: 'ResponseSigning',
    expiry_date: connection.certificateUntil,
    is_expired: days !== undefined && days <= 0,
  },
  ...(days !== undefined && { days_until_expiry: days }),
});

export const membershipOnWire = (membership: FakeMembership): WireRecord => ({
  object: 'organization_membership',
  id: membership.id,
  user_id: membership.subject,
  organization_id: membership.organization,
  status: 'active',
  role: { slug: membership.role },
  roles: [{ slug: membership.role }],
  custom_attributes: {},
  directory_managed: false,
  ...times(membership),
});

/** An event tells neither the token nor the link. */
export const invitationOnWire = (invitation: FakeInvitation, state: FakeInvitation['state']): WireRecord => ({
  object: 'invitation',
  id: invitation.id,
  email: invitation.email,
  state,
  accepted_at: invitation.acceptedAt,
  revoked_at: invitation.revokedAt,
  expires_at: invitation.expiresAt,
  organization_id: invitation.organization,
  inviter_user_id: invitation.inviter,
  accepted_user_id: invitation.acceptedBy,
  role_slug: 'member',
  ...times(invitation),
});

export const sessionOnWire = (session: FakeSession): WireRecord => ({
  object: 'session',
  id: session.id,
  user_id: session.subject,
  organization_id: session.organization,
  ip_address: session.ip,
  user_agent: session.userAgent,
  auth_method: session.impersonator ? 'impersonation' : session.method,
  status: session.endedAt ? 'revoked' : 'active',
  expires_at: session.expiresAt,
  ended_at: session.endedAt,
  ...(session.impersonator && { impersonator: session.impersonator }),
  ...times(session),
});

export const directoryUserOnWire = (directory: FakeDirectory, user: FakeDirectoryUser): WireRecord => ({
  object: 'directory_user',
  id: user.id,
  directory_id: directory.id,
  organization_id: directory.organization,
  idp_id: user.idpId,
  email: user.email,
  emails: [{ primary: true, type: 'work', value: user.email }],
  username: user.email,
  name: user.name,
  ...nameParts(user.name),
  job_title: null,
  // A deletion is said by the event's name; the record keeps the state that it had.
  state: user.state === 'deleted' ? 'active' : user.state,
  custom_attributes: {},
  raw_attributes: {},
  ...times(user),
});

export const directoryGroupOnWire = (directory: FakeDirectory, group: FakeDirectoryGroup): WireRecord => ({
  object: 'directory_group',
  id: group.id,
  idp_id: group.idpId,
  directory_id: directory.id,
  organization_id: directory.organization,
  name: group.name,
  raw_attributes: {},
  ...times(group),
});

/** The deletion of a directory says less than its activation: neither key nor domains. */
export const directoryOnWire = (directory: FakeDirectory): WireRecord => ({
  object: 'directory',
  id: directory.id,
  organization_id: directory.organization,
  name: directory.name,
  type: directory.type,
  state: 'active',
  ...times(directory),
});

export const activatedDirectoryOnWire = (directory: FakeDirectory, domains: readonly FakeDomain[]): WireRecord => ({
  ...directoryOnWire(directory),
  external_key: directory.id.slice('directory_'.length).toLowerCase(),
  domains: domains.map(({ id, name }) => ({ object: 'organization_domain', id, domain: name })),
});

/** The root properties that differ, with their old values; what changes with every change is left out. */
export const previousAttributes = (before: WireRecord, after: WireRecord): WireRecord =>
  Object.fromEntries(
    Object.entries(before).filter(
      ([field, value]) => field !== 'updated_at' && JSON.stringify(value) !== JSON.stringify(after[field]),
    ),
  );
