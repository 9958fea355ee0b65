// Forgets answers whose day is over.

import type { Store } from '#application/ports/store.ts';
import type { Clock } from '#application/ports/system.ts';

const batch = 1000;

/** In batches, so that no transaction is long; answers how many were forgotten. */
export const forgetIdempotencyKeys = (store: Store, clock: Clock) => async (): Promise<number> => {
  let forgotten = 0;
  for (let last = batch; last === batch; forgotten += last) {
    last = await store.transact({ across: 'expiry' }, (tx) => tx.idempotencyKeys.forget(clock.now(), batch));
  }
  return forgotten;
};
