// What an error of the database means to whoever asked, and what the log keeps of it.

import { describe, expect, it } from 'vitest';
import { refusalFor } from '#adapters/persistence/postgres/database-faults.ts';

const failing = (code: string, message = 'it failed'): Error => Object.assign(new Error(message), { code });

describe('an error of the database', () => {
  it.each([
    ['08006', 'a connection that broke'],
    ['53100', 'a full disk'],
    ['53200', 'no memory left'],
    ['53300', 'too many connections'],
    ['57P01', 'a server that goes down'],
    ['58030', 'a disk that fails'],
    ['ECONNREFUSED', 'nobody there'],
  ])('%s (%s) is no fault of ours: the database is away, and why is kept for the log', (code) => {
    const thrown = failing(code);
    expect(refusalFor(thrown)).toMatchObject({ reason: 'storage.unavailable', details: {}, cause: thrown });
  });

  it.each(['42P01', '42501', '23502', '22001', '53400'])('%s stays the fault that it is', (code) => {
    const thrown = failing(code);
    expect(refusalFor(thrown)).toBe(thrown);
  });
});
