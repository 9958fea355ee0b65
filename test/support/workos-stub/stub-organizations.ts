// Organizations, domains, users and memberships of the stub, and the requests about them.

import {
  organizationDomain,
  organizationMembership,
  organization as organizationWire,
  user as userWire,
} from '../workos-payloads.ts';
import { newId, notFound, ok, pageOf, type StubAnswer, StubError, type StubRequest, text } from './stub-answers.ts';

export interface StubUser {
  readonly id: string;
  readonly email: string;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly emailVerified: boolean;
}

export interface StubOrganization {
  readonly id: string;
  readonly name: string;
  readonly externalId: string | null;
  /** Refuses to be entered by a refresh, with this error. */
  refusesSwitch: Readonly<Record<string, unknown>> | undefined;
}

export interface StubDomain {
  readonly id: string;
  readonly organization: string;
  readonly name: string;
  state: string;
  updatedAt: Date;
}

export interface StubMembership {
  readonly id: string;
  readonly organization: string;
  readonly user: string;
  readonly directoryManaged: boolean;
  /** The slug of its role. */
  role: string;
  status: 'active' | 'inactive' | 'pending';
}

export interface StubOrganizationsOptions {
  readonly now: () => Date;
  /** Somebody lost a membership: WorkOS ends their sessions there. */
  readonly onEnded: (membership: StubMembership) => void;
  readonly onEvent: (name: string, data: unknown) => void;
}

export class StubOrganizations {
  readonly users: StubUser[] = [];
  readonly organizations: StubOrganization[] = [];
  readonly domains: StubDomain[] = [];
  memberships: StubMembership[] = [];
  readonly #options: StubOrganizationsOptions;
  readonly #answered = new Map<string, { readonly request: string; readonly answer: StubAnswer }>();

  constructor(options: StubOrganizationsOptions) {
    this.#options = options;
  }

  addUser(facts: Partial<StubUser> & { readonly email: string }): StubUser {
    const user = { id: newId('user'), firstName: null, lastName: null, emailVerified: true, ...facts };
    this.users.push(user);
    return user;
  }

  addOrganization(name: string, externalId: string | null = null): StubOrganization {
    const organization: StubOrganization = { id: newId('org'), name, externalId, refusesSwitch: undefined };
    this.organizations.push(organization);
    return organization;
  }

