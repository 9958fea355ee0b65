// What every store promises of idempotency keys: one holder at a time, an answer with its effect or not at all, and no sight of others'.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Attempt, Claim, Claimed } from '#application/ports/idempotency-keys.ts';
import type { Repositories, Scope, Store } from '#application/ports/store.ts';
import { minute, second } from '../support/words.ts';
import {
  agentWith,
  countingIds,
  filledOrganization,
  found,
  fresh,
  newId,
  type StoreKind,
  type StoreUnderTest,
  sha256,
  twenty,
} from './store-words.ts';

const across: Scope = { across: 'idempotency' };
const founding: Scope = { across: 'founding' };

const claimWith = (facts: Partial<Claim> = {}): Claim => ({
  id: sha256(`key ${fresh()}`),
  organizationId: newId('org'),
  holder: `holder-${fresh()}`,
  fingerprint: sha256('a request'),
  heldUntil: minute(1),
  forgetAt: minute(60),
  ...facts,
});

export const idempotencyKeysContract = (name: string, kind: StoreKind): void => {
  describe(`${name} keeps the contract of idempotency keys`, () => {
    let open: StoreUnderTest;
    let store: Store;
    beforeAll(async () => {
      open = await kind.open(countingIds);
      store = open.store;
    });
    afterAll(() => open.close());

    const claim = (wanted: Claim, now = minute(0)): Promise<Claimed | undefined> =>
      store.transact(across, (tx) => tx.idempotencyKeys.claim(wanted, now));
    const answer = (attempt: Attempt, text: string, scope: Scope = found(attempt.organizationId)): Promise<boolean> =>
      store.transact(scope, (tx) => tx.idempotencyKeys.answer(attempt, text));
    const release = (attempt: Attempt): Promise<void> =>
      store.transact(across, (tx) => tx.idempotencyKeys.release(attempt));
    const forget = (now: Date, limit = 1000): Promise<number> =>
      store.transact({ across: 'expiry' }, (tx) => tx.idempotencyKeys.forget(now, limit));
    const claimed = async (facts: Partial<Claim> = {}): Promise<Claim> => {
      const wanted = claimWith(facts);
      expect(await claim(wanted)).toBeUndefined();
      return wanted;
    };
    const another = (first: Claim): Claim => ({ ...first, holder: `holder-${fresh()}` });

    it('gives a key to the first who claims it, and shows the others who is at it', async () => {
      const first = await claimed();
      const inTheWay = await claim({ ...another(first), fingerprint: sha256('another request') });
      expect(inTheWay).toMatchObject({ fingerprint: first.fingerprint, heldUntil: first.heldUntil, answer: null });
    });

    it('gives it to one of 20 who claim it at once', async () => {
      const wanted = claimWith();
      const outcomes = await twenty(() => claim(another(wanted)));
      const values = outcomes.map((one) => (one.status === 'fulfilled' ? one.value : one.reason));
      expect(values.filter((value) => value === undefined)).toHaveLength(1);
      expect(values.filter((value) => value?.answer === null)).toHaveLength(19);
    });

    it('keeps the answer of its holder, and repeats it to whoever claims the key again', async () => {
      const first = await claimed();
      expect(await answer(first, 'sealed')).toBe(true);
      expect(await claim(another(first), minute(59))).toMatchObject({ answer: 'sealed' });
    });

    it('keeps an answer only once', async () => {
      const first = await claimed();
      expect(await answer(first, 'sealed')).toBe(true);
      expect(await answer(first, 'another')).toBe(false);
      expect(await claim(another(first))).toMatchObject({ answer: 'sealed' });
    });

    it('keeps the answer with its effect, or neither', async () => {
      const filled = filledOrganization();
      const { organizationId } = filled;
      await store.transact(founding, (tx) => filled.saveIn(tx));
      const first = await claimed({ organizationId });
      const agent = agentWith({ organizationId });
      const acted = async (tx: Repositories): Promise<void> => {
        await tx.agents.save(agent);
        expect(await tx.idempotencyKeys.answer(first, 'sealed')).toBe(true);
      };
      const failed = store.transact(organizationId, async (tx) => {
        await acted(tx);
        throw new Error('lost');
      });
      await expect(failed).rejects.toThrow('lost');
      expect(await claim(another(first))).toMatchObject({ answer: null });
      expect(
        await store.transact(organizationId, (tx) => tx.agents.get(organizationId, agent.state.id)),
      ).toBeUndefined();
    });

    it('takes no answer from anybody but the holder', async () => {
      const first = await claimed();
      expect(await answer(another(first), 'sealed')).toBe(false);
      expect(await answer(claimWith(), 'sealed')).toBe(false);
      expect(await claim(another(first))).toMatchObject({ answer: null });
    });

    it('hands the key on when its holder died, whose late answer then comes to nothing', async () => {
      const first = await claimed({ heldUntil: minute(1) });
      expect(await claim(another(first), second(59))).toMatchObject({ answer: null });
      const next = another({ ...first, heldUntil: minute(3), fingerprint: sha256('another request') });
      expect(await claim(next, minute(1))).toBeUndefined();
      expect(await answer(first, 'too late')).toBe(false);
      expect(await answer(next, 'in time')).toBe(true);
      const seen = await claim(another(first), minute(2));
      expect(seen).toMatchObject({ answer: 'in time', fingerprint: sha256('another request') });
    });

    it('hands it to one of 20 who find its holder dead at once', async () => {
      const first = await claimed();
      const outcomes = await twenty(() => claim(another({ ...first, heldUntil: minute(5) }), minute(2)));
      const values = outcomes.map((one) => (one.status === 'fulfilled' ? one.value : one.reason));
      expect(values.filter((value) => value === undefined)).toHaveLength(1);
      expect(values.filter((value) => value?.answer === null)).toHaveLength(19);
    });

    it('frees a key that its holder lets go of, at once', async () => {
      const first = await claimed();
      await release(first);
      expect(await claim(another(first))).toBeUndefined();
    });

    it('frees nothing that is answered, or that somebody else holds', async () => {
      const answered = await claimed();
      await answer(answered, 'sealed');
      await release(answered);
      expect(await claim(another(answered))).toMatchObject({ answer: 'sealed' });
      const held = await claimed();
      await release(another(held));
      expect(await claim(another(held))).toMatchObject({ answer: null });
    });

    it('counts a key whose time is over as never seen, answered or not', async () => {
      const first = await claimed({ forgetAt: minute(10) });
      await answer(first, 'sealed');
      expect(await claim(another(first), minute(9))).toMatchObject({ answer: 'sealed' });
      const next = another({ ...first, heldUntil: minute(12), forgetAt: minute(70) });
      expect(await claim(next, minute(10))).toBeUndefined();
      expect(await claim(another(first), minute(11))).toMatchObject({ answer: null });
    });

    it('forgets what is over, so many at once, and nothing else', async () => {
      await forget(minute(1000));
      const over = await Promise.all([1, 2, 3].map(() => claimed({ forgetAt: minute(100) })));
      const stays = await claimed({ forgetAt: minute(101) });
      expect(await forget(minute(99))).toBe(0);
      expect(await forget(minute(100), 2)).toBe(2);
      expect(await forget(minute(100), 2)).toBe(1);
      expect(await forget(minute(100), 2)).toBe(0);
      expect(await claim(another(stays))).toMatchObject({ answer: null });
      for (const gone of over) expect(await answer(gone, 'sealed')).toBe(false);
    });

    it('takes no answer from a transaction of another organization', async () => {
      const first = await claimed();
      expect(await answer(first, 'sealed', newId('org'))).toBe(false);
      expect(await answer({ ...first, organizationId: newId('org') }, 'sealed')).toBe(false);
      expect(await claim(another(first))).toMatchObject({ answer: null });
    });

    it('keeps what was asked in no organization, for transactions across only', async () => {
      const first = await claimed({ organizationId: null });
      expect(await answer(first, 'sealed', newId('org'))).toBe(false);
      expect(await answer(first, 'sealed', founding)).toBe(true);
      expect(await claim(another(first))).toMatchObject({ answer: 'sealed' });
    });

    it('lets no transaction of one organization claim, let go or forget', async () => {
      const first = await claimed();
      const within = (work: (tx: Repositories) => Promise<unknown>) =>
        store.transact(found(first.organizationId), work);
      await expect(within((tx) => tx.idempotencyKeys.claim(first, minute(0)))).rejects.toThrow('needs a scope across');
      await expect(within((tx) => tx.idempotencyKeys.release(first))).rejects.toThrow('needs a scope across');
      await expect(within((tx) => tx.idempotencyKeys.forget(minute(0), 1))).rejects.toThrow('needs a scope across');
    });
  });
};
