// What is done under a key: by whom it may be heard again, what happens when its answer cannot be read, and when somebody forgot to keep it.

import { describe, expect, it } from 'vitest';
import { MemoryCallerCache } from '#adapters/cache/memory/memory-caller-cache.ts';
import { MemoryStore } from '#adapters/persistence/memory/memory-store.ts';
import { cryptoEntropy } from '#adapters/system/crypto-entropy.ts';
import { FakeClock } from '#adapters/system/fake-clock.ts';
import { jweSeal } from '#adapters/system/jwe-seal.ts';
import { nodeDigest } from '#adapters/system/node-digest.ts';
import { typeIds } from '#adapters/system/type-ids.ts';
import type { Keyed, Once, OnlyOnce } from '#application/idempotency/once.ts';
import { onlyOnce } from '#application/idempotency/only-once.ts';
import type { Log } from '#application/ports/system.ts';
import { unitOfWork } from '#application/unit-of-work.ts';
import type { AgentCaller, Caller, UserCaller } from '#domain/access/caller.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { anId } from '../support/words.ts';

const caller: UserCaller = {
  kind: 'user',
  id: anId('user'),
  organizationId: anId('org'),
  role: 'owner',
  scopes: [],
  sessionId: anId('sess'),
  impersonator: null,
};
const asked: Keyed = { key: 'a key', organizationId: anId('org'), operation: 'createThing', request: '{"name":"x"}' };
const source = { via: 'http', ip: null, userAgent: null, requestId: null } as const;

interface Secrets {
  readonly session: readonly [string, ...string[]];
  readonly pepper: readonly [string, ...string[]];
}
const oldest: Secrets = { session: ['the session secret of last year'], pepper: ['the pepper of last year'] };
const both: Secrets = {
  session: ['the session secret of today', 'the session secret of last year'],
  pepper: ['the pepper of today', 'the pepper of last year'],
};

const stage = () => {
  const clock = new FakeClock();
  const store = new MemoryStore(typeIds);
  const warnings: string[] = [];
  const log = { warn: (message: string) => void warnings.push(message) } as unknown as Log;
  const uow = unitOfWork(store, new MemoryCallerCache(clock), () => {}, clock, typeIds);
  let done = 0;
  const under = ({ session, pepper }: Secrets): OnlyOnce =>
    onlyOnce(store, jweSeal(session, clock), nodeDigest(pepper), cryptoEntropy, clock, log);
  /** Does it, or hears what was done. */
  const act = (once: Once): Promise<number> =>
    uow.once(anId('org'), { actor: { kind: 'user', id: anId('user') }, source: { ...source, once } }, async () => {
      done += 1;
      return done;
    });
  const ask = (secrets: Secrets, who: Caller = caller, what: Partial<Keyed> = {}) =>
    under(secrets)(who, { ...asked, ...what }, act, (made) => ({ number: made }));
  return { clock, store, warnings, under, ask, times: () => done };
};

const refused = (reason: string) => expect.objectContaining({ reason });

