// Who is calling, and what a person can do about their own session.

import { z } from 'zod';
import type { Profile, UseCases } from '#application/use-cases.ts';
import { type Caller, needsScope } from '#domain/access/caller.ts';
import { scopes } from '#domain/access/scope.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { listShape, roleShape, scopeShape, session as sessionOf, sessionShape, whole } from './entities.ts';
import { idOf, idShape, line, session } from './inputs.ts';
import { type Route, route } from './kit/route.ts';

const personShape = z.object({ id: idShape('user'), email: z.string(), name: z.string().nullable() });

export const callerShape = z
  .object({
    kind: z.enum(['user', 'agent']),
    id: z.string(),
    organization_id: idShape('org').nullable(),
    role: roleShape.nullable(),
    scopes: z.array(scopeShape),
    mode: z.enum(['live', 'test']).nullable(),
    session_id: idShape('sess').nullable(),
    api_key_id: idShape('key').nullable(),
    authenticated_by: z.enum(['session', 'api_key']),
    impersonator: z
      .object({ email: z.string(), reason: z.string().nullable() })
      .optional()
      .meta({ description: 'Somebody of the support who acts as this person.' }),
  })
  .meta({ id: 'Caller' });

export const profileShape = z
  .object({
    caller: callerShape,
    user: personShape.optional().meta({ description: 'When the caller is a person.' }),
    agent: z.object({ id: idShape('agent'), name: z.string() }).optional(),
    organization: z.object({ id: idShape('org'), name: z.string(), slug: z.string() }).nullable(),
    organizations: z
      .array(z.object({ id: idShape('org'), name: z.string(), role: roleShape.nullable() }))
      .optional()
      .meta({ description: 'For people: where else they may act.' }),
  })
  .meta({ id: 'Profile' });

const shown = (caller: Caller): z.input<typeof callerShape> => {
  const common = {
    kind: caller.kind,
    id: caller.id,
    organization_id: caller.organizationId,
    scopes: [...caller.scopes],
  };
  if (caller.kind === 'agent') {
    return {
      ...common,
      role: null,
      mode: caller.mode,
      session_id: null,
      api_key_id: caller.apiKeyId,
      authenticated_by: 'api_key',
    };
  }
  return {
    ...common,
    role: caller.role,
    mode: null,
    session_id: caller.sessionId,
    api_key_id: null,
    authenticated_by: 'session',
    ...(caller.impersonator && { impersonator: caller.impersonator }),
  };
};

const profile = ({ caller, user, agent, organization, organizations }: Profile): z.input<typeof profileShape> => ({
  caller: shown(caller),
  ...(user && { user }),
  ...(agent && { agent }),
  organization,
  ...(caller.kind === 'user' && { organizations: [...organizations] }),
});

/** What can stand in a header without changing its meaning. Ours always can; anything else would be a fault. */
const harmless = /^[\w:. -]{1,1024}$/;

