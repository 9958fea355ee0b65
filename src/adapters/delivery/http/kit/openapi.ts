// Renders the routes as an OpenAPI 3.1 document: the same objects that the guard enforces.

import { z } from 'zod';
import { type RefusalReason, refusals } from '#domain/shared/refusal.ts';
import { longestKey } from './idempotency.ts';
import { codes, type ErrorStatus, envelope, faultMessage, statusOf } from './problem.ts';
import { type Answer, isRaw, isScope, type PathParam, type Route, refusalsOf, tags } from './route.ts';

type Json = { readonly [name: string]: unknown };

export interface OpenApi {
  readonly openapi: '3.1.0';
  readonly info: Json;
  readonly servers: readonly Json[];
  readonly tags: readonly Json[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Json>>; readonly securitySchemes: Json };
}

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly security: readonly Json[];
  readonly 'x-required-scope'?: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly required: true; readonly content: Json };
  readonly responses: Readonly<Record<string, ResponseObject>>;
}
export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: Json;
}
export interface ResponseObject {
  readonly description: string;
  readonly headers?: Json;
  readonly content?: Json;
  readonly 'x-reasons'?: readonly string[];
}

export const errorShape = z
  .object({
    error: z.object({
      code: z.enum(codes),
      reason: z.string().meta({ description: 'Stable; see the catalogue of reasons.' }),
      message: z.string(),
      details: z.record(z.string(), z.unknown()),
      request_id: z.string(),
    }),
  })
  .meta({ id: 'Error', description: 'Every answer that is not what was asked for.' });

const tagDescriptions: Readonly<Record<(typeof tags)[number], string>> = {
  'sign-in': 'A person signs in and out through the hosted login.',
  session: 'Who is calling, and the session that they call with.',
  organizations: 'Organizations and who owns them.',
  members: 'The people of an organization and their roles.',
  sessions: 'The sessions that stand in an organization.',
  agents: 'Programs that act for an organization, and their API keys.',
  sso: "The organization's own single sign-on: set up, tested, watched, removed.",
  directory: "What the customer's directory says, and what follows from it.",
  audit: 'Who did what, when, from where; chained by hashes.',
  webhooks: 'What identity providers tell us.',
  operations: 'For operators and tools.',
};

/** Renders shapes and gathers the named ones as components. */
const schemaBook = () => {
  const schemas: Record<string, Json> = {};
  const schemaOf = (shape: z.ZodType, io: 'input' | 'output'): Json => {
    const rendered = z.toJSONSchema(shape, {
      io,
      target: 'draft-2020-12',
      override({ jsonSchema }) {
        // Answers may grow fields; a client must not be told that they cannot.
        if (io === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
        // The format says it; the pattern would be three lines of digits.
        if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
      },
    });
    const moved = JSON.parse(JSON.stringify(rendered).replaceAll('#/$defs/', '#/components/schemas/')) as {
      $schema?: string;
      $defs?: Record<string, Json>;
    } & Record<string, unknown>;
    const { $schema: _dialect, $defs = {}, ...schema } = moved;
    Object.assign(schemas, $defs);
    return schema;
  };
  /** The shape itself, by reference when it has a name. */
  const named = (shape: z.ZodType, io: 'input' | 'output'): Json => {
    const id = shape.meta()?.id;
    const schema = schemaOf(shape, io);
    if (typeof id !== 'string') return schema;
    // zod renders a named shape as a reference to itself, with the real one among the definitions above.
    if (schema['$ref'] === undefined) schemas[id] = schema;
    return { $ref: `#/components/schemas/${id}` };
  };
  return { schemas, named };
};

const pathParameter = (name: string, param: PathParam<unknown>, schema: Json): Parameter => ({
  name,
  in: 'path',
  required: true,
  description: `Anything that names no such thing is ${'`'}${param.otherwise}${'`'}.`,
  schema,
});

const keyParameter: Parameter = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'A text of your making, new for each thing to be created: a UUID is a good one. The same request with the same key creates nothing more for 24 hours, but gets the first answer again, marked by `Idempotent-Replayed: true`. A refused request is not remembered.',
  schema: { type: 'string', minLength: 1, maxLength: longestKey, examples: ['8e03978e-40d5-43e8-bc93-6894a57f9324'] },
};
const replayedHeader: Json = {
  'Idempotent-Replayed': {
    description: '`true` when this answer was given before.',
    schema: { type: 'string', enum: ['true'] },
  },
};

const queryParameters = (schema: Json): Parameter[] => {
  const properties = (schema['properties'] ?? {}) as Readonly<Record<string, Json>>;
  const required = new Set((schema['required'] ?? []) as readonly string[]);
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = property;
    return {
      name,
      in: 'query',
      required: required.has(name),
      ...(typeof description === 'string' && { description }),
      schema: rest,
    };
  });
};

