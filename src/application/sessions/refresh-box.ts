// The provider's refresh token, sealed to travel with the browser: we keep none.

import type { Seal } from '#application/ports/system.ts';
import { expiryOf, type SessionState } from '#domain/sessions/session.ts';
import type { SessionId } from '#domain/shared/ids.ts';

export interface RefreshBox {
  readonly refreshBox: string;
  /** How long the cookies may live at most: a remembered session to its cap, any other to its idle window from now. */
  readonly cookieSeconds: number;
}

export const refreshBoxOf = async (
  seal: Seal,
  refreshToken: string,
  session: SessionState,
  now: Date,
): Promise<RefreshBox> => {
  const until = session.remembered ? session.absoluteExpiresAt : expiryOf({ ...session, lastSeenAt: now });
  const cookieSeconds = Math.max(1, Math.floor((session.absoluteExpiresAt.getTime() - now.getTime()) / 1000));
  const keptSeconds = Math.max(1, Math.floor((until.getTime() - now.getTime()) / 1000));
  const content = { refreshToken, session: session.id };
  return {
    refreshBox: await seal.close('refresh', content, cookieSeconds),
    cookieSeconds: session.remembered ? cookieSeconds : keptSeconds,
  };
};

/** What is inside, if it is a box of ours that still opens. */
export const openRefreshBox = async (
  seal: Seal,
  box: string,
): Promise<{ readonly refreshToken: string; readonly session: SessionId } | undefined> => {
  const content = await seal.open('refresh', box);
  if (!content) return undefined;
  return { refreshToken: String(content['refreshToken']), session: String(content['session']) as SessionId };
};
