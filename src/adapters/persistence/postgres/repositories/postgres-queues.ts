// The inbox of what providers said, the outbox of what must still be done, and the spent sign-in states, in the database.

import { LockMode } from '@mikro-orm/core';
import type { Inbox, InboxEvent, InboxStatus, Outbox, SignIns } from '#application/ports/store.ts';
import type { InboxEventId, OrganizationId } from '#domain/shared/ids.ts';
import { afresh, type PostgresRun } from '../postgres-run.ts';
import { FeedCursorRow, InboxRow, inboxEventFromRow, inboxEventToRow } from '../rows/inbox.row.ts';
import { OutboxRow, outboxItemFromRow, outboxItemToRow } from '../rows/outbox.row.ts';

const open: InboxStatus[] = ['stored', 'waiting'];
const day = 24 * 3600 * 1000;

/** As the index of migration 0004 has them: without this very text it is not used. */
const isOpen = `status in ('stored', 'waiting')`;
const lane = `(provider || ' ' || coalesce(organization_ref, '')) collate "C"`;

interface Json {
  readonly id: InboxEventId;
  readonly provider: string;
  readonly external_id: string;
  readonly name: string;
  readonly organization_ref: string | null;
  readonly organization_id: OrganizationId | null;
  readonly occurred_at: string;
  readonly received_at: string;
  readonly payload: InboxEvent['payload'];
  readonly status: InboxStatus;
  readonly attempts: number;
  readonly due_at: string;
  readonly settled_at: string | null;
  readonly note: string | null;
}

const fromJson = (event: Json): InboxEvent => ({
  id: event.id,
  provider: event.provider,
  externalId: event.external_id,
  name: event.name,
  organizationRef: event.organization_ref,
  organizationId: event.organization_id,
  occurredAt: new Date(event.occurred_at),
  receivedAt: new Date(event.received_at),
  payload: event.payload,
  status: event.status,
  attempts: event.attempts,
  dueAt: new Date(event.due_at),
  settledAt: event.settled_at === null ? null : new Date(event.settled_at),
  note: event.note,
});

interface Affected {
  readonly affectedRows: number;
}

const oneRow = `(?, ?, ?, ?, ?, coalesce(?, (select id from organizations where provider = ? and provider_id = ?)),
  ?::timestamptz, ?::timestamptz, ?::json, ?, ?::integer, ?::timestamptz, ?::timestamptz, ?)`;

const addAll = async (em: PostgresRun['em'], events: readonly InboxEvent[]): Promise<ReadonlySet<InboxEventId>> => {
  if (events.length === 0) return new Set();
  const values = events
    .map(inboxEventToRow)
    .flatMap((row) => [
      row.id,
      row.provider,
      row.externalId,
      row.name,
      row.organizationRef,
      row.organizationId,
      row.provider,
      row.organizationRef,
      row.occurredAt.toISOString(),
      row.receivedAt.toISOString(),
      JSON.stringify(row.payload),
      row.status,
      row.attempts,
      row.dueAt.toISOString(),
      row.settledAt?.toISOString() ?? null,
      row.note,
    ]);
  const added = await em.execute<{ id: InboxEventId }[]>(
    `insert into inbox (id, provider, external_id, name, organization_ref, organization_id, occurred_at, received_at,
      payload, status, attempts, due_at, settled_at, note)
    values ${events.map(() => oneRow).join(', ')}
    on conflict (provider, external_id) do nothing returning id`,
    values,
  );
  return new Set(added.map(({ id }) => id));
};