describe('what was done under a key', () => {
  it('is answered again as its sender saw it', async () => {
    const { ask, times } = stage();
    expect(await ask(oldest)).toEqual({ answer: { number: 1 }, replayed: false });
    expect(await ask(oldest)).toEqual({ answer: { number: 1 }, replayed: true });
    expect(times()).toBe(1);
  });

  it('is answered again while secrets are being rotated, and to no other request', async () => {
    const { ask } = stage();
    await ask(oldest);
    expect(await ask(both)).toEqual({ answer: { number: 1 }, replayed: true });
    await expect(ask(both, caller, { request: '{"name":"y"}' })).rejects.toEqual(refused('idempotency_key.reused'));
  });

  it('is not done again when its answer can no longer be read', async () => {
    const { ask, times } = stage();
    await ask(oldest);
    const onlyNewSession: Secrets = { session: ['the session secret of today'], pepper: oldest.pepper };
    await expect(ask(onlyNewSession)).rejects.toEqual(refused('idempotency_key.answer_gone'));
    expect(times()).toBe(1);
  });

  it('is not repeated to who can do less by now, nor done again', async () => {
    const { ask, times } = stage();
    const ofAgent = { kind: 'agent', id: anId('agent'), organizationId: anId('org'), apiKeyId: anId('key') } as const;
    const wide: AgentCaller = { ...ofAgent, mode: 'live', scopes: ['query:read', 'keys:manage'] };
    await ask(oldest, wide);
    const narrower: AgentCaller = { ...wide, scopes: ['keys:manage'] };
    const tested: AgentCaller = { ...wide, mode: 'test' };
    for (const who of [narrower, tested]) {
      await expect(ask(oldest, who)).rejects.toEqual(refused('idempotency_key.answer_gone'));
    }
    const wider: AgentCaller = { ...wide, scopes: ['query:read', 'keys:manage', 'audit:read'] };
    expect(await ask(oldest, wider)).toEqual({ answer: { number: 1 }, replayed: true });
    expect(times()).toBe(1);
  });

  it.each<[string, Caller, Partial<Keyed>]>([
    ['another person', { ...caller, id: anId('user', 2) }, {}],
    [
      'support staff in the person’s name',
      { ...caller, impersonator: { email: 'help@provider.test', reason: null } },
      {},
    ],
    [
      'the same name under another kind',
      { ...caller, kind: 'agent', mode: 'live', apiKeyId: anId('key') } as never,
      {},
    ],
    [
      'the same person in another organization',
      { ...caller, organizationId: anId('org', 2) },
      { organizationId: anId('org', 2) },
    ],
    ['the same person in no organization', caller, { organizationId: null }],
    ['another operation', caller, { operation: 'createOther' }],
    ['another key', caller, { key: 'a key ' }],
  ])('is nothing to %s', async (_, who, what) => {
    const { under, ask } = stage();
    await ask(oldest);
    const acted = under(oldest)(
      who,
      { ...asked, ...what },
      () => Promise.reject(new Error('acted anew')),
      () => ({}),
    );
    await expect(acted).rejects.toThrow('acted anew');
  });

  it('is asked of no organization that is not the caller’s', async () => {
    const { ask, times } = stage();
    await expect(ask(oldest, caller, { organizationId: anId('org', 2) })).rejects.toEqual(
      refused('organization.not_found'),
    );
    expect(times()).toBe(0);
  });

  it('is a fault when its answer was not kept with it', async () => {
    const { under } = stage();
    const forgetful = under(oldest)(
      caller,
      asked,
      async () => 1,
      () => ({}),
    );
    await expect(forgetful).rejects.toThrow('createThing did not keep its answer');
  });

  it('is sealed under the key itself: our own secrets do not open it', async () => {
    const { ask, store, clock } = stage();
    await ask(oldest);
    const [kept] = store.tables.rows.idempotencyKeys.rows.values();
    const seal = jweSeal(oldest.session, clock);
    expect(await seal.open('idempotent answer', kept?.answer ?? '')).toBeUndefined();
    expect(await seal.open('idempotent answer', kept?.answer ?? '', 'a guess')).toBeUndefined();
    expect(await seal.open('idempotent answer', kept?.answer ?? '', asked.key)).toMatchObject({ shown: { number: 1 } });
  });

  it('leaves a warning and the first refusal when the key cannot be let go of', async () => {
    const { store, warnings, clock } = stage();
    let transactions = 0;
    const failing: Pick<MemoryStore, 'transact'> = {
      transact: (scope, work) => {
        transactions += 1;
        return transactions > 1 ? Promise.reject(new Refusal('storage.unavailable')) : store.transact(scope, work);
      },
    };
    const log = { warn: (message: string) => void warnings.push(message) } as unknown as Log;
    const run = onlyOnce(failing, jweSeal(oldest.session, clock), nodeDigest(oldest.pepper), cryptoEntropy, clock, log);
    const acted = run(
      caller,
      asked,
      () => Promise.reject(new Refusal('agent.name_taken')),
      () => ({}),
    );
    await expect(acted).rejects.toEqual(refused('agent.name_taken'));
    expect(warnings).toEqual(['an idempotency key could not be let go of']);
  });
});
