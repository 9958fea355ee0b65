// The inbox of what providers said, the outbox of what must still be done, and the spent sign-in states, in the database.

import { LockMode } from '@mikro-orm/core';
import type { Inbox, InboxStatus, Outbox, SignIns } from '#application/ports/store.ts';
import { afresh, type PostgresRun } from '../postgres-run.ts';
import { FeedCursorRow, InboxRow, inboxEventFromRow, inboxEventToRow } from '../rows/inbox.row.ts';
import { OutboxRow, outboxItemFromRow, outboxItemToRow } from '../rows/outbox.row.ts';

const open: InboxStatus[] = ['stored', 'waiting'];
const day = 24 * 3600 * 1000;

interface Affected {
  readonly affectedRows: number;
}

export const postgresInbox = ({ em }: PostgresRun): Inbox => ({
  async add(event) {
    const { affectedRows } = await em
      .createQueryBuilder(InboxRow)
      .insert(inboxEventToRow(event))
      .onConflict(['provider', 'externalId'])
      .ignore()
      .execute<Affected>('run');
    return affectedRows > 0;
  },
  async claim(id) {
    const row = await em.findOne(
      InboxRow,
      { id, status: { $in: open } },
      // FOR UPDATE SKIP LOCKED: whoever comes second finds nothing, at once.
      { ...afresh, lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE },
    );
    return row === null ? undefined : inboxEventFromRow(row);
  },
  async settle(id, { status, attempts, dueAt, note, organizationId }) {
    await em.nativeUpdate(InboxRow, { id }, { status, attempts, dueAt, note, organizationId });
  },
  async due(now, limit) {
    const rows = await em.find(
      InboxRow,
      { status: { $in: open }, dueAt: { $lte: now } },
      { ...afresh, fields: ['id'], orderBy: { occurredAt: 'asc', id: 'asc' }, limit },
    );
    return rows.map(({ id }) => id);
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
