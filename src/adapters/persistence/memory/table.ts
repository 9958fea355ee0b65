// A table in memory, and a transaction's private draft of it: nothing is seen by others before the commit, and nothing is lost to others in it.

import { Conflict } from '../conflict.ts';

export interface TableRules<R> {
  /** The texts that no two rows may share. */
  readonly uniqueKeysOf?: (row: R) => readonly string[];
  /** Counts the saves of a row; without it rows are never stale. */
  readonly versionOf?: (row: R) => number;
  /** What survives of the row that is replaced. */
  readonly merge?: (replaced: R, row: R) => R;
}

/** What has been committed. Rows are never changed, only replaced; readers clone what they hand out. */
export class Table<R> {
  readonly rules: TableRules<R>;
  readonly rows = new Map<string, R>();
  /** Unique key → id of its row. */
  readonly owners = new Map<string, string>();

  constructor(rules: TableRules<R> = {}) {
    this.rules = rules;
  }

  get(id: string): R | undefined {
    return this.rows.get(id);
  }

  byKey(key: string): R | undefined {
    const owner = this.owners.get(key);
    return owner === undefined ? undefined : this.rows.get(owner);
  }

  where(holds: (row: R) => boolean): R[] {
    return [...this.rows.values()].filter(holds);
  }

  keysOf(row: R | undefined): readonly string[] {
    return row === undefined ? [] : (this.rules.uniqueKeysOf?.(row) ?? []);
  }

  versionOf(row: R | undefined): number {
    return row === undefined ? 0 : (this.rules.versionOf?.(row) ?? 1);
  }
}

interface Written<R> {
  readonly row: R | undefined;
  /** The version that the committed row must have at the commit; undefined: any. */
  readonly expected: number | undefined;
}

export class Draft<R> {
  readonly #table: Table<R>;
  readonly #written = new Map<string, Written<R>>();
  readonly #patches = new Map<string, ((row: R) => R)[]>();

  constructor(table: Table<R>) {
    this.#table = table;
  }

  get(id: string): R | undefined {
    const written = this.#written.get(id);
    let row = written ? written.row : this.#table.get(id);
    for (const patch of this.#patches.get(id) ?? []) row = row === undefined ? row : patch(row);
    return row;
  }

  byKey(key: string): R | undefined {
    for (const id of this.#changed()) {
      const row = this.get(id);
      if (row !== undefined && this.#table.keysOf(row).includes(key)) return row;
    }
    const owner = this.#table.owners.get(key);
    if (owner === undefined) return undefined;
    const row = this.get(owner);
    return this.#table.keysOf(row).includes(key) ? row : undefined;
  }

  where(holds: (row: R) => boolean): R[] {
    const ids = new Set([...this.#table.rows.keys(), ...this.#changed()]);
    return [...ids].flatMap((id) => {
      const row = this.get(id);
      return row !== undefined && holds(row) ? [row] : [];
    });
  }

  /** Writes a whole row. With an expected version (0: no row) the commit fails when somebody else was there in between. */
  put(id: string, row: R, expected?: number): void {
    const before = this.#written.get(id);
    this.#written.set(id, { row, expected: before ? before.expected : expected });
  }

  remove(id: string): void {
    this.#written.set(id, { row: undefined, expected: undefined });
  }

  /** A change for whatever row is there at the commit. */
  patch(id: string, change: (row: R) => R): void {
    this.#patches.set(id, [...(this.#patches.get(id) ?? []), change]);
  }

  /** @throws Conflict when somebody else's commit made this draft impossible */
  check(): void {
    for (const [id, { expected }] of this.#written) {
      if (expected !== undefined && this.#table.versionOf(this.#table.get(id)) !== expected) throw new Conflict(id);
    }
    const claimed = new Map<string, string>();
    const changed = this.#changed();
    for (const id of changed) {
      for (const key of this.#table.keysOf(this.get(id))) {
        const owner = claimed.get(key) ?? this.#table.owners.get(key) ?? id;
        const givenUp = changed.has(owner) && !this.#table.keysOf(this.get(owner)).includes(key);
        if (owner !== id && !givenUp) throw new Conflict(key);
        claimed.set(key, id);
      }
    }
  }

  /** Only after `check` passed, and with nothing awaited in between. */
  apply(): void {
    const rows = [...this.#changed()].map((id) => [id, this.get(id)] as const);
    for (const [id] of rows) {
      for (const key of this.#table.keysOf(this.#table.get(id))) this.#table.owners.delete(key);
    }
    for (const [id, row] of rows) {
      if (row === undefined) {
        this.#table.rows.delete(id);
        continue;
      }
      const replaced = this.#table.get(id);
      const merged = replaced !== undefined && this.#table.rules.merge ? this.#table.rules.merge(replaced, row) : row;
      this.#table.rows.set(id, merged);
      for (const key of this.#table.keysOf(merged)) this.#table.owners.set(key, id);
    }
  }

  #changed(): Set<string> {
    return new Set([...this.#written.keys(), ...this.#patches.keys()]);
  }
}
