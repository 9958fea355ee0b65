// Every operation answers as the contract says, and only with what it declares.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Refusal } from '#domain/shared/refusal.ts';
import { aMembership, anApiKey, anId, aSession, aUser } from '../../support/words.ts';
import { anOwner, byCookie, byKey, byToken, friendly, type Served, secret, serve } from './served.ts';

const org = `/v1/organizations/${anId('org')}`;

interface Case {
  readonly ask: [method: string, path: string];
  readonly json?: unknown;
  readonly status: number;
  readonly answer?: unknown;
}

const role = { role: 'developer' };
const mapping = { group_id: 'directory_group_1', role: 'developer' };
const policy = { default_role: null, gate_group_id: null, just_in_time: true };
const listOf = (...data: unknown[]) => ({ data, pagination: { cursor: null, has_more: false } });

const session = {
  id: anId('sess'),
  user_id: anId('user'),
  organization_id: anId('org'),
  method: 'sso',
  remembered: false,
  ip: '192.0.2.7',
  user_agent: 'a browser',
  started_at: '2026-03-02T09:00:00.000Z',
  last_seen_at: '2026-03-02T09:00:00.000Z',
  expires_at: '2026-03-03T09:00:00.000Z',
};
const member = {
  id: anId('mem'),
  user_id: anId('user'),
  email: 'ada@acme.test',
  name: 'Ada',
  role: 'analyst',
  status: 'active',
  managed_by: 'hand',
  created_at: '2026-03-02T09:00:00.000Z',
};
const connection = {
  id: 'conn_1',
  name: 'Okta',
  type: 'OktaSAML',
  state: 'active',
  certificates: [],
  last_test: null,
};
const event = {
  id: anId('evt'),
  provider: 'workos',
  provider_event_id: 'event_01',
  name: 'dsync.user.updated',
  status: 'dead',
  attempts: 20,
  occurred_at: '2026-03-02T09:00:00.000Z',
  received_at: '2026-03-02T09:01:00.000Z',
  settled_at: '2026-03-02T09:08:00.000Z',
  due_at: null,
  note: 'A fault on our side.',
};
const invitation = {
  id: anId('inv'),
  email: 'guest@elsewhere.test',
  role: 'analyst',
  status: 'pending',
  invited_by: anId('user'),
  sent_at: null,
  expires_at: '2026-03-09T09:00:00.000Z',
  accepted_by: null,
  created_at: '2026-03-02T09:00:00.000Z',
};
const agent = {
  id: anId('agent'),
  name: 'nightly report',
  description: null,
  status: 'active',
  responsible_user_id: anId('user'),
  created_at: '2026-03-02T09:00:00.000Z',
};
const key = {
  id: anId('key'),
  agent_id: anId('agent'),
  name: 'production',
  prefix: 'hd_live_AbCd',
  last_four: 'wXyZ',
  mode: 'live',
  scopes: ['query:read'],
  status: 'active',
  ip_allowlist: [],
  expires_at: null,
  last_used_at: null,
  created_by: { kind: 'user', id: anId('user') },
  created_at: '2026-03-02T09:00:00.000Z',
};
const user = { id: anId('user'), email: 'ada@acme.test', name: 'Ada' };

const reconciliation = {
  id: anId('recon'),
  state: 'planned',
  by_schedule: false,
  started_at: '2026-03-02T09:00:00.000Z',
  finished_at: null,
  as_of: '2026-03-02T09:00:00.000Z',
  directories: [{ id: 'directory_acme', name: 'Okta', type: 'okta scim', state: 'connected' }],
  plan: {
    changes: { 'person.deprovision': 1 },
    people: 20,
    people_leaving: 1,
    group_places: 30,
    group_places_leaving: 2,
    removes_most: false,
  },
  settled: 0,
  note: 'It was interrupted; see the log of the service.',
};

