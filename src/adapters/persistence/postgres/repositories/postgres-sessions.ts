// Sessions in the database.

import { raw } from '@mikro-orm/core';
import type { Sessions } from '#application/ports/store.ts';
import { Session } from '#domain/sessions/session.ts';
import { byStanding } from '../../newest.ts';
import { afresh, type PostgresRun, saveEntity } from '../postgres-run.ts';
import { SessionRow, sessionFromRow, sessionToRow } from '../rows/session.row.ts';

const restored = (row: SessionRow): Session => Session.restore(sessionFromRow(row));
const byId = { ...afresh, orderBy: { id: 'asc' } } as const;

export const postgresSessions = (run: PostgresRun): Sessions => {
  const { em } = run;
  return {
    async get(id) {
      const row = await em.findOne(SessionRow, { id }, afresh);
      return row === null ? undefined : restored(row);
    },
    async byProviderSession(provider, providerSession) {
      const rows = await em.find(SessionRow, { provider, providerSession }, afresh);
      const [newest] = rows.map(sessionFromRow).toSorted(byStanding);
      return newest && Session.restore(newest);
    },
    activeOfUser: async (userId) => (await em.find(SessionRow, { userId, status: 'active' }, byId)).map(restored),
    activeOfUserIn: async (organizationId, userId) =>
      (await em.find(SessionRow, { organizationId, userId, status: 'active' }, byId)).map(restored),
    activeIn: async (organizationId) =>
      (await em.find(SessionRow, { organizationId, status: 'active' }, byId)).map(restored),
    async overdue(now, limit) {
      // No index over the idle window: it would be rewritten with every sighting. The sweep reads the active sessions through.
      const isOver = raw(
        `least(absolute_expires_at, last_seen_at + idle_seconds * interval '1 second') <= ?::timestamptz`,
        [now.toISOString()],
      );
      const where = { status: 'active', [isOver]: [] } as const;
      return (await em.find(SessionRow, where, { ...byId, limit })).map(restored);
    },
    async save(session) {
      const { state } = session;
      await saveEntity(
        run,
        session,
        (version) => em.insert(SessionRow, sessionToRow(state, version)),
        // A touch changes no version, so the row may have been seen later than this state knows.
        (expected, version) =>
          em.nativeUpdate(
            SessionRow,
            { id: state.id, version: expected },
            {
              ...sessionToRow(state, version),
              lastSeenAt: raw<Date>('greatest(last_seen_at, ?::timestamptz)', [state.lastSeenAt.toISOString()]),
            },
          ),
      );
    },
    async touch(seen) {
      if (seen.size === 0) return;
      // Rows are locked in the order of their ids, so that two batches never wait for each other.
      await em.execute(
        `with seen as (
          select sessions.id, heard.at from sessions
          join jsonb_to_recordset(?::jsonb) as heard(id text, at timestamptz) on heard.id = sessions.id
          where sessions.status = 'active' and sessions.last_seen_at < heard.at
          order by sessions.id for update of sessions
        )
        update sessions set last_seen_at = seen.at from seen
        where sessions.id = seen.id and sessions.last_seen_at < seen.at`,
        [JSON.stringify([...seen].map(([id, at]) => ({ id, at })))],
        'run',
      );
    },
  };
};
