// The counterparts of our organizations at WorkOS, with their domains: found by our id, or made.

import { createHash } from 'node:crypto';
import type { Organization, OrganizationDomain } from '@workos-inc/node';
import { whenNo } from '#adapters/identity/workos/failures.ts';
import { membershipRegistry } from '#adapters/identity/workos/membership-registry.ts';
import type { Lane } from '#adapters/identity/workos/transport.ts';
import type { OrganizationRegistry } from '#application/ports/identity-provider.ts';
import type { Clock, Log } from '#application/ports/system.ts';
import type { DomainClaim } from '#domain/organizations/organization.ts';

export interface OrganizationRegistryParts {
  readonly lane: Lane;
  readonly clock: Clock;
  readonly log: Log;
}

type Wanted = Parameters<OrganizationRegistry['ensure']>[0];

export const organizationRegistry = (parts: OrganizationRegistryParts): OrganizationRegistry => {
  const { lane } = parts;

  const find = (externalId: string): Promise<Organization | undefined> =>
    lane
      .ask('find an organization', ({ organizations }) => organizations.getOrganizationByExternalId(externalId))
      .catch(whenNo<Organization | undefined>({ not_found: () => undefined }));

  /** Without its domains: one that somebody else holds must not stand in the way of the organization. */
  const create = ({ id, name }: Wanted): Promise<Organization> =>
    lane
      .ask('create an organization', ({ organizations }) =>
        organizations.createOrganization({ name, externalId: id }, { idempotencyKey: idempotencyKeyOf(id, name) }),
      )
      .catch(async (thrown) => {
        // Another asker may have been faster. WorkOS says so with 409 or 422, and only a second look tells which it was.
        const mean = whenNo<true>({ conflict: () => true, invalid: () => true })(thrown);
        const found = mean && (await find(id));
        if (!found) throw thrown;
        return found;
      });

  return {
    async ensure(wanted) {
      const { id: ref, domains: had } = (await find(wanted.id)) ?? (await create(wanted));
      const names = new Set(wanted.domains.map((name) => name.toLowerCase()));
      for (const { domain } of had) names.delete(domain.toLowerCase());
      const added: DomainClaim[] = [];
      for (const name of names) added.push(await addDomain(parts, ref, name));
      return { ref, domains: [...had.map(claimOf), ...added] };
    },
    ...membershipRegistry(parts),
  };
};

/** The same request twice within WorkOS' memory (a day) is one; with another name it is another request. */
const idempotencyKeyOf = (id: string, name: string): string =>
  `organization-${id}-${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;

const claimOf = ({ domain, state, updatedAt }: OrganizationDomain): DomainClaim => ({
  name: domain.toLowerCase(),
  // A word that we do not know verifies nothing.
  state: state === 'verified' || state === 'failed' ? state : 'pending',
  asOf: new Date(updatedAt),
});

/** Pending, until WorkOS finds the record in the DNS. A domain that another organization holds counts as failed. */
const addDomain = async (
  { lane, clock, log }: OrganizationRegistryParts,
  ref: string,
  name: string,
): Promise<DomainClaim> => {
  const add = lane
    .ask('add a domain', ({ organizationDomains }) =>
      organizationDomains.createOrganizationDomain({ organizationId: ref, domain: name }),
    )
    .catch(whenNo<undefined>({ conflict: () => undefined, invalid: () => undefined }));
  const made = await add;
  if (made) return claimOf(made);
  const { domains } = await lane.ask('read an organization', ({ organizations }) => organizations.getOrganization(ref));
  const theirs = domains.find(({ domain }) => domain.toLowerCase() === name);
  if (theirs) return claimOf(theirs);
  log.warn('WorkOS would not take a domain: another organization holds it, or it is none', {
    organization: ref,
    domain: name,
  });
  return { name, state: 'failed', asOf: clock.now() };
};
