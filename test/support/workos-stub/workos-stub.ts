// A WorkOS of our own for tests: a real HTTP server that speaks as much of WorkOS' wire as we use, and misbehaves on request.
//
// Written from WorkOS' documentation, and held against its OpenAPI document in every test; never compared with the real service.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '#application/ports/system.ts';
import { directory, directoryGroup, directoryUser } from '../workos-payloads.ts';
import { newId, type StubAnswer, StubError, type StubRequest } from './stub-answers.ts';
import { StubConnections } from './stub-connections.ts';
import { StubDirectories } from './stub-directories.ts';
import { StubEvents } from './stub-events.ts';
import { type Fault, type PlannedFault, playFault } from './stub-faults.ts';
import { StubInvitations } from './stub-invitations.ts';
import { type StubMembership, StubOrganizations } from './stub-organizations.ts';
import { StubSessions } from './stub-sessions.ts';
import { deviationsOf, readSpec } from './stub-spec.ts';

export interface WorkosStub {
  /** Origin: `http://127.0.0.1:…`. */
  readonly url: string;
  readonly apiKey: string;
  readonly clientId: string;
  readonly issuer: string;
  readonly organizations: StubOrganizations;
  readonly connections: StubConnections;
  readonly invitations: StubInvitations;
  readonly directories: StubDirectories;
  readonly sessions: StubSessions;
  readonly events: StubEvents;
  /** Every request that came, in order. */
  readonly requests: readonly StubRequest[];
  /** Plays the fault for the next so many requests that it is for; for all of them unless said otherwise. */
  plan(fault: Fault, scope?: { readonly on?: string | RegExp; readonly times?: number }): void;
  /** All is well again. */
  mend(): void;
  /** The organization's directory takes somebody on; the events that tell it. */
  hire(organization: string, email: string): readonly ReturnType<StubEvents['record']>[];
  /** This test means it: what matches may be other than WorkOS' OpenAPI document says. */
  deviate(where: RegExp): void;
  /** Stops, and fails when something on the wire was not as WorkOS' OpenAPI document says. */
  close(): Promise<void>;
}

const bodyOf = async (request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text === '' ? {} : JSON.parse(text);
};

const send = (response: ServerResponse, { status, body, headers }: StubAnswer, requestId: string): void => {
  response.writeHead(status, {
    'x-request-id': requestId,
    ...(body !== undefined && { 'content-type': 'application/json; charset=utf-8' }),
    ...headers,
  });
  response.end(body === undefined ? undefined : JSON.stringify(body));
};

export const startWorkosStub = async (clock: Clock): Promise<WorkosStub> => {
  readSpec();
  const apiKey = 'sk_test_a2V5XzAxTm9ib2R5TWF5RXZlclByaW50VGhpcw';
  const clientId = 'client_01STUB';
  const issuer = `https://api.workos.test/user_management/${clientId}`;
  const now = () => clock.now();
  const events = new StubEvents(now);
  const onEvent = (name: string, data: unknown): void => {
    events.record(name, data);
  };
  const onEnded = ({ organization, user }: StubMembership): void => {
    for (const session of sessions.sessions) {
      if (session.user === user && session.organization === organization && session.status === 'active')
        sessions.end(session);
    }
  };
  const organizations = new StubOrganizations({ now, onEnded, onEvent });
  const directories = new StubDirectories();
  const connections = new StubConnections({ now, organizations, onEvent });
  const invitations = new StubInvitations({ now, organizations, onEvent });
  const sessions = await StubSessions.open({
    now,
    clientId,
    apiKey,
    issuer,
    organizations,
    connections,
    invitations,
    onEvent,
  });
  const requests: StubRequest[] = [];
  const deviations = new Set<string>();
  const meant: RegExp[] = [];
  let planned: PlannedFault[] = [];

  const faultFor = (request: StubRequest): Fault | undefined => {
    const found = planned.find(({ on, times }) => times > 0 && on(request));
    if (found) found.times -= 1;
    return found?.fault;
  };

  const isPublic = ({ path }: StubRequest): boolean =>
    path === '/user_management/authorize' || path.startsWith('/sso/jwks/');

  const answer = async (request: StubRequest): Promise<StubAnswer> => {
    if (!isPublic(request) && request.headers['authorization'] !== `Bearer ${apiKey}`) {
      return { status: 401, body: { message: 'Unauthorized' } };
    }
    try {
      const found =
        organizations.handle(request) ??
        connections.handle(request) ??
        invitations.handle(request) ??
        directories.handle(request) ??
        events.handle(request) ??
        (await sessions.handle(request));
      for (const deviation of found ? deviationsOf(request, found) : []) deviations.add(deviation);
      return found ?? { status: 404, body: { message: `The stub does not serve ${request.method} ${request.path}.` } };
    } catch (thrown) {
      if (thrown instanceof StubError) return thrown.answer;
      return { status: 500, body: { message: String(thrown) } };
    }
  };

  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname: path, searchParams: query } = new URL(incoming.url ?? '/', 'http://stub');
    const body = await bodyOf(incoming);
    const request = { method: incoming.method ?? 'GET', path, query, body, headers: incoming.headers };
    requests.push(request);
    const requestId = newId('req');
    const fault = faultFor(request);
    if (!fault) return send(response, await answer(request), requestId);
    switch (fault.play) {
      case 'lost':
        await answer(request);
        response.destroy();
        return;
      case 'served':
        await answer(request);
        return send(response, fault, requestId);
      case 'delayed': {
        const answered = await answer(request);
        await fault.until;
        return send(response, answered, requestId);
      }
      default:
        return playFault(fault, response, requestId);
    }
  };

  const server = createServer((incoming, response) => {
    serve(incoming, response).catch((fault: unknown) => response.destroy(fault as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    invitations,
    apiKey,
    clientId,
    issuer,
    organizations,
    connections,
    directories,
    sessions,
    events,
    requests,
    plan(fault, { on, times = Number.POSITIVE_INFINITY } = {}) {
      const hits = ({ method, path }: StubRequest): boolean => {
        // What a browser asks is not for the adapter to suffer from.
        if (on === undefined) return path !== '/user_management/authorize';
        return typeof on === 'string' ? `${method} ${path}` === on : on.test(`${method} ${path}`);
      };
      planned.push({ fault, on: hits, times });
    },
    mend() {
      planned = [];
    },
    hire(organization, email) {
      const at = now().toISOString();
      const times = { created_at: at, updated_at: at };
      const { id: directory_id } = directories.at(directory({ organization_id: organization, ...times }));
      const place = { directory_id, organization_id: organization };
      const emails = [{ primary: true, type: 'work', value: email }];
      const user = directoryUser({ id: newId('directory_user'), ...place, email, emails, ...times });
      const group = directoryGroup(place);
      directories.putUser(directory_id, user);
      directories.putGroup(directory_id, group);
      directories.membersOf(directory_id, String(group['id'])).add(String(user['id']));
      return [
        events.record('dsync.user.created', user),
        events.record('dsync.group.user_added', { directory_id, user, group }),
      ];
    },
    deviate(where) {
      meant.push(where);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      const faults = [...deviations].filter((deviation) => !meant.some((where) => where.test(deviation)));
      if (faults.length > 0) throw new Error(`Not as WorkOS' OpenAPI document says:\n${faults.join('\n')}`);
    },
  };
};
