// Single sign-on of an organization: its connections, the way to the provider's set-up pages, a test sign-in, and removal.

import { z } from 'zod';
import { setupIntents } from '#application/ports/identity-provider.ts';
import type { SsoUseCases } from '#application/sso/sso-use-cases.ts';
import type { Connection, ConnectionTest } from '#domain/sso/connection.ts';
import { idShape, line, name, org } from './inputs.ts';
import { creating, type PathParam, type Route, route } from './kit/route.ts';

/** The provider's id; what cannot be one names nothing. */
const connectionId: PathParam<string> = {
  shape: z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/)
    .meta({ examples: ['conn_01E4ZCR3C56J083X43JQXF3JK5'] }),
  read: (text) => (/^[\x21-\x7e]{1,200}$/.test(text) ? text : undefined),
  otherwise: 'connection.not_found',
};

const time = z.iso.datetime();

const testShape = z
  .object({
    at: time,
    by: idShape('user').meta({ description: 'The admin who made the test.' }),
    outcome: z.enum(['ok', 'failed']),
    error: z.string().nullable().meta({
      description:
        "Why it failed: the provider's own word, or `email_unverified`, `not_single_sign_on`, `another_organization`, `code_not_good`.",
    }),
    email: z.string().nullable().meta({ description: 'Who came back.' }),
    missing: z
      .array(z.enum(['verified_email', 'name']))
      .meta({ description: 'What the identity provider did not tell about the person.' }),
  })
  .meta({ id: 'ConnectionTest' });

const connectionShape = z
  .object({
    id: z.string(),
    name: z.string(),
    type: z.string().meta({ description: "The provider's word for the kind.", examples: ['OktaSAML'] }),
    state: z.enum(['active', 'inactive']),
    certificates: z
      .array(
        z.object({
          kind: z.string().meta({ examples: ['ResponseSigning'] }),
          expires_at: time.nullable(),
          warned_at: time.nullable().meta({ description: 'Since when its renewal is due; null: it is not.' }),
        }),
      )
      .meta({ description: 'Those that the provider spoke of: it does when one runs out or was replaced.' }),
    last_test: testShape.nullable(),
  })
  .meta({ id: 'Connection', description: "One link to the organization's own identity provider." });

const ssoShape = z
  .object({
    connections: z.array(connectionShape),
    can: z
      .object({
        setup_link: z.boolean(),
        test_connection: z.boolean(),
        remove_connection: z.boolean(),
        create_connection: z.boolean(),
      })
      .meta({ description: 'What the identity provider lets us do from here.' }),
  })
  .meta({ id: 'SingleSignOn' });

export const setupLinkShape = z
  .object({
    url: z.url().meta({ description: 'Open it at once, for one purpose; whoever has it is let in.' }),
    expires_in_seconds: z.int().min(0),
  })
  .meta({ id: 'SetupLink' });

export const setupLink = ({ url, seconds }: { readonly url: string; readonly seconds: number }) => ({
  url,
  expires_in_seconds: seconds,
});

const loginUrlShape = z
  .object({ login_url: z.url().meta({ description: 'To be opened in the browser that asked.' }) })
  .meta({ id: 'ConnectionTestStarted' });

export const returning = z.object({
  return_to: line(2048).optional().meta({ description: 'A path of ours to come back to.' }),
});

const https = z.url({ protocol: /^https$/, hostname: z.regexes.domain }).max(2048);

const detailsShape = z.discriminatedUnion('protocol', [
  z.strictObject({ protocol: z.literal('saml'), name: name(80), metadata_url: https }),
  z.strictObject({
    protocol: z.literal('oidc'),
    name: name(80),
    discovery_url: https,
    client_id: line(512).min(1),
    client_secret: line(2048).min(1).meta({ description: 'Goes on to the identity provider and is not kept.' }),
  }),
]);

const tested = (test: ConnectionTest) => ({
  at: test.at.toISOString(),
  by: test.by,
  outcome: test.outcome,
  error: test.error,
  email: test.email,
  missing: [...test.missing],
});

