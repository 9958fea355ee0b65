// The floor of the apply rate: BEGIN, an event, a user and a membership inserted, COMMIT; by the plain driver.

import pg from 'pg';
import { directoryRef, type Event, userCreated } from '../lib/events.ts';
import { type ApplyAsked, answering, atOnce } from './answering.ts';

const hands = Number(process.env['HANDS']);
const pool = new pg.Pool({ connectionString: process.env['URL'], max: hands });
await pool.query(`create table events (
  id text primary key, organization_id text not null, name text not null, payload json not null, at timestamptz(3) not null
)`);
await pool.query(`create table people (
  id text primary key, email text not null unique, name text not null, created_at timestamptz(3) not null
)`);
await pool.query(`create table members (
  id text primary key, organization_id text not null, person_id text not null, role text not null,
  created_at timestamptz(3) not null, unique (organization_id, person_id)
)`);

let people = 0;
let prepared: { event: Event; organization: string }[] = [];

const apply = async ({ event, organization }: { event: Event; organization: string }): Promise<void> => {
  const { email, last_name: name } = event['data'] as { email: string; last_name: string };
  const [person, now] = [crypto.randomUUID(), new Date()];
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query('insert into events values ($1, $2, $3, $4, $5)', [
      event.id,
      organization,
      event['event'],
      JSON.stringify(event),
      now,
    ]);
    await client.query('insert into people values ($1, $2, $3, $4)', [person, email, name, now]);
    await client.query('insert into members values ($1, $2, $3, $4, $5)', [
      crypto.randomUUID(),
      organization,
      person,
      'analyst',
      now,
    ]);
    await client.query('commit');
  } finally {
    client.release();
  }
};

answering<ApplyAsked>(async ({ do: what, events, organizations }) => {
  if (what === 'prepare') {
    prepared = Array.from({ length: events }, (_, index) => {
      people += 1;
      const name = `x${organizations}y${index % organizations}`;
      return { event: userCreated(name, `p${people}`), organization: directoryRef(name) };
    });
    return { seconds: 0 };
  }
  const started = performance.now();
  await atOnce(prepared, hands, apply);
  return { seconds: (performance.now() - started) / 1000 };
});
