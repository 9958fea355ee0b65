// The public keys with which WorkOS signs its tokens for our client: kept, renewed behind the scenes, and never fetched on a stranger's whim.

import { createRemoteJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import type { Transport } from '#adapters/identity/workos/transport.ts';
import type { Clock } from '#application/ports/system.ts';
import { Refusal } from '#domain/shared/refusal.ts';

/** After so long the keys are asked for again, while the old ones go on serving. */
const freshSeconds = 600;
/** Between two askings lies at least this, however many unknown keys are named meanwhile. */
const cooldownSeconds = 30;

export interface KeyRingOptions {
  readonly transport: Transport;
  readonly clientId: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/**
 * The key that a token names. Keys that are known outlive an outage of WorkOS. A key that is not known may be one that
 * WorkOS has just begun to sign with, so it is looked up, at most once in a cooldown: a flood of forged key ids costs
 * two requests a minute, and a new key is known half a minute late at worst.
 *
 * @throws Refusal `identity.unavailable` when the keys cannot be had; jose's JWKSNoMatchingKey when there is no such key
 */
export const keyRing = ({ transport, clientId, timeoutMs, clock }: KeyRingOptions): JWTVerifyGetKey => {
  // When to load is decided here, by our clock; jose loads, keeps and chooses.
  const remote = createRemoteJWKSet(new URL(transport.addresses.getJwksUrl(clientId)), {
    timeoutDuration: timeoutMs,
    cacheMaxAge: Number.POSITIVE_INFINITY,
    cooldownDuration: Number.POSITIVE_INFINITY,
  });
  let loading: Promise<void> | undefined;
  let loadedAt: Date | undefined;
  let triedAt: Date | undefined;
  let isStranded = false;

  const secondsSince = (moment: Date | undefined): number =>
    moment === undefined ? Number.POSITIVE_INFINITY : (clock.now().getTime() - moment.getTime()) / 1000;

  const load = (): Promise<void> => {
    loading ??= transport.interactive
      .ask('read the signing keys', () => remote.reload())
      .then(
        () => {
          loadedAt = clock.now();
          isStranded = false;
        },
        (thrown: unknown) => {
          isStranded = true;
          throw thrown instanceof Refusal ? thrown : new Refusal('identity.unavailable');
        },
      )
      .finally(() => {
        triedAt = clock.now();
        loading = undefined;
      });
    return loading;
  };

  return async (header, token) => {
    if (loadedAt === undefined) await load();
    else if (secondsSince(loadedAt) > freshSeconds && secondsSince(triedAt) > cooldownSeconds) {
      load().catch(() => undefined); // said in the log; the keys at hand go on serving
    }
    try {
      return await remote(header, token);
    } catch (thrown) {
      if (!(thrown instanceof errors.JWKSNoMatchingKey)) throw thrown;
      if (loading || secondsSince(triedAt) > cooldownSeconds) await load();
      // The last look failed, so nobody knows whether this key is good: that is not the token's fault.
      else if (isStranded) throw new Refusal('identity.unavailable');
      return remote(header, token);
    }
  };
};
