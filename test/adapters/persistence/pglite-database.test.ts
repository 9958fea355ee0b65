import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MikroORM } from '@mikro-orm/pglite';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { databaseRoles } from '#adapters/persistence/postgres/database-roles.ts';
import { openPglite } from '#adapters/persistence/postgres/open-database.ts';
import { countingIds, found } from '../../contracts/store-words.ts';

describe('the embedded database', () => {
  const folders: string[] = [];
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

  it('works under the role of the service once that is there, also where nobody migrates again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'identity-embedded-'));
    folders.push(folder);
    const init = vi.spyOn(MikroORM, 'init');
    const worksAs = async (migrate: boolean): Promise<unknown> => {
      const database = await openPglite({ dataDir: join(folder, 'data'), ids: countingIds });
      if (migrate) await database.migrate();
      const orm = await found(init.mock.results.at(-1)).value;
      const [row] = await orm.em.fork().execute('select current_user::text as role');
      await database.close();
      return row.role;
    };
    expect(await worksAs(true)).toBe(databaseRoles.service);
    expect(await worksAs(false)).toBe(databaseRoles.service);
    init.mockRestore();
  }, 60_000);
});
