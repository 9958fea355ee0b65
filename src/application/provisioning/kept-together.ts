// Events that arrive while others are being stored are stored together, in one commit: a flood of deliveries is no flood of commits.

import type { InboxEvent, Store } from '#application/ports/store.ts';
import { Refusal } from '#domain/shared/refusal.ts';

/** How many events share a commit at most, and how many such commits are under way at once. */
const most = 100;
const hands = 2;

interface Waiting {
  readonly event: InboxEvent;
  readonly kept: (isNew: boolean) => void;
  readonly failed: (fault: unknown) => void;
}

const byExternalId = (a: Waiting, b: Waiting): number => (a.event.externalId < b.event.externalId ? -1 : 1);

/**
 * Stores an event and answers after the commit: false when it was heard before. Nobody waits for company: the first goes at once,
 * and those who come meanwhile go next. An event that cannot be stored fails alone.
 * @throws Refusal `storage.unavailable`
 */
export const keptTogether = (store: Store): ((event: InboxEvent) => Promise<boolean>) => {
  let queue: Waiting[] = [];
  let busy = 0;

  const keep = async (waiting: readonly Waiting[]): Promise<void> => {
    try {
      // In one order for everybody: two nodes that hear the same events then never wait for each other in a circle.
      const events = waiting.toSorted(byExternalId).map(({ event }) => event);
      const added = await store.transact({ across: 'inbox' }, (tx) => tx.inbox.addAll(events));
      for (const { event, kept } of waiting) kept(added.has(event.id));
    } catch (fault) {
      const isAway = fault instanceof Refusal && fault.reason === 'storage.unavailable';
      if (isAway || waiting.length === 1) for (const { failed } of waiting) failed(fault);
      else for (const one of waiting) await keep([one]);
    }
  };
  const work = async (): Promise<void> => {
    busy += 1;
    while (queue.length > 0) {
      const next = queue.slice(0, most);
      queue = queue.slice(most);
      await keep(next);
    }
    busy -= 1;
  };
  return (event) =>
    new Promise((kept, failed) => {
      queue.push({ event, kept, failed });
      if (busy < hands) void work();
    });
};
