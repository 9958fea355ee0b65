// Founds an organization: the person who asks becomes its owner, and the provider gets its counterpart afterwards.

import { actorOf, stillCalling } from '#application/access/permitted.ts';
import type { Clock, Ids } from '#application/ports/system.ts';
import type { UnitOfWork } from '#application/unit-of-work.ts';
import type { CreateOrganization } from '#application/use-cases.ts';
import { asPerson } from '#domain/access/caller.ts';
import { Membership } from '#domain/memberships/membership.ts';
import { Organization, slugOf } from '#domain/organizations/organization.ts';
import { Refusal } from '#domain/shared/refusal.ts';

export const createOrganization =
  (uow: UnitOfWork, clock: Clock, ids: Ids): CreateOrganization =>
  async (caller, request, source) => {
    const person = asPerson(caller);
    return uow.once({ across: 'founding' }, { actor: actorOf(person), source }, async (tx) => {
      await stillCalling(tx, person);
      const at = clock.now();
      const id = ids.next('org');
      const slug = request.slug ?? (await freeSlug(request.name, id, (taken) => tx.organizations.isTaken(taken)));
      if (await tx.organizations.isTaken(slug)) throw new Refusal('organization.slug_taken', { slug });

      const organization = Organization.found({ id, name: request.name, slug, domains: request.domains, at });
      const owner = {
        id: ids.next('mem'),
        organizationId: id,
        userId: person.id,
        role: 'owner',
        managedBy: 'hand',
        at,
      } as const;
      await tx.save(organization, Membership.grant(owner));

      if (person.organizationId === null) {
        const session = await tx.sessions.get(person.sessionId);
        session?.switchTo(id, organization.state.sessionPolicy);
        if (session) await tx.save(session);
      }
      return organization.state;
    });
  };

/** The name as a slug; with the tail of the id where that is empty or taken. */
export const freeSlug = async (
  name: string,
  id: string,
  isTaken: (slug: string) => Promise<boolean>,
): Promise<string> => {
  const plain = slugOf(name);
  if (plain !== '' && !(await isTaken(plain))) return plain;
  return `${plain || 'org'}-${id.slice(-6)}`;
};
