// Single sign-on at WorkOS: what is asked, what its answers come to, and that neither links nor secrets reach a log.

import { describe, expect, it } from 'vitest';
import type { SsoAdministration } from '#application/ports/identity-provider.ts';
import {
  callbackOf,
  codeChallenge,
  codeVerifier,
  outcomeOf,
  staffed,
  type WorkosWorld,
  workosWorld,
} from './workos-world.ts';

const ssoOf = ({ provider }: WorkosWorld): SsoAdministration => {
  if (!provider.sso) throw new Error('WorkOS administers single sign-on');
  return provider.sso;
};
const returnTo = 'http://localhost:3000/settings';

describe('a link to the Admin Portal', () => {
  it('is asked for by organization and purpose, with the way back', async () => {
    const world = await workosWorld();
    const { acme } = staffed(world);
    const link = await ssoOf(world).setupLink({ organization: acme.id, intent: 'certificate_renewal', returnTo });
    expect([link]).toEqual(world.stub.connections.links);
    expect(world.stub.requests.at(-1)).toMatchObject({
      path: '/portal/generate_link',
      body: { organization: acme.id, intent: 'certificate_renewal', return_url: returnTo },
    });
  });

  it('is not to be had for an organization that WorkOS does not know', async () => {
    const world = await workosWorld();
    const asked = ssoOf(world).setupLink({ organization: 'org_nobody', intent: 'sso', returnTo });
    expect(await outcomeOf(asked)).toBe('sso.not_ready');
  });

  it('is in no line of the log, whatever happens', async () => {
    const world = await workosWorld();
    const { acme } = staffed(world);
    world.stub.plan({ play: 'lost' }, { on: 'POST /portal/generate_link', times: 1 });
    await ssoOf(world).setupLink({ organization: acme.id, intent: 'sso', returnTo });
    await outcomeOf(ssoOf(world).setupLink({ organization: 'org_nobody', intent: 'sso', returnTo }));
    expect(world.stub.connections.links.length).toBe(2);
    expect(world.lines.length).toBeGreaterThan(0);
    expect(JSON.stringify(world.lines)).not.toContain('portal/launch');
  });
});

describe('an answer without what was asked for', () => {
  it.each([{}, { data: [] }, { link: 'nowhere' }])('counts as none, be it %j', async (body) => {
    const world = await workosWorld();
    const { setupLink, connections } = ssoOf(world);
    world.stub.plan({ play: 'answer', status: 200, body });
    expect(await outcomeOf(setupLink({ organization: 'org_1', intent: 'sso', returnTo }))).toBe('identity.unavailable');
    expect(await outcomeOf(connections('org_1'))).toBe('identity.unavailable');
  });
});

describe('the connections', () => {
  it('are all listed, however many pages they fill, and only an active one counts as active', async () => {
    const world = await workosWorld();
    const { acme } = staffed(world);
    const states = ['active', 'inactive', 'draft', 'validating', 'requires_type', 'deleting', 'a_new_word'];
    world.stub.deviate(/state must be/);
    for (const state of states) world.stub.connections.addConnection(acme.id, { state });
    for (let more = 0; more < 110; more += 1) world.stub.connections.addConnection(acme.id, { state: 'draft' });
    const listed = await ssoOf(world).connections(acme.id);
    expect(listed.map(({ id }) => id)).toEqual(world.stub.connections.connections.map(({ id }) => id));
    expect(listed.filter(({ state }) => state === 'active').map(({ id }) => id)).toEqual([listed[0]?.id]);
  });
});

