// Another organization's things do not exist, and nothing that is sent breaks anything: both asked of every operation that the API document lists.

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Client, createWorld, type World } from '#bootstrap/testing.ts';
import { invite } from './invitation-words.ts';
import { bearing, gus, issueKey, memberNamed, olivia, refusal, tokensFor, trailOf } from './words.ts';

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
}
interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { readonly name: string; readonly in: 'path' | 'query'; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<Record<string, unknown>>;
  readonly method: string;
  readonly path: string;
}

let world: World;
let operations: readonly Operation[];
let schemas: Readonly<Record<string, Schema>>;

beforeAll(async () => {
  world = await createWorld();
  const document = (await world.anonymous.get('/openapi.json')).body;
  schemas = document.components.schemas;
  const paths = Object.entries<Record<string, Omit<Operation, 'method' | 'path'>>>(document.paths);
  operations = paths.flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
  );
});
afterAll(() => world.close());

const resolved = (schema: Schema): Schema =>
  schema.$ref ? (schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {}) : schema;

/** Something that the schema takes, or nearly. */
const exampleOf = (given: Schema): unknown => {
  const schema = resolved(given);
  if (schema.examples) return schema.examples[0];
  if (schema.enum) return schema.enum.at(-1);
  if (schema.anyOf?.[0]) return exampleOf(schema.anyOf[0]);
  const { properties = {}, required = [] } = schema;
  if (schema.type === 'object')
    return Object.fromEntries(required.map((name) => [name, exampleOf(properties[name] ?? {})]));
  const simple: Readonly<Record<string, unknown>> = { array: [], integer: 1, number: 1, boolean: true, null: null };
  return schema.type !== undefined && schema.type in simple ? simple[schema.type] : 'text';
};

const bodySchemaOf = ({ requestBody }: Operation): Schema | undefined =>
  requestBody?.content['application/json']?.schema;

const filled = (path: string, values: Readonly<Record<string, string>>): string =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? `missing-${name}`);

const pathNames = (operation: Operation): readonly string[] =>
  operation.parameters.filter((one) => one.in === 'path').map(({ name }) => name);

/** The answer without what differs in every request. */
const shown = ({ status, body, text, headers }: Answer): unknown => ({
  status,
  body: body?.error ? { ...body.error, request_id: 'the request' } : text,
  headers: [...headers.keys()].toSorted(),
});

/** Things of one organization, named as in the paths. */
interface Things {
  readonly org: string;
  readonly member: string;
  readonly invitation: string;
  readonly session: string;
  readonly agent: string;
  readonly key: string;
  readonly user: string;
  /** The provider's name of a single sign-on connection. */
  readonly connection: string;
  readonly event: string;
}

const thingsOf = async (owner: Client, org: string, email: string): Promise<Things> => {
  const key = await issueKey(owner, org);
  const { id: member, user_id: user } = await memberNamed(owner, org, email);
  const [session] = (await owner.get('/v1/sessions')).body.data;
  const connection = world.provider.organizations.byExternalId(org)?.connection?.id ?? '';
  expect(connection).toMatch(/^conn_/);
  const invitation = await invite(owner, org, `guest-${key.id.slice(-6)}@elsewhere.test`, 'analyst');
  const [event] = (await owner.get(`/v1/organizations/${org}/events`)).body.data;
  return {
    event: event.id,
    org,
    member,
    user,
    invitation,
    session: session.id,
    agent: key.agent_id,
    key: key.id,
    connection,
  };
};

const nowhere: Things = {
  org: 'org_01hq0000000000000000000999',
  member: 'mem_01hq0000000000000000000999',
  invitation: 'inv_01hq0000000000000000000999',
  session: 'sess_01hq0000000000000000000999',
  agent: 'agent_01hq0000000000000000000999',
  key: 'key_01hq0000000000000000000999',
  user: 'user_01hq0000000000000000000999',
  connection: 'conn_01HQ0000000000000000000999',
  event: 'evt_01hq0000000000000000000999',
};