const cases: readonly Case[] = [
  {
    ask: ['POST', '/v1/session/organization'],
    json: { organization_id: anId('org', 2) },
    status: 200,
    answer: { organization_id: anId('org', 2) },
  },
  {
    ask: ['POST', '/v1/session/refresh'],
    json: { refresh_token: 'old' },
    status: 200,
    answer: {
      access_token: 'new.access.token',
      refresh_token: 'new-refresh',
      expires_at: '2026-03-02T09:05:00.000Z',
      organization_id: anId('org'),
    },
  },
  {
    ask: ['GET', '/v1/sessions'],
    status: 200,
    answer: listOf({ ...session, current: true }, { ...session, id: anId('sess', 2), current: false }),
  },
  { ask: ['DELETE', `/v1/sessions/${anId('sess')}`], status: 204 },
  {
    ask: ['GET', '/v1/organizations'],
    status: 200,
    answer: listOf({ id: anId('org'), name: 'Acme', slug: 'acme', role: 'owner' }),
  },
  {
    ask: ['POST', '/v1/organizations'],
    json: { name: ' Beta ' },
    status: 201,
    answer: {
      id: anId('org'),
      name: 'Beta',
      slug: 'acme',
      status: 'active',
      domains: [],
      ownerless: false,
      created_at: '2026-03-02T09:00:00.000Z',
    },
  },
  {
    ask: ['GET', org],
    status: 200,
    answer: {
      id: anId('org'),
      name: 'Acme',
      slug: 'acme',
      status: 'active',
      domains: [{ name: 'acme.test', state: 'verified' }],
      ownerless: false,
      created_at: '2026-03-02T09:00:00.000Z',
    },
  },
  { ask: ['POST', `${org}/ownership`], json: { user_id: anId('user', 2) }, status: 204 },
  { ask: ['GET', `${org}/members?status=active&role=analyst&q=ad`], status: 200, answer: listOf(member) },
  {
    ask: ['PATCH', `${org}/members/${anId('mem')}`],
    json: role,
    status: 200,
    answer: { ...member, role: 'developer' },
  },
  { ask: ['DELETE', `${org}/members/${anId('mem')}`], status: 204 },
  {
    ask: ['GET', `${org}/invitations?status=pending`],
    status: 200,
    answer: listOf({ ...invitation, sent_at: '2026-03-02T09:01:00.000Z' }),
  },
  {
    ask: ['POST', `${org}/invitations`],
    json: { email: 'ada@elsewhere.test', role: 'developer' },
    status: 201,
    answer: { ...invitation, email: 'ada@elsewhere.test', role: 'developer' },
  },
  { ask: ['POST', `${org}/invitations/${anId('inv')}/resend`], status: 200, answer: invitation },
  { ask: ['DELETE', `${org}/invitations/${anId('inv')}`], status: 204 },
  { ask: ['GET', `${org}/events?status=dead`], status: 200, answer: listOf(event) },
  {
    ask: ['POST', `${org}/events/${anId('evt')}/replay`],
    status: 202,
    answer: {
      ...event,
      status: 'stored',
      attempts: 0,
      settled_at: null,
      due_at: '2026-03-02T09:09:00.000Z',
      note: null,
    },
  },
  { ask: ['GET', `${org}/members/${anId('mem')}/sessions`], status: 200, answer: listOf({ ...session, user }) },
  { ask: ['DELETE', `${org}/members/${anId('mem')}/sessions`], status: 200, answer: { ended: 2 } },
  { ask: ['GET', `${org}/sessions`], status: 200, answer: listOf({ ...session, current: true, user }) },
  { ask: ['DELETE', `${org}/sessions/${anId('sess')}`], status: 204 },
  { ask: ['DELETE', `${org}/sessions`], status: 200, answer: { ended: 3 } },
  { ask: ['GET', `${org}/agents`], status: 200, answer: listOf(agent) },
  { ask: ['POST', `${org}/agents`], json: { name: 'crawler' }, status: 201, answer: { ...agent, name: 'crawler' } },
  { ask: ['GET', `${org}/agents/${anId('agent')}`], status: 200, answer: agent },
  { ask: ['GET', `${org}/api-keys?agent_id=${anId('agent')}&prefix=hd_live`], status: 200, answer: listOf(key) },
  {
    ask: ['POST', `${org}/api-keys`],
    json: { agent_id: anId('agent'), name: 'production', bundle: 'read_only' },
    status: 201,
    answer: {
      ...key,
      scopes: ['query:read', 'tables:list', 'tables:describe', 'schemas:read', 'audit:read'],
      secret: secret.reveal(),
    },
  },
  { ask: ['DELETE', `${org}/api-keys/${anId('key')}`], status: 204 },
  {
    ask: ['GET', `${org}/sso`],
    status: 200,
    answer: {
      connections: [
        {
          ...connection,
          certificates: [
            {
              kind: 'ResponseSigning',
              expires_at: '2026-03-02T09:05:00.000Z',
              warned_at: '2026-03-02T09:00:00.000Z',
            },
          ],
          last_test: {
            at: '2026-03-02T09:00:00.000Z',
            by: anId('user'),
            outcome: 'failed',
            error: 'email_unverified',
            email: 'ada@acme.test',
            missing: ['verified_email'],
          },
        },
      ],
      can: { setup_link: true, test_connection: true, remove_connection: true, create_connection: false },
    },
  },
  {
    ask: ['POST', `${org}/sso/setup-link?return_to=/settings`],
    json: { intent: 'certificate_renewal' },
    status: 200,
    answer: { url: 'https://idp.example/setup/certificate_renewal', expires_in_seconds: 300 },
  },
  {
    ask: ['POST', `${org}/directory/setup-link`],
    status: 200,
    answer: { url: 'https://idp.example/setup/dsync', expires_in_seconds: 300 },
  },
  {
    ask: ['POST', `${org}/sso/connections`],
    json: { protocol: 'saml', name: 'Okta', metadata_url: 'https://acme.okta.com/app/metadata' },
    status: 201,
    answer: connection,
  },
  {
    ask: ['POST', `${org}/sso/connections`],
    json: {
      protocol: 'oidc',
      name: 'Okta',
      discovery_url: 'https://acme.okta.com/.well-known/openid-configuration',
      client_id: 'client',
      client_secret: 'a secret that must not come back',
    },
    status: 201,
    answer: connection,
  },
  {
    ask: ['POST', `${org}/sso/connections/conn_1/test`],
    status: 200,
    answer: { login_url: 'https://idp.example/authorize?connection=conn_1' },
  },
  { ask: ['DELETE', `${org}/sso/connections/conn_1`], status: 204 },
  {
    ask: ['GET', `${org}/directory`],
    status: 200,
    answer: {
      directories: [{ id: 'directory_acme', name: 'Okta', type: 'okta scim', state: 'connected', users: 2, groups: 1 }],
      last_event_at: '2026-03-02T09:00:00.000Z',
    },
  },
  {
    ask: ['GET', `${org}/directory/reconcile`],
    status: 200,
    answer: {
      reconciliation,
      next_changes: [
        {
          change: 'person.deprovision',
          directory_id: 'directory_acme',
          person: { id: 'directory_user_ada', email: 'ada@acme.test', name: 'ada' },
          group: null,
        },
      ],
    },
  },
  {
    ask: ['POST', `${org}/directory/reconcile`],
    json: {},
    status: 202,
    answer: { ...reconciliation, state: 'reading', plan: null },
  },
  {
    ask: ['POST', `${org}/directory/reconcile`],
    json: { plan_id: anId('recon'), remove_most: true },
    status: 202,
    answer: { ...reconciliation, state: 'applying' },
  },
  {
    ask: ['GET', `${org}/directory/groups`],
    status: 200,
    answer: listOf({ id: 'directory_group_1', directory_id: 'directory_acme', name: 'Engineers', members: 2 }),
  },
  {
    ask: ['GET', `${org}/role-mappings`],
    status: 200,
    answer: { data: [{ ...mapping, group_name: 'Engineers' }] },
  },
  {
    ask: ['PUT', `${org}/role-mappings`],
    json: { mappings: [mapping] },
    status: 200,
    answer: { data: [{ ...mapping, group_name: 'Engineers' }] },
  },
  {
    ask: ['GET', `${org}/provisioning-policy`],
    status: 200,
    answer: { default_role: 'analyst', gate_group_id: null, just_in_time: false },
  },
  { ask: ['PUT', `${org}/provisioning-policy`], json: policy, status: 200, answer: policy },
  {
    ask: ['GET', `${org}/audit?actor=${anId('user')}&from=2026-01-01T00:00:00Z`],
    status: 200,
    answer: listOf({
      id: anId('aud'),
      sequence: 1,
      at: '2026-03-02T09:00:00.000Z',
      actor: { kind: 'user', id: anId('user') },
      action: 'membership.role_changed',
      target: { kind: 'membership', id: anId('mem') },
      source: { via: 'http', ip: '192.0.2.7', user_agent: 'a browser', request_id: anId('req') },
      before: { role: 'analyst' },
      after: { role: 'developer' },
      outcome: 'done',
      hash: 'f'.repeat(64),
      previous_hash: '0'.repeat(64),
    }),
  },
  {
    ask: ['GET', `${org}/audit/verify`],
    status: 200,
    answer: { entries: 1, whole: true, last_hash: 'f'.repeat(64), first_broken: null },
  },
  { ask: ['GET', '/healthz'], status: 200, answer: { status: 'ok' } },
];

