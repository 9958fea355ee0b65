// What an operator reads in the log: everything that helps, nothing that opens a door.

import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { pinoLog } from '#adapters/system/pino-log.ts';

const logging = () => {
  const lines: Record<string, unknown>[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()));
      done();
    },
  });
  return { log: pinoLog('debug', sink), lines };
};

describe('a log line', () => {
  it('says its level in words, its time in UTC, and its facts', () => {
    const { log, lines } = logging();
    log.warn('something is slow', { seconds: 3 });
    expect(lines).toEqual([
      { level: 'warn', time: expect.stringMatching(/^\d{4}-.*Z$/), msg: 'something is slow', seconds: 3 },
    ]);
  });

  it.each([
    'secret',
    'token',
    'refreshToken',
    'accessToken',
    'password',
    'authorization',
    'cookie',
    'codeVerifier',
    'reference',
  ])('does not print a %s that slipped in, at the top or one step down', (name) => {
    const { log, lines } = logging();
    log.info('careless', { [name]: 'open sesame', headers: { [name]: 'open sesame' } });
    expect(JSON.stringify(lines)).not.toContain('open sesame');
  });

  it('does not print an authorization code of a query or a body', () => {
    const { log, lines } = logging();
    log.info('careless', { query: { code: 'open sesame' }, body: { code: 'open sesame' } });
    expect(JSON.stringify(lines)).not.toContain('open sesame');
  });

  it('prints the code of an error: it is what one looks for', () => {
    const { log, lines } = logging();
    const fault = Object.assign(new Error('permission denied'), { code: '42501' });
    log.error('the database refused', { fault, code: 'entity_not_found' });
    expect(lines[0]).toMatchObject({
      code: 'entity_not_found',
      fault: { code: '42501', message: 'permission denied' },
    });
  });

  it('shows of a stack what was thrown and our own lines, and counts those of libraries', () => {
    const { log, lines } = logging();
    const fault = new Error('broken');
    fault.stack = [
      'Error: broken',
      '    at driver (file:///app/node_modules/pg/client.js:1:1)',
      '    at process (node:internal/process:1:1)',
      '    at keep (file:///app/src/adapters/store.ts:7:3)',
      '    at run (file:///app/node_modules/koa/index.js:1:1)',
    ].join('\n');
    log.error('it broke', { fault });
    const shown = [
      'Error: broken',
      '    … 2 of libraries',
      '    at keep (file:///app/src/adapters/store.ts:7:3)',
      '    … 1 of libraries',
    ].join('\n');
    expect(lines[0]).toMatchObject({ fault: { stack: shown } });
  });

  it('keeps what is thrown that is no error', () => {
    const { log, lines } = logging();
    log.error('odd', { fault: 'a word' });
    expect(lines[0]).toMatchObject({ fault: 'a word' });
  });
});
