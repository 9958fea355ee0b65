// Where things are kept: one of three databases behind the same ports.

import { ContainerModule } from 'inversify';
import type { ReadModels, Standings } from '#application/ports/read-models.ts';
import type { Store } from '#application/ports/store.ts';
import { T } from '#bootstrap/tokens.ts';

export interface Persistence {
  readonly store: Store;
  readonly readModels: ReadModels & Standings;
  /** How many organizations' events may be applied at the same time; one unless told. */
  readonly lanesAtOnce?: number;
}

export const persistenceModule = ({ store, readModels }: Persistence): ContainerModule =>
  new ContainerModule(({ bind }) => {
    bind(T.store).toConstantValue(store);
    bind(T.readModels).toConstantValue(readModels);
    bind(T.standings).toConstantValue(readModels);
  });
