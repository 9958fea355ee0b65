// Applies stored events, oldest first. One event, one commit: what it changes, the audit entries, and that it was applied.

import type { InboxEvent, InboxStatus, Lane, Scope, Store } from '#application/ports/store.ts';
import type { Clock, Ids, Log } from '#application/ports/system.ts';
import { applyProviderEvent } from '#application/provisioning/apply-provider-event.ts';
import type { ProviderEvent } from '#application/provisioning/provider-event.ts';
import type { DeliveriesByProvider } from '#application/provisioning/receive-delivery.ts';
import { backoffSeconds, eachOf } from '#application/reactions/worker.ts';
import type { Act, Transaction, UnitOfWork } from '#application/unit-of-work.ts';
import type { InboxEventId, OrganizationId } from '#domain/shared/ids.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { secondsAfter } from '#domain/shared/time.ts';

/** How often a fault is tried again before the event is set aside; with the backoff, about half a day. */
const patience = 20;
/** How long an event waits for what it is about, in seconds from its arrival: a week, however often other news woke it. */
const longestWait = 7 * 24 * 3600;

/** How many lanes are looked at together, and how much of each: no lane keeps the others waiting longer than that takes. */
const lanesAtOnce = 32;
const eventsOfEach = 20;

/**
 * Works through the inbox lane by lane: the events of a lane in their order, lanes beside each other.
 * Answers whether it got any further: events that another node has in hands are left to it.
 * @param atOnce how many lanes are worked at the same time
 */
export const applyInbox = (
  store: Store,
  uow: UnitOfWork,
  deliveries: DeliveriesByProvider,
  clock: Clock,
  ids: Ids,
  log: Log,
  atOnce: number,
): ((signal: AbortSignal) => Promise<boolean>) => {
  return async (signal) => {
    let gotFurther = false;
    let after: string | null = null;
    do {
      const page = { after, lanes: lanesAtOnce, each: eventsOfEach };
      const lanes: readonly Lane[] = await store.transact({ across: 'inbox' }, (tx) =>
        tx.inbox.lanes(clock.now(), page),
      );
      await eachOf(lanes, atOnce, async ({ events }) => {
        for (const event of events) {
          // One that is gone means that another node works in this lane: two would only wait for each other.
          if (signal.aborted || !(await applyOne(event))) return;
          gotFurther = true;
        }
      });
      after = lanes.length < lanesAtOnce ? null : (lanes.at(-1)?.name ?? null);
    } while (after !== null && !signal.aborted);
    return gotFurther;
  };

  /** False when it was not to be had. */
  async function applyOne(event: InboxEvent): Promise<boolean> {
    const meaning = meaningOf(event);
    const organizationId = event.organizationId ?? (await placeOf(store, event, meaning));
    try {
      const scope = scopeOf(meaning, organizationId);
      return await uow.run(scope, actOf(event, meaning), (tx) => applyInside(tx, event.id, meaning, organizationId));
    } catch (fault) {
      await setBack(event, organizationId, fault);
      return true;
    }
  }

  function meaningOf(event: InboxEvent): ProviderEvent {
    const nobody: ProviderEvent = { about: 'nothing', because: 'no provider of this name is configured' };
    return deliveries.get(event.provider)?.interpret(event.payload ?? {}) ?? nobody;
  }

  async function applyInside(
    tx: Transaction,
    id: InboxEventId,
    meaning: ProviderEvent,
    organizationId: OrganizationId | undefined,
  ): Promise<boolean> {
    const event = await tx.inbox.claim(id);
    if (!event) return false; // another worker was faster
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
      settledAt: status === 'waiting' ? null : now,
      note: outcome.is === 'applied' ? null : outcome.because,
      organizationId: organizationId ?? null,
    });
    log.debug('event settled', {
      event: id,
      name: event.name,
      status,
      note: outcome.is === 'applied' ? undefined : outcome.because,
    });
    return true;
  }

  async function setBack(event: InboxEvent, organizationId: OrganizationId | undefined, fault: unknown): Promise<void> {
    const attempts = event.attempts + 1;
    const dead = attempts >= patience;
    const facts = { event: event.id, provider_event: event.externalId, name: event.name, attempts, fault };
    if (dead) log.error('event set aside after many attempts; nothing of it was applied', facts);
    else log.warn('event could not be applied, will be tried again', facts);
    // Read by the organization's admins: what exactly went wrong is in the log.
    const note =
      fault instanceof Refusal ? fault.message : 'A fault on our side; the log tells it under the id of this event.';
    await store.transact({ across: 'inbox' }, async (tx) => {
      if (!(await tx.inbox.claim(event.id))) return;
      await tx.inbox.settle(event.id, {
        status: dead ? 'dead' : event.status,
        attempts,
        dueAt: secondsAfter(clock.now(), backoffSeconds(attempts)),
        settledAt: dead ? clock.now() : null,
        note,
        organizationId: organizationId ?? null,
      });
    });
  }
};

/** The organization that the event names, or in which we first heard of its directory. */
const placeOf = (store: Store, event: InboxEvent, meaning: ProviderEvent): Promise<OrganizationId | undefined> =>
  store.transact({ across: 'inbox' }, async (tx) => {
    const { provider, organizationRef } = event;
    if (organizationRef !== null)
      return (await tx.organizations.byProvider({ provider, id: organizationRef }))?.state.id;
    return meaning.about === 'directory' ? tx.directory.organizationOf(meaning.event.directoryId) : undefined;
  });

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
