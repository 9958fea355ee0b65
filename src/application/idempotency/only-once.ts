// A request under a key is done once: claimed first, answered in the commit of what it does, let go of when nothing was done.

import type { OnlyOnce, Shown } from '#application/idempotency/once.ts';
import type { Claim, Claimed } from '#application/ports/idempotency-keys.ts';
import type { Store } from '#application/ports/store.ts';
import type { Clock, Digest, Entropy, Log, Seal } from '#application/ports/system.ts';
import { actingIn, type Caller } from '#domain/access/caller.ts';
import type { Scope } from '#domain/access/scope.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { secondsAfter } from '#domain/shared/time.ts';

/** How long an answer is repeated (Stripe's as well: https://docs.stripe.com/api/idempotent_requests). */
export const rememberedSeconds = 24 * 3600;
/** Longer than any request of ours takes. A try that is slower still loses its key, and with it its commit. */
export const heldSeconds = 60;
/** When to ask again while somebody is at it: most are done within a blink. */
const patienceSeconds = 2;

const purpose = 'idempotent answer';
const idempotency = { across: 'idempotency' } as const;

export const onlyOnce =
  (store: Store, seal: Seal, digest: Digest, entropy: Entropy, clock: Clock, log: Log): OnlyOnce =>
  async (caller, { key, organizationId, operation, request }, act, show) => {
    if (organizationId !== null) actingIn(caller, organizationId);
    const now = clock.now();
    const [fingerprint, ...earlierFingerprints] = digest.peppered(`idempotent request ${request}`);
    const claim: Claim = {
      id: digest.sha256(JSON.stringify(['hatidata.idempotency.v1', organizationId, ...whoIs(caller), operation, key])),
      organizationId,
      holder: entropy.reference(),
      fingerprint,
      heldUntil: secondsAfter(now, heldSeconds),
      forgetAt: secondsAfter(now, rememberedSeconds),
    };
    const inTheWay = await store.transact(idempotency, (tx) => tx.idempotencyKeys.claim(claim, now));
    if (inTheWay) {
      const isSame = [fingerprint, ...earlierFingerprints].includes(inTheWay.fingerprint);
      const answer = await answerOf(inTheWay, isSame, (box) => seal.open(purpose, box, key));
      if (organizationId !== null && !reachesAsFar(caller, answer.asker)) {
        throw new Refusal('idempotency_key.answer_gone');
      }
      return { answer: answer.shown, replayed: true };
    }

    let answer: Shown | undefined;
    const sealShown = async (made: unknown): Promise<string> => {
      answer = show(made as never);
      // A minute longer than it is asked for: boxes count whole seconds.
      const kept: Kept = { shown: answer, asker: reachOf(caller) };
      return seal.close(purpose, { ...kept }, rememberedSeconds + 60, key);
    };
    try {
      await act({ attempt: claim, seal: sealShown });
    } catch (thrown) {
      await letGo(store, claim, log);
      throw thrown;
    }
    if (!answer)
      throw new Error(`${operation} did not keep its answer: its effect must be in a unit of work's \`once\``);
    return { answer, replayed: false };
  };

/** Whose keys these are. What was done in a person's name by support staff is not the person's, nor the other way round. */
const whoIs = (caller: Caller): readonly (string | null)[] => [
  caller.kind,
  caller.id,
  caller.kind === 'user' ? (caller.impersonator?.email ?? null) : null,
];

/** What somebody could do when they asked. */
interface Reach {
  readonly scopes: readonly Scope[];
  /** Of an agent's key; null for people. */
  readonly mode: string | null;
}

interface Kept {
  readonly shown: Shown;
  readonly asker: Reach;
}

const reachOf = (caller: Caller): Reach => ({
  scopes: caller.scopes,
  mode: caller.kind === 'agent' ? caller.mode : null,
});

/** The answer may hold a secret that reaches as far as its asker did: a narrower key, or a lower role, must not get at it. */
const reachesAsFar = (caller: Caller, asker: Reach): boolean =>
  reachOf(caller).mode === asker.mode && asker.scopes.every((scope) => caller.scopes.includes(scope));

const answerOf = async (
  { answer }: Claimed,
  isSame: boolean,
  open: (box: string) => Promise<Shown | undefined>,
): Promise<Kept> => {
  if (!isSame) throw new Refusal('idempotency_key.reused');
  if (answer === null) throw new Refusal('idempotency_key.under_way', { retry_after_seconds: patienceSeconds });
  const opened = await open(answer);
  // It was done, so it must not be done again; but the secret that could open its answer is no longer in use.
  if (!opened) throw new Refusal('idempotency_key.answer_gone');
  return opened as unknown as Kept;
};

/** Nothing was done, or it was committed together with its answer, which stays. */
const letGo = async (store: Store, claim: Claim, log: Log): Promise<void> => {
  try {
    await store.transact(idempotency, (tx) => tx.idempotencyKeys.release(claim));
  } catch (thrown) {
    log.warn('an idempotency key could not be let go of', { seconds: heldSeconds, fault: String(thrown) });
  }
};
