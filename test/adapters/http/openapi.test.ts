// The OpenAPI document is valid, complete, and says the same as the guard does.

import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { allRoutes } from '#adapters/delivery/http/app.ts';
import type { OpenApi, Operation } from '#adapters/delivery/http/kit/openapi.ts';
import { isScope, refusalsOf } from '#adapters/delivery/http/kit/route.ts';
import { refusals } from '#domain/shared/refusal.ts';
import { friendly, publicOrigin, serve } from './served.ts';

const routes = allRoutes({
  useCases: friendly,
  publicUrl: new URL(publicOrigin),
  checks: {},
  signatureHeaders: { workos: 'workos-signature', fake: 'workos-signature' },
});

const served = async (): Promise<OpenApi> => {
  const http = await serve();
  const answered = await http.send('GET', '/openapi.json');
  await http.close();
  return answered.json as OpenApi;
};
const document = await served();

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, path, operation })),
);

/** Every schema anywhere in the document, with where it stands. */
const walk = (value: unknown, at = ''): (readonly [at: string, value: Record<string, unknown>])[] =>
  typeof value === 'object' && value !== null
    ? [
        [at, value as Record<string, unknown>] as const,
        ...Object.entries(value).flatMap(([key, inner]) => walk(inner, `${at}/${key}`)),
      ]
    : [];

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1', async () => {
    const outcome = await new Validator().validate({ ...structuredClone(document) });
    expect(outcome.errors).toBeUndefined();
    expect(outcome.valid).toBe(true);
    expect(document.openapi).toBe('3.1.0');
  });

  it('would not pass when it is broken', async () => {
    const { info: _, ...broken } = structuredClone(document);
    expect((await new Validator().validate(broken)).valid).toBe(false);
  });

  it('has exactly the routes of the application', () => {
    expect(operations.map(({ name }) => name).sort()).toEqual(
      routes.map(({ method, path }) => `${method.toUpperCase()} ${path}`).sort(),
    );
  });

  it('has the paths of the contract', () => {
    expect(operations.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'GET /auth/login',
        'GET /auth/callback',
        'GET /auth/start',
        'POST /auth/logout',
        'GET /v1/whoami',
        'POST /v1/session/organization',
        'POST /v1/session/refresh',
        'GET /v1/sessions',
        'DELETE /v1/sessions/{session}',
        'GET /v1/verify',
        'GET /v1/organizations',
        'POST /v1/organizations',
        'GET /v1/organizations/{org}',
        'POST /v1/organizations/{org}/ownership',
        'GET /v1/organizations/{org}/members',
        'PATCH /v1/organizations/{org}/members/{member}',
        'DELETE /v1/organizations/{org}/members/{member}',
        'GET /v1/organizations/{org}/members/{member}/sessions',
        'DELETE /v1/organizations/{org}/members/{member}/sessions',
        'GET /v1/organizations/{org}/sessions',
        'DELETE /v1/organizations/{org}/sessions/{session}',
        'DELETE /v1/organizations/{org}/sessions',
        'GET /v1/organizations/{org}/agents',
        'POST /v1/organizations/{org}/agents',
        'GET /v1/organizations/{org}/agents/{agent}',
        'GET /v1/organizations/{org}/api-keys',
        'POST /v1/organizations/{org}/api-keys',
        'DELETE /v1/organizations/{org}/api-keys/{key}',
        'GET /v1/organizations/{org}/sso',
        'POST /v1/organizations/{org}/sso/setup-link',
        'POST /v1/organizations/{org}/sso/connections',
        'POST /v1/organizations/{org}/sso/connections/{connection}/test',
        'DELETE /v1/organizations/{org}/sso/connections/{connection}',
        'POST /v1/organizations/{org}/directory/setup-link',
        'GET /v1/organizations/{org}/directory',
        'GET /v1/organizations/{org}/directory/groups',
        'GET /v1/organizations/{org}/role-mappings',
        'PUT /v1/organizations/{org}/role-mappings',
        'GET /v1/organizations/{org}/provisioning-policy',
        'PUT /v1/organizations/{org}/provisioning-policy',
        'GET /v1/organizations/{org}/audit',
        'GET /v1/organizations/{org}/audit/verify',
        'POST /webhooks/{provider}',
        'GET /healthz',
        'GET /readyz',
        'GET /openapi.json',
        'GET /docs',
      ]),
    );
  });

  it('names each operation once', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each(operations)('tells all there is to know of $name', ({ path, operation }) => {
    expect(operation.operationId).toMatch(/^[a-z][A-Za-z]+$/);
    expect(operation.summary).toMatch(/^\S.+[^.]$/);
    expect(operation.tags).toHaveLength(1);
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const declared = operation.parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
    expect(declared).toEqual(named);
    const reasons = Object.values(operation.responses).flatMap((response) => response['x-reasons'] ?? []);
    for (const reason of reasons) expect(refusals).toHaveProperty([reason]);
    expect(operation.responses).toHaveProperty('500');
    if (operation.security.length > 0) {
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['401', '503']));
      expect(operation.security).toEqual([{ sessionCookie: [] }, { bearer: [] }, { apiKey: [] }, { apiKeyHeader: [] }]);
    }
  });

  it('declares of every refusal what the guard lets pass, no more and no less', () => {
    for (const route of routes) {
      const operation = document.paths[route.path]?.[route.method] as Operation;
      const documented = Object.values(operation.responses).flatMap((response) => response['x-reasons'] ?? []);
      expect(documented.sort()).toEqual([...refusalsOf(route)].sort());
      expect(operation['x-required-scope']).toBe(isScope(route.allows) ? route.allows : undefined);
    }
  });

  it('describes every named shape itself, not by a reference back to it', () => {
    const empty = Object.entries(document.components.schemas).filter(([, schema]) => '$ref' in (schema as object));
    expect(empty.map(([name]) => name)).toEqual([]);
  });

  it('points only at what it has', () => {
    const references = walk(document).flatMap(([, value]) =>
      typeof value['$ref'] === 'string' ? [value['$ref']] : [],
    );
    expect(references.length).toBeGreaterThan(50);
    for (const reference of references) {
      expect(document.components.schemas).toHaveProperty([reference.replace('#/components/schemas/', '')]);
    }
  });

  it('has named shapes for our things', () => {
    expect(Object.keys(document.components.schemas)).toEqual(
      expect.arrayContaining([
        'Error',
        'Scope',
        'Role',
        'Organization',
        'Member',
        'Session',
        'Agent',
        'ApiKey',
        'AuditEntry',
        'RoleMappings',
        'ProvisioningPolicy',
        'Profile',
      ]),
    );
  });

  it('allows no unknown field in any body', () => {
    const bodies = operations.flatMap(({ name, operation }) => {
      const media = (operation.requestBody?.content ?? {}) as Record<string, { schema: Record<string, unknown> }>;
      const isRaw = name.startsWith('POST /webhooks');
      return isRaw ? [] : Object.values(media).flatMap(({ schema }) => walk(schema, name));
    });
    const objects = bodies.filter(([, schema]) => schema['type'] === 'object');
    expect(objects.length).toBeGreaterThan(8);
    for (const [at, schema] of objects) expect([at, schema['additionalProperties']]).toEqual([at, false]);
  });
});

