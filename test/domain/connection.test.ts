// What we know of a connection follows the newest word about it, whatever order the words come in; a test of it grants nothing.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CameBack,
  type CertificateNews,
  type Connection,
  type ConnectionTest,
  failedTest,
  hearCertificate,
  hearConnection,
  judgeTest,
  type ReportedConnection,
  recordTest,
} from '#domain/sso/connection.ts';
import { anId, minute } from '../support/words.ts';

const reported = (state: Connection['state'], at: number): ReportedConnection => ({
  id: 'conn_1',
  organizationId: anId('org'),
  name: 'Okta',
  type: 'OktaSAML',
  state,
  asOf: minute(at),
});
const known = (state: Connection['state'] = 'active'): Connection => hearConnection(undefined, reported(state, 1));
const news = (what: CertificateNews['what'], at: number, kind = 'ResponseSigning'): CertificateNews => ({
  what,
  kind,
  expiresAt: what === 'expiring' ? minute(100) : minute(9000),
  at: minute(at),
});
const aTest = (at: number): ConnectionTest => ({ ...failedTest('access_denied'), at: minute(at), by: anId('user') });

describe('a connection', () => {
  it.each([
    ['the newer word counts', [reported('active', 1), reported('inactive', 2)], 'inactive'],
    ['an older word is ignored', [reported('inactive', 2), reported('active', 1)], 'inactive'],
    ['a confirmation is news', [reported('active', 1), reported('active', 3), reported('inactive', 2)], 'active'],
    ['a deletion is final', [reported('deleted', 2), reported('active', 3)], 'deleted'],
    ['a deletion heard first stays', [reported('deleted', 2), reported('active', 1)], 'deleted'],
  ])('%s', (_, words, state) => {
    const end = words.reduce<Connection | undefined>((before, heard) => hearConnection(before, heard), undefined);
    expect(end?.state).toBe(state);
  });

  it('is the same object when the word was no news', () => {
    const before = hearConnection(undefined, reported('active', 2));
    expect(hearConnection(before, reported('active', 2))).toBe(before);
    expect(hearConnection(before, reported('inactive', 1))).toBe(before);
  });

  it('keeps its certificates and its last test when its state changes', () => {
    const before = recordTest(hearCertificate(known(), news('expiring', 2)), aTest(3));
    const after = hearConnection(before, reported('inactive', 4));
    expect(after.state).toBe('inactive');
    expect(after.certificates).toEqual(before.certificates);
    expect(after.lastTest).toEqual(before.lastTest);
  });
});

describe('a certificate', () => {
  it('is warned of from the first warning until it is renewed', () => {
    const warned = hearCertificate(hearCertificate(known(), news('expiring', 2)), news('expiring', 5));
    expect(warned.certificates).toEqual([
      { kind: 'ResponseSigning', expiresAt: minute(100), warnedAt: minute(2), asOf: minute(5) },
    ]);
    expect(hearCertificate(warned, news('renewed', 6)).certificates).toEqual([
      { kind: 'ResponseSigning', expiresAt: minute(9000), warnedAt: null, asOf: minute(6) },
    ]);
  });

  it('of another kind is another certificate', () => {
    const warned = hearCertificate(known(), news('expiring', 2));
    const both = hearCertificate(warned, news('renewed', 3, 'RequestSigning'));
    expect(both.certificates.map(({ kind, warnedAt }) => [kind, warnedAt])).toEqual([
      ['RequestSigning', null],
      ['ResponseSigning', minute(2)],
    ]);
  });

  it('ends warned or renewed by its newest word, in whatever order and however often the words come', () => {
    const words = [news('expiring', 2), news('renewed', 4), news('expiring', 4), news('expiring', 3, 'RequestSigning')];
    fc.assert(
      fc.property(fc.shuffledSubarray([...words, ...words], { minLength: 8, maxLength: 8 }), (shuffled) => {
        const end = shuffled.reduce(hearCertificate, known());
        expect(end.certificates.map(({ kind, warnedAt }) => [kind, warnedAt !== null])).toEqual([
          ['RequestSigning', true],
          ['ResponseSigning', false],
        ]);
      }),
    );
  });

  it('does not forget until when it is good because a later warning does not say', () => {
    const warned = hearCertificate(known(), news('expiring', 2));
    const again = hearCertificate(warned, { ...news('expiring', 3), expiresAt: null });
    expect(again.certificates[0]?.expiresAt).toEqual(minute(100));
    const renewed = hearCertificate(warned, { ...news('renewed', 3), expiresAt: null });
    expect(renewed.certificates[0]?.expiresAt).toBeNull();
  });

  it('of a connection that has gone, or a word heard before, is no news', () => {
    const gone = known('deleted');
    expect(hearCertificate(gone, news('expiring', 2))).toBe(gone);
    const warned = hearCertificate(known(), news('expiring', 2));
    expect(hearCertificate(warned, news('expiring', 2))).toBe(warned);
  });
});

describe('a test of a connection', () => {
  const ada: CameBack = { email: 'ada@acme.test', emailVerified: true, name: 'Ada', method: 'sso', elsewhere: false };

  it('is passed by somebody who comes through single sign-on with a verified address', () => {
    expect(judgeTest(ada)).toEqual({ outcome: 'ok', error: null, email: 'ada@acme.test', missing: [] });
  });

  it('is passed without a name, and says that it is missing', () => {
    expect(judgeTest({ ...ada, name: null })).toMatchObject({ outcome: 'ok', missing: ['name'] });
  });

  it.each([
    ['an address that nobody verified', { emailVerified: false }, 'email_unverified', ['verified_email']],
    ['an address that is none', { email: 'ada' }, 'email_unverified', ['verified_email']],
    ['neither address nor name', { email: '', name: null }, 'email_unverified', ['verified_email', 'name']],
    ['a password', { method: 'password' }, 'not_single_sign_on', []],
    ['another organization', { elsewhere: true }, 'another_organization', []],
  ] as const)('fails with %s', (_, facts, error, missing) => {
    expect(judgeTest({ ...ada, ...facts })).toMatchObject({ outcome: 'failed', error, missing });
  });

  it('says nothing about somebody of another organization', () => {
    expect(JSON.stringify(judgeTest({ ...ada, elsewhere: true }))).not.toContain('ada');
  });

  it('counts until a newer one, and never for a connection that has gone', () => {
    const tested = recordTest(known(), aTest(3));
    expect(tested.lastTest).toEqual(aTest(3));
    expect(recordTest(tested, aTest(2))).toBe(tested);
    expect(recordTest(tested, aTest(4)).lastTest).toEqual(aTest(4));
    const gone = known('deleted');
    expect(recordTest(gone, aTest(3))).toBe(gone);
  });
});