describe('the operations', () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve();
  });
  afterAll(() => served.close());

  it.each(cases)('answer $ask with $status', async ({ ask: [method, path], json, status, answer }) => {
    const answered = await served.send(method, path, { headers: byToken, json });
    expect(answered.status).toBe(status);
    expect(answered.json).toEqual(answer);
    expect(answered.headers['x-request-id']).toMatch(/^req_[0-9a-z]{26}$/);
    expect(answered.headers['cache-control']).toBe('no-store');
  });
});

describe('whoami', () => {
  it('shows a person and the organizations they may act in', async () => {
    const served = await serve();
    const answered = await served.send('GET', '/v1/whoami', { headers: byCookie });
    await served.close();
    expect(answered.json).toEqual({
      caller: {
        kind: 'user',
        id: anId('user'),
        organization_id: anId('org'),
        role: 'owner',
        scopes: expect.arrayContaining(['orgs:manage']),
        mode: null,
        session_id: anId('sess'),
        api_key_id: null,
        authenticated_by: 'session',
      },
      user,
      organization: { id: anId('org'), name: 'Acme', slug: 'acme' },
      organizations: [{ id: anId('org'), name: 'Acme', role: 'owner' }],
    });
  });

  it('shows an agent in the same shape, without organizations', async () => {
    const served = await serve();
    const answered = await served.send('GET', '/v1/whoami', { headers: byKey });
    await served.close();
    expect(answered.json).toEqual({
      caller: {
        kind: 'agent',
        id: anId('agent'),
        organization_id: anId('org'),
        role: null,
        scopes: ['query:read', 'memory:read'],
        mode: 'live',
        session_id: null,
        api_key_id: anId('key'),
        authenticated_by: 'api_key',
      },
      agent: { id: anId('agent'), name: 'nightly report' },
      organization: { id: anId('org'), name: 'Acme', slug: 'acme' },
    });
  });

  it('says so when somebody of the support acts as the person', async () => {
    const impersonator = { email: 'help@hatidata.example', reason: 'ticket 7' };
    const served = await serve({ authenticateCaller: async () => anOwner({ impersonator }) });
    const answered = await served.send('GET', '/v1/whoami', { headers: byCookie });
    await served.close();
    expect(answered.json).toMatchObject({ caller: { impersonator } });
  });
});