describe('routes', () => {
  it('all say who may call, and only these are open to anyone', () => {
    expect(routes.filter(({ allows }) => allows === 'anyone').map(({ path }) => path)).toEqual([
      '/auth/login',
      '/auth/callback',
      '/auth/start',
      '/auth/logout',
      '/v1/session/refresh',
      '/webhooks/{provider}',
      '/healthz',
      '/readyz',
      '/openapi.json',
      '/docs',
      '/',
    ]);
  });

  it('of an organization let its own callers in only, and nearly all ask for a scope', () => {
    const inside = routes.filter(({ path }) => path.startsWith('/v1/organizations/{org}'));
    expect(inside.every(({ allows, params }) => allows !== 'anyone' && 'org' in params)).toBe(true);
    const open = inside.filter(({ allows }) => allows === 'any caller').map(({ operation }) => operation);
    expect(open).toEqual(['getOrganization', 'transferOwnership']);
  });

  it('without credentials refuse whoever is not anyone', async () => {
    const http = await serve();
    const closed = routes.filter(({ allows }) => allows !== 'anyone');
    const statuses = await Promise.all(
      closed.map(({ method, path }) => http.send(method.toUpperCase(), path.replaceAll(/\{\w+\}/g, 'x'))),
    );
    await http.close();
    expect(closed.length).toBeGreaterThan(25);
    expect(new Set(statuses.map(({ status }) => status))).toEqual(new Set([401]));
  });
});
