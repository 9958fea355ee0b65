// Runs work in one READ COMMITTED transaction of the database.

import { IsolationLevel } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/postgresql';

/**
 * Through Kysely's own `transaction()` and not through `em.transactional()`: that one (MikroORM 7.2.1) gives a connection back to
 * the pool only after a rollback that worked, so each connection that breaks under a transaction is lost to the pool for good.
 * @param em an EntityManager of its own; what it asks runs in the transaction
 */
export const inTransaction = <T>(em: SqlEntityManager, work: () => Promise<T>): Promise<T> =>
  em
    .getConnection()
    .getClient()
    .transaction()
    .setIsolationLevel(IsolationLevel.READ_COMMITTED)
    .execute(async (transaction) => {
      em.setTransactionContext(transaction);
      return work();
    });
