// Applies stored events, oldest first. One event, one commit: what it changes, the audit entries, and that it was applied.

import type { InboxEvent, InboxStatus, Repositories, Scope, Store } from '#application/ports/store.ts';
import type { Clock, Ids, Log } from '#application/ports/system.ts';
import { applyProviderEvent } from '#application/provisioning/apply-provider-event.ts';
import type { ProviderEvent } from '#application/provisioning/provider-event.ts';
import type { DeliveriesByProvider } from '#application/provisioning/receive-delivery.ts';
import { backoffSeconds } from '#application/reactions/worker.ts';
import type { Act, Transaction, UnitOfWork } from '#application/unit-of-work.ts';
import type { InboxEventId, OrganizationId } from '#domain/shared/ids.ts';
import { secondsAfter } from '#domain/shared/time.ts';

/** How often a fault is tried again before the event is set aside; with the backoff, about half a day. */
const patience = 20;
/** How long an event waits for what it is about, in seconds from its arrival: a week, however often other news woke it. */
const longestWait = 7 * 24 * 3600;

const batch = 100;

/** Answers whether it got any further: events that another node has in hands are left to it. */
export const applyInbox = (
  store: Store,
  uow: UnitOfWork,
  deliveries: DeliveriesByProvider,
  clock: Clock,
  ids: Ids,
  log: Log,
): (() => Promise<boolean>) => {
  return async () => {
    const due = await store.transact({ across: 'inbox' }, (tx) => tx.inbox.due(clock.now(), batch));
    let gotFurther = false;
    for (const id of due) gotFurther = (await applyOne(id)) || gotFurther;
    return gotFurther;
  };

  /** False when it was not to be had. */
  async function applyOne(id: InboxEventId): Promise<boolean> {
    const found = await store.transact({ across: 'inbox' }, async (tx) => {
      const event = await tx.inbox.claim(id);
      const meaning = event && meaningOf(event);
      return meaning && { event, meaning, organizationId: await placeOf(tx, event, meaning) };
    });
    if (!found) return false;
    const { event, meaning, organizationId } = found;
    try {
      const scope = scopeOf(meaning, organizationId);
      await uow.run(scope, actOf(event, meaning), (tx) => applyInside(tx, id, meaning, organizationId));
    } catch (fault) {
      await setBack(event, fault);
    }
    return true;
  }

  function meaningOf(event: InboxEvent): ProviderEvent {
    const nobody: ProviderEvent = { about: 'nothing', because: 'no provider of this name is configured' };
    return deliveries.get(event.provider)?.interpret(event.payload) ?? nobody;
  }

  async function applyInside(
    tx: Transaction,
    id: InboxEventId,
    meaning: ProviderEvent,
    organizationId: OrganizationId | undefined,
  ): Promise<void> {
    const event = await tx.inbox.claim(id);
    if (!event) return; // another worker was faster
    const organization = organizationId && (await tx.organizations.get(organizationId));
    const { provider } = event;
    const outcome = await applyProviderEvent(
      { tx, provider, organization: organization || undefined, ids, clock },
      meaning,
    );
    const now = clock.now();
    const waited = Math.floor((now.getTime() - event.receivedAt.getTime()) / 1000);
    const waits = outcome.is === 'waits';
    const status: InboxStatus = waits
      ? waited < longestWait
        ? 'waiting'
        : 'dead'
      : outcome.is === 'ignored'
        ? 'ignored'
        : 'applied';
    await tx.inbox.settle(id, {
      status,
      // Waiting is no fault: it must not use up the patience for faults.
      attempts: waits ? event.attempts : event.attempts + 1,
      // It waits as long again as it has waited so far: a second at least, an hour at most.
      dueAt: waits ? secondsAfter(now, Math.min(Math.max(waited, 1), 3600)) : event.dueAt,
      note: outcome.is === 'applied' ? null : outcome.because,
      organizationId: organizationId ?? null,
    });
    log.debug('event settled', {
      event: id,
      name: event.name,
      status,
      note: outcome.is === 'applied' ? undefined : outcome.because,
    });
  }

  async function setBack(event: InboxEvent, fault: unknown): Promise<void> {
    const attempts = event.attempts + 1;
    const dead = attempts >= patience;
    const facts = { event: event.id, provider_event: event.externalId, name: event.name, attempts, fault };
    if (dead) log.error('event set aside after many attempts; nothing of it was applied', facts);
    else log.warn('event could not be applied, will be tried again', facts);
    const note = fault instanceof Error ? `${fault.name}: ${fault.message}`.slice(0, 500) : 'unknown fault';
    await store.transact({ across: 'inbox' }, async (tx) => {
      if (!(await tx.inbox.claim(event.id))) return;
      await tx.inbox.settle(event.id, {
        status: dead ? 'dead' : event.status,
        attempts,
        dueAt: secondsAfter(clock.now(), backoffSeconds(attempts)),
        note,
        organizationId: event.organizationId,
      });
    });
  }
};

/** The organization that the event names, or in which we first heard of its directory. */
const placeOf = async (
  tx: Repositories,
  event: InboxEvent,
  meaning: ProviderEvent,
): Promise<OrganizationId | undefined> => {
  const { provider, organizationRef } = event;
  if (organizationRef !== null) return (await tx.organizations.byProvider({ provider, id: organizationRef }))?.state.id;
  return meaning.about === 'directory' ? tx.directory.organizationOf(meaning.event.directoryId) : undefined;
};

/** Events about one organization take turns with everybody who writes there; those about people or the organization itself reach across. */
const scopeOf = (meaning: ProviderEvent, organizationId: OrganizationId | undefined): Scope => {
  const within = meaning.about === 'directory' || meaning.about === 'membership' || meaning.about === 'connection';
  return within && organizationId ? organizationId : { across: 'inbox' };
};

const actOf = (event: InboxEvent, meaning: ProviderEvent): Act => ({
  actor:
    meaning.about === 'directory'
      ? { kind: 'directory', id: meaning.event.directoryId }
      : { kind: 'provider', id: event.provider },
  source: { via: 'webhook', ip: null, userAgent: null, requestId: event.id },
});
