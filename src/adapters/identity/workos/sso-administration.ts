// Single sign-on of an organization at WorkOS: links to its Admin Portal, the connections, their removal; making one is off unless asked for.

import { randomUUID } from 'node:crypto';
import type { Connection } from '@workos-inc/node';
import { z } from 'zod';
import { whenNo } from '#adapters/identity/workos/failures.ts';
import type { Lane } from '#adapters/identity/workos/transport.ts';
import type { ConnectionDetails, ListedConnection, SsoAdministration } from '#application/ports/identity-provider.ts';
import { Refusal } from '#domain/shared/refusal.ts';

export interface SsoAdministrationParts {
  /** Somebody waits for a link or a list. */
  readonly lane: Lane;
  /**
   * Whether `POST /connections` is used. WorkOS' reference describes it, but neither its SDK nor its OpenAPI document does,
   * and not every environment has it.
   */
  readonly connectionCreation: boolean;
}

/** More connections than any organization has; a list that does not end must not keep us for ever. */
const mostPages = 20;

export const ssoAdministration = ({ lane, connectionCreation }: SsoAdministrationParts): SsoAdministration => ({
  async setupLink({ organization, intent, returnTo }) {
    const asked = lane.ask('make a set-up link', async ({ adminPortal }) => {
      const { link } = await adminPortal.generateLink({ organization, intent, returnUrl: returnTo });
      // Somebody will be sent there: no answer of WorkOS is without it.
      if (!URL.canParse(link)) throw new TypeError('an answer came without a link');
      return link;
    });
    return asked.catch(whenNo<never>({ not_found: notReady }));
  },

  async connections(organizationId) {
    const found: ListedConnection[] = [];
    let after: string | undefined;
    for (let page = 0; page < mostPages; page += 1) {
      const from = after === undefined ? {} : { after };
      const { data, next } = await lane.ask('list the connections of an organization', async ({ sso }) => {
        const page = await sso.listConnections({ organizationId, limit: 100, order: 'asc', ...from });
        return { data: page.data, next: page.listMetadata.after };
      });
      found.push(...data.map(listed));
      after = next ?? undefined;
      if (after === undefined) break;
    }
    return found;
  },

  async removeConnection(id) {
    const remove = lane.ask('remove a connection', ({ sso }) => sso.deleteConnection(id));
    await remove.catch(whenNo<void>({ not_found: () => undefined }));
  },

  ...(connectionCreation && { createConnection: creating(lane) }),
});

const notReady = (): never => {
  throw new Refusal('sso.not_ready');
};

/** WorkOS knows more states (draft, validating, deleting …), and will know others: none of them lets anybody in. */
const stateOf = (state: string): ListedConnection['state'] => (state === 'active' ? 'active' : 'inactive');

const listed = ({ id, name, type, state, updatedAt }: Connection): ListedConnection => ({
  id,
  name,
  type,
  state: stateOf(state),
  asOf: new Date(updatedAt),
});

const made = z.object({
  id: z.string().min(1),
  name: z.string(),
  connection_type: z.string().catch('unknown'),
  state: z.string().catch('inactive'),
  updated_at: z.iso.datetime({ offset: true }),
});

const detailsOnWire = (details: ConnectionDetails) =>
  details.protocol === 'saml'
    ? { connection_type: 'GenericSAML', saml_options: { idp_metadata_url: details.metadataUrl } }
    : {
        connection_type: 'GenericOIDC',
        oidc_options: {
          discovery_endpoint: details.discoveryUrl,
          client_id: details.clientId,
          client_secret: details.clientSecret,
        },
      };

const refused = (): never => {
  throw new Refusal('connection.refused');
};

/** Where the endpoint is missing, or not for us, the set-up link remains. */
const unsupported = (): never => {
  throw new Refusal('sso.not_supported');
};

const creating =
  (lane: Lane): NonNullable<SsoAdministration['createConnection']> =>
  async ({ organization, name, ...details }) => {
    // Unique in the organization at WorkOS, so that a repetition of this request by the transport makes no second one.
    const body = { organization_id: organization, name, external_id: randomUUID(), ...detailsOnWire(details) };
    const asked = lane.ask('create a connection', (workos) => workos.post<unknown>('/connections', body));
    const { data } = await asked.catch(
      whenNo<never>({ invalid: refused, conflict: refused, forbidden: unsupported, not_found: unsupported }),
    );
    const { id, connection_type: type, state, updated_at } = made.parse(data);
    return { id, name, type, state: stateOf(state), asOf: new Date(updated_at) };
  };
