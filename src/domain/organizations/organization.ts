// An organization: the tenant that owns people's memberships, agents, directories and its own audit trail.

import { defaultSessionPolicy, type SessionPolicy } from '#domain/organizations/session-policy.ts';
import { closedProvisioningPolicy, type ProvisioningPolicy } from '#domain/provisioning/provisioning-policy.ts';
import type { OrganizationId, UserId } from '#domain/shared/ids.ts';

/** A claimed mail domain. Only a verified one routes sign-ins or vouches for people. */
export interface DomainClaim {
  readonly name: string;
  readonly state: 'pending' | 'verified' | 'failed';
  /** When the provider last said so; older news about the same domain is ignored. */
  readonly asOf: Date;
}

/** How an identity provider calls one of our organizations. One to one. */
export interface ProviderRef {
  readonly provider: string;
  readonly id: string;
}

export interface OrganizationState {
  readonly id: OrganizationId;
  readonly name: string;
  readonly slug: string;
  readonly status: 'active' | 'suspended' | 'deleted';
  readonly domains: readonly DomainClaim[];
  readonly provider: ProviderRef | null;
  /** True when the directory removed the owner and no admin could take over; the operator appoints one. */
  readonly ownerless: boolean;
  readonly sessionPolicy: SessionPolicy;
  readonly provisioningPolicy: ProvisioningPolicy;
  readonly createdAt: Date;
  readonly version: number;
}

export type OrganizationEvent =
  | { readonly type: 'organization.founded' | 'organization.ownerless'; readonly organization: OrganizationState }
  | {
      readonly type:
        | 'organization.linked'
        | 'organization.renamed'
        | 'organization.provisioning_changed'
        | 'organization.deleted';
      readonly organization: OrganizationState;
      readonly before: OrganizationState;
    }
  | {
      readonly type: 'organization.domain_changed';
      readonly organization: OrganizationState;
      readonly before: OrganizationState;
      readonly domain: DomainClaim;
    }
  | {
      readonly type: 'organization.ownership_passed';
      readonly organization: OrganizationState;
      readonly from: UserId | null;
      readonly to: UserId;
    };

export class Organization {
  readonly kind = 'organization';
  #state: OrganizationState;
  #events: OrganizationEvent[] = [];

  private constructor(state: OrganizationState) {
    this.#state = state;
  }

  static found(facts: {
    id: OrganizationId;
    name: string;
    slug: string;
    domains: readonly string[];
    at: Date;
  }): Organization {
    const organization = new Organization({
      id: facts.id,
      name: facts.name,
      slug: facts.slug,
      status: 'active',
      domains: facts.domains.map((name) => ({ name, state: 'pending', asOf: facts.at })),
      provider: null,
      ownerless: false,
      sessionPolicy: defaultSessionPolicy,
      provisioningPolicy: closedProvisioningPolicy,
      createdAt: facts.at,
      version: 0,
    });
    organization.#events.push({ type: 'organization.founded', organization: organization.#state });
    return organization;
  }

  static restore(state: OrganizationState): Organization {
    return new Organization(state);
  }

  /** Remembers the provider's name for this organization. The same name again changes nothing. */
  link(provider: ProviderRef): void {
    const known = this.#state.provider;
    if (known?.provider === provider.provider && known.id === provider.id) return;
    this.#change({ provider }, (before) => ({ type: 'organization.linked', organization: this.#state, before }));
  }

  rename(name: string): void {
    if (name === this.#state.name) return;
    this.#change({ name }, (before) => ({ type: 'organization.renamed', organization: this.#state, before }));
  }

  /** Takes the provider's word on a domain; older news than we have is ignored. The same word again only moves its time. */
  hearDomain(heard: DomainClaim): void {
    const known = this.#state.domains.find(({ name }) => name === heard.name);
    if (known && known.asOf > heard.asOf) return;
    if (known?.state === heard.state) {
      const moved = this.#state.domains.map((claim) => (claim === known ? heard : claim));
      this.#state = { ...this.#state, domains: moved };
      return;
    }
    const domains = [...this.#state.domains.filter(({ name }) => name !== heard.name), heard];
    this.#change({ domains }, (before) => ({
      type: 'organization.domain_changed',
      organization: this.#state,
      before,
      domain: heard,
    }));
  }

  /** The domain is no longer theirs. Remembered also of one we never had, so that its late verification routes nobody. */
  loseDomain(name: string, at: Date): void {
    this.hearDomain({ name, state: 'failed', asOf: at });
  }

  changeProvisioning(policy: ProvisioningPolicy): void {
    if (JSON.stringify(policy) === JSON.stringify(this.#state.provisioningPolicy)) return;
    this.#change({ provisioningPolicy: policy }, (before) => ({
      type: 'organization.provisioning_changed',
      organization: this.#state,
      before,
    }));
  }

  /** The owner is gone and nobody could take over. Said once, until somebody is appointed. */
  loseOwner(): void {
    if (this.#state.ownerless) return;
    this.#change({ ownerless: true }, () => ({ type: 'organization.ownerless', organization: this.#state }));
  }

  /** Somebody owns it (again). The event tells from whom to whom. */
  passOwnership(to: UserId, from: UserId | null): void {
    this.#change({ ownerless: false }, () => ({
      type: 'organization.ownership_passed',
      organization: this.#state,
      from,
      to,
    }));
  }

  /** Ends the organization. The second time changes nothing. */
  delete(): void {
    if (this.#state.status === 'deleted') return;
    this.#change({ status: 'deleted' }, (before) => ({
      type: 'organization.deleted',
      organization: this.#state,
      before,
    }));
  }

  verifies(domain: string): boolean {
    return this.#state.domains.some((claim) => claim.name === domain && claim.state === 'verified');
  }

  #change(part: Partial<OrganizationState>, event: (before: OrganizationState) => OrganizationEvent): void {
    const before = this.#state;
    this.#state = { ...before, ...part };
    this.#events.push(event(before));
  }

  get state(): OrganizationState {
    return this.#state;
  }
  pullEvents(): OrganizationEvent[] {
    return this.#events.splice(0);
  }
}

/** A slug from a name: what a URL can carry. Empty when the name has no letter or digit in it. */
export const slugOf = (name: string): string =>
  name
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-/, '')
    .slice(0, 48)
    .replace(/-$/, '');