export const postgresInbox = ({ em }: PostgresRun): Inbox => ({
  add: async (event) => (await addAll(em, [event])).size > 0,
  addAll: (events) => addAll(em, events),
  async claim(id) {
    const row = await em.findOne(
      InboxRow,
      { id, status: { $in: open } },
      // FOR UPDATE SKIP LOCKED: whoever comes second finds nothing, at once.
      { ...afresh, lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE },
    );
    return row === null ? undefined : inboxEventFromRow(row);
  },
  async claimInOrder(ids) {
    const rows = await em.find(
      InboxRow,
      { id: { $in: [...ids] }, status: { $in: open } },
      { ...afresh, lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE },
    );
    const claimed = ids.map((id) => rows.find((row) => row.id === id));
    const gone = claimed.indexOf(undefined);
    return claimed.slice(0, gone < 0 ? undefined : gone).flatMap((row) => (row ? [inboxEventFromRow(row)] : []));
  },
  async settle(id, { status, attempts, dueAt, settledAt, note, organizationId }) {
    await em.nativeUpdate(InboxRow, { id }, { status, attempts, dueAt, settledAt, note, organizationId });
  },
  async settleAll(outcomes) {
    if (outcomes.size === 0) return;
    const rows = [...outcomes].map(([id, { status, attempts, dueAt, settledAt, note, organizationId }]) => ({
      id,
      status,
      attempts,
      dueAt,
      settledAt,
      note,
      organizationId,
    }));
    await em.execute(
      `update inbox set status = settled.status, attempts = settled.attempts, due_at = settled."dueAt",
        settled_at = settled."settledAt", note = settled.note, organization_id = settled."organizationId"
      from jsonb_to_recordset(?::jsonb) as settled(id text, status text, attempts integer, "dueAt" timestamptz,
        "settledAt" timestamptz, note text, "organizationId" text)
      where inbox.id = settled.id`,
      [JSON.stringify(rows)],
    );
  },
  async lanes(now, { after, lanes, each }) {
    // A step of the index from one lane to the next: what it costs grows with the lanes, not with the events in them.
    const rows = await em.execute<{ lane: string; event: Json | null }[]>(
      `with recursive lanes (lane) as (
        (select ${lane} from inbox where ${isOpen} and ${lane} > ? order by 1 limit 1)
        union all
        select (select ${lane} from inbox where ${isOpen} and ${lane} > lanes.lane order by 1 limit 1)
        from lanes where lanes.lane is not null
      )
      select lanes.lane, row_to_json(due) as event
      from (select lane from lanes where lane is not null limit ?) as lanes
      left join lateral (
        select * from inbox where ${isOpen} and ${lane} = lanes.lane and due_at <= ?::timestamptz
        order by occurred_at, id limit ?
      ) as due on true
      order by lanes.lane, due.occurred_at, due.id`,
      [after ?? '', lanes, now.toISOString(), each],
    );
    const found = Map.groupBy(rows, (row) => row.lane);
    return [...found].map(([name, ofLane]) => ({
      name,
      events: ofLane.flatMap(({ event }) => (event === null ? [] : [fromJson(event)])),
    }));
  },
  async get(organizationId, id) {
    const row = await em.findOne(InboxRow, { id, organizationId }, { ...afresh, lockMode: LockMode.PESSIMISTIC_WRITE });
    return row === null ? undefined : inboxEventFromRow(row);
  },
  async forgetPayloads(receivedBefore, limit) {
    const { affectedRows } = await em.execute<Affected>(
      `update inbox set payload = null where id in (
        select id from inbox where status in ('applied', 'ignored') and payload is not null and received_at < ?::timestamptz
        order by received_at limit ? for update skip locked
      )`,
      [receivedBefore.toISOString(), limit],
      'run',
    );
    return affectedRows;
  },
  async wake(now) {
    // Waits for events in other hands: one that is being set to wait right now must hear of the news too.
    const woken = await em.execute<Affected>(
      `with waiting as (select id from inbox where status = 'waiting' order by id for update)
      update inbox set due_at = least(inbox.due_at, ?::timestamptz) from waiting where inbox.id = waiting.id`,
      [now.toISOString()],
      'run',
    );
    return woken.affectedRows;
  },
  cursor: async (provider) => (await em.findOne(FeedCursorRow, { provider }, afresh))?.eventId,
  async moveCursor(provider, eventId) {
    await em.createQueryBuilder(FeedCursorRow).insert({ provider, eventId }).onConflict('provider').merge().execute();
  },
});

export const postgresOutbox = ({ em }: PostgresRun): Outbox => ({
  async add(items) {
    if (items.length > 0) await em.insertMany(OutboxRow, items.map(outboxItemToRow));
  },
  async due(now, limit) {
    const rows = await em.find(
      OutboxRow,
      { dueAt: { $lte: now } },
      { ...afresh, orderBy: { dueAt: 'asc', id: 'asc' }, limit },
    );
    return rows.map(outboxItemFromRow);
  },
  claim: async (id, now, until) =>
    (await em.nativeUpdate(OutboxRow, { id, dueAt: { $lte: now } }, { dueAt: until })) > 0,
  async done(id) {
    await em.nativeDelete(OutboxRow, { id });
  },
  async postpone(id, dueAt, note) {
    await em.execute('update outbox set due_at = ?::timestamptz, note = ?, attempts = attempts + 1 where id = ?', [
      dueAt.toISOString(),
      note,
      id,
    ]);
  },
});

export const postgresSignIns = ({ em }: PostgresRun): SignIns => ({
  async spend(stateDigest, until) {
    // States that were over a day before this one will be can no longer be brought by anybody.
    await em.execute(
      `delete from spent_sign_ins where state_digest in
        (select state_digest from spent_sign_ins where until < ?::timestamptz limit 100 for update skip locked)`,
      [new Date(until.getTime() - day).toISOString()],
    );
    const { affectedRows } = await em.execute<Affected>(
      'insert into spent_sign_ins (state_digest, until) values (?, ?::timestamptz) on conflict do nothing',
      [stateDigest, until.toISOString()],
      'run',
    );
    return affectedRows > 0;
  },
});
