// One run of a transaction in memory: its drafts, the turns it holds until it ends, and the moment at which all of it becomes true.

import type { AuditEntry } from '#domain/audit/audit-entry.ts';
import type { InboxEventId } from '#domain/shared/ids.ts';
import { Conflict } from '../conflict.ts';
import { SavedEntities } from '../saved-entities.ts';
import type { Turns } from '../turns.ts';
import { type Drafts, draftsOf, type MemoryTables } from './memory-tables.ts';

export class MemoryRun {
  readonly drafts: Drafts;
  readonly saved = new SavedEntities();
  readonly #tables: MemoryTables;
  readonly #chainTurns: Turns;
  readonly #claims: Map<InboxEventId, MemoryRun>;
  readonly #claimed = new Map<InboxEventId, unknown>();
  readonly #askedFor = new Map<string, string>();
  readonly #appended = new Map<string, AuditEntry[]>();
  readonly #releases: (() => void)[] = [];

  constructor(tables: MemoryTables, chainTurns: Turns, claims: Map<InboxEventId, MemoryRun>) {
    this.#tables = tables;
    this.#chainTurns = chainTurns;
    this.#claims = claims;
    this.drafts = draftsOf(tables.rows);
  }

  /** Takes an inbox event for this run; false while another run has it. */
  claim(id: InboxEventId): boolean {
    const holder = this.#claims.get(id);
    if (holder !== undefined) return holder === this;
    this.#claims.set(id, this);
    this.#claimed.set(id, this.#tables.rows.inbox.get(id));
    return true;
  }

  /** Notes who was found under an address: who would register somebody new must not have been overtaken by another who did. */
  askFor(address: string): void {
    if (!this.#askedFor.has(address)) this.#askedFor.set(address, this.#known(address));
  }

  #known(address: string): string {
    const users = this.#tables.rows.users.where(({ email, status }) => email === address && status !== 'deleted');
    return users.map(({ id }) => id).join(' ');
  }

  /** The end of an audit trail, held by this run from now on: whoever appends next builds on what this run appends. */
  async holdTrail(trail: string): Promise<AuditEntry[]> {
    const held = this.#appended.get(trail);
    if (held) return held;
    // Waiting for one trail while keeping another from others could end in a circle.
    if (this.#appended.size > 0 && this.#chainTurns.isTaken(trail)) throw new Conflict(`trail ${trail}`);
    this.#releases.push(await this.#chainTurns.take(trail));
    const appended: AuditEntry[] = [];
    this.#appended.set(trail, appended);
    return appended;
  }

  /** @throws Conflict, and then nothing has changed */
  commit(): void {
    // News that woke a claimed event was not known to the work that read it: that work must look again.
    for (const [id, row] of this.#claimed) {
      if (this.#tables.rows.inbox.get(id) !== row) throw new Conflict(id);
    }
    for (const [address, known] of this.#askedFor) {
      if (this.#known(address) !== known) throw new Conflict(`address ${address}`);
    }
    const drafts = Object.values(this.drafts);
    for (const draft of drafts) draft.check();
    for (const draft of drafts) draft.apply();
    for (const [trail, entries] of this.#appended) {
      this.#tables.trails.set(trail, [...(this.#tables.trails.get(trail) ?? []), ...entries]);
    }
  }

  /** Lets go of everything, whether it was committed or not. */
  end(): void {
    for (const release of this.#releases.splice(0)) release();
    for (const id of this.#claimed.keys()) this.#claims.delete(id);
    this.#claimed.clear();
  }
}
