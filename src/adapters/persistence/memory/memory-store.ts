// The store that keeps everything in memory: for tests, demonstrations and the harness. It keeps the promises of the database, not just its shape.

import { createHash } from 'node:crypto';
import { type Repositories, type Scope, type Store, turnOf } from '#application/ports/store.ts';
import type { Ids } from '#application/ports/system.ts';
import type { InboxEventId } from '#domain/shared/ids.ts';
import { Conflict, untilSettled } from '../conflict.ts';
import { insideTransaction, refuseInsideTransaction } from '../inside-transaction.ts';
import { walled } from '../tenant-wall.ts';
import { Turns } from '../turns.ts';
import { memoryRepositories } from './memory-repositories.ts';
import { MemoryRun } from './memory-run.ts';
import { MemoryTables } from './memory-tables.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * Each run works on drafts and is checked against what others committed meanwhile; so writers `across` really meet, as in a
 * database, while writers of one organization take turns.
 */
export class MemoryStore implements Store {
  /** What is committed. For the read models; nobody else looks here. */
  readonly tables = new MemoryTables();
  readonly #ids: Ids;
  readonly #scopeTurns = new Turns();
  readonly #rerunTurns = new Turns();
  readonly #chainTurns = new Turns();
  readonly #claims = new Map<InboxEventId, MemoryRun>();

  constructor(ids: Ids) {
    this.#ids = ids;
  }

  async transact<T>(scope: Scope, work: (tx: Repositories) => Promise<T>): Promise<T> {
    refuseInsideTransaction('A second transaction was started');
    return untilSettled(
      (lostOver) => this.#run(scope, work, lostOver),
      (thrown) => (thrown instanceof Conflict ? thrown : undefined),
      async () => {},
    );
  }

  async #run<T>(scope: Scope, work: (tx: Repositories) => Promise<T>, lostOver: string | undefined): Promise<T> {
    const turns: (() => void)[] = [];
    const run = new MemoryRun(this.tables, this.#chainTurns, this.#claims);
    try {
      const turn = turnOf(scope);
      if (turn !== undefined) turns.push(await this.#scopeTurns.take(turn));
      if (lostOver !== undefined) turns.push(await this.#rerunTurns.take(lostOver));
      const repositories = walled(scope, memoryRepositories(run, this.tables, this.#ids, sha256));
      const answer = await insideTransaction(() => work(repositories));
      run.commit();
      return answer;
    } finally {
      run.end();
      for (const release of turns) release();
    }
  }
}
