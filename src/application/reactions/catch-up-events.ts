// Reads the provider's own list of events and takes over what no delivery brought: a lost webhook is late news, not lost news.

import type { IdentityProvider } from '#application/ports/identity-provider.ts';
import type { Store } from '#application/ports/store.ts';
import type { Clock, Ids } from '#application/ports/system.ts';
import { heard } from '#application/provisioning/receive-delivery.ts';

const batch = 100;

/** Answers how many events were new. The cursor moves in the commit that stores what it passed. */
export const catchUpEvents =
  (store: Store, provider: IdentityProvider, wakeInbox: () => void, clock: Clock, ids: Ids): (() => Promise<number>) =>
  async () => {
    const { feed, name } = provider;
    if (!feed) return 0;
    let taken = 0;
    for (;;) {
      const cursor = await store.transact({ across: 'event_feed' }, (tx) => tx.inbox.cursor(name));
      const events = await feed.after(cursor, batch);
      const last = events.at(-1);
      if (!last) break;
      taken += await store.transact({ across: 'event_feed' }, async (tx) => {
        const added = await tx.inbox.addAll(events.map((event) => heard(name, event, clock, ids)));
        await tx.inbox.moveCursor(name, last.id);
        return added.size;
      });
    }
    if (taken > 0) wakeInbox();
    return taken;
  };
