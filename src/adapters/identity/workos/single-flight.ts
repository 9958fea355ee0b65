// One call for everybody who asks the same at the same time.

/** Shares a running call among those who ask for the same key; nothing is remembered once it has ended. */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Promise<T>>();

  /** Joins the call that is under way for this key, or starts one. */
  join(key: string, start: () => Promise<T>): Promise<T> {
    const underWay = this.#flights.get(key);
    if (underWay) return underWay;
    const flight = start().finally(() => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    });
    this.#flights.set(key, flight);
    return flight;
  }

  /** Whoever asks from now on starts anew: what is under way may have begun before something changed. */
  leaveAll(): void {
    this.#flights.clear();
  }
}