describe('making a connection', () => {
  const saml = { protocol: 'saml', metadataUrl: 'https://acme.okta.test/metadata' } as const;
  const oidc = {
    protocol: 'oidc',
    discoveryUrl: 'https://acme.okta.test/.well-known/openid-configuration',
    clientId: 'a client',
    clientSecret: 'a-secret-of-the-customer',
  } as const;

  it('is off unless it is switched on', async () => {
    expect(ssoOf(await workosWorld()).createConnection).toBeUndefined();
    expect(ssoOf(await workosWorld({ connectionCreation: true })).createConnection).toBeDefined();
  });

  it.each([
    ['SAML', saml, { connection_type: 'GenericSAML', saml_options: { idp_metadata_url: saml.metadataUrl } }],
    [
      'OIDC',
      oidc,
      {
        connection_type: 'GenericOIDC',
        oidc_options: {
          discovery_endpoint: oidc.discoveryUrl,
          client_id: oidc.clientId,
          client_secret: oidc.clientSecret,
        },
      },
    ],
  ])(
    'passes the details of %s on, under one name however often it is repeated, and logs none',
    async (_, details, sent) => {
      const world = await workosWorld({ connectionCreation: true });
      const { acme } = staffed(world);
      world.stub.plan({ play: 'cut' }, { on: 'POST /connections', times: 1 });
      const made = await ssoOf(world).createConnection?.({ organization: acme.id, name: 'Okta', ...details });
      expect(made).toMatchObject({ name: 'Okta', type: sent.connection_type, state: 'active' });
      const bodies = world.stub.requests.filter(({ path }) => path === '/connections').map(({ body }) => body);
      expect(bodies).toHaveLength(2);
      expect(bodies[0]).toMatchObject({ organization_id: acme.id, name: 'Okta', ...sent });
      expect(bodies[1]).toEqual(bodies[0]);
      expect(JSON.stringify(world.lines)).not.toContain(oidc.clientSecret);
    },
  );

  it('says no where the details are no good, and points to the link where WorkOS does not offer it', async () => {
    const world = await workosWorld({ connectionCreation: true });
    const { acme } = staffed(world);
    const create = (details: typeof saml | typeof oidc | { protocol: 'saml'; metadataUrl: string }) =>
      outcomeOf(Promise.resolve(ssoOf(world).createConnection?.({ organization: acme.id, name: 'Okta', ...details })));
    expect(await create({ protocol: 'saml', metadataUrl: 'https://invalid.test/' })).toBe('connection.refused');
    world.stub.connections.creates = false;
    expect(await create(saml)).toBe('sso.not_supported');
    world.stub.connections.creates = true;
    world.stub.plan({ play: 'answer', status: 403, body: { message: 'No.' } }, { on: 'POST /connections' });
    expect(await create(saml)).toBe('sso.not_supported');
  });
});

describe('a sign-in through a connection', () => {
  it('names the connection and nothing else that would choose one', async () => {
    const world = await workosWorld();
    const url = new URL(
      await world.provider.login.urlFor({
        state: 's',
        redirectUri: returnTo,
        codeChallenge,
        connection: 'conn_1',
        organization: 'org_1',
      }),
    );
    expect(url.searchParams.get('connection_id')).toBe('conn_1');
    expect(url.searchParams.has('organization_id')).toBe(false);
    expect(url.searchParams.has('provider')).toBe(false);
  });

  it('that is not active comes back with WorkOS’ word for it', async () => {
    const world = await workosWorld();
    const { ada, acme } = staffed(world);
    const { id: connection } = world.stub.connections.addConnection(acme.id, { state: 'inactive' });
    const back = await callbackOf(world, { email: ada.email, codeChallenge, connection });
    expect(back.get('error')).toBe('connection_invalid');
  });
});

describe('an invitation', () => {
  it('goes along with the address and with the code', async () => {
    const world = await workosWorld();
    const { code } = staffed(world);
    const invitationToken = 'an-invitation';
    const url = new URL(
      await world.provider.login.urlFor({ state: 's', redirectUri: returnTo, codeChallenge, invitationToken }),
    );
    expect(url.searchParams.get('invitation_token')).toBe(invitationToken);
    const browser = { ip: null, userAgent: null };
    const redeemed = world.provider.login.redeem({ code: await code(), codeVerifier, ...browser, invitationToken });
    await expect(redeemed).rejects.toMatchObject({
      reason: 'sign_in.denied',
      details: { provider_error: 'invitation_invalid' },
    });
    expect(world.stub.requests.at(-1)?.body['invitation_token']).toBe(invitationToken);
    await world.provider.login.redeem({ code: await code(), codeVerifier, ...browser });
    expect(world.stub.requests.at(-1)?.body).not.toHaveProperty('invitation_token');
  });
});
