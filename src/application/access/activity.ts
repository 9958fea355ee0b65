// Remembers who was seen, and writes it down in batches: the hot path never waits for a write.

import type { Store } from '#application/ports/store.ts';
import type { ApiKeyId, SessionId } from '#domain/shared/ids.ts';

export interface Activity {
  seen(session: SessionId, at: Date): void;
  /** When this process last saw the session, while that is not yet written down. */
  sightingOf(session: SessionId): Date | undefined;
  used(key: ApiKeyId, at: Date): void;
  /** Writes what has gathered. A crash before it loses at most the sliding since the last one: sessions end earlier, never later. */
  flush(): Promise<void>;
}

export const batchedActivity = (store: Store): Activity => {
  let sessions = new Map<SessionId, Date>();
  let keys = new Map<ApiKeyId, Date>();
  let beingWritten: ReadonlyMap<SessionId, Date> = new Map();
  return {
    seen: (session, at) => void sessions.set(session, at),
    sightingOf: (session) => sessions.get(session) ?? beingWritten.get(session),
    used: (key, at) => void keys.set(key, at),
    async flush() {
      if (sessions.size === 0 && keys.size === 0) return;
      const [seen, used] = [sessions, keys];
      sessions = new Map();
      keys = new Map();
      beingWritten = seen;
      try {
        await store.transact({ across: 'activity' }, async (tx) => {
          if (seen.size > 0) await tx.sessions.touch(seen);
          if (used.size > 0) await tx.apiKeys.touch(used);
        });
      } catch (fault) {
        // Nothing is lost: what has not been overtaken by newer sightings is tried again with the next batch.
        sessions = new Map([...seen, ...sessions]);
        keys = new Map([...used, ...keys]);
        throw fault;
      } finally {
        beingWritten = new Map();
      }
    },
  };
};
