// Which version an entity has after it was saved in this transaction: saving it again is then no conflict with oneself.

import { Conflict } from './conflict.ts';

interface Versioned {
  readonly state: { readonly id: string; readonly version: number };
}

/** Lives for one run of a transaction. */
export class SavedEntities {
  readonly #versions = new WeakMap<Versioned, number>();
  readonly #ids = new Set<string>();

  /** The version that must be in the store for this entity to be saved; 0 for one that was never stored. */
  expectedOf(entity: Versioned): number {
    return this.#versions.get(entity) ?? entity.state.version;
  }

  markSaved(entity: Versioned, version: number): void {
    this.#versions.set(entity, version);
    this.#ids.add(entity.state.id);
  }

  /**
   * What a version other than the expected one means.
   * When this very run saved the same id through another object, running again cannot help: that is a fault of the work.
   */
  staleness(entity: Versioned): Error {
    return this.#ids.has(entity.state.id)
      ? new Error(`${entity.state.id} was read twice in one transaction and saved through both objects`)
      : new Conflict(entity.state.id);
  }
}