const succeeded = (answer: Answer, named: (shape: z.ZodType) => Json): ResponseObject => {
  if (answer === 'nothing') return { description: 'Done.' };
  if (answer === 'redirect') {
    return {
      description: 'Go on to the address in `Location`.',
      headers: { Location: { description: 'Where to go on.', schema: { type: 'string' } } },
    };
  }
  if (answer === 'page') return { description: 'A page.', content: { 'text/html': { schema: { type: 'string' } } } };
  const schema = answer === 'document' ? { type: 'object' } : named(answer);
  return { description: 'As asked.', content: { 'application/json': { schema } } };
};

const example = (reason: RefusalReason, status: ErrorStatus): Json => ({
  value: envelope({ status, reason, message: refusals[reason], details: {} }, 'req_01h455vb4pex5vsknk084sn02q'),
});

const refused = (route: Route): Record<string, ResponseObject> => {
  const error = { $ref: '#/components/schemas/Error' };
  const byStatus = new Map<ErrorStatus, RefusalReason[]>();
  for (const reason of refusalsOf(route)) {
    const status = route.statuses?.[reason] ?? statusOf[reason];
    byStatus.set(status, [...(byStatus.get(status) ?? []), reason]);
  }
  const responses: Record<string, ResponseObject> = {};
  for (const [status, reasons] of byStatus) {
    const sorted = reasons.toSorted();
    responses[status] = {
      description: `${codes[status]}: ${sorted.map((reason) => `${'`'}${reason}${'`'}`).join(', ')}`,
      ...((status === 503 || reasons.includes('idempotency_key.under_way')) && {
        headers: {
          'Retry-After': {
            description: 'Seconds to wait before asking again, where that helps.',
            schema: { type: 'integer' },
          },
        },
      }),
      content: {
        'application/json': {
          schema: error,
          examples: Object.fromEntries(sorted.map((reason) => [reason, example(reason, status)])),
        },
      },
      'x-reasons': sorted,
    };
  }
  responses['500'] = {
    description: `${codes[500]}: ${faultMessage}`,
    content: { 'application/json': { schema: error } },
  };
  return responses;
};

const anyCredential: readonly Json[] = [{ sessionCookie: [] }, { bearer: [] }, { apiKey: [] }, { apiKeyHeader: [] }];

const callerNote = (route: Route): string => {
  if (route.allows === 'anyone') return '';
  return isScope(route.allows) ? `Needs the scope ${'`'}${route.allows}${'`'}.` : 'For every caller.';
};

export const openapi = (routes: readonly Route[], options: { publicUrl: URL; sessionCookie: string }): OpenApi => {
  const { schemas, named } = schemaBook();
  named(errorShape, 'output');
  const operation = (route: Route): Operation => {
    const description = [route.description, callerNote(route)].filter(Boolean).join('\n\n');
    const [status, answer] = route.answers;
    const body = route.body;
    const succeeds = succeeded(answer, (shape) => named(shape, 'output'));
    const ok = route.shows ? { ...succeeds, headers: { ...succeeds.headers, ...replayedHeader } } : succeeds;
    const also = Object.entries(route.also ?? {}).map(([other, means]) => [other, { ...ok, description: means }]);
    return {
      operationId: route.operation,
      summary: route.summary,
      ...(description !== '' && { description }),
      tags: route.tags,
      security: route.allows === 'anyone' ? [] : anyCredential,
      ...(isScope(route.allows) && { 'x-required-scope': route.allows }),
      parameters: [
        ...Object.entries(route.params).map(([name, param]) => pathParameter(name, param, named(param.shape, 'input'))),
        ...(route.query ? queryParameters(named(route.query, 'input')) : []),
        ...(route.shows ? [keyParameter] : []),
      ],
      ...(body && {
        requestBody: {
          required: true,
          content: isRaw(body)
            ? { [body.raw.mediaType]: { schema: { type: 'object' } } }
            : { 'application/json': { schema: named(body, 'input') } },
        },
      }),
      responses: { ...refused(route), ...Object.fromEntries(also), [status]: ok },
    };
  };
  const paths: Record<string, Record<string, Operation>> = {};
  for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method]: operation(route) };
  return {
    openapi: '3.1.0',
    info: {
      title: 'HatiData Identity',
      version: '1',
      description:
        'Who is calling, for which organization, and what may they do. JSON in snake_case, times in ISO 8601 UTC. Every answer carries `X-Request-Id`. Lists are paged with `limit` and `cursor`. What creates takes an `Idempotency-Key`.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: options.publicUrl.origin }],
    tags: tags.map((name) => ({ name, description: tagDescriptions[name] })),
    paths,
    components: {
      schemas,
      securitySchemes: {
        sessionCookie: {
          type: 'apiKey',
          in: 'cookie',
          name: options.sessionCookie,
          description: 'A person in the browser. Writes must come from our own pages (`Origin` or `Sec-Fetch-Site`).',
        },
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: "A person's API client: the provider's access token. Or an agent: its API key.",
        },
        apiKey: {
          type: 'http',
          scheme: 'ApiKey',
          description: 'An agent: `Authorization: ApiKey hd_live_…`.',
        },
        apiKeyHeader: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'An agent: `hd_live_…`.' },
      },
    },
  };
};
