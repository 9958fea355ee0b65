// Keeps the provider's side of a browser's session alive while the person is active, and hands the rotated token to the browser.

import type { CallerCache } from '#application/ports/caller-cache.ts';
import type { Refreshed } from '#application/ports/identity-provider.ts';
import type { ReadModels } from '#application/ports/read-models.ts';
import type { Clock, Log, Seal } from '#application/ports/system.ts';
import { openRefreshBox, type RefreshBox, refreshBoxOf } from '#application/sessions/refresh-box.ts';
import type { RefreshOnce } from '#application/sessions/refresh-once.ts';
import type { KeepSessionAlive } from '#application/use-cases.ts';
import type { SessionId } from '#domain/shared/ids.ts';

/** How long before the access token ends it is renewed. */
const marginSeconds = 60;
/** For how long every node has the new token for a browser that shows the old one: its answer may have been lost on the way. */
const offerSeconds = 240;
/** When to try again after a refresh that could not be made: soon, since a provider repeats an answer that was lost for seconds only. */
const againSeconds = 10;
/** When to try again after a refresh that was refused. */
const refusedSeconds = 30;

/** The cookies that the browser should have by now; undefined while it has nothing to learn. */
type Offer = RefreshBox | undefined;

export const keepSessionAlive = (
  refresh: RefreshOnce,
  readModels: ReadModels,
  cache: CallerCache,
  seal: Seal,
  clock: Clock,
  log: Log,
  trustSeconds: number,
): KeepSessionAlive => {
  return async (caller, sent) => {
    if (caller.kind !== 'user' || sent === undefined) return undefined;
    const { sessionId } = caller;
    // Shared by all requests of the session: one refresh at a time, and its result is offered until the browser shows that it
    // has it. An answer that was lost on the way loses no token.
    const renew = async () => {
      const [value, seconds] = await renewed(sessionId, sent);
      return { value, reliesOn: [sessionId], seconds };
    };
    const offer = await cache.through(`box ${sessionId}`, renew, 'node');
    if (!offer || offer.refreshBox === sent) return undefined;
    // Only to a browser that proves, by an older box of this session, that it had a part in it.
    return (await openRefreshBox(seal, sent))?.session === sessionId ? offer : undefined;
  };

  /** What to offer, and for how many seconds nothing else is to be done. */
  async function renewed(sessionId: SessionId, sent: string): Promise<readonly [Offer, number]> {
    const opened = await openRefreshBox(seal, sent);
    if (opened?.session !== sessionId) return [undefined, 0];
    const early = secondsBefore(opened.dueAt);
    if (early > 0) return [undefined, early];
    try {
      const refreshed = await refreshedAndAlive(sessionId, opened.refreshToken);
      const session = await readModels.session(sessionId);
      // Refused or gone: nothing ends by that here. Whether the session still lives is asked on its own.
      if (refreshed.is !== 'refreshed' || !session) return [undefined, refusedSeconds];
      const offer = await refreshBoxOf(seal, refreshed.tokens, session, clock.now());
      return [offer, Math.max(1, secondsBefore(refreshed.tokens.expiresAt))];
    } catch (fault) {
      log.warn('the provider session could not be refreshed; it goes on, and is tried again', {
        session: sessionId,
        fault,
      });
      return [undefined, againSeconds];
    }
  }

  function secondsBefore(end: Date): number {
    return Math.floor((end.getTime() - clock.now().getTime()) / 1000) - marginSeconds;
  }

  /** A refresh that worked proves that the provider's side lives: nobody needs to ask for that during the trusted time. */
  async function refreshedAndAlive(sessionId: SessionId, refreshToken: string): Promise<Refreshed> {
    const { promise, resolve } = Promise.withResolvers<Refreshed>();
    await cache.renew(`alive ${sessionId}`, async () => {
      const refreshed = await refresh({ refreshToken }, sessionId, offerSeconds);
      resolve(refreshed);
      return refreshed.is === 'refreshed' ? { value: true, reliesOn: [sessionId], seconds: trustSeconds } : undefined;
    });
    return promise;
  }
};