describe("another organization's things", () => {
  let attackers: Readonly<Record<'session' | 'bearer' | 'live key', Client>>;
  let ours: Things;
  let theirs: Things;
  let victim: Client;
  const ask = (by: Client, operation: Operation, values: Things, body?: unknown): Promise<Answer> => {
    const schema = bodySchemaOf(operation);
    const content = body ?? (schema && exampleOf(schema));
    return by.send(operation.method, filled(operation.path, { ...values }), {
      ...(content !== undefined && { body: JSON.stringify(content), headers: { 'content-type': 'application/json' } }),
    });
  };
  /** Everything that the victim can see of their organization. */
  const seenByVictim = async (): Promise<unknown> => {
    const paths = [
      '',
      '/members?limit=200',
      '/agents',
      '/api-keys',
      '/sessions',
      '/role-mappings',
      '/provisioning-policy',
      '/directory',
      '/invitations',
      '/events',
    ];
    const answers = await Promise.all(paths.map((path) => victim.get(`/v1/organizations/${theirs.org}${path}`)));
    expect(answers.map(({ status }) => status)).toEqual(paths.map(() => 200));
    const trail = await trailOf(victim, theirs.org);
    return { answers: answers.map(({ body }) => body), trail: trail.length };
  };

  beforeAll(async () => {
    const owner = await world.signIn(olivia);
    victim = await world.signIn(gus);
    await world.provider.organizations.setSso(world.provider.organizations.byExternalId(world.globex)?.ref ?? '', true);
    await world.settle();
    [ours, theirs] = [
      await thingsOf(owner, world.acme, 'sam.service@acme.test'),
      await thingsOf(victim, world.globex, gus),
    ];
    const client = await world.signIn(olivia);
    attackers = {
      session: owner,
      bearer: bearing(world, (await tokensFor(world, client.refreshBox)).access_token),
      'live key': world.agent((await issueKey(owner, world.acme, { bundle: 'admin' })).secret),
    };
  });

  it('are 404 in every operation that names an organization, with every credential, exactly as if they did not exist', async () => {
    const before = await seenByVictim();
    const within = operations.filter(({ path }) => path.includes('{org}'));
    expect(within.length).toBeGreaterThan(20);
    for (const operation of within) {
      for (const [credential, by] of Object.entries(attackers)) {
        const foreign = await ask(by, operation, theirs);
        const absent = await ask(by, operation, nowhere);
        expect([operation.operationId, credential, ...refusal(foreign)]).toEqual([
          operation.operationId,
          credential,
          404,
          'organization.not_found',
        ]);
        expect([operation.operationId, credential, shown(foreign)]).toEqual([
          operation.operationId,
          credential,
          shown(absent),
        ]);
      }
    }
    expect(await seenByVictim()).toEqual(before);
  });

  it('are 404 also when they are named inside our own organization', async () => {
    const before = await seenByVictim();
    const deeper = operations.filter((operation) =>
      pathNames(operation).some((name) => name !== 'org' && name !== 'provider'),
    );
    expect(deeper.length).toBeGreaterThan(6);
    const reasons: Readonly<Record<string, string>> = {
      member: 'membership',
      invitation: 'invitation',
      session: 'session',
      agent: 'agent',
      key: 'api_key',
      connection: 'connection',
      event: 'event',
    };
    for (const operation of deeper) {
      for (const name of pathNames(operation).filter((one) => one !== 'org')) {
        expect([operation.operationId, name, name in reasons]).toEqual([operation.operationId, name, true]);
        for (const [credential, by] of Object.entries(attackers)) {
          const foreign = await ask(by, operation, { ...theirs, org: ours.org });
          const absent = await ask(by, operation, { ...nowhere, org: ours.org });
          const [status, reason] = refusal(foreign);
          // What only people can do is refused to an agent before anything is looked for.
          const expected =
            reason === 'caller.person_required' && credential === 'live key'
              ? [403, reason]
              : [404, `${reasons[name]}.not_found`];
          expect([operation.operationId, credential, status, reason]).toEqual([
            operation.operationId,
            credential,
            ...expected,
          ]);
          expect([operation.operationId, credential, shown(foreign)]).toEqual([
            operation.operationId,
            credential,
            shown(absent),
          ]);
        }
      }
    }
    expect(await seenByVictim()).toEqual(before);
  });

  it('are not found by what stands in a body or a query either', async () => {
    const before = await seenByVictim();
    const key = (agent: string) => ({ agent_id: agent, name: 'key', scopes: ['query:read'] });
    const theirDirectory = await world.connectDirectory(world.globex);
    const theirGroup = await theirDirectory.createGroup('Theirs');
    const begun = await victim.post(`/v1/organizations/${theirs.org}/directory/reconcile`, {});
    const theirPlan: string = begun.body.id;
    const nowherePlan = 'recon_01hq0000000000000000000999';
    const policy = (gate: string) => ({ default_role: 'analyst', gate_group_id: gate, just_in_time: false });
    const bodies: Readonly<Record<string, (things: Things, group: string) => unknown>> = {
      issueApiKey: ({ agent }) => key(agent),
      transferOwnership: ({ user }) => ({ user_id: user }),
      switchOrganization: ({ org }) => ({ organization_id: org }),
      setRoleMappings: (_, group) => ({ mappings: [{ group_id: group, role: 'admin' }] }),
      setProvisioningPolicy: (_, group) => policy(group),
      reconcileDirectory: (things) => ({ plan_id: things === theirs ? theirPlan : nowherePlan }),
    };
    // A body that names a thing by id, and stands in no line above, would be a hole in this test.
    const naming = operations.filter((operation) =>
      /(?<!client)_id"/.test(JSON.stringify(bodySchemaOf(operation) ?? {})),
    );
    expect(naming.map(({ operationId }) => operationId).toSorted()).toEqual(
      [...Object.keys(bodies), 'refreshSession'].toSorted(),
    );
    for (const [operationId, bodyOf] of Object.entries(bodies)) {
      const operation = operations.find((one) => one.operationId === operationId);
      if (!operation) throw new Error(`no operation ${operationId}`);
      for (const [credential, by] of Object.entries(attackers)) {
        const foreign = await ask(by, operation, ours, bodyOf(theirs, theirGroup));
        const absent = await ask(by, operation, ours, bodyOf(nowhere, 'directory_group_01NOWHERE'));
        expect(foreign.status).toBeGreaterThanOrEqual(400);
        const withoutIds = (answer: Answer): unknown =>
          JSON.parse(JSON.stringify(shown(answer)).replaceAll(/(directory_group|org)_\w+/g, 'an id'));
        expect([operationId, credential, withoutIds(foreign)]).toEqual([operationId, credential, withoutIds(absent)]);
      }
    }
    for (const by of Object.values(attackers)) {
      expect((await by.get(`/v1/organizations/${ours.org}/api-keys?agent_id=${theirs.agent}`)).body.data).toEqual([]);
      expect((await by.get(`/v1/organizations/${ours.org}/audit?target=${theirs.member}`)).body.data).toEqual([]);
    }
    const after = (await seenByVictim()) as { answers: unknown[] };
    expect(after.answers.slice(0, 7)).toEqual((before as typeof after).answers.slice(0, 7));
  });

  it('are in no answer of any operation that reads without naming one', async () => {
    const reads = operations.filter((operation) => operation.method === 'GET' && pathNames(operation).length === 0);
    for (const operation of reads) {
      for (const by of Object.values(attackers)) {
        const { text } = await by.get(operation.path);
        for (const id of Object.values(theirs))
          expect([operation.path, text.includes(id)]).toEqual([operation.path, false]);
      }
    }
  });

  it('are not reached by a cursor of theirs', async () => {
    for (const list of ['members', 'invitations', 'events', 'sessions', 'agents', 'api-keys', 'audit']) {
      const [first, second] = [await victim.get(`/v1/organizations/${theirs.org}/${list}?limit=1`), attackers.session];
      const cursor = first.body.pagination.cursor;
      if (cursor === null) continue;
      const page = await second.get(
        `/v1/organizations/${ours.org}/${list}?limit=200&cursor=${encodeURIComponent(cursor)}`,
      );
      expect([200, 400]).toContain(page.status);
      for (const id of Object.values(theirs)) expect(page.text).not.toContain(id);
    }
  });
});

