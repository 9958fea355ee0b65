// Lets in one at a time per key, in the order of asking.

export class Turns {
  readonly #queues = new Map<string, Promise<void>>();

  isTaken(key: string): boolean {
    return this.#queues.has(key);
  }

  /** Waits for its turn. The turn lasts until the returned function is called. */
  async take(key: string): Promise<() => void> {
    const before = this.#queues.get(key);
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    this.#queues.set(key, over);
    await before;
    return () => {
      if (this.#queues.get(key) === over) this.#queues.delete(key);
      end();
    };
  }
}
