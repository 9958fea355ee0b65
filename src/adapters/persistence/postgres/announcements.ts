// Told to every node by the database itself: sent with NOTIFY inside the transaction, so it is delivered at the commit or never.

import pg from 'pg';
import type { AnnouncementChannel, Announcements, Forgettable, Hearing } from '#application/ports/caller-cache.ts';
import type { PostgresRun } from './postgres-run.ts';

/** PostgreSQL keeps the channels of different databases apart. */
const channel = 'identity_forget';
/** A payload must be shorter than 8,000 bytes (https://www.postgresql.org/docs/current/sql-notify.html). */
const longestPayload = 7_900;

/** How often it is asked whether everything was heard: several times within the stated bound. */
const beatMilliseconds = 500;
/** Without an answer for this long the connection is given up. By then memory is long not believed any more; a busy moment is no loss. */
const answerMilliseconds = 3_000;
const shortestPause = 50;
const longestPause = 1_000;

/** Texts of at most so many bytes, of whole ids with blanks between them. Ids are ASCII. */
export const payloadsOf = (ids: readonly Forgettable[], longest = longestPayload): string[] => {
  const payloads: string[] = [];
  for (const id of new Set(ids)) {
    const last = payloads.at(-1);
    if (last !== undefined && last.length + 1 + id.length <= longest) payloads[payloads.length - 1] = `${last} ${id}`;
    else payloads.push(id);
  }
  return payloads;
};

export const postgresAnnouncements = ({ em }: PostgresRun): Announcements => ({
  async toForget(ids) {
    for (const payload of payloadsOf(ids)) await em.execute('select pg_notify(?, ?)', [channel, payload]);
  },
});

const codeOf = (fault: Error): string => {
  if (fault.message === pooled) return pooled;
  return 'code' in fault && typeof fault.code === 'string' ? fault.code : fault.name;
};

/** Which process of the server the connection said that it leads to. */
const processOf = (client: pg.Client): unknown => (client as unknown as { readonly processID: unknown }).processID;

/** A pooler lends a connection for a statement: words would go to whoever has it later. */
const pooled =
  'DATABASE_URL leads through a connection pooler, and what is announced does not: connect to PostgreSQL itself';

/**
 * Listens on a connection of its own and asks twice a second whether it has heard everything: the answer comes after every word that
 * was said before the question. A connection that does not answer is made anew.
 */
export const postgresChannel = (url: string): AnnouncementChannel => {
  let isClosed = false;
  let client: pg.Client | undefined;
  let next: NodeJS.Timeout | undefined;

  const drop = (dropped: pg.Client | undefined): void => {
    if (dropped === undefined) return;
    dropped.removeAllListeners('notification');
    // A connection that does not answer does not take part in a farewell either.
    void dropped.end().catch(() => {});
    (
      dropped as unknown as { readonly connection: { readonly stream: { destroy(): void } } }
    ).connection.stream.destroy();
  };

  const listen = async (hearing: Hearing, again: (pause: number) => void, pause: number): Promise<void> => {
    const mine = new pg.Client({
      connectionString: url,
      application_name: 'hatidata-identity hears',
      connectionTimeoutMillis: answerMilliseconds,
      query_timeout: answerMilliseconds,
      keepAlive: true,
    });
    client = mine;
    let isOver = false;
    const over = (fault: Error): void => {
      if (isOver || isClosed) return;
      isOver = true;
      hearing.lost(codeOf(fault));
      drop(mine);
      again(pause);
    };
    const ask = async (): Promise<void> => {
      const asOf = performance.now();
      const { rows } = await mine.query<{ pid: number }>('select pg_backend_pid() as pid');
      if (rows[0]?.pid !== processOf(mine)) throw new Error(pooled);
      if (isOver || isClosed) return;
      hearing.caughtUp(asOf);
      next = setTimeout(() => void ask().catch(over), beatMilliseconds).unref();
    };
    mine.on('error', over);
    mine.on('end', () => over(new Error('the connection has ended')));
    mine.on('notification', ({ payload }) => hearing.heard((payload ?? '').split(' ') as Forgettable[]));
    try {
      await mine.connect();
      await mine.query(`listen ${channel}`);
      await ask();
      pause = shortestPause;
    } catch (fault) {
      over(fault as Error);
    }
  };

  return {
    async hear(hearing) {
      const again = (pause: number): void => {
        const later = Math.min(pause * 2, longestPause);
        next = setTimeout(() => void listen(hearing, again, later), pause * (0.75 + Math.random() / 2)).unref();
      };
      await listen(hearing, again, shortestPause);
    },
    async close() {
      isClosed = true;
      clearTimeout(next);
      drop(client);
    },
  };
};
