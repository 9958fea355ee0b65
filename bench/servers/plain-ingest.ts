// The floor of ingest: plain Koa, an HMAC over the bytes, and one INSERT … ON CONFLICT per delivery through a pool.

import { createHmac, timingSafeEqual } from 'node:crypto';
import Koa from 'koa';
import pg from 'pg';

const [port = '0', url = '', secret = ''] = process.argv.slice(2);

const pool = new pg.Pool({ connectionString: url, max: 10 });
// The same columns and unique keys as the inbox of the service.
await pool.query(`create table heard (
  id text primary key, provider text not null, external_id text not null, name text not null, organization_ref text,
  occurred_at timestamptz(3) not null, received_at timestamptz(3) not null, payload json not null, status text not null,
  unique (provider, external_id)
)`);

const bytesOf = async (stream: AsyncIterable<Buffer>): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
};

const app = new Koa();
app.use(async (ctx) => {
  const body = await bytesOf(ctx.req);
  const [, time = '', digest = ''] = /^t=(\d+), v1=([0-9a-f]{64})$/.exec(ctx.get('workos-signature')) ?? [];
  const expected = createHmac('sha256', secret).update(`${time}.`).update(body).digest();
  const given = Buffer.from(digest, 'hex');
  if (given.length !== expected.length || !timingSafeEqual(given, expected) || Date.now() - Number(time) > 180_000) {
    ctx.status = 401;
    return;
  }
  const event = JSON.parse(body.toString()) as {
    id: string;
    event: string;
    created_at: string;
    data: { organization_id?: string };
  };
  await pool.query(
    `insert into heard (id, provider, external_id, name, organization_ref, occurred_at, received_at, payload, status)
    values ($1, 'workos', $2, $3, $4, $5, now(), $6, 'stored') on conflict (provider, external_id) do nothing`,
    [crypto.randomUUID(), event.id, event.event, event.data.organization_id ?? null, event.created_at, body.toString()],
  );
  ctx.body = { received: true };
});
app.listen(Number(port), '127.0.0.1', () => process.send?.('listening'));
