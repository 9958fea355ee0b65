// Agents and the API keys with which they call.

import { z } from 'zod';
import type { UseCases } from '#application/use-cases.ts';
import { bundles, scopes } from '#domain/access/scope.ts';
import {
  agent as agentOf,
  agentShape,
  apiKey as apiKeyOf,
  apiKeyShape,
  issuedApiKeyShape,
  listed,
  listShape,
  scopeShape,
} from './entities.ts';
import { agent, apiKey, idOf, line, listOf, name, org, pageOf } from './inputs.ts';
import { creating, type Route, route } from './kit/route.ts';

const bundleNames = Object.keys(bundles) as (keyof typeof bundles)[];

const newKey = z
  .strictObject({
    agent_id: idOf('agent'),
    name: name(80),
    scopes: z.array(scopeShape).max(scopes.length).optional(),
    bundle: z.enum(bundleNames).optional().meta({ description: 'A named set of scopes, instead of `scopes`.' }),
    mode: z.enum(['live', 'test']).default('live'),
    expires_in_days: z.number().int().min(1).max(3650).nullable().default(null).meta({ description: 'Null: never.' }),
    ip_allowlist: z
      .array(line(64))
      .max(50)
      .default([])
      .meta({ description: 'Addresses or CIDR blocks; empty: from anywhere.', examples: [['203.0.113.0/24']] }),
  })
  .refine((key) => (key.scopes === undefined) !== (key.bundle === undefined), 'send either scopes or bundle');

export const agentRoutes = (
  useCases: Pick<UseCases, 'listAgents' | 'createAgent' | 'getAgent' | 'listApiKeys' | 'issueApiKey' | 'revokeApiKey'>,
): readonly Route[] => [
  route({
    method: 'get',
    path: '/v1/organizations/{org}/agents',
    operation: 'listAgents',
    summary: 'The agents',
    tags: ['agents'],
    allows: 'keys:manage',
    params: { org },
    query: listOf({}),
    answers: [200, listShape(agentShape)],
    refuses: [],
    handle: async ({ caller, params, query }) =>
      listed(await useCases.listAgents(caller, params.org, pageOf(query)), agentOf),
  }),

  creating({
    path: '/v1/organizations/{org}/agents',
    operation: 'createAgent',
    summary: 'Create an agent',
    tags: ['agents'],
    allows: 'keys:manage',
    params: { org },
    body: z.strictObject({ name: name(80), description: line(500).nullable().default(null) }),
    answers: [201, agentShape],
    refuses: ['agent.name_taken'],
    handle: ({ caller, params, body, source }) =>
      useCases.createAgent(caller, { organizationId: params.org, ...body }, source),
    shows: agentOf,
  }),

  route({
    method: 'get',
    path: '/v1/organizations/{org}/agents/{agent}',
    operation: 'getAgent',
    summary: 'One agent',
    tags: ['agents'],
    allows: 'keys:manage',
    params: { org, agent },
    answers: [200, agentShape],
    refuses: [],
    handle: async ({ caller, params }) => agentOf(await useCases.getAgent(caller, params.org, params.agent)),
  }),

  route({
    method: 'get',
    path: '/v1/organizations/{org}/api-keys',
    operation: 'listApiKeys',
    summary: 'The API keys',
    tags: ['agents'],
    allows: 'keys:manage',
    params: { org },
    query: listOf({
      agent_id: idOf('agent').optional(),
      prefix: line(12).optional().meta({ description: 'The beginning of the key, up to 12 characters.' }),
    }),
    answers: [200, listShape(apiKeyShape)],
    refuses: [],
    handle: async ({ caller, params, query }) =>
      listed(
        await useCases.listApiKeys(
          caller,
          params.org,
          { agentId: query.agent_id, prefix: query.prefix || undefined },
          pageOf(query),
        ),
        apiKeyOf,
      ),
  }),

  creating({
    path: '/v1/organizations/{org}/api-keys',
    operation: 'issueApiKey',
    summary: 'Issue an API key for an agent',
    description:
      'The secret is in this answer and nowhere else, save that the same `Idempotency-Key` gets it again. Exactly one of `scopes` and `bundle`; never more than the caller’s own scopes.',
    tags: ['agents'],
    allows: 'keys:manage',
    params: { org },
    body: newKey,
    answers: [201, issuedApiKeyShape],
    refuses: ['agent.not_found', 'agent.not_active', 'api_key.beyond_maker', 'api_key.without_scopes'],
    // Here it is the agent in the body, not the caller, who is not active.
    statuses: { 'agent.not_active': 409 },
    async handle({ caller, params, body, source }) {
      const request = {
        organizationId: params.org,
        agentId: body.agent_id,
        name: body.name,
        scopes: body.bundle ? bundles[body.bundle] : (body.scopes ?? []),
        mode: body.mode,
        expiresInDays: body.expires_in_days,
        ipAllowlist: body.ip_allowlist,
      };
      return useCases.issueApiKey(caller, request, source);
    },
    shows: ({ key, secret }) => ({ ...apiKeyOf(key), secret: secret.reveal() }),
  }),

  route({
    method: 'delete',
    path: '/v1/organizations/{org}/api-keys/{key}',
    operation: 'revokeApiKey',
    summary: 'Revoke an API key',
    description: 'Takes effect on its next request. The second time changes nothing.',
    tags: ['agents'],
    allows: 'keys:manage',
    params: { org, key: apiKey },
    answers: [204, 'nothing'],
    refuses: [],
    async handle({ caller, params, source }) {
      await useCases.revokeApiKey(caller, params.org, params.key, source);
      return undefined;
    },
  }),
];
