// The workers behind a commit: woken, stopped between two steps, and never two at the same effect.

import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '#adapters/persistence/memory/memory-store.ts';
import { FakeClock } from '#adapters/system/fake-clock.ts';
import { silentLog } from '#adapters/system/pino-log.ts';
import { typeIds } from '#adapters/system/type-ids.ts';
import type { IdentityProvider } from '#application/ports/identity-provider.ts';
import type { Effect } from '#application/ports/store.ts';
import { relayOutbox } from '#application/reactions/relay-outbox.ts';
import { eachOf, worker } from '#application/reactions/worker.ts';
import { unitOfWork } from '#application/unit-of-work.ts';
import { secondsAfter } from '#domain/shared/time.ts';

describe('a worker', () => {
  it('goes on until there is nothing more, also when it is woken in its last round', async () => {
    let rounds = 0;
    const one = worker(
      'test',
      async () => {
        rounds += 1;
        if (rounds === 3) one.wake();
        return rounds < 3;
      },
      silentLog,
    );
    await one.drain();
    expect(rounds).toBe(4);
  });

  it('finishes the step in hand when it is stopped, takes no other, and sleeps for good', async () => {
    const { promise: goOn, resolve: proceed } = Promise.withResolvers<void>();
    const steps: string[] = [];
    const one = worker(
      'test',
      async (signal) => {
        steps.push('begun');
        await goOn;
        steps.push(signal.aborted ? 'finished, told to stop' : 'finished');
        return true;
      },
      silentLog,
    );
    one.wake();
    let stopped = false;
    const stopping = one.stop().then(() => {
      stopped = true;
    });
    await setImmediate();
    expect(stopped).toBe(false);
    proceed();
    await stopping;
    one.wake();
    await one.drain();
    expect(steps).toEqual(['begun', 'finished, told to stop']);
  });

  it('tries again after a fault, when it is woken next', async () => {
    let rounds = 0;
    const one = worker(
      'test',
      async () => {
        rounds += 1;
        if (rounds === 1) throw new Error('the database is away');
        return false;
      },
      silentLog,
    );
    await one.drain();
    await one.drain();
    expect(rounds).toBe(2);
  });

  it('has so many things in hand at once and no more, and ends what is under way before it tells a fault', async () => {
    let inHand = 0;
    let most = 0;
    const done: number[] = [];
    const act = async (number: number): Promise<void> => {
      inHand += 1;
      most = Math.max(most, inHand);
      await setImmediate();
      inHand -= 1;
      if (number === 2) throw new Error('number two');
      done.push(number);
    };
    await expect(eachOf([1, 2, 3, 4, 5, 6], 3, act)).rejects.toThrow('number two');
    expect([most, inHand]).toEqual([3, 0]);
    expect(done.toSorted()).toEqual([1, 3, 4, 5, 6]);
  });
});

describe('an effect', () => {
  const inStore = async () => {
    const clock = new FakeClock();
    const store = new MemoryStore(typeIds);
    const ended: string[] = [];
    let fails = 0;
    const provider = {
      name: 'fake',
      sessions: {
        async end(providerSession: string): Promise<void> {
          ended.push(providerSession);
          await setImmediate();
          if (fails > 0) {
            fails -= 1;
            throw new Error('the provider is away');
          }
        },
      },
    } as unknown as IdentityProvider;
    const node = () => {
      const uow = unitOfWork(store, { forget: async () => {} }, () => {}, clock, typeIds);
      return worker('outbox', relayOutbox(store, uow, provider, clock, silentLog), silentLog);
    };
    const effects = [1, 2, 3].map((number) => ({
      id: typeIds.next('eff'),
      effect: { do: 'end_provider_session', provider: 'fake', providerSession: `session ${number}` } as const,
      attempts: 0,
      dueAt: clock.now(),
    }));
    await store.transact({ across: 'outbox' }, (tx) => tx.outbox.add(effects));
    const failing = (times: number): void => {
      fails = times;
    };
    const add = (effect: unknown) =>
      store.transact({ across: 'outbox' }, (tx) =>
        tx.outbox.add([{ id: typeIds.next('eff'), effect: effect as Effect, attempts: 0, dueAt: clock.now() }]),
      );
    const left = () => store.transact({ across: 'outbox' }, (tx) => tx.outbox.due(secondsAfter(clock.now(), 9999), 10));
    return { clock, ended, node, failing, add, left };
  };

  it('is carried out by one of two nodes', async () => {
    const { ended, node } = await inStore();
    await Promise.all([node().drain(), node().drain()]);
    expect(ended.toSorted()).toEqual(['session 1', 'session 2', 'session 3']);
  });

  it('that a newer version wrote is left for a node that knows it, and holds up nothing', async () => {
    const { ended, node, add, left } = await inStore();
    await add({ do: 'something_new' });
    await node().drain();
    expect(ended).toHaveLength(3);
    expect(await left()).toMatchObject([{ effect: { do: 'something_new' }, attempts: 1 }]);
  });

  it('is tried again at growing distances until it worked', async () => {
    const { clock, ended, node, failing } = await inStore();
    failing(3);
    const one = node();
    await one.drain();
    expect(ended).toHaveLength(3);
    await one.drain();
    expect(ended).toHaveLength(3);
    failing(3);
    clock.turn(2);
    await one.drain();
    expect(ended).toHaveLength(6);
    clock.turn(2);
    await one.drain();
    expect(ended).toHaveLength(6);
    clock.turn(2);
    await one.drain();
    expect(ended).toHaveLength(9);
    clock.turn(4000);
    await one.drain();
    expect(ended).toHaveLength(9);
  });
});
