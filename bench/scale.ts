// What a question costs in a large database against one a hundredth of its size: whoami that memory does not know, pages of members and of the trail.

import { parseArgs } from 'node:util';
import { assembled, persistenceAt } from './lib/assembled.ts';
import { ask, dropDatabases, freshDatabase } from './lib/databases.ts';
import { inTurn, median, percentile, print, ratios, spread, table } from './lib/figures.ts';
import { fill, idOf, peopleIn, referenceOf, type Size, share } from './lib/filling.ts';
import { type Server, startService, stopAll } from './lib/processes.ts';

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '1000000' },
    organizations: { type: 'string', default: '100000' },
    audit: { type: 'string', default: '10000000' },
    smaller: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '5' },
    requests: { type: 'string', default: '400' },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  print(
    'npm run bench:scale -- [--sessions 1000000] [--organizations 100000] [--audit 10000000] [--smaller 100] [--rounds 5] [--requests 400] [--quick]',
  );
  process.exit(0);
}
const large: Size = values.quick
  ? { organizations: 200, sessions: 4000, auditEntries: 20_000 }
  : {
      organizations: Number(values.organizations),
      sessions: Number(values.sessions),
      auditEntries: Number(values.audit),
    };
const smaller = values.quick ? 10 : Number(values.smaller);
const small: Size = {
  organizations: large.organizations / smaller,
  sessions: large.sessions / smaller,
  auditEntries: large.auditEntries / smaller,
};
const rounds = values.quick ? 1 : Number(values.rounds);
const requests = values.quick ? 30 : Number(values.requests);

interface Side {
  readonly url: string;
  readonly size: Size;
  readonly server: Server;
}

const counted = (number: number): string => number.toLocaleString('en');

const started = async (size: Size): Promise<Side> => {
  const url = await freshDatabase(`scale_${size.auditEntries}`);
  const begun = performance.now();
  await (await persistenceAt(url)).close();
  await fill(url, size);
  const seconds = Math.round((performance.now() - begun) / 1000);
  print(`filled with ${counted(size.auditEntries)} audit entries in ${seconds} s`);
  const [held] = await ask<{ size: string }>(
    url,
    'select pg_size_pretty(pg_database_size(current_database())) as size',
  );
  // It only answers: the sweeps of a node that works read much, and would be counted with the questions.
  const server = await startService({ DATABASE_URL: url, ROLE: 'serve' });
  const { organizations, sessions, auditEntries } = size;
  print(
    `${counted(sessions)} sessions, ${counted(organizations)} organizations, ${counted(peopleIn(size))} members, ${counted(auditEntries)} audit entries: ${held?.size}`,
  );
  return { url, size, server };
};

const cookieOf = (session: number): string => `hd_session=${referenceOf(session)}`;

interface Asked {
  readonly path: string;
  readonly session: number;
}

interface Question {
  readonly name: string;
  /** The `number`th request of this question, another one each time. */
  readonly ask: (size: Size, number: number) => Asked;
}

/** The owner of the largest organization, and of an ordinary one: their sessions have the number of the person. */
const largest = { session: () => 0, organization: () => idOf('org', 0) };
const ordinary = {
  session: (size: Size) => peopleIn(size) / share + 4,
  organization: () => idOf('org', 5),
};
/** A stride that meets everybody once before it meets anybody twice. */
const scattered = (number: number, all: number): number => (number * 7919 + 101) % all;

const page = (
  name: string,
  of: typeof largest | typeof ordinary,
  rest: (size: Size, number: number) => string,
): Question => ({
  name,
  ask: (size, number) => ({
    path: `/v1/organizations/${of.organization()}/${rest(size, number)}`,
    session: of.session(size),
  }),
});

const questions: readonly Question[] = [
  {
    name: 'whoami, nobody asked before',
    ask: (size, number) => ({ path: '/v1/whoami', session: scattered(number, size.sessions) }),
  },
  page('members: first page of 50, largest organization', largest, () => 'members?limit=50'),
  page('members: page of an ordinary organization', ordinary, () => 'members?limit=50'),
  page('audit: newest 50, largest organization', largest, () => 'audit?limit=50'),
  page('audit: newest 50, ordinary organization', ordinary, () => 'audit?limit=50'),
  page('audit: 50 of one action, largest', largest, () => 'audit?limit=50&action=session.started'),
  page('audit: by one actor, largest', largest, (size, number) => {
    // Who acted in the first tenth of the entries, which are the largest organization's.
    const entry = scattered(number, size.auditEntries / share);
    return `audit?limit=50&actor=${idOf('user', (entry * 7919) % peopleIn(size))}`;
  }),
];

interface Run {
  readonly milliseconds: number[];
}

