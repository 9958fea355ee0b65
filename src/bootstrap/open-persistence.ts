// Opens the configured database and brings it to this version.

import { join } from 'node:path';
import { memoryReadModels } from '#adapters/persistence/memory/memory-read-models.ts';
import { MemoryStore } from '#adapters/persistence/memory/memory-store.ts';
import { postgresChannel } from '#adapters/persistence/postgres/announcements.ts';
import { type EmbeddedDatabase, openPglite, openPostgres } from '#adapters/persistence/postgres/open-database.ts';
import { typeIds } from '#adapters/system/type-ids.ts';
import type { AnnouncementChannel } from '#application/ports/caller-cache.ts';
import type { DatabaseConfig } from '#bootstrap/config.ts';
import { lockFolder } from '#bootstrap/folder-lock.ts';
import type { Persistence } from '#bootstrap/modules/persistence.module.ts';
import { Refusal } from '#domain/shared/refusal.ts';

export interface OpenPersistence extends Persistence {
  /** How the database tells every node what to forget, where several may use it. */
  readonly channel?: AnnouncementChannel | undefined;
  /** The embedded database itself, where it is one. */
  readonly pglite?: EmbeddedDatabase | undefined;
  /** Throws when the database does not answer. */
  check(): Promise<void>;
  close(): Promise<void>;
}

export const openPersistence = async (config: DatabaseConfig): Promise<OpenPersistence> => {
  if (config.kind === 'memory') {
    const store = new MemoryStore(typeIds);
    return { store, readModels: memoryReadModels(store), check: async () => {}, close: async () => {} };
  }
  const unlock = config.kind === 'embedded' ? await lockFolder(config.folder) : async () => {};
  const database =
    config.kind === 'postgres'
      ? await openPostgres({ ...config, ids: typeIds })
      : await openPglite({ dataDir: join(config.folder, 'data'), ids: typeIds });
  const close = async (): Promise<void> => {
    await database.close();
    await unlock();
  };
  try {
    await database.migrate();
  } catch (fault) {
    await close();
    throw fault;
  }
  return {
    store: database.store,
    readModels: database.readModels,
    pglite: database.pglite,
    // Each lane has a connection while its event is applied; requests need some too.
    lanesAtOnce: config.kind === 'postgres' ? 4 : 1,
    channel: config.kind === 'postgres' ? postgresChannel(config.url) : undefined,
    check: async () => {
      if (!(await database.isReachable())) throw new Refusal('storage.unavailable');
    },
    close,
  };
};
