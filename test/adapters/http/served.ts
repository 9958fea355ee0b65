// The HTTP side of the system on a real socket, with use cases that answer only what a test says.

import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type HttpAppParts, httpApp } from '#adapters/delivery/http/app.ts';
import { httpServer } from '#adapters/delivery/http/kit/server.ts';
import { nodeNetworks } from '#adapters/system/node-networks.ts';
import { typeIds } from '#adapters/system/type-ids.ts';
import type { HeardOf } from '#application/ports/read-models.ts';
import type { ReconciliationStep } from '#application/ports/reconciliations.ts';
import type { Log } from '#application/ports/system.ts';
import type { UseCases } from '#application/use-cases.ts';
import { ApiKeySecret } from '#domain/access/api-key-secret.ts';
import type { AgentCaller, UserCaller } from '#domain/access/caller.ts';
import { scopes } from '#domain/access/scope.ts';
import type { AuditEntry } from '#domain/audit/audit-entry.ts';
import { planOf } from '#domain/provisioning/plan.ts';
import { beginReconciliation, type Reconciliation } from '#domain/provisioning/reconciliation.ts';
import type { Connection } from '#domain/sso/connection.ts';
import type { Email } from '#domain/users/email.ts';
import {
  aMembership,
  anAgent,
  anApiKey,
  anId,
  anInvitation,
  anOrganization,
  aSession,
  aUser,
  minute,
  monday,
  terminated,
} from '../../support/words.ts';

export const reference = 'r'.repeat(43);
export const secret = ApiKeySecret.mint('live', 'A'.repeat(26), () => 7);

export const anOwner = (facts: Partial<UserCaller> = {}): UserCaller => ({
  kind: 'user',
  id: anId('user'),
  organizationId: anId('org'),
  role: 'owner',
  scopes,
  sessionId: anId('sess'),
  impersonator: null,
  ...facts,
});

export const anAgentCaller = (facts: Partial<AgentCaller> = {}): AgentCaller => ({
  kind: 'agent',
  id: anId('agent'),
  organizationId: anId('org'),
  scopes: ['query:read', 'memory:read'],
  mode: 'live',
  apiKeyId: anId('key'),
  ...facts,
});

export const anAuditEntry: AuditEntry = {
  id: anId('aud'),
  organizationId: anId('org'),
  action: 'membership.role_changed',
  target: { kind: 'membership', id: anId('mem') },
  before: { role: 'analyst' },
  after: { role: 'developer' },
  outcome: 'done',
  at: monday,
  actor: { kind: 'user', id: anId('user') },
  source: { via: 'http', ip: '192.0.2.7', userAgent: 'a browser', requestId: anId('req') },
  sequence: 1,
  previousHash: '0'.repeat(64),
  hash: 'f'.repeat(64),
};

export const aReconciliation: Reconciliation = {
  ...beginReconciliation(
    { id: anId('recon'), organizationId: anId('org'), by: { kind: 'user', id: anId('user') }, unasked: false },
    monday,
  ),
  state: 'planned',
  asOf: monday,
  directories: [{ id: 'directory_acme', name: 'Okta', type: 'okta scim', state: 'connected' }],
  plan: planOf({ 'person.deprovision': 1 }, { people: 20, peopleLeaving: 1, places: 30, placesLeaving: 2 }),
  note: 'Refusal: with words of the inside',
};

export const aStep: ReconciliationStep = {
  kind: 'user',
  key: 'directory_user_ada',
  directoryId: 'directory_acme',
  active: false,
  address: null,
  drift: { change: 'person.deprovision', event: terminated('ada', 1) },
};

export const aConnection: Connection = {
  id: 'conn_1',
  organizationId: anId('org'),
  name: 'Okta',
  type: 'OktaSAML',
  state: 'active',
  asOf: monday,
  certificates: [{ kind: 'ResponseSigning', expiresAt: minute(5), warnedAt: monday, asOf: monday }],
  lastTest: {
    at: monday,
    by: anId('user'),
    outcome: 'failed',
    error: 'email_unverified',
    email: 'ada@acme.test',
    missing: ['verified_email'],
  },
};

