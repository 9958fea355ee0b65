// A connection to Redis that never makes anybody wait: short patience, a breaker, and reconnecting in the background.

import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel';
import { createClient } from 'redis';

/** After this many unanswered commands in a row, Redis is left alone. */
const unansweredInARow = 3;
/** How long Redis is left alone. The next command after it is a probe, and no caller's. */
const restMilliseconds = 250;
/** A connection that brings nothing for this long, although it is pinged, is given up and made anew. */
const silenceMilliseconds = 2_000;
const pingMilliseconds = 500;

export class RedisUnavailable extends Error {
  override readonly name = 'RedisUnavailable';
}

export interface LinkEvents {
  /** Connected, also again: what the server holds may be something else than before. */
  up(): void;
  down(why: string): void;
}

/** What is said of a fault: its name and code. Messages may hold addresses, never passwords; names are enough. */
export const nameOf = (fault: unknown): string => {
  if (!(fault instanceof Error)) return 'unknown';
  const code = (fault as { readonly code?: unknown }).code;
  return typeof code === 'string' ? code : fault.name === 'Error' ? fault.constructor.name : fault.name;
};

export const clientFor = (url: string, name: string) =>
  createClient({
    url,
    name,
    RESP: 3,
    disableOfflineQueue: true,
    pingInterval: pingMilliseconds,
    maintNotifications: 'disabled',
    socket: {
      connectTimeout: silenceMilliseconds,
      socketTimeout: silenceMilliseconds,
      reconnectStrategy: (retries) => Math.min(25 * 2 ** Math.min(retries, 6), 1_000) * (0.75 + Math.random() / 2),
    },
  });

/** node-redis' own timeout ends when a command is written; a frozen server is found out by this one. */
const within = async <T>(milliseconds: number, answer: Promise<T>): Promise<T> => {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new RedisUnavailable('no answer in time')), milliseconds);
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
};

export class RedisLink {
  readonly #client: ReturnType<typeof clientFor>;
  readonly #circuit = circuitBreaker(handleAll, {
    halfOpenAfter: restMilliseconds,
    breaker: new ConsecutiveBreaker(unansweredInARow),
  });

  readonly #patience: number;

  /** @param patience how long a caller waits for Redis before the database is asked instead, in milliseconds */
  constructor(url: string, events: LinkEvents, patience = 100) {
    this.#patience = patience;
    this.#client = clientFor(url, 'hatidata-identity');
    this.#client.on('ready', () => events.up());
    this.#client.on('error', (fault) => events.down(nameOf(fault)));
    this.#circuit.onBreak(() => events.down('no answer in time'));
  }

  /** Resolves when connected; after a while also when not: connecting goes on in the background. */
  async open(): Promise<void> {
    const connecting = this.#client.connect().then(
      () => {},
      () => {},
    );
    await within(silenceMilliseconds, connecting).catch(() => {});
  }

  get isAnswering(): boolean {
    return this.#client.isReady && this.#circuit.state === CircuitState.Closed;
  }

  /**
   * Runs a script. Commands of one link are carried out in the order in which they were given.
   * @throws RedisUnavailable when there is no answer in time, or while Redis is left alone
   */
  async run(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    if (!this.isAnswering) throw new RedisUnavailable('left alone');
    return this.#attempt(script, keys, args);
  }

  /** As `run`, and allowed to be the first after a rest: whether Redis is back is not found out at a caller's expense. */
  probe(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return this.#attempt(script, keys, args);
  }

  async #attempt(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const command = ['EVAL', script, String(keys.length), ...keys, ...args];
    try {
      return await this.#circuit.execute(() => within(this.#patience, this.#client.sendCommand(command)));
    } catch (fault) {
      throw fault instanceof BrokenCircuitError ? new RedisUnavailable('left alone') : fault;
    }
  }

  close(): void {
    this.#client.destroy();
  }
}
