// How our things look on the wire: one shape each, and how it is filled. What is not named here does not leave.

import { z } from 'zod';
import type { Member as MemberRecord, Page } from '#application/ports/read-models.ts';
import type { AgentState } from '#domain/access/agent.ts';
import type { ApiKeyState } from '#domain/access/api-key.ts';
import { scopes } from '#domain/access/scope.ts';
import type { AuditEntry as AuditRecord } from '#domain/audit/audit-entry.ts';
import { roles } from '#domain/memberships/role.ts';
import type { OrganizationState } from '#domain/organizations/organization.ts';
import { expiryOf, type SessionState } from '#domain/sessions/session.ts';
import { idShape } from './inputs.ts';

const time = z.iso.datetime().meta({ examples: ['2026-01-31T15:00:00.000Z'] });
const iso = (moment: Date): string => moment.toISOString();
const isoOrNull = (moment: Date | null): string | null => moment?.toISOString() ?? null;

export const scopeShape = z
  .enum(scopes)
  .meta({ id: 'Scope', description: 'One permission, for people and agents alike.' });
export const roleShape = z.enum(roles).meta({ id: 'Role', description: 'A fixed set of scopes.' });

export const listShape = <Item extends z.ZodType>(item: Item) =>
  z.object({
    data: z.array(item),
    pagination: z.object({
      cursor: z.string().nullable().meta({ description: 'Send it as `cursor` for the next page.' }),
      has_more: z.boolean(),
    }),
  });

export const listed = <Item, Shown>(page: Page<Item>, show: (item: Item) => Shown) => ({
  data: page.items.map(show),
  pagination: { cursor: page.next, has_more: page.next !== null },
});

/** A list that is always whole. */
export const whole = <Item, Shown>(items: readonly Item[], show: (item: Item) => Shown) =>
  listed({ items, next: null }, show);

export const organizationShape = z
  .object({
    id: idShape('org'),
    name: z.string(),
    slug: z.string(),
    status: z.enum(['active', 'suspended', 'deleted']),
    domains: z.array(z.object({ name: z.string(), state: z.enum(['pending', 'verified', 'failed']) })),
    ownerless: z.boolean().meta({ description: 'The directory removed the owner and no admin could take over.' }),
    created_at: time,
  })
  .meta({ id: 'Organization' });

export const organization = (state: OrganizationState) => ({
  id: state.id,
  name: state.name,
  slug: state.slug,
  status: state.status,
  domains: state.domains.map((claim) => ({ name: claim.name, state: claim.state })),
  ownerless: state.ownerless,
  created_at: iso(state.createdAt),
});

export const memberShape = z
  .object({
    id: idShape('mem'),
    user_id: idShape('user'),
    email: z.string(),
    name: z.string().nullable(),
    role: roleShape,
    status: z.enum(['active', 'revoked']),
    managed_by: z.enum(['hand', 'directory', 'provider']).meta({ description: 'Who decides about this membership.' }),
    created_at: time,
  })
  .meta({ id: 'Member' });

export const member = ({ membership, user }: MemberRecord) => ({
  id: membership.id,
  user_id: user.id,
  email: user.email,
  name: user.name,
  role: membership.role,
  status: membership.status,
  managed_by: membership.managedBy,
  created_at: iso(membership.createdAt),
});

export const sessionShape = z
  .object({
    id: idShape('sess'),
    user_id: idShape('user'),
    organization_id: idShape('org').nullable(),
    method: z.enum(['sso', 'password', 'other']).meta({ description: 'How the person proved who they are.' }),
    remembered: z.boolean(),
    impersonator: z
      .object({ email: z.string(), reason: z.string().nullable() })
      .optional()
      .meta({ description: 'Whoever acts in this name, if somebody does.' }),
    ip: z.string().nullable(),
    user_agent: z.string().nullable(),
    started_at: time,
    last_seen_at: time,
    expires_at: time.meta({ description: 'When it ends by itself if it is not used again.' }),
    current: z.boolean().optional().meta({ description: 'Whether this very request came with it.' }),
    user: z.object({ id: idShape('user'), email: z.string(), name: z.string().nullable() }).optional(),
  })
  .meta({ id: 'Session' });

