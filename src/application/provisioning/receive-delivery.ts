// Takes in what a provider delivers: verified, stored, acknowledged. Stored means never lost; heard before means nothing changes.

import type { EventDeliveries, HeardEvent } from '#application/ports/identity-provider.ts';
import type { InboxEvent, Repositories, Store } from '#application/ports/store.ts';
import type { Clock, Ids } from '#application/ports/system.ts';
import { keptTogether } from '#application/provisioning/kept-together.ts';
import type { ReceiveDelivery } from '#application/use-cases.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { clockSkewSeconds, dueAtOnce, secondsAfter } from '#domain/shared/time.ts';

/** By name of the provider, whichever of them signs people in. */
export type DeliveriesByProvider = ReadonlyMap<string, EventDeliveries>;

export const receiveDelivery = (
  store: Store,
  deliveries: DeliveriesByProvider,
  wakeInbox: () => void,
  clock: Clock,
  ids: Ids,
): ReceiveDelivery => {
  const keep = keptTogether(store);
  return async (provider, delivery) => {
    const reader = deliveries.get(provider);
    if (!reader) throw new Refusal('delivery.unverified');
    const event = await reader.receive(delivery);
    const isNew = await keep(heard(provider, event, clock, ids));
    if (isNew) wakeInbox();
    return isNew ? 'stored' : 'heard_before';
  };
};

/** The newest word wins, so a word dated into the future would win for years: it counts as said when it came. */
const notFromTheFuture = (event: HeardEvent, now: Date): Pick<HeardEvent, 'occurredAt' | 'payload'> =>
  event.occurredAt <= secondsAfter(now, clockSkewSeconds)
    ? event
    : { occurredAt: now, payload: { ...event.payload, created_at: now.toISOString() } };

/** The event as the inbox keeps it. */
export const heard = (provider: string, event: HeardEvent, clock: Clock, ids: Ids): InboxEvent => {
  const now = clock.now();
  const { occurredAt, payload } = notFromTheFuture(event, now);
  return {
    id: ids.next('evt'),
    provider,
    externalId: event.id,
    name: event.name,
    organizationRef: event.organization,
    organizationId: null,
    occurredAt,
    receivedAt: now,
    payload,
    status: 'stored',
    attempts: 0,
    dueAt: dueAtOnce(now),
    settledAt: null,
    note: null,
  };
};

/** False when the event was heard before, by delivery or from the feed. */
export const takeIn = (
  tx: Repositories,
  provider: string,
  event: HeardEvent,
  clock: Clock,
  ids: Ids,
): Promise<boolean> => tx.inbox.add(heard(provider, event, clock, ids));
