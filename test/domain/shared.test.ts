// The small things that everybody uses: ids, slugs, moments, the catalogue of refusals, and the questions put to a caller.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AgentCaller, actingIn, asPerson, needsScope, type UserCaller } from '#domain/access/caller.ts';
import { scopesOf } from '#domain/memberships/role.ts';
import { slugOf } from '#domain/organizations/organization.ts';
import { isId } from '#domain/shared/ids.ts';
import { Refusal, refusals } from '#domain/shared/refusal.ts';
import { earlier, secondsAfter } from '#domain/shared/time.ts';
import { reasonOf } from '../support/refused.ts';
import { anId, minute, monday } from '../support/words.ts';

/** Milliseconds. Backtracking would take minutes or more; a starved machine does not take this long. */
const tooLong = 4000;

describe('an id', () => {
  const good = 'org_01jm8zqk5v9x3h2w7c4b6d8f0g';

  it('is a prefix and 26 digits', () => {
    expect(isId('org', good)).toBe(true);
    expect(isId('org', anId('org', 12))).toBe(true);
    expect(isId('org', `org_7${'z'.repeat(25)}`)).toBe(true);
  });

  it.each([
    ['of another kind', good.replace('org', 'user')],
    ['without its prefix', good.slice(4)],
    ['with a prefix that only begins alike', good.replace('org', 'organization')],
    ['in upper case', good.toUpperCase()],
    ['a digit short', good.slice(0, -1)],
    ['a digit long', `${good}0`],
    ['with a letter that Crockford leaves out (i)', `${good.slice(0, -1)}i`],
    ['with a letter that Crockford leaves out (l)', `${good.slice(0, -1)}l`],
    ['with a letter that Crockford leaves out (o)', `${good.slice(0, -1)}o`],
    ['with a letter that Crockford leaves out (u)', `${good.slice(0, -1)}u`],
    ['beyond 128 bits', `org_8${'0'.repeat(25)}`],
    ['with a line break', `${good}\n`],
    ['with a path in it', 'org_../../../../../etc/passwd00'],
    ['empty', ''],
    ['only a prefix', 'org_'],
  ])('is not one: %s', (_, text) => {
    expect(isId('org', text)).toBe(false);
  });
});

describe('a slug', () => {
  it.each([
    ['Acme', 'acme'],
    ['  Acme, Inc. ', 'acme-inc'],
    ['Café Zürich', 'cafe-zurich'],
    ['ﬁne ＡＢＣ', 'fine-abc'],
    ['a---b__c', 'a-b-c'],
    ['42', '42'],
    ['株式会社', ''],
    ['---', ''],
    ['', ''],
    [`${'a'.repeat(47)} b`, 'a'.repeat(47)],
    ['x'.repeat(100), 'x'.repeat(48)],
  ])('of %j is %j', (name, slug) => {
    expect(slugOf(name)).toBe(slug);
  });

  it('is words of letters and digits joined by single hyphens, at most 48 characters, and its own slug', () => {
    const name = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: fc.constantFrom('a', '-', ' ', 'É', '9'), maxLength: 120 }),
    );
    const check = fc.property(name, (text) => {
      const slug = slugOf(text);
      expect(slug).toMatch(/^([a-z0-9]+(-[a-z0-9]+)*)?$/);
      expect(slug.length).toBeLessThanOrEqual(48);
      expect(slugOf(slug)).toBe(slug);
    });
    fc.assert(check, { numRuns: 1000 });
  });

  it('of a very long name is found without delay', () => {
    const started = performance.now();
    for (const unit of ['-', 'a', ' a', '\u0301']) slugOf(unit.repeat(300_000));
    expect(performance.now() - started).toBeLessThan(tooLong);
  });
});

describe('moments', () => {
  it('know which is earlier, and what comes so many seconds later', () => {
    expect(earlier(minute(1), minute(2))).toEqual(minute(1));
    expect(earlier(minute(2), minute(1))).toEqual(minute(1));
    expect(secondsAfter(monday, 90)).toEqual(minute(1.5));
  });
});

describe('the catalogue of refusals', () => {
  const catalogue = Object.entries(refusals);

  it.each(catalogue)('%s is a noun and a reason; its sentence ends with a period', (reason, sentence) => {
    expect(reason).toMatch(/^[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*$/);
    expect(sentence).toMatch(/^[A-Z].*[^.]\.$/);
    expect(sentence).not.toMatch(/[\n\t]| {2}/);
  });

  it('says each sentence once, so that a reader can tell two refusals apart', () => {
    const sentences = catalogue.map(([, sentence]) => sentence);
    expect(new Set(sentences).size).toBe(sentences.length);
  });

  it('becomes an error that carries the reason and the details, and nothing else', () => {
    const refusal = new Refusal('caller.scope_missing', { scope: 'audit:read' });
    expect(refusal).toBeInstanceOf(Error);
    expect([refusal.name, refusal.message]).toEqual(['Refusal', refusals['caller.scope_missing']]);
    expect(JSON.parse(JSON.stringify(refusal))).toEqual({
      name: 'Refusal',
      reason: 'caller.scope_missing',
      details: { scope: 'audit:read' },
    });
    expect(new Refusal('session.ended').details).toEqual({});
  });
});

describe('a caller', () => {
  const person: UserCaller = {
    kind: 'user',
    id: anId('user'),
    organizationId: anId('org'),
    role: 'auditor',
    scopes: scopesOf('auditor'),
    sessionId: anId('sess'),
    impersonator: null,
  };
  const agent: AgentCaller = {
    kind: 'agent',
    id: anId('agent'),
    organizationId: anId('org'),
    scopes: ['query:read'],
    mode: 'live',
    apiKeyId: anId('key'),
  };

  it('acts in their own organization', () => {
    expect(actingIn(person, anId('org'))).toBe(person);
    expect(actingIn(agent, anId('org'))).toBe(agent);
  });

  it('finds no other organization, whether it exists or not', () => {
    expect(reasonOf(() => actingIn(person, anId('org', 2)))).toBe('organization.not_found');
    expect(reasonOf(() => actingIn(agent, anId('org', 2)))).toBe('organization.not_found');
  });

  it('without a role acts nowhere', () => {
    expect(reasonOf(() => actingIn({ ...person, role: null }, anId('org')))).toBe('organization.not_found');
    expect(reasonOf(() => actingIn({ ...person, organizationId: null, role: null }, anId('org')))).toBe(
      'organization.not_found',
    );
  });

  it('needs the very scope, and is told which', () => {
    expect(reasonOf(() => needsScope(person, 'audit:read'))).toBe('allowed');
    expect(() => needsScope(person, 'users:manage')).toThrow(
      expect.objectContaining({ reason: 'caller.scope_missing', details: { scope: 'users:manage' } }),
    );
  });

  it('is a person where only people may act', () => {
    expect(asPerson(person)).toBe(person);
    expect(reasonOf(() => asPerson(agent))).toBe('caller.person_required');
  });
});
