// Hands an organization over: the only way in which an owner stops being one by their own will.

import { actorOf, stillCalling } from '#application/access/permitted.ts';
import type { Clock } from '#application/ports/system.ts';
import type { UnitOfWork } from '#application/unit-of-work.ts';
import type { UseCases } from '#application/use-cases.ts';
import { actingIn, asPerson } from '#domain/access/caller.ts';
import { Refusal } from '#domain/shared/refusal.ts';

/** Handing it to oneself changes nothing. */
export const transferOwnership =
  (uow: UnitOfWork, clock: Clock): UseCases['transferOwnership'] =>
  async (caller, organizationId, to, source) => {
    const person = asPerson(actingIn(caller, organizationId));
    await uow.run(organizationId, { actor: actorOf(person), source }, async (tx) => {
      await stillCalling(tx, person);
      const at = clock.now();
      const organization = await tx.organizations.get(organizationId);
      const owner = await tx.memberships.ofUser(organizationId, person.id);
      // Asked of the rows, not of the cached caller: two handovers at once must not make two owners.
      if (!organization || owner?.state.role !== 'owner' || owner.state.status !== 'active') {
        throw new Refusal('membership.only_owner_hands_over');
      }
      if (to === person.id) return;
      const heir = await tx.memberships.ofUser(organizationId, to);
      if (heir?.state.status !== 'active') throw new Refusal('membership.not_found');
      owner.changeRole('admin', at);
      heir.changeRole('owner', at);
      organization.passOwnership(to, person.id);
      await tx.save(owner, heir, organization);
    });
  };
