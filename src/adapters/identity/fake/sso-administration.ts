// The port's single sign-on administration, kept by the fake world.

import type { FakeWorld } from '#adapters/identity/fake/world.ts';
import type { FakeConnection } from '#adapters/identity/fake/world-state.ts';
import type { ListedConnection, SsoAdministration } from '#application/ports/identity-provider.ts';

const listed = ({ id, name, type, state, updatedAt }: FakeConnection): ListedConnection => ({
  id,
  name,
  type,
  state,
  asOf: new Date(updatedAt),
});

/**
 * @param reach what every call that would cross the network goes through
 * @param makesConnections whether a connection can be made without the set-up page; nothing of its details is looked at
 */
export const fakeSso = (
  world: FakeWorld,
  reach: () => Promise<void>,
  makesConnections: boolean,
): SsoAdministration => ({
  async setupLink(request) {
    await reach();
    return world.setupLinks.linkFor(request);
  },
  async connections(organization) {
    await reach();
    return world.connections
      .all()
      .filter((one) => one.organization.ref === organization)
      .map(({ connection }) => listed(connection));
  },
  async removeConnection(id) {
    await reach();
    await world.connections.remove(id);
  },
  ...(makesConnections && {
    async createConnection({ organization, protocol }) {
      await reach();
      return listed(await world.connections.setUp(organization, protocol === 'saml' ? 'GenericSAML' : 'GenericOIDC'));
    },
  }),
});
