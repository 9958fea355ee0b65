// The provider's counterparts of our organizations: their domains, their single sign-on, and the provider's list of members.

import type { Journal } from '#adapters/identity/fake/journal.ts';
import { enlist, strike } from '#adapters/identity/fake/ripples.ts';
import { hasSso, vouchesFor } from '#adapters/identity/fake/sign-in-rules.ts';
import {
  connectionOnWire,
  domainOnWire,
  organizationOnWire,
  previousAttributes,
} from '#adapters/identity/fake/wire-payloads.ts';
import { organizationIn, personIn } from '#adapters/identity/fake/world-complaint.ts';
import type { FakeOrganization, Person } from '#adapters/identity/fake/world-state.ts';
import { parseEmail } from '#domain/users/email.ts';

/** How long a new certificate is good: a year. */
export const certificateSeconds = 365 * 24 * 3600;

export class FakeOrganizations {
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  all(): readonly FakeOrganization[] {
    return this.#journal.state.organizations;
  }

  byRef(ref: string): FakeOrganization | undefined {
    return this.#journal.state.organizations.find((organization) => organization.ref === ref);
  }

  byExternalId(externalId: string): FakeOrganization | undefined {
    return this.#journal.state.organizations.find((organization) => organization.externalId === externalId);
  }

  /** The organization that has verified the domain of this address, if any has. */
  vouchingFor(text: string): FakeOrganization | undefined {
    const email = parseEmail(text);
    return email && this.#journal.state.organizations.find((organization) => vouchesFor(organization, email));
  }

  /** Whom the provider counts among this organization's members. */
  membersOf(ref: string): readonly Person[] {
    const subjects = this.#journal.state.memberships
      .filter((membership) => membership.organization === ref)
      .map(({ subject }) => subject);
    return this.#journal.state.people.filter(({ subject }) => subjects.includes(subject));
  }

  /**
   * Finds the organization by our id, or makes it. Claimed domains are verified at once, which saves a developer the DNS;
   * a domain that another organization has is `failed`. Asking again with the same facts changes nothing.
   */
  async ensure(facts: {
    readonly externalId: string;
    readonly name: string;
    readonly domains: readonly string[];
  }): Promise<FakeOrganization> {
    const known = this.byExternalId(facts.externalId);
    const organization = known ?? {
      ref: this.#journal.id('org'),
      externalId: facts.externalId,
      name: facts.name,
      domains: [],
      connection: null,
      ...this.#journal.born(),
    };
    const before = organizationOnWire(organization);
    organization.name = facts.name;
    const missing = [...new Set(facts.domains.map((name) => name.trim().toLowerCase()))].filter(
      (name) => !organization.domains.some((domain) => domain.name === name),
    );
    const claimed = missing.map((name) => {
      const taken = this.#journal.state.organizations.some((other) =>
        other.domains.some((domain) => domain.name === name),
      );
      return {
        id: this.#journal.id('org_domain'),
        name,
        state: taken ? 'failed' : 'verified',
        ...this.#journal.born(),
      } as const;
    });
    organization.domains.push(...claimed);

    const previous = previousAttributes(before, organizationOnWire(organization));
    if (!known) this.#journal.state.organizations.push(organization);
    else if (Object.keys(previous).length > 0) organization.updatedAt = this.#journal.now();
    if (!known) this.#journal.sayLater({ name: 'organization.created', data: organizationOnWire(organization) });
    for (const domain of claimed) {
      const data = domainOnWire(organization, domain);
      this.#journal.sayLater(
        domain.state === 'verified'
          ? { name: 'organization_domain.verified', data }
          : {
              name: 'organization_domain.verification_failed',
              data: { reason: 'domain_verified_by_other_organization', organization_domain: data },
            },
      );
    }
    if (known && Object.keys(previous).length > 0) {
      this.#journal.sayLater({
        name: 'organization.updated',
        data: organizationOnWire(organization),
        context: { previous_attributes: previous },
      });
    }
    await this.#journal.saved();
    return organization;
  }

  /** Switches single sign-on on or off. On, the organization takes nothing else. */
  async setSso(organizationRef: string, on: boolean, type = 'OktaSAML'): Promise<FakeOrganization> {
    const organization = organizationIn(this.#journal.state, organizationRef);
    if (hasSso(organization) === on) return organization;
    const connection = organization.connection ?? {
      id: this.#journal.id('conn'),
      name: `${organization.name} SSO`,
      type,
      state: 'inactive',
      certificateUntil: this.#journal.secondsFromNow(certificateSeconds),
      ...this.#journal.born(),
    };
    organization.connection = { ...connection, state: on ? 'active' : 'inactive', updatedAt: this.#journal.now() };
    this.#journal.sayLater({
      name: on ? 'connection.activated' : 'connection.deactivated',
      data: connectionOnWire(organization, organization.connection),
    });
    await this.#journal.saved();
    return organization;
  }

  /** Puts a person on the provider's list of an organization's members. Already on it: unchanged. */
  async admit(subject: string, organizationRef: string, role = 'member'): Promise<void> {
    enlist(
      this.#journal,
      personIn(this.#journal.state, subject),
      organizationIn(this.#journal.state, organizationRef),
      role,
    );
    await this.#journal.saved();
  }

  /** Takes a person off that list, and ends their sessions there. Not on it: unchanged. */
  async dismiss(subject: string, organizationRef: string): Promise<void> {
    strike(this.#journal, subject, organizationRef);
    await this.#journal.saved();
  }
}
