// The inbox of what providers said and the outbox of what must still be done, in memory.

import { type Inbox, type InboxEvent, laneOf, type Outbox } from '#application/ports/store.ts';
import type { InboxEventId } from '#domain/shared/ids.ts';
import { earlier } from '#domain/shared/time.ts';
import type { MemoryRun } from './memory-run.ts';
import { uniqueKey } from './memory-tables.ts';

const copy = <T>(value: T): T => structuredClone(value);

interface Dated {
  readonly at: Date;
  readonly id: string;
}
const byNews = (a: Dated, b: Dated): number => a.at.getTime() - b.at.getTime() || (a.id < b.id ? -1 : 1);

const isOpen = ({ status }: { readonly status: string }): boolean => status === 'stored' || status === 'waiting';

export const memoryInbox = (run: MemoryRun): Inbox => {
  const { drafts } = run;
  const settle: Inbox['settle'] = async (id, outcome) => {
    const { status, attempts, dueAt, settledAt, note, organizationId } = copy(outcome);
    drafts.inbox.patch(id, (row) => ({ ...row, status, attempts, dueAt, settledAt, note, organizationId }));
  };
  const claim = (id: InboxEventId): InboxEvent | undefined => {
    const row = drafts.inbox.get(id);
    return row && isOpen(row) && run.claim(id) ? copy(drafts.inbox.get(id)) : undefined;
  };
  const add: Inbox['add'] = async (event) => {
    const { provider, externalId, organizationRef } = event;
    if (drafts.inbox.byKey(uniqueKey.externalEvent(provider, externalId))) return false;
    const ours =
      organizationRef === null
        ? undefined
        : drafts.organizations.byKey(uniqueKey.providerRef({ provider, id: organizationRef }));
    drafts.inbox.put(event.id, copy({ ...event, organizationId: event.organizationId ?? ours?.id ?? null }), 0);
    return true;
  };
  return {
    add,
    async addAll(events) {
      const added = new Set<InboxEventId>();
      for (const event of events) if (await add(event)) added.add(event.id);
      return added;
    },
    claim: async (id) => claim(id),
    async claimInOrder(ids) {
      const claimed: InboxEvent[] = [];
      for (const id of ids) {
        const event = claim(id);
        if (!event) break;
        claimed.push(event);
      }
      return claimed;
    },
    settle,
    async settleAll(outcomes) {
      for (const [id, outcome] of outcomes) await settle(id, outcome);
    },
    async lanes(now, { after, lanes, each }) {
      const open = Map.groupBy(drafts.inbox.where(isOpen), laneOf);
      const names = [...open.keys()].filter((name) => after === null || name > after).toSorted();
      return names.slice(0, lanes).map((name) => ({
        name,
        events: (open.get(name) ?? [])
          .filter(({ dueAt }) => dueAt <= now)
          .toSorted((a, b) => byNews({ at: a.occurredAt, id: a.id }, { at: b.occurredAt, id: b.id }))
          .slice(0, each)
          .map(copy),
      }));
    },
    async get(organizationId, id) {
      const row = drafts.inbox.get(id);
      if (row?.organizationId !== organizationId) return undefined;
      run.claim(id);
      return copy(row);
    },
    async forgetPayloads(receivedBefore, limit) {
      const old = drafts.inbox.where(
        (row) => !isOpen(row) && row.status !== 'dead' && row.payload !== null && row.receivedAt < receivedBefore,
      );
      for (const { id } of old.slice(0, limit)) drafts.inbox.patch(id, (row) => ({ ...row, payload: null }));
      return Math.min(old.length, limit);
    },
    async wake(now) {
      const waiting = drafts.inbox.where(({ status }) => status === 'waiting');
      const moment = copy(now);
      for (const { id } of waiting) {
        // A new row even when it was due already: whoever has claimed it must notice the news (see `MemoryRun.commit`).
        drafts.inbox.patch(id, (row) =>
          row.status === 'waiting' ? { ...row, dueAt: earlier(row.dueAt, moment) } : row,
        );
      }
      return waiting.length;
    },
    cursor: async (provider) => drafts.feedCursors.get(provider),
    moveCursor: async (provider, eventId) => drafts.feedCursors.put(provider, eventId),
  };
};

export const memoryOutbox = ({ drafts }: MemoryRun): Outbox => ({
  async add(items) {
    for (const item of items) drafts.outbox.put(item.id, { ...copy(item), note: null }, 0);
  },
  due: async (now, limit) =>
    drafts.outbox
      .where(({ dueAt }) => dueAt <= now)
      .toSorted((a, b) => byNews({ at: a.dueAt, id: a.id }, { at: b.dueAt, id: b.id }))
      .slice(0, limit)
      .map(({ id, effect, attempts, dueAt }) => copy({ id, effect, attempts, dueAt })),
  async claim(id, now, until) {
    const row = drafts.outbox.get(id);
    if (!row || row.dueAt > now) return false;
    drafts.outbox.put(id, { ...row, dueAt: copy(until) }, row.dueAt.getTime());
    return true;
  },
  done: async (id) => drafts.outbox.remove(id),
  async postpone(id, dueAt, note) {
    const moment = copy(dueAt);
    drafts.outbox.patch(id, (row) => ({ ...row, dueAt: moment, note, attempts: row.attempts + 1 }));
  },
});
