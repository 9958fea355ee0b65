// What counts as an e-mail address, what does not, and that asking stays cheap whatever is asked.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { domainOf, parseEmail } from '#domain/users/email.ts';

/** Milliseconds. Backtracking would take minutes or more; a starved machine does not take this long. */
const tooLong = 4000;

describe('an e-mail address', () => {
  it.each([
    ['ada@acme.test', 'ada@acme.test', 'acme.test'],
    ['  Ada.Lovelace@ACME.Test\n', 'ada.lovelace@acme.test', 'acme.test'],
    ['ada+reports@mail.acme.co.uk', 'ada+reports@mail.acme.co.uk', 'mail.acme.co.uk'],
    ["o'neil_x-1@a.b", "o'neil_x-1@a.b", 'a.b'],
    ['jürgen@acme.test', 'jürgen@acme.test', 'acme.test'],
    ['ÅSA@acme.test', 'åsa@acme.test', 'acme.test'],
    ['ada@xn--bcher-kva.example', 'ada@xn--bcher-kva.example', 'xn--bcher-kva.example'],
    [`${'a'.repeat(64)}@acme.test`, `${'a'.repeat(64)}@acme.test`, 'acme.test'],
  ])('%j is %s of the domain %s', (text, email, domain) => {
    const parsed = parseEmail(text);
    expect(parsed).toBe(email);
    expect(parsed && domainOf(parsed)).toBe(domain);
  });

  it.each([
    ['nothing', ''],
    ['only spaces', '   '],
    ['no at sign', 'ada.acme.test'],
    ['two at signs', 'ada@eve@acme.test'],
    ['no local part', '@acme.test'],
    ['no domain', 'ada@'],
    ['a domain without a dot', 'ada@localhost'],
    ['an empty label', 'ada@acme..test'],
    ['a trailing dot', 'ada@acme.test.'],
    ['a label that starts with a hyphen', 'ada@-acme.test'],
    ['a label that ends with a hyphen', 'ada@acme-.test'],
    ['an underscore in the domain', 'ada@ac_me.test'],
    ['an address literal', 'ada@[127.0.0.1]'],
    ['a display name', 'Ada <ada@acme.test>'],
    ['a quoted local part', '"ada lovelace"@acme.test'],
    ['a space inside', 'ada lovelace@acme.test'],
    ['two addresses', 'ada@acme.test,eve@acme.test'],
    ['a header smuggled behind a line break', 'ada@acme.test\r\nBcc: eve@evil.test'],
    ['a null character', 'ada\u0000@acme.test'],
    ['a zero-width space', 'ada\u200b@acme.test'],
    ['text that runs from right to left', 'ada\u202e@acme.test'],
    ['half a surrogate pair', 'ada\ud800@acme.test'],
    ['a Kelvin sign in the domain, which would become a k', 'ada@tric\u212a.test'],
    ['a Kelvin sign in the local part', 'nic\u212a@acme.test'],
    ['a letter outside ASCII in the domain', 'ada@büro.test'],
    ['a local part of 65 characters', `${'a'.repeat(65)}@acme.test`],
    ['a label of 64 characters', `ada@${'a'.repeat(64)}.test`],
    ['255 characters', `ada@${'a.'.repeat(123)}abcde`],
  ])('is not: %s', (_, text) => {
    expect(parseEmail(text)).toBeUndefined();
  });

  it('reads its own writing alike', () => {
    const check = fc.property(fc.emailAddress(), (text) => {
      const once = parseEmail(text);
      fc.pre(once !== undefined);
      expect(once && parseEmail(once)).toBe(once);
    });
    fc.assert(check);
  });

  it('never answers something with a space, a control character, or other than one at sign', () => {
    const near = fc.string({
      unit: fc.constantFrom('a', 'B', '.', '-', '@', ' ', '\n', '\u0000', '\u212a', 'é', '"', '<'),
    });
    const check = fc.property(fc.tuple(near, fc.constantFrom('@', '@acme.test', 'a@b.c')), ([start, end]) => {
      const parsed = parseEmail(start + end);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not occur
      if (parsed !== undefined) expect(parsed).toMatch(/^[^\s@\u0000-\u001f]+@[a-z0-9.-]+$/);
    });
    fc.assert(check, { numRuns: 2000 });
  });

  it.each([
    ['the letter a', (size: number) => 'a'.repeat(size)],
    ['labels', (size: number) => `a@${'a.'.repeat(size / 2)}`],
    ['hyphens', (size: number) => `a@a${'-'.repeat(size)}`],
    ['at signs', (size: number) => '@'.repeat(size)],
    ['spaces', (size: number) => `a${' '.repeat(size)}b`],
    ['a label just too long, over and over', (size: number) => `a@${`${'a'.repeat(64)}.`.repeat(size / 65)}`],
  ])('is asked of a million characters without delay: %s', (_, text) => {
    const hostile = text(1_000_000);
    const started = performance.now();
    expect(parseEmail(hostile)).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(tooLong);
  });

  it('is asked of the longest texts that are looked at closely without delay', () => {
    const started = performance.now();
    for (const unit of ['a', 'a.', 'a-', '-a', 'a@', '.a-']) {
      for (let length = 1; length <= 254; length++) parseEmail(`a@${unit.repeat(length).slice(0, length)}!`);
    }
    expect(performance.now() - started).toBeLessThan(tooLong);
  });
});