describe('hostile input', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom(
      '',
      ' ',
      '\u0000',
      '\u0007\u001b[31m',
      '\ud800',
      '../../etc/passwd',
      "' OR 1=1 --",
      '<script>alert(1)</script>',
      '{{7*7}}',
      '%00',
      '__proto__',
      'constructor',
      'a'.repeat(5000),
      '\u202e\u2066',
      'NaN',
      '-1',
      '1e309',
      'true',
      'null',
    ),
  );
  const value: fc.Arbitrary<unknown> = fc.oneof(
    text,
    fc.constantFrom(null, true, 0, -1, 1.5, 1e308, Number.MAX_SAFE_INTEGER + 2),
    fc.array(text, { maxLength: 3 }),
    fc.array(fc.constant('x'), { minLength: 600, maxLength: 600 }),
    fc.object({ maxDepth: 2 }),
    fc.constant(nowhere.agent),
  );
  const odd = fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'unknown_field');

  /** A body near what the operation takes, with one or several things wrong; or no body of that kind at all. */
  const bodyOf = (operation: Operation): fc.Arbitrary<{ readonly content: string; readonly type: string }> => {
    const schema = bodySchemaOf(operation);
    const good = schema ? (exampleOf(schema) as Record<string, unknown>) : {};
    const names = Object.keys(resolved(schema ?? {}).properties ?? {});
    const name = names.length > 0 ? fc.oneof(fc.constantFrom(...names), odd) : odd;
    const spoiled = fc
      .tuple(fc.array(fc.tuple(name, value), { maxLength: 4 }), fc.boolean())
      .map(([parts, near]) => JSON.stringify(Object.fromEntries([...(near ? Object.entries(good) : []), ...parts])));
    const broken = fc.constantFrom(
      '',
      '{',
      '[]',
      'null',
      '"text"',
      '{"a":1,}',
      `${'['.repeat(10_000)}`,
      '{"name":"\\ud800"}',
      '\ufeff{}',
      `{"name":"${'x'.repeat(70_000)}"}`,
    );
    const type = fc.constantFrom(
      'application/json',
      'application/json; charset=utf-16',
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'application/merge-patch+json',
      'nonsense',
    );
    return fc.record({
      content: fc.oneof({ weight: 4, arbitrary: spoiled }, { weight: 1, arbitrary: broken }),
      type: fc.oneof({ weight: 5, arbitrary: fc.constant('application/json') }, { weight: 1, arbitrary: type }),
    });
  };
  const encoded = (raw: string): string => encodeURIComponent(raw.toWellFormed());
  const segment = (own: string): fc.Arbitrary<string> =>
    fc.oneof(
      { weight: 3, arbitrary: fc.constant(own) },
      { weight: 1, arbitrary: text.map(encoded).filter((one) => one !== '' && one !== '.' && one !== '..') },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          '%zz',
          '%c0%af',
          '%00',
          own.toUpperCase(),
          `${own}%20`,
          own.slice(0, -1),
          '*',
          ':org',
          '{org}',
        ),
      },
    );

  let credentials: Readonly<Record<string, Client>>;
  let own: Things;
  const renew = async (): Promise<void> => {
    await world.provider.organizations.setSso(world.provider.organizations.byExternalId(world.acme)?.ref ?? '', true);
    await world.settle();
    const owner = await world.signIn(olivia);
    own = await thingsOf(owner, world.acme, 'sam.service@acme.test');
    const key = await issueKey(owner, world.acme, { bundle: 'admin' });
    credentials = {
      session: owner,
      key: world.agent(key.secret),
      nobody: world.anonymous,
      garbage: world.withHeaders({ authorization: 'Bearer %%%', cookie: 'hd_session=;;=;hd_refresh' }),
    };
  };
  beforeAll(renew);

  it('never gets more than a documented answer from any operation: no fault, no stack, always the envelope', {
    timeout: 120_000,
  }, async () => {
    const seen = new Map<string, Set<number>>();
    for (const operation of operations) {
      const names = pathNames(operation);
      const queryNames = operation.parameters.filter((one) => one.in === 'query').map(({ name }) => name);
      const request = fc.record({
        credential: fc.constantFrom('session', 'session', 'key', 'nobody', 'garbage'),
        path: fc.tuple(
          ...names.map((name) => segment(name === 'provider' ? 'workos' : (own[name as keyof Things] ?? 'x'))),
        ),
        query: fc.array(
          fc.tuple(
            queryNames.length > 0 ? fc.constantFrom(...queryNames, 'unknown') : fc.constant('unknown'),
            text.map(encoded),
          ),
          { maxLength: 3 },
        ),
        body: bodyOf(operation),
      });
      await fc.assert(
        fc.asyncProperty(request, async ({ credential, path, query, body }) => {
          const segments = Object.fromEntries(names.map((name, at) => [name, path[at] ?? '']));
          const search = query.map(([name, one]) => `${name}=${one}`).join('&');
          const answer = await credentials[credential]?.send(
            operation.method,
            `${filled(operation.path, segments)}${search && `?${search}`}`,
            {
              headers: { 'content-type': body.type },
              ...(operation.method !== 'GET' && { body: body.content }),
            },
          );
          if (!answer) throw new Error('no such credential');
          seen.set(operation.operationId, (seen.get(operation.operationId) ?? new Set()).add(answer.status));
          expect(answer.status).toBeLessThan(500);
          expect(answer.headers.get('x-request-id')).toMatch(/^req_/);
          if (answer.status >= 400) {
            expect(Object.keys(answer.body)).toEqual(['error']);
            expect(Object.keys(answer.body.error)).toEqual(['code', 'reason', 'message', 'details', 'request_id']);
            expect(answer.text).not.toMatch(/node_modules|\.ts:\d|\bat \w+ \(/);
            const isNoRoute =
              answer.body.error.reason === 'request.unknown_route' || answer.body.error.reason === 'request.invalid';
            if (!isNoRoute) expect(Object.keys(operation.responses)).toContain(String(answer.status));
          }
          // Whatever ended the sessions did as it was told; the next request wants one again.
          if (answer.status < 400 && /^(signOut|end|transferOwnership|remove|revokeApiKey)/.test(operation.operationId))
            await renew();
        }),
        { numRuns: 20 },
      );
    }
    expect(seen.size).toBe(operations.length);
    // Not all of it bounced off the credential check.
    const past = [...seen].filter(([, statuses]) =>
      [...statuses].some((status) => status < 300 || status === 400 || status === 404 || status === 302),
    );
    expect(past.length).toBeGreaterThan(operations.length * 0.8);
  });

  it('leaves the service whole', async () => {
    await renew();
    const verdict = await credentials['session']?.get(`/v1/organizations/${world.acme}/audit/verify`);
    expect(verdict?.body).toMatchObject({ whole: true });
    expect(({} as Record<string, unknown>)['unknown_field']).toBeUndefined();
  });
});
