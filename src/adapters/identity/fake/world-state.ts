// Everything the fake provider knows, as one plain record that fits into a JSON file.

import { z } from 'zod';

/** A moment as ISO 8601 text, always UTC with milliseconds, so that text order is time order. */
const moment = z.iso.datetime();

const person = z.object({
  subject: z.string(),
  email: z.string(),
  emailVerified: z.boolean(),
  name: z.string().nullable(),
  /** Whether this person may sign in with a password where the organization allows it. */
  password: z.boolean(),
  /** Barred everywhere, by the provider's own hand; leaving one organization's directory is not this. */
  terminated: z.boolean(),
  /** Where the person went last; the first choice when nobody names an organization. */
  lastOrganization: z.string().nullable(),
  lastSignInAt: moment.nullable(),
  createdAt: moment,
  updatedAt: moment,
});

const domain = z.object({
  id: z.string(),
  name: z.string(),
  state: z.enum(['pending', 'verified', 'failed']),
  createdAt: moment,
  updatedAt: moment,
});

const connection = z.object({
  id: z.string(),
  name: z.string(),
  type: z.string(),
  state: z.enum(['active', 'inactive']),
  /** Until when the one certificate is good; null in worlds from before there were any. */
  certificateUntil: moment.nullable().default(null),
  createdAt: moment,
  updatedAt: moment,
});

const organization = z.object({
  ref: z.string(),
  /** Our own organization id, kept for us. */
  externalId: z.string().nullable(),
  name: z.string(),
  domains: z.array(domain),
  /** An active connection is single sign-on switched on; the organization then takes nothing else. */
  connection: connection.nullable(),
  createdAt: moment,
  updatedAt: moment,
});

/** The provider's own list of who belongs where. It decides which organizations a session may be moved to. */
const membership = z.object({
  id: z.string(),
  subject: z.string(),
  organization: z.string(),
  role: z.string(),
  createdAt: moment,
  updatedAt: moment,
});

/** A mail that asks somebody into an organization. That its time ran out shows by the clock only. */
const invitation = z.object({
  id: z.string(),
  organization: z.string(),
  email: z.string(),
  inviter: z.string().nullable(),
  /** What the link in the mail carries. */
  token: z.string(),
  state: z.enum(['pending', 'accepted', 'revoked']),
  expiresAt: moment,
  acceptedAt: moment.nullable(),
  acceptedBy: z.string().nullable(),
  revokedAt: moment.nullable(),
  createdAt: moment,
  updatedAt: moment,
});

const method = z.enum(['sso', 'password']);

const impersonator = z.object({ email: z.string(), reason: z.string().nullable() });

const session = z.object({
  id: z.string(),
  subject: z.string(),
  organization: z.string().nullable(),
  method,
  /** The organization whose single sign-on was passed, if it was. */
  provenBy: z.string().nullable(),
  authenticatedAt: moment,
  expiresAt: moment,
  endedAt: moment.nullable(),
  /** The one refresh token that is good now. */
  refreshToken: z.string(),
  /** What the access token of the same pair says; signing it again gives the same text, since RS256 is deterministic. */
  issued: z.object({ jti: z.string(), at: moment }),
  /** The refresh token before this one: repeated within the grace it earns the same pair. */
  replaced: z.object({ token: z.string(), at: moment }).nullable(),
  ip: z.string().nullable(),
  userAgent: z.string().nullable(),
  impersonator: impersonator.nullable(),
  createdAt: moment,
  updatedAt: moment,
});

const code = z.object({
  code: z.string(),
  subject: z.string(),
  organization: z.string().nullable(),
  method,
  provenBy: z.string().nullable(),
  /** PKCE, S256 (RFC 7636). */
  codeChallenge: z.string(),
  issuedAt: moment,
  impersonator: impersonator.nullable(),
});

const directoryUser = z.object({
  id: z.string(),
  /** The customer's own id for the person; the same after a deletion and a re-creation. */
  idpId: z.string(),
  email: z.string(),
  name: z.string(),
  /** `deleted` stays on record: it is what keeps a leaver from signing in. */
  state: z.enum(['active', 'inactive', 'deleted']),
  /** The person who signs in as this directory user, once there is one. */
  subject: z.string().nullable(),
  createdAt: moment,
  updatedAt: moment,
});

const directoryGroup = z.object({
  id: z.string(),
  idpId: z.string(),
  name: z.string(),
  members: z.array(z.string()),
  createdAt: moment,
  updatedAt: moment,
});

const directory = z.object({
  id: z.string(),
  organization: z.string(),
  name: z.string(),
  /** The provider's word for the kind, such as `okta scim v2.0`. */
  type: z.string(),
  /** What is said of somebody who becomes inactive: `kept` says updated, `deleted` ("secure flow") says deleted. */
  inactiveUsers: z.enum(['kept', 'deleted']),
  users: z.array(directoryUser),
  groups: z.array(directoryGroup),
  createdAt: moment,
  updatedAt: moment,
});

/** One event, exactly as it is signed and sent, and what became of its delivery. */
const said = z.object({
  event: z.looseObject({ id: z.string(), event: z.string(), created_at: moment }),
  fate: z.enum(['waiting', 'delivered', 'delivered_twice', 'held', 'lost', 'failed', 'nobody_listens']),
  /** How it is to be delivered; needed again when a held one is let go after a restart. */
  heldUntil: moment.nullable(),
  heldForNext: z.boolean(),
});

export const manners = ['none', 'twice', 'out_of_order', 'late', 'lost', 'forged'] as const;

export const outageModes = ['none', 'down', 'slow', '429'] as const;

export const worldState = z.object({
  version: z.literal(1),
  people: z.array(person),
  organizations: z.array(organization),
  memberships: z.array(membership),
  /** None in worlds from before there were any. */
  invitations: z.array(invitation).default([]),
  sessions: z.array(session),
  codes: z.array(code),
  directories: z.array(directory),
  /** Oldest first; also those that were never delivered. */
  log: z.array(said),
  manner: z.object({ kind: z.enum(manners), lateSeconds: z.number() }),
  outage: z.object({ mode: z.enum(outageModes), until: moment }),
  lastUlid: z.string(),
  signingKey: z.record(z.string(), z.unknown()),
  webhookSecret: z.string(),
});

export type WorldState = z.infer<typeof worldState>;
export type Person = z.infer<typeof person>;
export type FakeDomain = z.infer<typeof domain>;
export type FakeConnection = z.infer<typeof connection>;
export type FakeOrganization = z.infer<typeof organization>;
export type FakeMembership = z.infer<typeof membership>;
export type FakeInvitation = z.infer<typeof invitation>;
export type FakeSession = z.infer<typeof session>;
export type SignInCode = z.infer<typeof code>;
export type FakeDirectory = z.infer<typeof directory>;
export type FakeDirectoryUser = z.infer<typeof directoryUser>;
export type FakeDirectoryGroup = z.infer<typeof directoryGroup>;
export type LoggedEvent = z.infer<typeof said>;
export type Fate = LoggedEvent['fate'];
export type Manner = (typeof manners)[number];
export type OutageMode = (typeof outageModes)[number];
export type FakeMethod = z.infer<typeof method>;
