// Carries out what was promised to the world: after the commit, again and again until it worked. Each effect is harmless to repeat.

import { alignInvitation } from '#application/invitations/align-invitation.ts';
import type { IdentityProvider } from '#application/ports/identity-provider.ts';
import type { Effect, OutboxItem, Store } from '#application/ports/store.ts';
import type { Clock, Log } from '#application/ports/system.ts';
import { backoffSeconds } from '#application/reactions/worker.ts';
import type { UnitOfWork } from '#application/unit-of-work.ts';
import type { OrganizationId, UserId } from '#domain/shared/ids.ts';
import { dueAtOnce, secondsAfter } from '#domain/shared/time.ts';

const batch = 50;
/** How long an effect is left to the node that took it. A provider's call in the background takes a minute at most. */
const leaseSeconds = 120;

/** Answers whether it got any further: effects that another node has in hands are left to it. */
export const relayOutbox = (
  store: Store,
  uow: UnitOfWork,
  provider: IdentityProvider,
  clock: Clock,
  log: Log,
): ((signal: AbortSignal) => Promise<boolean>) => {
  const invitationAligned = alignInvitation(store, uow, provider, clock, log);
  return async (signal) => {
    const due = await store.transact({ across: 'outbox' }, (tx) => tx.outbox.due(clock.now(), batch));
    let gotFurther = false;
    for (const item of due) {
      if (signal.aborted) break;
      const until = secondsAfter(clock.now(), leaseSeconds);
      const isOurs = await store.transact({ across: 'outbox' }, (tx) => tx.outbox.claim(item.id, clock.now(), until));
      if (!isOurs) continue;
      await carryOut(item);
      gotFurther = true;
    }
    return gotFurther;
  };

  async function carryOut(item: OutboxItem): Promise<void> {
    try {
      await perform(item.effect);
      await store.transact({ across: 'outbox' }, (tx) => tx.outbox.done(item.id));
    } catch (fault) {
      const attempts = item.attempts + 1;
      log.warn('effect could not be carried out, will be tried again', {
        effect: item.effect.do,
        id: item.id,
        attempts,
        fault,
      });
      const note = fault instanceof Error ? `${fault.name}: ${fault.message}`.slice(0, 500) : 'unknown fault';
      const dueAt = secondsAfter(clock.now(), backoffSeconds(attempts));
      await store.transact({ across: 'outbox' }, (tx) => tx.outbox.postpone(item.id, dueAt, note));
    }
  }

  async function perform(effect: Effect): Promise<void> {
    switch (effect.do) {
      case 'end_provider_session':
        // Sessions of a provider that is no longer configured end here by our own row alone.
        if (effect.provider === provider.name) await provider.sessions.end(effect.providerSession);
        return;
      case 'register_organization':
        return register(effect.organizationId);
      case 'align_membership':
        return align(effect.organizationId, effect.userId);
      case 'align_invitation':
        return invitationAligned(effect.organizationId, effect.invitationId);
      default:
        // Written by a newer version that runs beside this one: it is left for a node that knows it.
        throw new Error(`this version does not know the effect ${(effect satisfies never as Effect).do}`);
    }
  }

  async function register(organizationId: OrganizationId): Promise<void> {
    const organization = await store.transact({ across: 'outbox' }, (tx) => tx.organizations.get(organizationId));
    // Linked already: it was made at the provider, or this effect was carried out before.
    if (organization?.state.status !== 'active' || organization.state.provider !== null) return;
    const { id, name, domains } = organization.state;
    const registered = await provider.organizations.ensure({ id, name, domains: domains.map((claim) => claim.name) });
    const act = {
      actor: { kind: 'system', id: null },
      source: { via: 'job', ip: null, userAgent: null, requestId: null },
    } as const;
    await uow.run({ across: 'outbox' }, act, async (tx) => {
      const ours = await tx.organizations.get(organizationId);
      if (!ours) return;
      ours.link({ provider: provider.name, id: registered.ref });
      for (const domain of registered.domains) {
        const holder = await tx.organizations.verifying(domain.name);
        if (!holder || holder.state.id === organizationId) ours.hearDomain(domain);
      }
      await tx.save(ours);
      await tx.inbox.wake(dueAtOnce(clock.now()));
    });
  }

  /** By what is true now, not by what was true when it was written down: repeats and disorder end alike. */
  async function align(organizationId: OrganizationId, userId: UserId): Promise<void> {
    const now = await store.transact({ across: 'outbox' }, async (tx) => ({
      organization: (await tx.organizations.get(organizationId))?.state,
      user: (await tx.users.get(userId))?.state,
      membership: (await tx.memberships.ofUser(organizationId, userId))?.state,
    }));
    const subject = now.user?.identities.find((identity) => identity.provider === provider.name)?.subject;
    if (!subject || now.organization?.status !== 'active') return; // never signed in: the provider knows nobody to align
    const ref = now.organization.provider;
    if (ref === null) throw new Error('the organization is not registered at the provider yet');
    if (ref.provider !== provider.name) return;
    const member = { organization: ref.id, subject };
    await (now.membership?.status === 'active'
      ? provider.organizations.admit(member)
      : provider.organizations.dismiss(member));
  }
};