export const session = (state: SessionState) => ({
  id: state.id,
  user_id: state.userId,
  organization_id: state.organizationId,
  method: state.method,
  remembered: state.remembered,
  ...(state.impersonator && { impersonator: state.impersonator }),
  ip: state.ip,
  user_agent: state.userAgent,
  started_at: iso(state.startedAt),
  last_seen_at: iso(state.lastSeenAt),
  expires_at: iso(expiryOf(state)),
});

export const agentShape = z
  .object({
    id: idShape('agent'),
    name: z.string(),
    description: z.string().nullable(),
    status: z.enum(['active', 'suspended', 'deleted']),
    responsible_user_id: idShape('user').nullable().meta({ description: 'The member who answers for it.' }),
    created_at: time,
  })
  .meta({ id: 'Agent' });

export const agent = (state: AgentState) => ({
  id: state.id,
  name: state.name,
  description: state.description,
  status: state.status,
  responsible_user_id: state.responsible,
  created_at: iso(state.createdAt),
});

const apiKeyFields = z.object({
  id: idShape('key'),
  agent_id: idShape('agent'),
  name: z.string(),
  prefix: z.string().meta({ description: 'The first 12 characters.' }),
  last_four: z.string(),
  mode: z.enum(['live', 'test']),
  scopes: z.array(scopeShape),
  status: z.enum(['active', 'revoked', 'expired']),
  ip_allowlist: z.array(z.string()).meta({ description: 'CIDR blocks; empty: from anywhere.' }),
  expires_at: time.nullable(),
  last_used_at: time.nullable(),
  created_by: z.object({ kind: z.enum(['user', 'agent']), id: z.string() }),
  created_at: time,
});
export const apiKeyShape = apiKeyFields.meta({ id: 'ApiKey' });
export const issuedApiKeyShape = apiKeyFields
  .extend({ secret: z.string().meta({ description: 'In this answer and nowhere else.' }) })
  .meta({ id: 'IssuedApiKey' });

export const apiKey = (state: ApiKeyState) => ({
  id: state.id,
  agent_id: state.agentId,
  name: state.name,
  prefix: state.prefix,
  last_four: state.lastFour,
  mode: state.mode,
  scopes: [...state.scopes],
  status: state.status,
  ip_allowlist: [...state.ipAllowlist],
  expires_at: isoOrNull(state.expiresAt),
  last_used_at: isoOrNull(state.lastUsedAt),
  created_by: { kind: state.createdBy.kind, id: state.createdBy.id },
  created_at: iso(state.createdAt),
});

const factsShape = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())]))
  .nullable();

export const auditEntryShape = z
  .object({
    id: idShape('aud'),
    sequence: z.int().min(1).meta({ description: 'Position in the chain: 1, 2, 3 … without a gap.' }),
    at: time,
    actor: z.object({
      kind: z.enum(['user', 'agent', 'directory', 'provider', 'system', 'anonymous']),
      id: z.string().nullable(),
      impersonator: z.string().optional().meta({ description: 'E-mail of whoever acts in this name.' }),
    }),
    action: z.string(),
    target: z.object({ kind: z.string(), id: z.string().nullable() }),
    source: z.object({
      via: z.enum(['http', 'webhook', 'job', 'cli']),
      ip: z.string().nullable(),
      user_agent: z.string().nullable(),
      request_id: z.string().nullable(),
    }),
    before: factsShape,
    after: factsShape,
    outcome: z.enum(['done', 'refused']),
    hash: z.string(),
    previous_hash: z.string(),
  })
  .meta({ id: 'AuditEntry' });

export const auditEntry = (entry: AuditRecord): z.input<typeof auditEntryShape> => ({
  id: entry.id,
  sequence: entry.sequence,
  at: iso(entry.at),
  actor: entry.actor,
  action: entry.action,
  target: { kind: entry.target.kind, id: entry.target.id },
  source: {
    via: entry.source.via,
    ip: entry.source.ip,
    user_agent: entry.source.userAgent,
    request_id: entry.source.requestId,
  },
  before: entry.before as z.input<typeof factsShape>,
  after: entry.after as z.input<typeof factsShape>,
  outcome: entry.outcome,
  hash: entry.hash,
  previous_hash: entry.previousHash,
});
