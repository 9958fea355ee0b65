// Everything that happened in the stub, in order: its feed, and the same as signed deliveries.

import { signatureHeader } from '#adapters/identity/wire/signature.ts';
import type { Delivery } from '#application/ports/identity-provider.ts';
import { newId, pageOf, type StubAnswer, StubError, type StubRequest } from './stub-answers.ts';

export interface StubEvent {
  readonly object: 'event';
  readonly id: string;
  readonly event: string;
  readonly data: unknown;
  readonly created_at: string;
}

export class StubEvents {
  /** What the feed tells. A test may take an event out, or put anything in. */
  readonly entries: StubEvent[] = [];
  readonly webhookSecret = 'the-stub-signs-with-this';
  readonly #now: () => Date;

  constructor(now: () => Date) {
    this.#now = now;
  }

  record(event: string, data: unknown): StubEvent {
    const entry: StubEvent = {
      object: 'event',
      id: newId('event'),
      event,
      data,
      created_at: this.#now().toISOString(),
    };
    this.entries.push(entry);
    return entry;
  }

  sign(body: Uint8Array): Delivery {
    return { body, signature: signatureHeader(body, this.webhookSecret, this.#now()) };
  }

  deliveryOf(event: StubEvent): Delivery {
    return this.sign(new TextEncoder().encode(JSON.stringify(event)));
  }

  handle({ method, path, query }: StubRequest): StubAnswer | undefined {
    if (method !== 'GET' || path !== '/events') return undefined;
    const names = (query.get('events') ?? '').split(',');
    if (query.get('order') !== 'asc') throw new StubError(422, { message: 'The stub tells the oldest first only.' });
    const after = query.get('after');
    const from = query.get('range_start');
    if (after !== null && from !== null) throw new StubError(422, { message: 'Either after or range_start.' });
    if (after !== null && !this.entries.some(({ id }) => id === after)) {
      throw new StubError(400, { message: 'No such event.', code: 'invalid_cursor' });
    }
    // The cursor is a place among all events, also when the event there is of a kind that was not asked for.
    const start = after === null ? 0 : this.entries.findIndex(({ id }) => id === after) + 1;
    const asked = this.entries
      .slice(start)
      .filter(({ event, created_at }) => names.includes(event) && (from === null || created_at >= from));
    const rest = new URLSearchParams(query);
    rest.delete('after');
    return pageOf(asked, rest);
  }
}
