// What an operator reads of an outage: when it began, what it is, and that it is over.

import { describe, expect, it } from 'vitest';
import { trouble } from '#application/reactions/trouble.ts';
import { worker } from '#application/reactions/worker.ts';
import { notedLog } from '../support/nodes.ts';

describe('an outage', () => {
  it('is said once however often it is met, again when it is another one, and once when it is over', () => {
    const log = notedLog();
    const one = trouble(log, { begins: 'it fails', ends: 'it works' });
    one.over();
    for (let times = 0; times < 100; times += 1) one.is(new Error('away'));
    one.is(new Error('locked'));
    for (let times = 0; times < 100; times += 1) one.over();
    one.is(new Error('locked'));
    expect(log.lines).toEqual(['warn: it fails', 'warn: it fails', 'info: it works', 'warn: it fails']);
  });

  it('of what a worker needs is said by the worker when it begins and when it has gone on', async () => {
    const log = notedLog();
    let isAway = true;
    const one = worker(
      'test',
      async () => {
        if (isAway) throw new Error('away');
        return false;
      },
      log,
    );
    for (let looks = 0; looks < 10; looks += 1) await one.drain();
    isAway = false;
    for (let looks = 0; looks < 10; looks += 1) await one.drain();
    expect(log.lines).toEqual(['warn: test: interrupted, will be tried again until it goes on', 'info: test: goes on']);
  });
});
