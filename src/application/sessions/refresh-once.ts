// One refresh for one refresh token, however many requests on however many nodes want it at once: the provider rotates it each time.

import type { CallerCache } from '#application/ports/caller-cache.ts';
import type { IdentityProvider, Refreshed } from '#application/ports/identity-provider.ts';
import type { Digest } from '#application/ports/system.ts';
import type { SessionId } from '#domain/shared/ids.ts';

/**
 * For how long everybody who comes with the replaced token is given the same new pair. Less than the half minute for which a
 * provider does so itself, on which we fall back where nodes cannot speak to each other.
 */
const usualRepeat = 20;

/**
 * @param session whose end ends that repetition, where it is known
 * @param repeatSeconds 20 unless told
 */
export type RefreshOnce = (
  request: { readonly refreshToken: string; readonly organization?: string | undefined },
  session: SessionId | undefined,
  repeatSeconds?: number,
) => Promise<Refreshed>;

export const refreshOnce =
  (provider: IdentityProvider, cache: CallerCache, digest: Digest): RefreshOnce =>
  (request, session, repeatSeconds = usualRepeat) => {
    const key = `refresh ${provider.name} ${digest.sha256(request.refreshToken)} ${request.organization ?? ''}`;
    return cache.once(key, async () => {
      const value = await provider.sessions.refresh(request);
      return { value, reliesOn: session ? [session] : [], seconds: value.is === 'refreshed' ? repeatSeconds : 0 };
    });
  };
