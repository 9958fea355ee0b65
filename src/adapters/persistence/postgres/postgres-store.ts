// The store in the database: one transaction per run, writers of one organization in turn, and another run for whoever lost a race.

import { setTimeout as sleep } from 'node:timers/promises';
import type { SqlEntityManager } from '@mikro-orm/postgresql';
import { type Repositories, type Scope, type Store, turnOf } from '#application/ports/store.ts';
import type { Ids } from '#application/ports/system.ts';
import { untilSettled } from '../conflict.ts';
import { insideTransaction, refuseInsideTransaction } from '../inside-transaction.ts';
import { SavedEntities } from '../saved-entities.ts';
import { walled } from '../tenant-wall.ts';
import { Turns } from '../turns.ts';
import { conflictIn, refusalFor } from './database-faults.ts';
import { enter } from './database-roles.ts';
import { inTransaction } from './in-transaction.ts';
import { postgresRepositories } from './postgres-repositories.ts';

/** A short and uneven wait, so that those who met do not meet again. At most 100 ms. */
const pause = (runs: number): Promise<void> => sleep(Math.random() * Math.min(5 * 2 ** runs, 100));

/**
 * @param fork a fresh EntityManager for each run
 */
export const postgresStore = (fork: () => SqlEntityManager, ids: Ids): Store => {
  /** Writers of one organization queue here before they take a connection, so that a busy one leaves the others some. */
  const turns = new Turns();

  const begin = async (em: SqlEntityManager, scope: Scope, lostOver: string | undefined): Promise<void> => {
    await enter(em, scope);
    // Those who lost over the same thing queue for it, so each of them wins its next run against the others.
    if (lostOver !== undefined) {
      await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 1))', [lostOver]);
    }
  };

  const run = async <T>(
    scope: Scope,
    work: (tx: Repositories) => Promise<T>,
    lostOver: string | undefined,
  ): Promise<T> => {
    const turn = turnOf(scope);
    const endTurn = turn && (await turns.take(turn));
    try {
      const em = fork();
      return await insideTransaction(() =>
        inTransaction(em, async () => {
          await begin(em, scope, lostOver);
          return work(walled(scope, postgresRepositories({ em, saved: new SavedEntities(), ids })));
        }),
      );
    } finally {
      endTurn?.();
    }
  };

  return {
    async transact(scope, work) {
      refuseInsideTransaction('A second transaction was started');
      try {
        return await untilSettled((lostOver) => run(scope, work, lostOver), conflictIn, pause);
      } catch (thrown) {
        throw refusalFor(thrown);
      }
    },
  };
};
