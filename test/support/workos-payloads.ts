// Words for building what WorkOS sends: records and events in its wire format, and deliveries signed by its own SDK.

import { WorkOS } from '@workos-inc/node';
import type { Delivery } from '#application/ports/identity-provider.ts';

export type Wire = Readonly<Record<string, unknown>>;

const { webhooks } = new WorkOS({ clientId: 'only_signs_in_tests' });

const day = '2026-11-20T09:00:00.000Z';
const times = { created_at: day, updated_at: day };

export const directory = (facts: Wire = {}): Wire => ({
  object: 'directory',
  id: 'directory_01',
  organization_id: 'org_01',
  type: 'okta scim v2.0',
  state: 'active',
  name: 'Acme Okta',
  external_key: 'k3y',
  domains: [{ object: 'organization_domain', id: 'org_domain_01', domain: 'acme.example' }],
  ...times,
  ...facts,
});

export const directoryUser = (facts: Wire = {}): Wire => ({
  object: 'directory_user',
  id: 'directory_user_01',
  directory_id: 'directory_01',
  organization_id: 'org_01',
  idp_id: '00u1',
  email: 'ada@acme.example',
  first_name: 'Ada',
  last_name: 'Lovelace',
  emails: [{ primary: true, type: 'work', value: 'ada@acme.example' }],
  username: 'ada@acme.example',
  job_title: 'Analyst',
  state: 'active',
  raw_attributes: { userType: 'employee' },
  custom_attributes: { department: 'Engines' },
  role: { slug: 'member' },
  roles: [{ slug: 'member' }],
  ...times,
  ...facts,
});

export const directoryGroup = (facts: Wire = {}): Wire => ({
  object: 'directory_group',
  id: 'directory_group_01',
  idp_id: 'Analysts',
  directory_id: 'directory_01',
  organization_id: 'org_01',
  name: 'Analysts',
  raw_attributes: {},
  ...times,
  ...facts,
});

export const groupMember = (facts: { user?: Wire; group?: Wire } = {}): Wire => ({
  directory_id: 'directory_01',
  user: directoryUser(facts.user),
  group: directoryGroup(facts.group),
});

export const user = (facts: Wire = {}): Wire => ({
  object: 'user',
  id: 'user_01',
  email: 'ada@acme.example',
  email_verified: true,
  first_name: 'Ada',
  last_name: 'Lovelace',
  profile_picture_url: null,
  external_id: null,
  metadata: {},
  last_sign_in_at: null,
  locale: null,
  ...times,
  ...facts,
});

export const organizationDomain = (facts: Wire = {}): Wire => ({
  object: 'organization_domain',
  id: 'org_domain_01',
  organization_id: 'org_01',
  domain: 'acme.example',
  state: 'verified',
  verification_prefix: 'workos-domain-verification',
  verification_token: 't0ken',
  verification_strategy: 'dns',
  ...times,
  ...facts,
});

export const organization = (facts: Wire = {}): Wire => ({
  object: 'organization',
  id: 'org_01',
  name: 'Acme',
  domains: [organizationDomain()],
  metadata: {},
  external_id: 'org_00000000000000000000000001',
  ...times,
  ...facts,
});

export const organizationMembership = (facts: Wire = {}): Wire => ({
  object: 'organization_membership',
  id: 'om_01',
  user_id: 'user_01',
  organization_id: 'org_01',
  status: 'active',
  role: { slug: 'admin' },
  roles: [{ slug: 'admin' }],
  custom_attributes: {},
  directory_managed: false,
  ...times,
  ...facts,
});

export const invitation = (facts: Wire = {}): Wire => ({
  object: 'invitation',
  id: 'invitation_01',
  email: 'nina@elsewhere.test',
  state: 'pending',
  accepted_at: null,
  revoked_at: null,
  expires_at: '2026-03-09T09:00:00.000Z',
  organization_id: 'org_01',
  inviter_user_id: 'user_01',
  accepted_user_id: null,
  role_slug: 'member',
  ...times,
  ...facts,
});

export const session = (facts: Wire = {}): Wire => ({
  object: 'session',
  id: 'session_01',
  user_id: 'user_01',
  organization_id: 'org_01',
  ip_address: '192.0.2.7',
  user_agent: 'Mozilla/5.0',
  auth_method: 'sso',
  status: 'revoked',
  expires_at: '2026-11-21T09:00:00.000Z',
  ended_at: day,
  ...times,
  ...facts,
});

/** These two events quote the connection by its ids only, and WorkOS' SDK passes them on as they came. */
export const certificateNews = (facts: Wire = {}): Wire => ({
  connection: { id: 'conn_01', organization_id: 'org_01' },
  certificate: {
    certificate_type: 'ResponseSigning',
    expiry_date: '2026-12-31T00:00:00.000Z',
    is_expired: false,
  },
  ...facts,
});

export const connection = (facts: Wire = {}): Wire => ({
  object: 'connection',
  id: 'conn_01',
  organization_id: 'org_01',
  name: 'Acme SAML',
  connection_type: 'OktaSAML',
  state: 'active',
  status: 'linked',
  external_key: 'k3y',
  domains: [],
  ...times,
  ...facts,
});

/** The record without these fields, as older environments, the emulator or a sloppy sender leave them out. */
export const without = (record: Wire, ...fields: readonly string[]): Wire =>
  Object.fromEntries(Object.entries(record).filter(([field]) => !fields.includes(field)));

let made = 0;

/** An event as it is delivered. Its id is new each time unless given. */
export const event = (
  name: string,
  data: unknown,
  { at = new Date('2026-11-20T10:00:00.000Z'), ...rest }: { at?: Date; id?: string; context?: Wire } = {},
): Wire => {
  made += 1;
  return { object: 'event', id: `event_${made}`, event: name, data, created_at: at.toISOString(), ...rest };
};