describe('what leaves', () => {
  it('is only what the answer declares, whatever the use case returns', async () => {
    const leaky = { ...anApiKey(), pepper: 'do not tell' };
    const leakyProfile = {
      caller: { ...anOwner(), hidden: 'do not tell' },
      user: { ...aUser(), password: 'do not tell' },
      agent: null,
      organization: null,
      organizations: [],
    };
    const served = await serve({
      listApiKeys: async () => ({ items: [leaky], next: null }),
      listMySessions: async () => [aSession()],
      whoAmI: async () => leakyProfile,
    });
    const keys = await served.send('GET', `${org}/api-keys`, { headers: byToken });
    const sessions = await served.send('GET', '/v1/sessions', { headers: byToken });
    const whoami = await served.send('GET', '/v1/whoami', { headers: byToken });
    await served.close();
    expect(keys.text + sessions.text + whoami.text).not.toMatch(/do not tell|digest|provider/i);
    expect(whoami.json).toHaveProperty('user', user);
  });

  it('is a fault, and no half-truth, when it does not fit its declaration', async () => {
    const broken = { membership: { ...aMembership(), role: 'emperor' as 'owner' }, user: friendlyPerson };
    const served = await serve({ listMembers: async () => ({ items: [broken], next: null }) });
    const answered = await served.send('GET', `${org}/members`, { headers: byToken });
    await served.close();
    expect(answered.status).toBe(500);
    expect(answered.text).not.toContain('emperor');
  });
});

