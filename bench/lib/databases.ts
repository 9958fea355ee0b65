// Databases of a bench's own, on a server that is there already; dropped when it ends.

import pg from 'pg';

/** `BENCH_DATABASE_URL`, or the local server as it is installed. The login may create databases. */
const server = process.env['BENCH_DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';

const addressOf = (name: string): string => {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
};

const asked = async (url: string, statements: readonly string[]): Promise<pg.QueryResult[]> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const results: pg.QueryResult[] = [];
    for (const statement of statements) results.push(await client.query(statement));
    return results;
  } finally {
    await client.end();
  }
};

export const ask = async <Row extends pg.QueryResultRow>(url: string, statement: string): Promise<Row[]> => {
  const [result] = await asked(url, [statement]);
  return (result as pg.QueryResult<Row>).rows;
};

/** One after the other, on one connection. */
export const tell = async (url: string, ...statements: readonly string[]): Promise<void> =>
  void (await asked(url, statements));

const made = new Set<string>();

/** What goes with the process, and is named after it. */
export const freshDatabase = async (what: string): Promise<string> => {
  const name = `hatidata_bench_${what}_${process.pid}`;
  await tell(server, `create database ${name} template template0 encoding 'UTF8'`);
  made.add(name);
  return addressOf(name);
};

export const dropDatabases = async (): Promise<void> => {
  for (const name of made) await tell(server, `drop database if exists ${name} with (force)`);
};
