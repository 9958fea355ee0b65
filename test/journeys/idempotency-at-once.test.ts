// Fifty requests at once under one key create one thing, on every database; and nothing that was answered lies there in plain text.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MikroORM } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Client, createWorld, type World, type WorldOptions } from '#bootstrap/testing.ts';
import { withPostgres } from '../support/postgres.ts';
import { issueKey, ofAcme, olivia, refusal, trailOf } from './words.ts';

const keyed = (by: Client, key: string, path: string, body: unknown): Promise<Answer> =>
  by.send('POST', path, {
    headers: { 'idempotency-key': key, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

const onDatabase = (name: string, options: () => Promise<WorldOptions>): void => {
  describe(`50 requests at once under one key, on ${name}`, () => {
    let world: World;
    let owner: Client;
    beforeAll(async () => {
      world = await createWorld(await options());
      owner = await world.signIn(olivia);
    });
    afterAll(() => world.close());

    const created = async (trail: string, action: string): Promise<number> =>
      (await trailOf(owner, trail)).filter((line) => line.action === action).length;

    /** What all of them got: one answer, or the advice to ask for it in a moment; and then that answer. */
    const theOneAnswer = async (ask: () => Promise<Answer>): Promise<Answer> => {
      const answers = await Promise.all(Array.from({ length: 50 }, ask));
      const good = answers.filter(({ status }) => status === 201);
      expect(good.filter(({ headers }) => !headers.has('idempotent-replayed'))).toHaveLength(1);
      expect(new Set(good.map(({ text }) => text)).size).toBe(1);
      for (const refused of answers.filter(({ status }) => status !== 201)) {
        expect([...refusal(refused), refused.headers.get('retry-after')]).toEqual([
          409,
          'idempotency_key.under_way',
          '2',
        ]);
      }
      const again = await ask();
      expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([201, 'true']);
      expect(again.text).toBe(good[0]?.text);
      return again;
    };

    it('issue one API key, told once in the trail', async () => {
      const { agent_id } = await issueKey(owner, world.acme);
      const before = await created(world.acme, 'api_key.issued');
      const body = { agent_id, name: 'contested', scopes: ['query:read'] };
      const { body: issued } = await theOneAnswer(() => keyed(owner, 'one', ofAcme(world, '/api-keys'), body));
      const keys = (await owner.get(ofAcme(world, `/api-keys?agent_id=${agent_id}`))).body.data as { name: string }[];
      expect(keys.filter(({ name: its }) => its === 'contested')).toHaveLength(1);
      expect(await created(world.acme, 'api_key.issued')).toBe(before + 1);
      expect((await world.agent(issued.secret).get('/v1/whoami')).body.caller.id).toBe(agent_id);
    });

    it('found one organization', async () => {
      const { body } = await theOneAnswer(() => keyed(owner, 'two', '/v1/organizations', { name: 'Contested' }));
      const mine = (await owner.get('/v1/organizations')).body.data as { id: string; name: string }[];
      expect(mine.filter((one) => one.name === 'Contested').map(({ id }) => id)).toEqual([body.id]);
    });
  });
};

onDatabase('memory', async () => ({}));

const folder = await mkdtemp(join(tmpdir(), 'identity-idempotency-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
onDatabase('PGlite', async () => ({ database: { kind: 'embedded', folder } }));

const onServer = (url: string) => ({ kind: 'postgres', url, migrationUrl: undefined, onlyApart: false }) as const;

await withPostgres('idempotency on PostgreSQL', (url) =>
  onDatabase('PostgreSQL', async () => ({ database: onServer(url) })),
);

await withPostgres('secrets of repeated answers on PostgreSQL', (url) => {
  it('no column of any table holds the key, or the secret that was answered', async () => {
    await using world = await createWorld({ database: onServer(url) });
    const owner = await world.signIn(olivia);
    const { agent_id } = await issueKey(owner, world.acme);
    const body = { agent_id, name: 'hidden', scopes: ['query:read'] };
    const key = 'my-very-own-key-of-the-day';
    const { secret } = (await keyed(owner, key, ofAcme(world, '/api-keys'), body)).body;
    expect(secret).toMatch(/^hd_live_/);

    const orm = await MikroORM.init({ clientUrl: url, entities: [], discovery: { warnWhenNoEntities: false } });
    const em = orm.em.fork();
    const tables = await em.execute<{ name: string }[]>(
      `select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema')`,
    );
    const rows: { row: string }[] = [];
    for (const { name } of tables)
      rows.push(...(await em.execute<{ row: string }[]>(`select t::text as row from ${name} t`)));
    await orm.close(true);

    const plain = rows.map(({ row }) => row).join('\n');
    const readable = plain.replaceAll(
      /[\w-]{16,}/g,
      (text) => text + Buffer.from(text, 'base64url').toString('latin1'),
    );
    expect(tables.map(({ name }) => name)).toContain('public.idempotency_keys');
    expect(readable).toContain(agent_id);
    for (const hidden of [secret, secret.slice('hd_live_'.length), key]) expect(readable).not.toContain(hidden);
  });
});