const friendlyPerson = { id: anId('user'), email: aUser().email, name: 'Ada' };

describe('lists', () => {
  it('pass limit and cursor on, and give the next cursor back', async () => {
    const served = await serve({
      listAgents: async (_caller, _organization, { limit, cursor }) => ({
        items: [],
        next: `${cursor ?? 'start'}+${limit}`,
      }),
    });
    const first = await served.send('GET', `${org}/agents`, { headers: byToken });
    const second = await served.send('GET', `${org}/agents?limit=200&cursor=abc`, { headers: byToken });
    await served.close();
    expect(first.json).toEqual({ data: [], pagination: { cursor: 'start+50', has_more: true } });
    expect(second.json).toEqual({ data: [], pagination: { cursor: 'abc+200', has_more: true } });
  });

  it.each(['limit=0', 'limit=201', 'limit=1.5', 'limit=ten', 'limit=', 'limit=1&limit=2', 'cursor=', 'cursor=%00'])(
    'refuse %s',
    async (query) => {
      const served = await serve();
      const answered = await served.send('GET', `${org}/agents?${query}`, { headers: byToken });
      await served.close();
      expect(answered.status).toBe(400);
      expect(answered.json).toMatchObject({ error: { code: 'VALIDATION_ERROR', reason: 'request.invalid' } });
    },
  );

  it('ignore parameters that they do not know', async () => {
    const served = await serve();
    const answered = await served.send('GET', `${org}/agents?color=red`, { headers: byToken });
    await served.close();
    expect(answered.status).toBe(200);
  });
});

describe('forward-auth', () => {
  it('tells the proxy who calls, in headers', async () => {
    const served = await serve();
    const person = await served.send('GET', '/v1/verify?scope=query:read', { headers: byToken });
    const agentCall = await served.send('GET', '/v1/verify', { headers: byKey });
    await served.close();
    expect(person.status).toBe(204);
    expect(person.headers).toMatchObject({
      'x-hati-organization': anId('org'),
      'x-hati-caller': anId('user'),
      'x-hati-kind': 'user',
      'x-hati-role': 'owner',
      'x-hati-scopes': expect.stringContaining('query:read query:write'),
    });
    expect(agentCall.headers).toMatchObject({ 'x-hati-kind': 'agent', 'x-hati-scopes': 'query:read memory:read' });
    expect(agentCall.headers).not.toHaveProperty('x-hati-role');
  });

  it.each([
    ['nobody', {}, 401, 'credential.missing'],
    ['an agent without the scope', byKey, 403, 'caller.scope_missing'],
    ['two credentials', { ...byKey, ...byToken }, 401, 'credential.ambiguous'],
  ])('turns away %s with a status that proxies know', async (_who, headers, status, reason) => {
    const served = await serve();
    const answered = await served.send('GET', '/v1/verify?scope=orgs:manage', { headers });
    await served.close();
    expect(answered.status).toBe(status);
    expect(answered.json).toMatchObject({ error: { reason } });
  });

  it('turns away somebody without an organization', async () => {
    const served = await serve({ authenticateCaller: async () => anOwner({ organizationId: null, role: null }) });
    const answered = await served.send('GET', '/v1/verify', { headers: byToken });
    await served.close();
    expect(answered.status).toBe(403);
    expect(answered.json).toMatchObject({ error: { reason: 'organization.none' } });
  });

  it('lets nothing into a header that could end it', async () => {
    const served = await serve({
      authenticateCaller: async () =>
        anOwner({ id: 'user_1\r\nX-Hati-Role: owner' as ReturnType<typeof anOwner>['id'] }),
    });
    const answered = await served.send('GET', '/v1/verify', { headers: byToken });
    await served.close();
    expect(answered.status).toBe(500);
  });
});

