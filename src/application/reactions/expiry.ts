// What has run out by itself is written down, with its line in the trail; and what old events said is forgotten.

import type { Scope, Store } from '#application/ports/store.ts';
import type { Clock } from '#application/ports/system.ts';
import type { Act, UnitOfWork } from '#application/unit-of-work.ts';
import { expiryOf } from '#domain/sessions/session.ts';
import { secondsAfter } from '#domain/shared/time.ts';

const everywhere: Scope = { across: 'expiry' };
const batch = 50;
const payloadBatch = 500;
/** Another node may have seen somebody and not have written it down yet: a session is over for sure only after a while. */
const graceSeconds = 60;
/** For how long what an event said is kept once it was applied, in seconds: as long as providers keep it themselves. */
const payloadSeconds = 30 * 24 * 3600;

const bySystem: Act = {
  actor: { kind: 'system', id: null },
  source: { via: 'job', ip: null, userAgent: null, requestId: null },
};

/** Batch after batch, until one is not full or the process stops. Answers how many there were. */
const untilDone = async (signal: AbortSignal, full: number, step: () => Promise<number>): Promise<number> => {
  let all = 0;
  for (let done = full; done === full && !signal.aborted; all += done) done = await step();
  return all;
};

/** A session that nobody uses any more ends in the list and in the trail, not only for whoever tries it. */
export const endOverdueSessions = (uow: UnitOfWork, clock: Clock) => (signal: AbortSignal) =>
  untilDone(signal, batch, () =>
    uow.run(everywhere, bySystem, async (tx) => {
      const sessions = await tx.sessions.overdue(secondsAfter(clock.now(), -graceSeconds), batch);
      for (const session of sessions) session.end('expired', expiryOf(session.state));
      await tx.save(...sessions);
      return sessions.length;
    }),
  );

export const expireApiKeys = (uow: UnitOfWork, clock: Clock) => (signal: AbortSignal) =>
  untilDone(signal, batch, () =>
    uow.run(everywhere, bySystem, async (tx) => {
      const keys = await tx.apiKeys.overdue(clock.now(), batch);
      for (const key of keys) key.expire(clock.now());
      await tx.save(...keys);
      return keys.length;
    }),
  );

/** That an event was heard is kept for good: it must not be heard twice. */
export const forgetOldEvents = (store: Store, clock: Clock) => (signal: AbortSignal) =>
  untilDone(signal, payloadBatch, () =>
    store.transact(everywhere, (tx) =>
      tx.inbox.forgetPayloads(secondsAfter(clock.now(), -payloadSeconds), payloadBatch),
    ),
  );