export const bytes = (content: unknown): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(typeof content === 'string' ? content : JSON.stringify(content));

/** Signed as WorkOS signs, by its SDK, so that no test has to trust a signer of ours. */
export const signed = async (
  content: unknown,
  secret: string,
  at: Date,
): Promise<Delivery & { readonly signature: string }> => {
  const body = content instanceof Uint8Array ? new Uint8Array(content) : bytes(content);
  const timestamp = String(at.getTime());
  return { body, signature: `t=${timestamp}, v1=${await webhooks.computeSignature(timestamp, body, secret)}` };
};

/** One example of every event that has consequences for us. */
export const consequential = (): readonly Wire[] => [
  event('dsync.activated', directory()),
  event('dsync.deleted', without(directory(), 'external_key', 'domains')),
  event('dsync.user.created', directoryUser()),
  event('dsync.user.updated', { ...directoryUser({ state: 'inactive' }), previous_attributes: { state: 'active' } }),
  event('dsync.user.deleted', directoryUser()),
  event('dsync.group.created', directoryGroup()),
  event('dsync.group.updated', { ...directoryGroup({ name: 'Counters' }), previous_attributes: { name: 'Analysts' } }),
  event('dsync.group.deleted', directoryGroup()),
  event('dsync.group.user_added', groupMember()),
  event('dsync.group.user_removed', groupMember()),
  event('user.created', user()),
  event('user.updated', user(), { context: { previous_attributes: { first_name: null } } }),
  event('user.deleted', user()),
  event('organization.created', organization()),
  event('organization.updated', organization()),
  event('organization.deleted', organization()),
  event('organization_domain.created', organizationDomain({ state: 'pending' })),
  event('organization_domain.updated', organizationDomain()),
  event('organization_domain.verified', organizationDomain()),
  event('organization_domain.verification_failed', {
    reason: 'domain_verification_period_expired',
    organization_domain: organizationDomain({ state: 'failed' }),
  }),
  event('organization_domain.deleted', organizationDomain()),
  event('organization_membership.created', organizationMembership()),
  event('organization_membership.updated', organizationMembership()),
  event('organization_membership.deleted', organizationMembership()),
  event('invitation.created', invitation()),
  event('invitation.resent', invitation()),
  event('invitation.accepted', invitation({ state: 'accepted', accepted_user_id: 'user_02' })),
  event('invitation.revoked', invitation({ state: 'revoked' })),
  event('session.revoked', session()),
  event('connection.activated', connection()),
  event('connection.deactivated', connection({ state: 'inactive', status: 'unlinked' })),
  event('connection.deleted', without(connection(), 'external_key', 'status', 'domains')),
  event('connection.saml_certificate_renewal_required', certificateNews({ days_until_expiry: 30 })),
  event('connection.saml_certificate_renewed', certificateNews()),
];

const named = (prefix: string, ...ends: readonly string[]): string[] => ends.map((end) => `${prefix}${end}`);

/** Every event name of WorkOS' OpenAPI document 0.61.0. */
export const everyName: readonly string[] = [
  ...named('action.', 'authentication.denied', 'user_registration.denied'),
  ...named('agent.registration.', 'created', 'claim.attempt.created', 'claim.completed', 'credential.issued'),
  ...named('agent.registration.', 'organization.switched', 'refreshed', 'expired', 'revoked', 'deleted'),
  ...named('api_key.', 'created', 'updated', 'revoked'),
  ...['email_verification', 'magic_auth', 'mfa', 'oauth', 'passkey', 'password', 'sso'].flatMap((means) =>
    named(`authentication.${means}_`, 'succeeded', 'failed'),
  ),
  ...named('authentication.', 'radar_risk_detected', 'reauthentication_succeeded', 'sso_started', 'sso_timed_out'),
  ...named('connection.', 'activated', 'deactivated', 'deleted'),
  ...named('connection.saml_certificate_', 'renewal_required', 'renewed'),
  ...named('dsync.', 'activated', 'deleted'),
  ...named('dsync.user.', 'created', 'updated', 'deleted'),
  ...named('dsync.group.', 'created', 'updated', 'deleted', 'user_added', 'user_removed'),
  ...named('dsync.token.', 'created', 'revoked'),
  ...named('user.', 'created', 'updated', 'deleted'),
  'email_verification.created',
  'magic_auth.created',
  ...named('password_reset.', 'created', 'succeeded'),
  ...named('invitation.', 'created', 'accepted', 'resent', 'revoked'),
  ...named('session.', 'created', 'revoked'),
  ...named('waitlist_user.', 'created', 'approved', 'denied'),
  ...named('organization.', 'created', 'updated', 'deleted'),
  ...named('organization_domain.', 'created', 'updated', 'verified', 'verification_failed', 'deleted'),
  ...named('organization_membership.', 'created', 'updated', 'deleted'),
  ...named('organization_role.', 'created', 'updated', 'deleted'),
  ...named('role.', 'created', 'updated', 'deleted'),
  ...named('permission.', 'created', 'updated', 'deleted'),
  ...named('group.', 'created', 'updated', 'deleted', 'member_added', 'member_removed'),
  ...named('flag.', 'created', 'updated', 'deleted', 'rule_updated'),
  ...named('pipes.connected_account.', 'connected', 'connection_failed', 'disconnected', 'reauthorization_needed'),
  'radar.challenge_created',
  ...named('vault.byok_key.', 'deleted', 'verification_completed'),
  ...named('vault.data.', 'created', 'deleted', 'read', 'updated'),
  ...named('vault.dek.', 'decrypted', 'read'),
  ...named('vault.kek.', 'created', 'deleted'),
  ...named('vault.', 'metadata.read', 'names.listed'),
];