describe('owners', () => {
  it.each([
    ['PATCH', `${org}/members/${anId('mem')}`, { role: 'owner' }, 'membership.ownership_is_handed_over'],
    [
      'PUT',
      `${org}/role-mappings`,
      { mappings: [{ group_id: 'g', role: 'owner' }] },
      'role_mapping.owner_not_mappable',
    ],
    ['PUT', `${org}/provisioning-policy`, { ...policy, default_role: 'owner' }, 'role_mapping.owner_not_mappable'],
  ])('are not made by %s %s', async (method, path, json, reason) => {
    const served = await serve();
    const answered = await served.send(method, path, { headers: byToken, json });
    await served.close();
    expect(answered.status).toBe(422);
    expect(answered.json).toMatchObject({ error: { code: 'POLICY_VIOLATION', reason } });
  });
});

describe('keys', () => {
  it.each([
    ['neither scopes nor bundle', {}],
    ['both', { scopes: ['query:read'], bundle: 'agent' }],
    ['an unknown scope', { scopes: ['query:everything'] }],
    ['an expiry in the past', { bundle: 'agent', expires_in_days: 0 }],
  ])('are not issued for %s', async (_what, rest) => {
    const served = await serve();
    const json = { agent_id: anId('agent'), name: 'k', ...rest };
    const answered = await served.send('POST', `${org}/api-keys`, { headers: byToken, json });
    await served.close();
    expect(answered.status).toBe(400);
  });

  it('for an agent that is not active are refused as a conflict, not as if the caller had to sign in', async () => {
    const served = await serve({
      issueApiKey: async () => {
        throw new Refusal('agent.not_active');
      },
    });
    const json = { agent_id: anId('agent'), name: 'k', bundle: 'agent' };
    const answered = await served.send('POST', `${org}/api-keys`, { headers: byToken, json });
    await served.close();
    expect(answered.status).toBe(409);
  });
});

describe('readiness', () => {
  it('names the dependency that is down', async () => {
    const served = await serve(
      {},
      { checks: { database: async () => 'up', cache: () => Promise.reject(new Error('no route to 10.0.0.7')) } },
    );
    const answered = await served.send('GET', '/readyz');
    await served.close();
    expect(answered.status).toBe(503);
    expect(answered.json).toEqual({ status: 'not_ready', checks: { database: 'up', cache: 'down' } });
  });

  it('is told when everything answers', async () => {
    const served = await serve({}, { checks: { database: async () => undefined } });
    const answered = await served.send('GET', '/readyz');
    await served.close();
    expect(answered.status).toBe(200);
    expect(answered.json).toEqual({ status: 'ready', checks: { database: 'up' } });
  });
});

describe('the use cases', () => {
  it('are each asked by some route (or by the guard itself)', async () => {
    const asked = new Set<string>();
    const watched = Object.fromEntries(
      Object.entries(friendly).map(([name, useCase]) => [
        name,
        (...given: unknown[]) => {
          asked.add(name);
          return (useCase as (...given: unknown[]) => unknown)(...given);
        },
      ]),
    ) as unknown as typeof friendly;
    const served = await serve(watched);
    for (const { ask, json } of cases) await served.send(...ask, { headers: byToken, json });
    await served.send('GET', '/v1/whoami', { headers: byToken });
    await served.send('GET', '/v1/whoami', { headers: byCookie });
    const login = await served.send('GET', '/auth/login');
    const cookie = (login.cookies[0] ?? '').split(';')[0];
    await served.send('GET', '/auth/callback?code=c&state=state-1', { headers: { cookie } });
    await served.send('GET', '/auth/callback?error=access_denied&state=state-1', { headers: { cookie } });
    await served.send('POST', '/auth/logout', { headers: byCookie });
    await served.send('POST', '/webhooks/fake', { body: '{}' });
    const once = { ...byToken, 'idempotency-key': 'once' };
    await served.send('POST', `${org}/agents`, { headers: once, json: { name: 'crawler' } });
    await served.send('PATCH', `${org}/members/${anId('mem')}`, { headers: byToken, json: { role: 'owner' } });
    await served.close();
    expect([...asked].sort()).toEqual(Object.keys(friendly).sort());
  });
});