const aHeardEvent: HeardOf = {
  id: anId('evt'),
  provider: 'workos',
  externalId: 'event_01',
  name: 'dsync.user.updated',
  organizationRef: 'org_01ABC',
  organizationId: anId('org'),
  occurredAt: monday,
  receivedAt: minute(1),
  status: 'dead',
  attempts: 20,
  dueAt: minute(9),
  settledAt: minute(8),
  note: 'A fault on our side.',
};

const person = { id: anId('user'), email: aUser().email, name: 'Ada' };
const aMember = { membership: aMembership(), user: person };
const page = <T>(...items: T[]) => Promise.resolve({ items, next: null });

/** Use cases of a small, friendly world: an owner who may do everything, and everything works. */
export const friendly: UseCases = {
  beginLogin: async () => ({ url: 'https://idp.example/authorize', state: 'state-1', box: 'box-1', seconds: 600 }),
  keepSessionAlive: async () => undefined,
  completeLogin: async () => ({
    is: 'signed_in',
    sessionId: anId('sess'),
    userId: anId('user'),
    organizationId: anId('org'),
    reference,
    refreshBox: 'sealed.refresh',
    remembered: false,
    cookieSeconds: 3600,
    returnTo: '/landing',
  }),
  failLogin: async () => undefined,
  signOut: async () => ({ logoutUrl: 'https://idp.example/logout' }),
  refreshSession: async () => ({
    tokens: { accessToken: 'new.access.token', refreshToken: 'new-refresh', expiresAt: minute(5) },
    organizationId: anId('org'),
  }),
  switchOrganization: async () => ({ refreshBox: 'sealed.again', cookieSeconds: 3600 }),
  onlyOnce: async (_caller, _asked, act, show) => {
    const once = { attempt: { id: 'id', organizationId: null, holder: 'holder' }, seal: async () => 'box' };
    return { answer: show(await act(once)), replayed: false };
  },
  authenticateCaller: async (credential) => (credential.kind === 'api_key' ? anAgentCaller() : anOwner()),
  whoAmI: async (caller) => ({
    caller,
    user: caller.kind === 'user' ? person : null,
    agent: caller.kind === 'agent' ? { id: caller.id, name: 'nightly report' } : null,
    organization: { id: anId('org'), name: 'Acme', slug: 'acme' },
    organizations: caller.kind === 'user' ? [{ id: anId('org'), name: 'Acme', slug: 'acme', role: 'owner' }] : [],
  }),
  listMySessions: async () => [aSession(), aSession({ id: anId('sess', 2) })],
  endMySession: async () => undefined,
  listSessions: () => page({ session: aSession(), user: person }),
  endSession: async () => undefined,
  endAllSessions: async () => 3,
  endMemberSessions: async () => 2,
  createOrganization: async (_caller, { name }) => anOrganization({ name }),
  listMyOrganizations: async () => [{ id: anId('org'), name: 'Acme', slug: 'acme', role: 'owner' }],
  getOrganization: async () => anOrganization({ domains: [{ name: 'acme.test', state: 'verified', asOf: monday }] }),
  transferOwnership: async () => undefined,
  listMembers: () => page(aMember),
  changeRole: async (_caller, { role }) => ({ ...aMember, membership: aMembership({ role }) }),
  removeMember: async () => undefined,
  invite: async (_caller, { email, role }) => anInvitation({ email: email as Email, role }),
  listInvitations: () => page(anInvitation({ sentAt: minute(1) })),
  resendInvitation: async () => anInvitation(),
  revokeInvitation: async () => undefined,
  createAgent: async (_caller, { name, description }) => anAgent({ name, description }),
  listAgents: () => page(anAgent()),
  getAgent: async () => anAgent(),
  issueApiKey: async (_caller, { scopes: wanted }) => ({ key: anApiKey({ scopes: wanted }), secret }),
  listApiKeys: () => page(anApiKey()),
  revokeApiKey: async () => undefined,
  getDirectory: async () => ({
    directories: [{ id: 'directory_acme', name: 'Okta', type: 'okta scim', state: 'connected', users: 2, groups: 1 }],
    lastEventAt: monday,
  }),
  getReconciliation: async () => ({ run: aReconciliation, next: [aStep] }),
  startReconciliation: async () => ({ ...aReconciliation, state: 'reading', plan: null }),
  applyReconciliation: async () => ({ ...aReconciliation, state: 'applying' }),
  listGroups: () => page({ id: 'directory_group_1', directoryId: 'directory_acme', name: 'Engineers', members: 2 }),
  getRoleMappings: async () => [{ groupId: 'directory_group_1', groupName: 'Engineers', role: 'developer' }],
  setRoleMappings: async (_caller, _organization, mappings) =>
    mappings.map((one) => ({ ...one, groupName: 'Engineers' })),
  getProvisioningPolicy: async () => ({ defaultRole: 'analyst', gateGroupId: null, justInTime: false }),
  setProvisioningPolicy: async (_caller, _organization, policy) => policy,
  getSso: async () => ({
    connections: [aConnection],
    can: { setupLink: true, testConnection: true, removeConnection: true, createConnection: false },
  }),
  createSetupLink: async (_caller, { intent }) => ({ url: `https://idp.example/setup/${intent}`, seconds: 300 }),
  createConnection: async (_caller, { name }) => ({ ...aConnection, name, certificates: [], lastTest: null }),
  startConnectionTest: async () => ({
    url: 'https://idp.example/authorize?connection=conn_1',
    state: 'state-1',
    box: 'box-1',
    seconds: 600,
  }),
  removeConnection: async () => undefined,
  listEvents: () => page(aHeardEvent),
  replayEvent: async () => ({ ...aHeardEvent, status: 'stored', attempts: 0, settledAt: null, note: null }),
  receiveDelivery: async () => 'stored',
  searchAudit: () => page(anAuditEntry),
  verifyAudit: async () => ({ entries: 1, whole: true, lastHash: 'f'.repeat(64), firstBroken: null }),
  recordRefusal: async () => undefined,
};

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The parsed body, when it is JSON. */
  readonly json: unknown;
  readonly cookies: readonly string[];
}

