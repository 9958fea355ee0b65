// An agent's secret: exactly one shape, no typo survives, and it never prints itself.

import { format, inspect } from 'node:util';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiKeySecret, randomDigits } from '#domain/access/api-key-secret.ts';
import { reasonOf } from '../support/refused.ts';

const base62 = [...'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'];
const random = 'k9Zq0aB1cD2eF3gH4iJ5lM6nO7';
const mint = (mode: 'live' | 'test' = 'live', digits = random) => ApiKeySecret.mint(mode, digits, crc32);
const parse = (text: string) => ApiKeySecret.parse(text, crc32);
const digits = fc.string({ unit: fc.constantFrom(...base62), minLength: randomDigits, maxLength: randomDigits });

describe('a secret', () => {
  it.each(['live', 'test'] as const)(
    'of %s is 40 characters: its mode, 26 random digits, 6 digits of checksum',
    (mode) => {
      const text = mint(mode).reveal();
      expect(text).toHaveLength(40);
      expect(text).toMatch(new RegExp(`^hd_${mode}_${random}[0-9A-Za-z]{6}$`));
    },
  );

  it('has the checksum that anybody can compute', () => {
    // Base62, most significant digit first.
    const text = mint('live', '0'.repeat(26)).reveal();
    let value = 0;
    for (const digit of text.slice(-6)) value = value * 62 + base62.indexOf(digit);
    expect(value).toBe(crc32(text.slice(0, -6)));
  });

  it('is read back as it was minted, whatever the digits', () => {
    const check = fc.property(fc.constantFrom('live' as const, 'test' as const), digits, (mode, drawn) => {
      const minted = mint(mode, drawn);
      const read = parse(minted.reveal());
      expect([read.mode, read.reveal(), read.prefix, read.lastFour]).toEqual([
        mode,
        minted.reveal(),
        `hd_${mode}_${drawn.slice(0, 4)}`,
        minted.reveal().slice(36),
      ]);
    });
    fc.assert(check);
  });

  it('is refused after every change of a single character', () => {
    const text = mint().reveal();
    for (let place = 0; place < text.length; place++) {
      for (const other of [...base62, '_', '-', ' ', 'é', '\u0000']) {
        if (other === text[place]) continue;
        const changed = text.slice(0, place) + other + text.slice(place + 1);
        expect(
          reasonOf(() => parse(changed)),
          changed,
        ).toBe('api_key.malformed');
      }
    }
  });

  it('is refused after every swap of two neighbours', () => {
    const text = mint().reveal();
    for (let place = 0; place < text.length - 1; place++) {
      const [a = '', b = ''] = [text[place], text[place + 1]];
      if (a === b) continue;
      const swapped = text.slice(0, place) + b + a + text.slice(place + 2);
      expect(
        reasonOf(() => parse(swapped)),
        swapped,
      ).toBe('api_key.malformed');
    }
  });

  it.each([
    ['nothing', () => ''],
    ['39 characters', (text: string) => text.slice(0, -1)],
    ['41 characters', (text: string) => `${text}0`],
    ['a line break behind', (text: string) => `${text}\n`],
    ['a space before', (text: string) => ` ${text}`],
    ['another mode with the same digits', (text: string) => text.replace('live', 'test')],
    ['an upper-case prefix', (text: string) => text.replace('hd_live', 'HD_LIVE')],
    ['an unknown mode', (text: string) => text.replace('live', 'prod')],
    ['a million characters', (text: string) => text.repeat(25_000)],
  ])('is refused: %s', (_, change) => {
    expect(reasonOf(() => parse(change(mint().reveal())))).toBe('api_key.malformed');
  });

  it('cannot be minted from a wrong number of digits or a wrong alphabet', () => {
    for (const wrong of [random.slice(1), `${random}0`, `${random.slice(1)}-`, '']) {
      expect(reasonOf(() => mint('live', wrong))).toBe('api_key.malformed');
    }
  });
});

describe('a secret never prints itself', () => {
  const secret = mint();
  const hidden = secret.reveal().slice(12, -4);

  it.each([
    ['String()', () => String(secret)],
    ['a template', () => `${secret}`],
    ['concatenation', () => `key: ${[secret].join()}`],
    ['JSON.stringify', () => JSON.stringify({ secret })],
    ['util.inspect', () => inspect(secret)],
    [
      'util.inspect with all that is hidden',
      () => inspect({ secret }, { showHidden: true, depth: null, getters: true }),
    ],
    ['console-like formatting', () => format('%s %o %O %j %d', secret, secret, secret, secret, secret)],
    [
      'its own properties',
      () => JSON.stringify(Object.getOwnPropertyNames(secret).map((name) => Reflect.get(secret, name))),
    ],
    ['a copy', () => inspect({ ...secret })],
    ['Object.entries', () => inspect(Object.entries(secret))],
    ['an error that has it as its cause', () => inspect(new Error('no', { cause: secret }))],
  ])('not by %s', (_, print) => {
    expect(print()).not.toContain(hidden);
  });

  it('and shows the same harmless stub everywhere, by which its owner recognises it', () => {
    const stub = `${secret.prefix}…${secret.lastFour}`;
    expect([String(secret), JSON.stringify(secret)]).toEqual([stub, JSON.stringify(stub)]);
  });

  it('nor does the refusal of a mistyped one', () => {
    const mistyped = `${secret.reveal().slice(0, -1)}!`;
    const refused = (() => {
      try {
        return parse(mistyped);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(inspect(refused, { showHidden: true, depth: null })).not.toContain(hidden);
    expect(JSON.stringify(refused)).not.toContain(hidden);
  });

  it('leaves out enough that no search finds the rest: 20 random digits or more', () => {
    const shown = secret.prefix.length - 'hd_live_'.length;
    expect(randomDigits - shown).toBeGreaterThanOrEqual(20);
  });
});
