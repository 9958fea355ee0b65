// One run of a transaction in the database: its connection, and what it has saved so far.

import type { SqlEntityManager } from '@mikro-orm/postgresql';
import type { Ids } from '#application/ports/system.ts';
import type { SavedEntities } from '../saved-entities.ts';

export interface PostgresRun {
  readonly em: SqlEntityManager;
  readonly saved: SavedEntities;
  readonly ids: Ids;
}

interface Entity {
  readonly state: { readonly id: string; readonly version: number };
}

/** Read afresh each time: an identity map would answer with what was read before. */
export const afresh = { disableIdentityMap: true } as const;

/**
 * Inserts an entity that was never stored; updates another if it still has the version it was read with.
 * @throws Conflict when it has not
 */
export const saveEntity = async (
  { saved }: PostgresRun,
  entity: Entity,
  insert: (version: number) => Promise<unknown>,
  update: (expected: number, version: number) => Promise<number>,
): Promise<void> => {
  const expected = saved.expectedOf(entity);
  if (expected === 0) await insert(1);
  else if ((await update(expected, expected + 1)) === 0) throw saved.staleness(entity);
  saved.markSaved(entity, expected + 1);
};
