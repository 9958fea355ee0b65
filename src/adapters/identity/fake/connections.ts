// The provider's connections: one per organization, with one certificate. What becomes of them is said as the real provider says it.

import type { Journal } from '#adapters/identity/fake/journal.ts';
import { certificateSeconds, type FakeOrganizations } from '#adapters/identity/fake/organizations.ts';
import { certificateOnWire, deletedConnectionOnWire } from '#adapters/identity/fake/wire-payloads.ts';
import { WorldComplaint } from '#adapters/identity/fake/world-complaint.ts';
import type { FakeConnection, FakeOrganization } from '#adapters/identity/fake/world-state.ts';

export interface Connected {
  readonly organization: FakeOrganization;
  readonly connection: FakeConnection;
}

export class FakeConnections {
  readonly #journal: Journal;
  readonly #organizations: FakeOrganizations;

  constructor(journal: Journal, organizations: FakeOrganizations) {
    this.#journal = journal;
    this.#organizations = organizations;
  }

  all(): readonly Connected[] {
    return this.#organizations
      .all()
      .flatMap((organization) =>
        organization.connection ? [{ organization, connection: organization.connection }] : [],
      );
  }

  byId(id: string): Connected | undefined {
    return this.all().find(({ connection }) => connection.id === id);
  }

  /** Makes the organization's connection if it has none, and switches it on. */
  async setUp(organizationRef: string, type?: string): Promise<FakeConnection> {
    const { connection } = await this.#organizations.setSso(organizationRef, true, type);
    if (!connection) throw new Error('single sign-on was switched on without a connection');
    return connection;
  }

  /** As it is already: nothing is said. */
  async setActive(id: string, active: boolean): Promise<FakeConnection> {
    const { organization } = this.#connected(id);
    await this.#organizations.setSso(organization.ref, active);
    return this.#connected(id).connection;
  }

  /** One that is not there is left alone. */
  async remove(id: string): Promise<void> {
    const found = this.byId(id);
    if (!found) return;
    found.organization.connection = null;
    this.#journal.sayLater({
      name: 'connection.deleted',
      data: deletedConnectionOnWire(found.organization, found.connection),
    });
    await this.#journal.saved();
  }

  /** The certificate runs out in so many days, and the provider warns of it. */
  async warnOfCertificate(id: string, days = 30): Promise<FakeConnection> {
    const { organization, connection } = this.#connected(id);
    connection.certificateUntil = this.#journal.secondsFromNow(days * 24 * 3600);
    this.#journal.sayLater({
      name: 'connection.saml_certificate_renewal_required',
      data: certificateOnWire(organization, connection, days),
    });
    await this.#journal.saved();
    return connection;
  }

  /** Good for another year. */
  async renewCertificate(id: string): Promise<FakeConnection> {
    const { organization, connection } = this.#connected(id);
    connection.certificateUntil = this.#journal.secondsFromNow(certificateSeconds);
    this.#journal.sayLater({
      name: 'connection.saml_certificate_renewed',
      data: certificateOnWire(organization, connection, undefined),
    });
    await this.#journal.saved();
    return connection;
  }

  #connected(id: string): Connected {
    const found = this.byId(id);
    if (!found) throw new WorldComplaint('connection_not_found', 'No such connection.');
    return found;
  }
}