/** One connection, one request after the other. */
const ran = async ({ server, size }: Side, question: Question, from: number): Promise<Run> => {
  const milliseconds: number[] = [];
  for (let number = from; number < from + requests; number += 1) {
    const { path, session } = question.ask(size, number);
    const begun = performance.now();
    const answer = await fetch(server.url + path, { headers: { cookie: cookieOf(session) } });
    const body = await answer.text();
    milliseconds.push(performance.now() - begun);
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${body}`);
    if (path.includes('?') && (JSON.parse(body) as { data: unknown[] }).data.length === 0)
      throw new Error(`${path}: nothing`);
  }
  return { milliseconds };
};

interface Touched {
  /** Rows that a sequential scan went over. */
  readonly scanned: number;
  /** Pages of tables and indexes. */
  readonly pages: number;
}

/** A connection that rests tells what it did after ten seconds at the latest (`pgstat_report_stat`). */
const told = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 11_000));

/** What the database itself counts. */
const touched = async ({ url }: Side): Promise<Touched> => {
  const [found] = await ask<{ scanned: number; pages: number }>(
    url,
    `select sum(s.seq_tup_read)::float8 as scanned,
      sum(io.heap_blks_read + io.heap_blks_hit + io.idx_blks_read + io.idx_blks_hit)::float8 as pages
    from pg_stat_user_tables s join pg_statio_user_tables io using (relid)
    where s.relname in ('organizations', 'users', 'memberships', 'sessions', 'audit_entries')`,
  );
  return found ?? { scanned: Number.NaN, pages: Number.NaN };
};

/** By each request of a question, on each side. */
const touchedBy = async (sides: readonly Side[], question: Question, from: number): Promise<Touched[]> => {
  await told();
  const before = await Promise.all(sides.map(touched));
  for (const side of sides) await ran(side, question, from);
  await told();
  const after = await Promise.all(sides.map(touched));
  return after.map(({ scanned, pages }, index) => ({
    scanned: (scanned - (before[index]?.scanned ?? Number.NaN)) / requests,
    pages: (pages - (before[index]?.pages ?? Number.NaN)) / requests,
  }));
};

/** What a node that works does every few minutes, whoever asks for what: how long it takes when nothing is due, in milliseconds. */
const swept = async ({ url }: Side, job: string): Promise<number> => {
  const persistence = await persistenceAt(url);
  const service = await assembled(persistence);
  const sweep = service.jobList.find(({ name }) => name === job);
  if (!sweep) throw new Error(`there is no job ${job}`);
  const took: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const begun = performance.now();
    await sweep.run({ data: {}, attempt: 1, signal: new AbortController().signal });
    took.push(performance.now() - begun);
  }
  await persistence.close();
  return median(took);
};

try {
  const sides = { small: await started(small), large: await started(large) };
  const rows: (string | number)[][] = [];
  for (const question of questions) {
    let from = 0;
    const next = (): number => {
      from += requests;
      return from - requests;
    };
    const warm = next();
    for (const side of [sides.small, sides.large]) await ran(side, question, warm);
    const p50: Record<keyof typeof sides, number[]> = { small: [], large: [] };
    const p99: Record<keyof typeof sides, number[]> = { small: [], large: [] };
    for (let round = 0; round < rounds; round += 1) {
      const first = next();
      for (const name of inTurn(['small', 'large'] as const, round)) {
        const { milliseconds } = await ran(sides[name], question, first);
        p50[name].push(percentile(milliseconds, 0.5));
        p99[name].push(percentile(milliseconds, 0.99));
      }
    }
    const [few, many] = await touchedBy([sides.small, sides.large], question, next());
    rows.push([
      question.name,
      median(p50.small).toFixed(2),
      median(p50.large).toFixed(2),
      spread(ratios(p50.large, p50.small)),
      `${median(p99.small).toFixed(1)} → ${median(p99.large).toFixed(1)}`,
      `${few?.pages.toFixed(0)} → ${many?.pages.toFixed(0)}`,
      many?.scanned.toFixed(0) ?? '',
    ]);
  }
  table(
    [
      'question, one at a time',
      `p50 at 1/${smaller}, ms`,
      'p50, ms',
      'large / small',
      'p99, ms',
      'pages touched',
      'rows scanned',
    ],
    rows,
  );
  const sweeps: string[][] = [];
  for (const job of ['end-overdue-sessions', 'expire-api-keys', 'forget-old-events']) {
    const [few, many] = [await swept(sides.small, job), await swept(sides.large, job)];
    sweeps.push([job, few.toFixed(1), many.toFixed(1)]);
  }
  table(['sweep that finds nothing', `at 1/${smaller}, ms`, 'ms'], sweeps);
} finally {
  await stopAll();
  await dropDatabases();
}