export const sessionRoutes = (
  useCases: Pick<UseCases, 'whoAmI' | 'switchOrganization' | 'listMySessions' | 'endMySession' | 'refreshSession'>,
): readonly Route[] => [
  route({
    method: 'get',
    path: '/v1/whoami',
    operation: 'whoAmI',
    summary: 'Who is calling',
    description: 'The same shape for people and agents.',
    tags: ['session'],
    allows: 'any caller',
    answers: [200, profileShape],
    refuses: [],
    handle: async ({ caller }) => profile(await useCases.whoAmI(caller)),
  }),

  route({
    method: 'get',
    path: '/v1/verify',
    operation: 'verify',
    leavesCookies: true,
    summary: 'Whether a request may pass (forward-auth)',
    description:
      'For reverse proxies (nginx `auth_request`, Traefik `forwardAuth`, Envoy `ext_authz`): 204 with `X-Hati-Organization`, `X-Hati-Caller`, `X-Hati-Kind`, `X-Hati-Role` (people only) and `X-Hati-Scopes` (separated by spaces), or 401 or 403. The proxy must overwrite what clients send under these names.',
    tags: ['session'],
    allows: 'any caller',
    query: z.object({ scope: z.enum(scopes).optional().meta({ description: 'The scope that the request needs.' }) }),
    answers: [204, 'nothing'],
    refuses: ['caller.scope_missing', 'organization.none'],
    // Proxies know 401 and 403 only, and take anything else for an outage.
    statuses: { 'credential.ambiguous': 401 },
    handle({ caller, query, reply }) {
      if (caller.organizationId === null) throw new Refusal('organization.none');
      if (query.scope) needsScope(caller, query.scope);
      const facts = {
        'X-Hati-Organization': caller.organizationId,
        'X-Hati-Caller': caller.id,
        'X-Hati-Kind': caller.kind,
        ...(caller.kind === 'user' && caller.role && { 'X-Hati-Role': caller.role }),
        ...(caller.scopes.length > 0 && { 'X-Hati-Scopes': caller.scopes.join(' ') }),
      };
      for (const [header, value] of Object.entries(facts)) {
        if (!harmless.test(value)) throw new Error(`The value for ${header} cannot stand in a header`);
        reply.header(header, value);
      }
      return undefined;
    },
  }),

  route({
    method: 'post',
    path: '/v1/session/organization',
    operation: 'switchOrganization',
    leavesCookies: true,
    summary: 'Move the session to another organization',
    description: 'Where a fresh sign-in is needed, `details.login_url` says where to go.',
    tags: ['session'],
    allows: 'any caller',
    body: z.strictObject({ organization_id: idOf('org') }),
    answers: [200, z.object({ organization_id: idShape('org') })],
    refuses: [
      'organization.not_found',
      'organization.not_active',
      'session.reauthentication_required',
      'session.refresh_refused',
      'caller.person_required',
    ],
    async handle({ caller, body, cookies, source }) {
      const switched = await useCases.switchOrganization(
        caller,
        { organizationId: body.organization_id, refreshBox: cookies.refreshBox() },
        source,
      );
      if (switched.refreshBox !== undefined) cookies.keepRefreshBox(switched.refreshBox, switched.cookieSeconds);
      return { organization_id: body.organization_id };
    },
  }),

  route({
    method: 'post',
    path: '/v1/session/refresh',
    operation: 'refreshSession',
    summary: 'Trade a refresh token for a new pair (API clients)',
    tags: ['session'],
    allows: 'anyone',
    body: z.strictObject({
      refresh_token: line(8192).min(1),
      organization_id: idOf('org').optional().meta({ description: 'To move to another organization on the way.' }),
    }),
    answers: [
      200,
      z.object({
        access_token: z.string(),
        refresh_token: z.string(),
        expires_at: z.iso.datetime().meta({ description: 'When the access token stops being good.' }),
        organization_id: idShape('org').nullable(),
      }),
    ],
    refuses: [
      'session.refresh_refused',
      'session.unknown',
      'session.ended',
      'session.expired',
      'session.reauthentication_required',
      'user.not_active',
      'membership.not_active',
      'organization.not_active',
      'organization.not_found',
      'identity.unavailable',
      'identity.throttled',
      'storage.unavailable',
      'request.conflict',
    ],
    async handle({ body, source }) {
      const { tokens, organizationId } = await useCases.refreshSession(
        { refreshToken: body.refresh_token, organizationId: body.organization_id },
        source,
      );
      return {
        access_token: tokens.accessToken,
        refresh_token: tokens.refreshToken,
        expires_at: tokens.expiresAt.toISOString(),
        organization_id: organizationId,
      };
    },
  }),

  route({
    method: 'get',
    path: '/v1/sessions',
    operation: 'listMySessions',
    summary: 'My sessions',
    tags: ['session'],
    allows: 'any caller',
    answers: [200, listShape(sessionShape)],
    refuses: ['caller.person_required'],
    async handle({ caller }) {
      const current = caller.kind === 'user' ? caller.sessionId : null;
      return whole(await useCases.listMySessions(caller), (state) => ({
        ...sessionOf(state),
        current: state.id === current,
      }));
    },
  }),

  route({
    method: 'delete',
    path: '/v1/sessions/{session}',
    operation: 'endMySession',
    summary: 'End one of my sessions',
    description: 'Ending an ended one changes nothing.',
    tags: ['session'],
    allows: 'any caller',
    params: { session },
    answers: [204, 'nothing'],
    refuses: ['caller.person_required'],
    async handle({ caller, params, source }) {
      await useCases.endMySession(caller, params.session, source);
      return undefined;
    },
  }),
];
