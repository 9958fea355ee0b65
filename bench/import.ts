// A directory of 50,000 people with groups comes in for the first time: how long it takes, and whether memory stays flat.

import { parseArgs } from 'node:util';
import { ask, dropDatabases, freshDatabase } from './lib/databases.ts';
import { percentile, print, table } from './lib/figures.ts';
import { memoryOf, startHand, stopAll } from './lib/processes.ts';
import type { ImportAnswer, ImportAsked } from './workers/import.ts';

const { values } = parseArgs({
  options: {
    people: { type: 'string', default: '50000' },
    groups: { type: 'string', default: '500' },
    by: { type: 'string', default: 'events,listing' },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  print('npm run bench:import -- [--people 50000] [--groups 500] [--by events,listing] [--quick]');
  process.exit(0);
}
const people = values.quick ? 100 : Number(values.people);
const groups = values.quick ? 5 : Number(values.groups);

const imported = async (by: ImportAsked['by']): Promise<(string | number)[]> => {
  const url = await freshDatabase(`import_${by}`);
  const worker = await startHand<ImportAsked, ImportAnswer>('import.ts', { URL: url });
  const memory: number[] = [];
  const sampling = setInterval(() => void memoryOf(worker.pid).then((held) => memory.push(held)), 500);
  const { takenInSeconds, appliedSeconds } = await worker.ask({ people, groups, by });
  clearInterval(sampling);

  const [found] = await ask<{ members: number; links: number; groups: number; open: number }>(
    url,
    `select (select count(*) from memberships where status = 'active')::int as members,
      (select count(*) from directory_group_links where present)::int as links,
      (select count(*) from directory_groups)::int as groups,
      (select count(*) from inbox where status in ('stored', 'waiting'))::int as open`,
  );
  if (found?.members !== people || found.links !== people || found.groups !== groups || found.open !== 0) {
    throw new Error(`not everybody came in: ${JSON.stringify(found)}`);
  }
  const [pace] = await ask<{ first: number | null; last: number | null }>(
    url,
    `with granted as (
      select at, ntile(10) over (order by sequence) as tenth from audit_entries where action = 'membership.granted'
    ), tenths as (select tenth, extract(epoch from max(at) - min(at)) as seconds from granted group by tenth)
    select (${people} / 10 / nullif((select seconds from tenths where tenth = 1), 0))::float8 as first,
      (${people} / 10 / nullif((select seconds from tenths where tenth = 10), 0))::float8 as last`,
  );
  const quarter = Math.max(1, Math.floor(memory.length / 4));
  const held = [0, 1, 2, 3].map((index) => percentile(memory.slice(index * quarter, (index + 1) * quarter), 0.5));
  const all = people * 2 + groups;
  return [
    by === 'events' ? `${all} events of the feed` : `lists, by a reconciliation`,
    takenInSeconds.toFixed(0),
    appliedSeconds.toFixed(0),
    (all / appliedSeconds).toFixed(0),
    `${pace?.first?.toFixed(0)} → ${pace?.last?.toFixed(0)}`,
    held.map((megabytes) => megabytes.toFixed(0)).join(', '),
    Math.max(...memory).toFixed(0),
  ];
};

try {
  print(`${people} people in ${groups} groups, one directory, one worker, Node ${process.version}`);
  const rows: (string | number)[][] = [];
  for (const by of ['events', 'listing'] as const) {
    if (!values.by.includes(by)) continue;
    rows.push(await imported(by));
    await stopAll();
  }
  table(
    [
      'came as',
      'taken in, s',
      'applied, s',
      'records per second',
      'people per second, first tenth → last',
      'memory in each quarter, MB',
      'most, MB',
    ],
    rows,
  );
} finally {
  await stopAll();
  await dropDatabases();
}
