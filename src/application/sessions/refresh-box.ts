// The provider's refresh token, sealed to travel with the browser: we keep none.

import type { TokenPair } from '#application/ports/identity-provider.ts';
import type { Seal } from '#application/ports/system.ts';
import { expiryOf, type SessionState } from '#domain/sessions/session.ts';
import type { SessionId } from '#domain/shared/ids.ts';

export interface RefreshBox {
  readonly refreshBox: string;
  /** How long the cookies may live at most: a remembered session to its cap, any other to its idle window from now. */
  readonly cookieSeconds: number;
}

export interface OpenedBox {
  readonly refreshToken: string;
  readonly session: SessionId;
  /** When the access token that came along ends: the provider's side wants to hear of the person again by then. */
  readonly dueAt: Date;
}

export const refreshBoxOf = async (
  seal: Seal,
  tokens: TokenPair,
  session: SessionState,
  now: Date,
): Promise<RefreshBox> => {
  const secondsUntil = (time: Date): number => Math.max(1, Math.floor((time.getTime() - now.getTime()) / 1000));
  const capSeconds = secondsUntil(session.absoluteExpiresAt);
  const content = { refreshToken: tokens.refreshToken, session: session.id, dueAt: tokens.expiresAt.toISOString() };
  return {
    refreshBox: await seal.close('refresh', content, capSeconds),
    cookieSeconds: session.remembered ? capSeconds : secondsUntil(expiryOf({ ...session, lastSeenAt: now })),
  };
};

/** What is inside, if it is a box of ours that still opens. */
export const openRefreshBox = async (seal: Seal, box: string): Promise<OpenedBox | undefined> => {
  const content = await seal.open('refresh', box);
  if (!content) return undefined;
  return {
    refreshToken: String(content['refreshToken']),
    session: String(content['session']) as SessionId,
    dueAt: new Date(String(content['dueAt'])),
  };
};
