// The machine's own parts keep what their ports promise.

import { Writable } from 'node:stream';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { cryptoEntropy } from '#adapters/system/crypto-entropy.ts';
import { FakeClock } from '#adapters/system/fake-clock.ts';
import { jweSeal } from '#adapters/system/jwe-seal.ts';
import { nodeDigest } from '#adapters/system/node-digest.ts';
import { nodeNetworks } from '#adapters/system/node-networks.ts';
import { pinoLog } from '#adapters/system/pino-log.ts';
import { typeIds } from '#adapters/system/type-ids.ts';
import { isId } from '#domain/shared/ids.ts';

const first = 'a session secret that is long enough';
const second = 'another session secret, as long as that';

describe('a sealed box', () => {
  it('opens for the purpose it was closed for, and for no other', async () => {
    const seal = jweSeal([first], new FakeClock());
    const box = await seal.close('login', { state: 'x', n: 1, nested: { yes: true } }, 60);
    expect(await seal.open('login', box)).toEqual({ state: 'x', n: 1, nested: { yes: true } });
    expect(await seal.open('refresh', box)).toBeUndefined();
  });
  it('hides what is in it', async () => {
    const box = await jweSeal([first], new FakeClock()).close('login', { refreshToken: 'super-secret' }, 60);
    expect(
      box
        .split('.')
        .map((part) => Buffer.from(part, 'base64url').toString('latin1'))
        .join(),
    ).not.toContain('super-secret');
  });
  it('no longer opens when its time is over', async () => {
    const clock = new FakeClock();
    const seal = jweSeal([first], clock);
    const box = await seal.close('login', { a: 1 }, 60);
    clock.turn(59);
    expect(await seal.open('login', box)).toEqual({ a: 1 });
    clock.turn(1);
    expect(await seal.open('login', box)).toBeUndefined();
  });
  it('does not open when a single character was changed', async () => {
    const seal = jweSeal([first], new FakeClock());
    const box = await seal.close('login', { a: 1 }, 60);
    for (let at = 0; at < box.length - 1; at += 7) {
      if (box[at] === '.') continue;
      const changed = box.slice(0, at) + (box[at] === 'A' ? 'B' : 'A') + box.slice(at + 1);
      expect(await seal.open('login', changed), `changed at ${at}`).toBeUndefined();
    }
  });
  it('closed with a password opens with the same one only, and one without opens without', async () => {
    const seal = jweSeal([first], new FakeClock());
    const box = await seal.close('answer', { a: 1 }, 60, 'a password');
    expect(await seal.open('answer', box, 'a password')).toEqual({ a: 1 });
    for (const other of ['another', '', 'a password ']) expect(await seal.open('answer', box, other)).toBeUndefined();
    expect(await seal.open('answer', box)).toBeUndefined();
    const plain = await seal.close('answer', { a: 1 }, 60);
    expect(await seal.open('answer', plain, 'a password')).toBeUndefined();
    expect(await jweSeal([second], new FakeClock()).open('answer', box, 'a password')).toBeUndefined();
  });
  it.each(['', 'nonsense', 'a.b.c', 'a.b.c.d.e', '....', 'ey.ey.ey.ey.ey'])('is not %j', async (text) => {
    expect(await jweSeal([first], new FakeClock()).open('login', text)).toBeUndefined();
  });
  it('made under the old secret still opens while both are configured, and not after', async () => {
    const clock = new FakeClock();
    const old = await jweSeal([first], clock).close('login', { a: 1 }, 60);
    expect(await jweSeal([second, first], clock).open('login', old)).toEqual({ a: 1 });
    expect(await jweSeal([second], clock).open('login', old)).toBeUndefined();
  });
});

describe('digests', () => {
  it('knows the published values of SHA-256, CRC-32 and the PKCE challenge', () => {
    const digest = nodeDigest(['pepper']);
    expect(digest.sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(digest.crc32('123456789')).toBe(0xcbf43926);
    // RFC 7636, appendix B
    expect(digest.pkceChallenge('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')).toBe(
      'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    );
  });
  it('writes under the newest pepper and reads under all of them', () => {
    const before = nodeDigest(['old']).peppered('key')[0];
    const rotated = nodeDigest(['new', 'old']).peppered('key');
    expect(rotated[0]).not.toBe(before);
    expect(rotated).toContain(before);
  });
});

describe('randomness', () => {
  it('makes references of 43 base64url characters and the asked number of base62 digits, never twice the same', () => {
    const references = new Set(Array.from({ length: 200 }, () => cryptoEntropy.reference()));
    expect(references.size).toBe(200);
    for (const reference of references) expect(reference).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(cryptoEntropy.base62(26)).toMatch(/^[0-9A-Za-z]{26}$/);
    expect(new Set(cryptoEntropy.base62(5000)).size).toBe(62);
  });
});

describe('ids', () => {
  it('are well formed, unique, and sort by the time they were made', async () => {
    const early = typeIds.next('org');
    await new Promise((resolve) => setImmediate(resolve));
    const made = Array.from({ length: 50 }, () => typeIds.next('org'));
    for (const id of made) expect(isId('org', id)).toBe(true);
    expect(new Set(made).size).toBe(50);
    expect(made.every((id) => id.slice(0, 14) >= early.slice(0, 14))).toBe(true);
  });
});

describe('networks', () => {
  it.each([
    ['10.0.0.0/8', '10.1.2.3', true],
    ['10.0.0.0/8', '11.1.2.3', false],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.8', false],
    ['2001:db8::/32', '2001:db8:1::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['10.0.0.0/8', 'not an address', false],
  ])('%s contains %s: %s', (block, address, expected) => {
    expect(nodeNetworks.contains([block], address)).toBe(expected);
  });
  it.each([
    '',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0/8',
    '10.0.0.0/8/8',
    '::1/129',
    'fe80::1%eth0',
    'example.com',
    '10.0.0.0/ 8',
  ])('%j is no block', (text) => expect(nodeNetworks.isBlock(text)).toBe(false));
  it('contains nobody when there are no blocks', () => {
    expect(nodeNetworks.contains([], '10.0.0.1')).toBe(false);
  });
});

describe('the log', () => {
  it('hides what is named like a secret, should one ever be handed to it', () => {
    const lines: string[] = [];
    const sink = new Writable({
      write(chunk, _encoding, done) {
        lines.push(String(chunk));
        done();
      },
    });
    const log = pinoLog('info', sink);
    log.warn('a slip', {
      token: 'tok-secret',
      inner: { refreshToken: 'rt-secret', cookie: 'c-secret' },
      fault: new Error('boom'),
    });
    const text = inspect(lines);
    expect(text).toContain('boom');
    expect(text).not.toMatch(/tok-secret|rt-secret|c-secret/);
  });
});
