// The demo that `npm start` shows: two organizations with people in every role, a directory, an agent and a key. Made through the use cases, as people would make it.

import { seedDemo } from '#adapters/identity/fake/seed.ts';
import type { FakeWorld } from '#adapters/identity/fake/world.ts';
import type { Service } from '#bootstrap/service.ts';
import { signInAs } from '#bootstrap/sign-in-as.ts';
import type { Caller } from '#domain/access/caller.ts';
import { bundles } from '#domain/access/scope.ts';
import type { Source } from '#domain/audit/audit-entry.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';

export interface Demo {
  readonly acme: OrganizationId;
  readonly globex: OrganizationId;
  /** A session of the owner, for one `curl`. */
  readonly sessionReference: string;
  /** A fresh key of the demo's agent; the one of the last start is revoked. */
  readonly apiKey: string;
}

const source: Source = { via: 'cli', ip: null, userAgent: null, requestId: null };
const everything = { limit: 200, cursor: null };
const agentName = 'nightly-report';

/** Running it again finds what is there, leaves what people changed, and hands out a new session and key. */
export const makeDemo = async (service: Service, world: FakeWorld): Promise<Demo> => {
  const { useCases } = service;
  // Nobody listens yet: what the fake says goes straight to the use case that its webhook would call.
  world.deliverTo(async (delivery) => void (await useCases.receiveDelivery('fake', delivery)));
  const settled = async (): Promise<void> => {
    await service.outbox.drain();
    await world.settled();
    await service.inbox.drain();
  };
  const enter = async (email: string): Promise<{ caller: Caller; reference: string }> => {
    const { reference } = await signInAs(useCases, world, { email }, source);
    return {
      caller: await useCases.authenticateCaller({ kind: 'session_reference', reference }, { ip: null }),
      reference,
    };
  };
  const owned = async (email: string, person: string, name: string, domain: string): Promise<OrganizationId> => {
    await world.people.add({ email, name: person });
    const { caller } = await enter(email);
    const known = (await useCases.listMyOrganizations(caller)).find((organization) => organization.name === name);
    return (
      known?.id ?? (await useCases.createOrganization(caller, { name, slug: undefined, domains: [domain] }, source)).id
    );
  };

  const acme = await owned('olivia.owner@acme.test', 'Olivia Owner', 'Acme', 'acme.test');
  const globex = await owned('gus.owner@globex.test', 'Gus Owner', 'Globex', 'globex.test');
  await settled();
  const seeded = await seedDemo(world, { acme, globex });
  await settled();

  const olivia = await enter('olivia.owner@acme.test');
  if ((await useCases.getRoleMappings(olivia.caller, acme)).length === 0) {
    const mappings = seeded.acme.groups.map(({ group, role }) => ({ groupId: group.id, role }));
    await useCases.setRoleMappings(olivia.caller, acme, mappings, source);
  }
  await giveRoles(service, olivia.caller, acme, seeded.acme.people);
  const gus = await enter('gus.owner@globex.test');
  await giveRoles(service, gus.caller, globex, seeded.globex.people);
  const apiKey = await freshKey(service, olivia.caller, acme);
  await settled();
  return { acme, globex, sessionReference: olivia.reference, apiKey };
};

/** Those whom no directory manages get their role by hand, once: whoever has another role than the default keeps it. */
const giveRoles = async (
  { useCases }: Service,
  owner: Caller,
  organizationId: OrganizationId,
  people: Awaited<ReturnType<typeof seedDemo>>['acme']['people'],
): Promise<void> => {
  const members = await useCases.listMembers(owner, organizationId, { status: 'active' }, everything);
  for (const { email, role, inDirectory } of people) {
    const member = members.items.find(({ user }) => user.email === email);
    if (!member || inDirectory || role === 'owner' || member.membership.role !== 'analyst') continue;
    await useCases.changeRole(owner, { organizationId, member: member.membership.id, role }, source);
  }
};

const freshKey = async ({ useCases }: Service, owner: Caller, organizationId: OrganizationId): Promise<string> => {
  const agents = await useCases.listAgents(owner, organizationId, everything);
  const agent =
    agents.items.find(({ name }) => name === agentName) ??
    (await useCases.createAgent(
      owner,
      { organizationId, name: agentName, description: 'Writes the nightly report' },
      source,
    ));
  const keys = await useCases.listApiKeys(owner, organizationId, { agentId: agent.id }, everything);
  for (const key of keys.items.filter(({ name, status }) => name === 'demo' && status === 'active')) {
    await useCases.revokeApiKey(owner, organizationId, key.id, source);
  }
  const request = {
    organizationId,
    agentId: agent.id,
    name: 'demo',
    scopes: bundles.agent,
    mode: 'live',
    expiresInDays: 30,
    ipAllowlist: [],
  } as const;
  return (await useCases.issueApiKey(owner, request, source)).secret.reveal();
};
