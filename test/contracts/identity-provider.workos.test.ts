// The identity provider contract, run on WorkOS: the real SDK against the stub of its API.

import { callbackOf, workosWorld } from '../adapters/workos/workos-world.ts';
import type { Fault } from '../support/workos-stub/stub-faults.ts';
import { identityProviderContract, type ProviderWorld } from './identity-provider.contract.ts';

const outages: Readonly<Record<'down' | 'throttled', Fault>> = {
  down: { play: 'cut' },
  throttled: { play: 'answer', status: 429, body: { message: 'Too many requests' }, headers: { 'retry-after': '7' } },
};

const workosProviderWorld = async (): Promise<ProviderWorld> => {
  const { stub, clock, provider } = await workosWorld({ connectionCreation: true });
  const { organizations, sessions, events } = stub;
  const person = { email: 'carla@consult.test', name: 'Carla Consultant' };
  const { id } = organizations.addUser({ email: person.email, firstName: 'Carla', lastName: 'Consultant' });
  const place = (name: string, isMember: boolean): string => {
    const organization = organizations.addOrganization(name);
    if (isMember) organizations.addMembership(organization.id, id);
    return organization.id;
  };
  const home = place('home', true);
  const second = place('second', true);
  const closed = place('closed', false);
  const strict = place('strict', true);
  const connection = stub.connections.addConnection(strict);
  for (const organization of organizations.organizations) {
    if (organization.id !== strict) continue;
    organization.refusesSwitch = {
      error: 'sso_required',
      error_description: 'SSO, please.',
      connection_ids: ['conn_01'],
    };
  }

  return {
    provider,
    now: () => clock.now(),
    passTime: (seconds) => clock.turn(seconds),
    person,
    places: { home, second, closed, strict },
    connection: {
      id: connection.id,
      signIn: async (codeChallenge) => {
        const { email } = person;
        const through = { email, codeChallenge, connection: connection.id };
        return (await callbackOf({ provider }, through)).get('code') ?? '';
      },
    },
    signIn: async (codeChallenge) => {
      const { email } = person;
      return (await callbackOf({ provider }, { email, codeChallenge, organization: home })).get('code') ?? '';
    },
    signToken: (claims) => sessions.sign(claims),
    signDelivery: (body) => events.sign(body),
    hire: async (email) => stub.hire(home, email).map((event) => events.deliveryOf(event)),
    mailTo: (email) => stub.invitations.invitations.findLast((one) => one.email === email)?.token ?? '',
    takeUp: async (email, invitationToken, codeChallenge) => {
      const back = await callbackOf({ provider }, { email, codeChallenge, invitationToken });
      return back.get('code') ?? '';
    },
    outage: async (mode) => {
      stub.mend();
      if (mode !== 'none') stub.plan(outages[mode]);
    },
  };
};

identityProviderContract('WorkOS, through its SDK and a stub of its API,', workosProviderWorld);
