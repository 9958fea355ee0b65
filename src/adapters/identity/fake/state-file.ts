// The file in which a fake world outlives its process: read once, replaced whole, never half written.

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type WorldState, worldState } from '#adapters/identity/fake/world-state.ts';

const isMissing = (thrown: unknown): boolean => thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';

/** What was on its way when the last run ended may not have arrived: it is sent again. */
const takenUp = (state: WorldState): WorldState => ({
  ...state,
  log: state.log.map((entry) =>
    entry.fate === 'waiting' ? { ...entry, fate: 'held', heldUntil: entry.event.created_at } : entry,
  ),
});

/** Undefined when there is no such file yet. Throws, naming the file, when it is there but is no world. */
export const readStateFile = async (file: string): Promise<WorldState | undefined> => {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  }
  try {
    return takenUp(worldState.parse(JSON.parse(text)));
  } catch (cause) {
    throw new Error(`${file} is not the state of a fake provider; move it away to begin anew`, { cause });
  }
};

/** Writes the newest state; writes that are asked for while one is under way are served by one more. */
export class StateFile {
  readonly #file: string;
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /** Settles when a state at least as new as now is on disk. */
  save(state: () => WorldState): Promise<void> {
    this.#next ??= this.#writing
      .catch(() => undefined) // its own caller has heard of it; this one tries again
      .then(() => {
        this.#next = undefined;
        this.#writing = this.#write(JSON.stringify(state()));
        return this.#writing;
      });
    return this.#next;
  }

  /** Only the owner may read it: it holds the signing key. */
  async #write(text: string): Promise<void> {
    const draft = `${this.#file}.${process.pid}.tmp`;
    await mkdir(dirname(this.#file), { recursive: true });
    await writeFile(draft, text, { mode: 0o600 });
    await rename(draft, this.#file);
  }
}