const connection = ({ state, ...known }: Connection) => ({
  id: known.id,
  name: known.name,
  type: known.type,
  state: state === 'active' ? ('active' as const) : ('inactive' as const),
  certificates: known.certificates.map(({ kind, expiresAt, warnedAt }) => ({
    kind,
    expires_at: expiresAt?.toISOString() ?? null,
    warned_at: warnedAt?.toISOString() ?? null,
  })),
  last_test: known.lastTest && tested(known.lastTest),
});

const path = '/v1/organizations/{org}/sso';

export const ssoRoutes = (useCases: Omit<SsoUseCases, 'failLogin'>): readonly Route[] => [
  route({
    method: 'get',
    path,
    operation: 'getSso',
    summary: 'The connections, their last test, and certificates that run out',
    tags: ['sso'],
    allows: 'orgs:manage',
    params: { org },
    answers: [200, ssoShape],
    refuses: [],
    async handle({ caller, params }) {
      const { connections, can } = await useCases.getSso(caller, params.org);
      return {
        connections: connections.map(connection),
        can: {
          setup_link: can.setupLink,
          test_connection: can.testConnection,
          remove_connection: can.removeConnection,
          create_connection: can.createConnection,
        },
      };
    },
  }),

  route({
    method: 'post',
    path: `${path}/setup-link`,
    operation: 'createSetupLink',
    summary: "Get a link to the identity provider's set-up pages",
    description:
      'Good for minutes and for one purpose. It is neither kept nor logged; ask for another when it is too old.',
    tags: ['sso'],
    allows: 'orgs:manage',
    params: { org },
    query: returning,
    body: z.strictObject({ intent: z.enum(setupIntents) }),
    answers: [200, setupLinkShape],
    refuses: ['sso.not_supported', 'sso.not_ready'],
    handle: async ({ caller, params, query, body, source }) =>
      setupLink(
        await useCases.createSetupLink(
          caller,
          { organizationId: params.org, intent: body.intent, returnTo: query.return_to },
          source,
        ),
      ),
  }),

  creating({
    path: `${path}/connections`,
    operation: 'createConnection',
    summary: 'Make a connection from here',
    description: 'Only where `can.create_connection` says so; the set-up link does the same everywhere.',
    tags: ['sso'],
    allows: 'orgs:manage',
    params: { org },
    body: detailsShape,
    answers: [201, connectionShape],
    refuses: ['sso.not_supported', 'sso.not_ready', 'connection.refused'],
    async handle({ caller, params, body, source }) {
      const details =
        body.protocol === 'saml'
          ? { protocol: body.protocol, metadataUrl: body.metadata_url }
          : {
              protocol: body.protocol,
              discoveryUrl: body.discovery_url,
              clientId: body.client_id,
              clientSecret: body.client_secret,
            };
      const wanted = { organizationId: params.org, name: body.name, ...details };
      return useCases.createConnection(caller, wanted, source);
    },
    shows: connection,
  }),

  route({
    method: 'post',
    path: `${path}/connections/{connection}/test`,
    operation: 'testConnection',
    summary: 'Start a test sign-in through a connection',
    description:
      'Open `login_url` in the browser that asked: this answer leaves a cookie there, without which nothing comes of it. Nobody is signed in by a test; its result shows as `last_test`.',
    tags: ['sso'],
    allows: 'orgs:manage',
    params: { org, connection: connectionId },
    query: returning,
    answers: [200, loginUrlShape],
    refuses: ['caller.person_required', 'sso.not_supported'],
    async handle({ caller, params, query, cookies, source }) {
      const wanted = { organizationId: params.org, connectionId: params.connection, returnTo: query.return_to };
      const started = await useCases.startConnectionTest(caller, wanted, source);
      cookies.keepLogin(started.state, started.box, started.seconds);
      return { login_url: started.url };
    },
  }),

  route({
    method: 'delete',
    path: `${path}/connections/{connection}`,
    operation: 'removeConnection',
    summary: 'Remove a connection',
    description: 'Nobody signs in through it any more. It disappears from the list when the identity provider says so.',
    tags: ['sso'],
    allows: 'orgs:manage',
    params: { org, connection: connectionId },
    answers: [204, 'nothing'],
    refuses: ['sso.not_supported'],
    async handle({ caller, params, source }) {
      await useCases.removeConnection(caller, params.org, params.connection, source);
      return undefined;
    },
  }),
];