  addDomain(organization: string, name: string, state = 'pending'): StubDomain {
    const domain = { id: newId('org_domain'), organization, name, state, updatedAt: this.#options.now() };
    this.domains.push(domain);
    return domain;
  }

  addMembership(organization: string, user: string, facts: Partial<StubMembership> = {}): StubMembership {
    const membership: StubMembership = {
      id: newId('om'),
      organization,
      user,
      directoryManaged: false,
      role: 'member',
      status: 'active',
      ...facts,
    };
    this.memberships.push(membership);
    return membership;
  }

  isMember(organization: string, user: string): boolean {
    return this.memberships.some(
      (one) => one.organization === organization && one.user === user && one.status === 'active',
    );
  }

  wireOf(organization: StubOrganization): unknown {
    const domains = this.domains.filter((domain) => domain.organization === organization.id);
    return organizationWire({
      id: organization.id,
      name: organization.name,
      external_id: organization.externalId,
      allow_profiles_outside_organization: false,
      domains: domains.map((domain) => this.domainWire(domain)),
    });
  }

  domainWire({ id, organization, name, state, updatedAt }: StubDomain): unknown {
    return organizationDomain({
      id,
      organization_id: organization,
      domain: name,
      state,
      updated_at: updatedAt.toISOString(),
    });
  }

  membershipWire({ id, organization, user, status, role, directoryManaged }: StubMembership): unknown {
    return organizationMembership({
      id,
      organization_id: organization,
      user_id: user,
      status,
      directory_managed: directoryManaged,
      role: { slug: role },
      user: this.users.filter(({ id }) => id === user).map((one) => this.userWire(one))[0] ?? userWire({ id: user }),
    });
  }

  userWire({ id, email, emailVerified, firstName, lastName }: StubUser): unknown {
    return userWire({ id, email, email_verified: emailVerified, first_name: firstName, last_name: lastName });
  }

  /** Undefined when the request is about something else. */
  handle(request: StubRequest): StubAnswer | undefined {
    const { method, path } = request;
    const [, byExternalId] = /^\/organizations\/external_id\/([^/]+)$/.exec(path) ?? [];
    const [, byId] = /^\/organizations\/([^/]+)$/.exec(path) ?? [];
    const [, membershipId, verb] =
      /^\/user_management\/organization_memberships\/([^/]+)(?:\/(\w+))?$/.exec(path) ?? [];
    if (method === 'GET' && byExternalId) {
      return ok(this.wireOf(this.#organization((one) => one.externalId === decodeURIComponent(byExternalId))));
    }
    if (method === 'GET' && byId) return ok(this.wireOf(this.#organization((one) => one.id === byId)));
    if (method === 'POST' && path === '/organizations') return this.#create(request);
    if (method === 'POST' && path === '/organization_domains') return this.#claimDomain(request);
    if (path === '/user_management/organization_memberships') {
      return method === 'GET' ? this.#list(request) : this.#join(request);
    }
    if (membershipId) return this.#change(method, membershipId, verb);
    return undefined;
  }

  #organization(is: (organization: StubOrganization) => boolean): StubOrganization {
    const found = this.organizations.find(is);
    if (!found) throw notFound('Organization');
    return found;
  }

  /** The same key with the same body gets the same answer again; the external id is unique besides. */
  #create({ body, headers }: StubRequest): StubAnswer {
    const key = text(headers['idempotency-key']);
    const request = JSON.stringify(body);
    const before = this.#answered.get(key);
    if (before) {
      if (before.request === request) return before.answer;
      throw new StubError(409, {
        message: 'This idempotency key was used with another body.',
        code: 'idempotency_key_in_use',
      });
    }
    const externalId = text(body['external_id']) || null;
    if (externalId !== null && this.organizations.some((one) => one.externalId === externalId)) {
      throw new StubError(409, { message: 'The external id is in use.', code: 'external_id_already_used' });
    }
    const made = this.wireOf(this.addOrganization(text(body['name']), externalId));
    this.#options.onEvent('organization.created', made);
    const answer = ok(made, 201);
    if (key) this.#answered.set(key, { request, answer });
    return answer;
  }

  #claimDomain({ body }: StubRequest): StubAnswer {
    const name = text(body['domain']);
    if (this.domains.some((domain) => domain.name === name)) {
      throw new StubError(409, { message: 'The domain is in use.', code: 'domain_already_in_use' });
    }
    const { id } = this.#organization((one) => one.id === body['organization_id']);
    const made = this.domainWire(this.addDomain(id, name));
    this.#options.onEvent('organization_domain.created', made);
    return ok(made, 201);
  }

  #list({ query }: StubRequest): StubAnswer {
    const statuses = (query.get('statuses') ?? 'active').split(',');
    const found = this.memberships.filter(
      ({ organization, user, status }) =>
        organization === (query.get('organization_id') ?? organization) &&
        user === (query.get('user_id') ?? user) &&
        statuses.includes(status),
    );
    return pageOf(found, query, (membership) => this.membershipWire(membership));
  }

  #join({ body }: StubRequest): StubAnswer {
    const user = this.users.find(({ id }) => id === body['user_id']);
    if (!user) throw notFound('User');
    const { id } = this.#organization((one) => one.id === body['organization_id']);
    const standing = this.memberships.find((one) => one.organization === id && one.user === user.id);
    if (standing && standing.status !== 'inactive') {
      throw new StubError(422, {
        message: 'Already a member.',
        errors: [{ code: 'organization_membership_already_exists' }],
      });
    }
    if (standing) standing.status = 'active';
    const made = this.membershipWire(standing ?? this.addMembership(id, user.id));
    this.#options.onEvent(`organization_membership.${standing ? 'updated' : 'created'}`, made);
    return ok(made, 201);
  }

  #change(method: string, id: string, verb: string | undefined): StubAnswer | undefined {
    const membership = this.memberships.find((one) => one.id === id);
    if (!membership) throw notFound('Organization membership');
    if (membership.directoryManaged) {
      throw new StubError(422, { message: 'The directory manages it.', errors: [{ code: 'directory_managed' }] });
    }
    if (method === 'DELETE') {
      this.memberships = this.memberships.filter((one) => one !== membership);
      this.#options.onEvent('organization_membership.deleted', this.membershipWire(membership));
      return { status: 200 };
    }
    if (membership.status === 'pending')
      throw new StubError(400, { message: 'It is pending.', code: 'pending_membership' });
    if (verb !== 'deactivate' && verb !== 'reactivate') return undefined;
    membership.status = verb === 'deactivate' ? 'inactive' : 'active';
    this.#options.onEvent('organization_membership.updated', this.membershipWire(membership));
    if (verb === 'deactivate') this.#options.onEnded(membership);
    return ok(this.membershipWire(membership));
  }
}
