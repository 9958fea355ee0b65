// The paths across organizations are few, named, and known by where they begin. A new one fails here until it is written down.

import { describe, expect, it } from 'vitest';
import { type Crossing, crossings } from '#application/ports/store.ts';
import { readSources, type Sources } from './source-tree.ts';

/** Where each crossing may be named. */
const known: Readonly<Record<Crossing, readonly string[]>> = {
  sign_in: ['sessions/complete-login.ts', 'sessions/login-box.ts', 'sso/connection-tests.ts'],
  own_session: [
    'access/authenticate-caller.ts',
    'sessions/end-sessions.ts',
    'sessions/sign-out.ts',
    'sessions/switch-organization.ts',
  ],
  founding: ['organizations/create-organization.ts'],
  refusal: ['audit/audit.ts'],
  inbox: ['provisioning/kept-together.ts', 'reactions/apply-inbox.ts'],
  event_feed: ['reactions/catch-up-events.ts'],
  outbox: ['reactions/relay-outbox.ts'],
  activity: ['access/activity.ts'],
  idempotency: ['idempotency/only-once.ts'],
  reconciliation: ['reactions/reconcile-directories.ts'],
  expiry: ['idempotency/forget-keys.ts', 'reactions/expiry.ts'],
};

const port = 'src/application/ports/store.ts';

/** Every place that names a crossing, as `crossing in file`; and every property `across` whose value cannot be read. */
const crossingsIn = (sources: Sources): string[] =>
  [...sources].flatMap(([path, text]) => {
    if (path === port) return [];
    const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    return [...code.matchAll(/\bacross\b['"]?\s*:\s*(?:'([^']*)'|(.{0,20}))/g)].flatMap(([, name, other]) => {
      if (name === undefined) return [`${other?.trim()} in ${path}, which is no name`];
      // The role of the database, and what a role may do to a table, are no scopes.
      return path.startsWith('src/adapters/persistence/postgres/') ? [] : [`${name} in ${path}`];
    });
  });

const expected = Object.entries(known).flatMap(([crossing, files]) =>
  files.map((file) => `${crossing} in src/application/${file}`),
);
const strangeIn = (sources: Sources): string[] =>
  [...new Set(crossingsIn(sources))].filter(
    (place) => !expected.includes(place) && !place.includes('src/adapters/persistence/postgres/'),
  );

describe('crossings', () => {
  const sources = readSources();

  it('begin where it is written down, and nowhere else', () => {
    expect(strangeIn(sources)).toEqual([]);
    expect(expected.filter((place) => !crossingsIn(sources).includes(place))).toEqual([]);
  });

  it('have a name each, and are used', () => {
    expect(Object.keys(known).toSorted()).toEqual([...crossings].toSorted());
    expect(Object.values(known).filter((files) => files.length === 0)).toEqual([]);
  });

  it.each([
    [`uow.run({ across: 'inbox' }, act, work)`, 'inbox in'],
    [`const scope = { 'across': 'report' };`, 'report in'],
    ['store.transact({ across: reason }, work)', 'which is no name'],
    [`store.transact({\n  across:\n    reason,\n}, work)`, 'which is no name'],
  ])('are found in %s', (code, complaint) => {
    const stray = new Map([['src/application/reports/report.ts', `// Reports.\n${code}`]]);
    expect(strangeIn(stray).join()).toContain(complaint);
  });
});
