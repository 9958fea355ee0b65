// Connections of the stub, links to its Admin Portal, and the requests about them.

import { certificateNews, connection as connectionWire } from '../workos-payloads.ts';
import { newId, notFound, ok, pageOf, type StubAnswer, StubError, type StubRequest, text } from './stub-answers.ts';
import type { StubOrganizations } from './stub-organizations.ts';

export interface StubConnection {
  readonly id: string;
  readonly organization: string;
  readonly name: string;
  readonly type: string;
  readonly updatedAt: Date;
  state: string;
}

export interface StubConnectionsOptions {
  readonly now: () => Date;
  readonly organizations: StubOrganizations;
  readonly onEvent: (name: string, data: unknown) => void;
}

const intents = ['sso', 'dsync', 'audit_logs', 'log_streams', 'domain_verification', 'certificate_renewal'];

export class StubConnections {
  connections: StubConnection[] = [];
  /** Whether the endpoint that makes connections is there at all. */
  creates = true;
  /** Every link that was given out. */
  readonly links: string[] = [];
  readonly #options: StubConnectionsOptions;

  constructor(options: StubConnectionsOptions) {
    this.#options = options;
  }

  addConnection(organization: string, facts: Partial<StubConnection> = {}): StubConnection {
    const connection = {
      id: newId('conn'),
      organization,
      name: 'Acme SAML',
      type: 'OktaSAML',
      state: 'active',
      updatedAt: this.#options.now(),
      ...facts,
    };
    this.connections.push(connection);
    return connection;
  }

  /** The connection becomes active or inactive, and the event says so. */
  setState(connection: StubConnection, state: 'active' | 'inactive'): void {
    connection.state = state;
    this.#options.onEvent(`connection.${state === 'active' ? 'activated' : 'deactivated'}`, this.#wireOf(connection));
  }

  sayOfCertificate({ id, organization }: StubConnection, what: 'renewal_required' | 'renewed'): void {
    const connection = { id, organization_id: organization };
    this.#options.onEvent(`connection.saml_certificate_${what}`, certificateNews({ connection }));
  }

  handle(request: StubRequest): StubAnswer | undefined {
    const { method, path, query } = request;
    const [, id] = /^\/connections\/([^/]+)$/.exec(path) ?? [];
    if (method === 'POST' && path === '/portal/generate_link') return this.#link(request);
    if (method === 'GET' && path === '/connections') {
      const found = this.connections.filter(
        ({ organization }) => organization === (query.get('organization_id') ?? organization),
      );
      return pageOf(found, query, (connection) => this.#wireOf(connection));
    }
    if (method === 'POST' && path === '/connections') return this.#create(request);
    if (method === 'DELETE' && id) return this.#remove(id);
    return undefined;
  }

  #link({ body }: StubRequest): StubAnswer {
    this.#mustKnow(text(body['organization']));
    if (!intents.includes(text(body['intent']))) {
      throw new StubError(422, { message: 'Validation failed.', errors: [{ code: 'invalid_intent' }] });
    }
    const link = `https://setup.workos.test/portal/launch?secret=${newId('secret')}`;
    this.links.push(link);
    return ok({ link }, 201);
  }

  #create({ body }: StubRequest): StubAnswer {
    if (!this.creates) throw new StubError(404, { message: 'Not Found' });
    const organization = text(body['organization_id']);
    this.#mustKnow(organization);
    const options = (body['saml_options'] ?? body['oidc_options'] ?? {}) as Readonly<Record<string, unknown>>;
    if (/invalid/.test(text(options['idp_metadata_url']) + text(options['discovery_endpoint']))) {
      throw new StubError(422, { message: 'The metadata cannot be read.', code: 'invalid_metadata' });
    }
    const facts = { name: text(body['name']), type: text(body['connection_type']) };
    return ok(this.#wireOf(this.addConnection(organization, facts)), 201);
  }

  #remove(id: string): StubAnswer {
    const connection = this.connections.find((one) => one.id === id);
    if (!connection) throw notFound('Connection');
    this.connections = this.connections.filter((one) => one !== connection);
    this.#options.onEvent('connection.deleted', this.#wireOf(connection));
    return { status: 204 };
  }

  #mustKnow(organization: string): void {
    if (!this.#options.organizations.organizations.some(({ id }) => id === organization))
      throw notFound('Organization');
  }

  #wireOf({ id, organization, name, type, state, updatedAt }: StubConnection): unknown {
    return connectionWire({
      id,
      organization_id: organization,
      name,
      connection_type: type,
      state,
      updated_at: updatedAt.toISOString(),
    });
  }
}