export interface Sent {
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Uint8Array;
  /** Sent as JSON, with its content type. */
  readonly json?: unknown;
}

export interface Served {
  readonly port: number;
  readonly log: readonly LogLine[];
  send(method: string, path: string, what?: Sent): Promise<Answered>;
  close(): Promise<void>;
}

export const publicOrigin = 'https://id.hatidata.example';
export const byToken = { authorization: 'Bearer aaa.bbb.ccc' };
export const byCookie = { cookie: `__Host-hd_session=${reference}`, 'sec-fetch-site': 'same-origin' };
export const byKey = { 'x-api-key': secret.reveal() };

const agent = false;

export const serve = async (useCases: Partial<UseCases> = {}, parts: Partial<HttpAppParts> = {}): Promise<Served> => {
  const log: LogLine[] = [];
  const line =
    (level: string) =>
    (message: string, facts: Readonly<Record<string, unknown>> = {}) => {
      log.push({ level, message, facts });
    };
  const memory: Log = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
  const app = httpApp({
    useCases: { ...friendly, ...useCases },
    publicUrl: new URL(publicOrigin),
    log: memory,
    ids: typeIds,
    networks: nodeNetworks,
    trustedProxies: [],
    checks: {},
    signatureHeaders: { workos: 'workos-signature', fake: 'workos-signature' },
    strict: true,
    ...parts,
  });
  const server = httpServer(app.callback(), typeIds);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  const send: Served['send'] = (method, path, { headers = {}, body, json } = {}) =>
    new Promise((resolve, reject) => {
      const payload = json === undefined ? body : JSON.stringify(json);
      const type = json === undefined ? {} : { 'content-type': 'application/json' };
      const isChunked = 'transfer-encoding' in headers;
      const length = payload === undefined || isChunked ? {} : { 'content-length': Buffer.byteLength(payload) };
      const asked = request(
        { host: '127.0.0.1', port, method, path, agent, headers: { ...type, ...length, ...headers } },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('error', reject);
          answer.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            const isJson = answer.headers['content-type']?.startsWith('application/json') && text !== '';
            resolve({
              status: answer.statusCode ?? 0,
              headers: answer.headers,
              text,
              json: isJson ? JSON.parse(text) : undefined,
              cookies: answer.headers['set-cookie'] ?? [],
            });
          });
        },
      );
      asked.on('error', reject);
      asked.end(payload);
    });

  return {
    port,
    log,
    send,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
