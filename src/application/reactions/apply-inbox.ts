// Applies stored events, oldest first. What an event changes, its audit entries and that it was applied are one commit; events of one organization share it.

import type { InboxEvent, InboxStatus, Lane, Scope, Settlement, Store } from '#application/ports/store.ts';
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

/** Whoever else writes in an organization waits no longer than this for the events that share a commit, and for one event more. */
const togetherMilliseconds = 50;

/** An event, what it means, and where. */
interface Reading {
  readonly event: InboxEvent;
  readonly meaning: ProviderEvent;
  readonly organizationId: OrganizationId | undefined;
  readonly scope: Scope;
}

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
        for (let rest = events; rest.length > 0 && !signal.aborted; ) {
          const settled = await applySome(rest);
          // One that is gone means that another node works in this lane: two would only wait for each other.
          if (settled === 0) return;
          gotFurther = true;
          rest = rest.slice(settled);
        }
      });
      after = lanes.length < lanesAtOnce ? null : (lanes.at(-1)?.name ?? null);
    } while (after !== null && !signal.aborted);
    return gotFurther;
  };

  /** Settles some from the front, and answers how many; 0 when the first was not to be had. */
  async function applySome(events: readonly InboxEvent[]): Promise<number> {
    const [first] = events;
    if (!first) return 0;
    const readFirst = await readingOf(first);
    const { organizationId, scope } = readFirst;
    if (typeof scope !== 'string') return (await applyOne(readFirst)) ? 1 : 0;
    const together = [readFirst];
    for (const event of events.slice(1)) {
      const next = { event, meaning: meaningOf(event), organizationId, scope };
      if (event.organizationRef !== first.organizationRef || scopeOf(next.meaning, organizationId) !== scope) break;
      together.push(next);
    }
    try {
      return await uow.run(scope, actOf(first, readFirst.meaning), (tx) => applyTogether(tx, together));
    } catch {
      // One of them is at fault, and nothing of the others was kept: alone, each settles by itself.
      let settled = 0;
      for (const reading of together) {
        if (!(await applyOne(reading))) break;
        settled += 1;
      }
      return settled;
    }
  }

  async function applyTogether(tx: Transaction, readings: readonly Reading[]): Promise<number> {
    const until = clock.now().getTime() + togetherMilliseconds;
    const claimed = await tx.inbox.claimInOrder(readings.map(({ event }) => event.id));
    const settlements = new Map<InboxEventId, Settlement>();
    let settled = 0;
    for (const [index, event] of claimed.entries()) {
      const reading = readings[index];
      if (!reading || (index > 0 && clock.now().getTime() >= until)) break;
      tx.as(actOf(event, reading.meaning));
      const settlement = await applyClaimed(tx, event, reading);
      // One that waits must be seen to wait by the very next one, which may bring what it waits for.
      if (settlement.status === 'waiting') await tx.inbox.settle(event.id, settlement);
      else settlements.set(event.id, settlement);
      settled += 1;
    }
    await tx.inbox.settleAll(settlements);
    return settled;
  }

  /** False when it was not to be had. */
  async function applyOne(reading: Reading): Promise<boolean> {
    const { event, meaning, organizationId, scope } = reading;
    try {
      return await uow.run(scope, actOf(event, meaning), (tx) => applyInside(tx, reading));
    } catch (fault) {
      await setBack(event, organizationId, fault);
      return true;
    }
  }

  async function readingOf(event: InboxEvent): Promise<Reading> {
    const meaning = meaningOf(event);
    const organizationId = event.organizationId ?? (await placeOf(store, event, meaning));
    return { event, meaning, organizationId, scope: scopeOf(meaning, organizationId) };
  }

  function meaningOf(event: InboxEvent): ProviderEvent {
    const nobody: ProviderEvent = { about: 'nothing', because: 'no provider of this name is configured' };
    return deliveries.get(event.provider)?.interpret(event.payload ?? {}) ?? nobody;
  }

  async function applyInside(tx: Transaction, reading: Reading): Promise<boolean> {
    const event = await tx.inbox.claim(reading.event.id);
    if (!event) return false; // another worker was faster
    await tx.inbox.settle(event.id, await applyClaimed(tx, event, reading));
    return true;
  }

  /** Answers what became of it. */
  async function applyClaimed(
    tx: Transaction,
    event: InboxEvent,
    { meaning, organizationId }: Reading,
  ): Promise<Settlement> {
    const organization = organizationId && (await tx.organizations.get(organizationId));
    const { id, provider, name } = event;
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
    const note = outcome.is === 'applied' ? null : outcome.because;
    log.debug('event settled', { event: id, name, status, note: note ?? undefined });
    return {
      status,
      // Waiting is no fault: it must not use up the patience for faults.
      attempts: waits ? event.attempts : event.attempts + 1,
      // It waits as long again as it has waited so far: a second at least, an hour at most.
      dueAt: waits ? secondsAfter(now, Math.min(Math.max(waited, 1), 3600)) : event.dueAt,
      settledAt: status === 'waiting' ? null : now,
      note,
      organizationId: organizationId ?? null,
    };
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
