// WorkOS' list of everything that happened, read in its order: what no delivery brought is found here.

import { z } from 'zod';
import { eventFrom } from '#adapters/identity/wire/envelope.ts';
import { followed } from '#adapters/identity/wire/interpret.ts';
import { whenNo } from '#adapters/identity/workos/failures.ts';
import type { Lane } from '#adapters/identity/workos/transport.ts';
import type { EventFeed, HeardEvent } from '#application/ports/identity-provider.ts';
import type { Clock, Log } from '#application/ports/system.ts';
import { Refusal } from '#domain/shared/refusal.ts';

/** The most that WorkOS gives at once. */
const pageSize = 100;
/** How far back a second look goes, and how long after the last one it is taken. */
const overlapSeconds = 600;

export interface EventFeedParts {
  readonly lane: Lane;
  readonly clock: Clock;
  readonly log: Log;
}

const page = z.object({ data: z.array(z.unknown()) });
const numbered = z.object({ id: z.string().min(1).max(200) });

/** Where a reading starts: after an event, at a moment, or at the beginning of what WorkOS keeps (30 days, to be safe). */
type Start = { readonly after: string } | { readonly range_start: string } | Readonly<Record<never, never>>;

/**
 * WorkOS holds events back for seconds to give them in order, and an order that is kept needs no second look. Yet an event
 * that became visible behind the cursor would be lost without a word, so every ten minutes, when there is nothing new, the
 * last ten are read again: the inbox knows what it has heard. The cursor goes back with it and comes forward again; it never
 * goes further than what was read.
 */
export const workosEventFeed = ({ lane, clock, log }: EventFeedParts): EventFeed => {
  let lookedBackAt = clock.now();
  /** The last event that was told, for somebody who then asks what comes after it. */
  let last: { readonly id: string; readonly occurredAt: Date } | undefined;

  /** As it stands on the wire, since the SDK's own reading drops the fields that it does not know. */
  const read = async (start: Start, limit: number): Promise<readonly unknown[]> => {
    const { data } = await lane.ask('read the events', (workos) =>
      workos.get<unknown>('/events', { query: { events: followed.join(','), order: 'asc', limit, ...start } }),
    );
    const parsed = page.safeParse(data);
    if (!parsed.success) throw new Refusal('identity.unavailable');
    return parsed.data.data;
  };

  const after = async (eventId: string | undefined, limit: number): Promise<readonly unknown[]> => {
    if (eventId === undefined) return read({}, limit);
    const forgotten = async (): Promise<readonly unknown[]> => {
      log.error(
        'WorkOS does not know the event any more after which its feed was to be read; reading from the beginning',
        {
          event: eventId,
        },
      );
      return read({}, limit);
    };
    return read({ after: eventId }, limit).catch(
      whenNo<Promise<readonly unknown[]>>({ not_found: forgotten, invalid: forgotten }),
    );
  };

  /** A second look at what lies just behind, when it is time for one. */
  const lookBack = async (eventId: string, limit: number): Promise<readonly unknown[]> => {
    const now = clock.now();
    if (now.getTime() - lookedBackAt.getTime() < overlapSeconds * 1000) return [];
    // Where another node read the last event, or this one before it was started: from now on back, twice as far.
    const newest = last?.id === eventId ? last.occurredAt : new Date(now.getTime() - overlapSeconds * 1000);
    const from = new Date(newest.getTime() - overlapSeconds * 1000);
    const again = await read({ range_start: from.toISOString() }, limit);
    lookedBackAt = now;
    return again;
  };

  return {
    async after(eventId, limit) {
      const most = Math.min(limit, pageSize);
      let cursor = eventId;
      for (;;) {
        let raw = await after(cursor, most);
        if (raw.length === 0 && cursor !== undefined) raw = await lookBack(cursor, most);
        if (raw.length === 0) return [];
        const events = raw.flatMap((json) => readable(json, log));
        const newest = events.at(-1);
        if (newest) {
          last = { id: newest.id, occurredAt: newest.occurredAt };
          return events;
        }
        // A page of which nothing can be read must not hold up what comes after it.
        const beyond = numbered.safeParse(raw.at(-1)).data?.id;
        if (beyond === undefined || beyond === cursor) return [];
        cursor = beyond;
      }
    },
  };
};

const readable = (json: unknown, log: Log): readonly HeardEvent[] => {
  try {
    return [eventFrom(json)];
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown;
    log.warn('an entry of the WorkOS feed is no event and is passed over', {
      event: numbered.safeParse(json).data?.id,
      why: thrown.details['why'],
    });
    return [];
  }
};
