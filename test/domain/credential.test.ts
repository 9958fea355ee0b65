// Which credential a request carries, told by its shape alone: an agent's key, a person's token, or a browser's reference.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Credential, type CredentialParts, credentialFrom } from '#domain/access/credential.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { reasonOf } from '../support/refused.ts';

const key = 'hd_live_k9Zq0aB1cD2eF3gH4iJ5lM6nO7abcdef';
const otherKey = 'hd_test_k9Zq0aB1cD2eF3gH4iJ5lM6nO7abcdef';
const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1c2VyXzEifQ.c2lnbmF0dXJl_-';
const reference = 'A'.repeat(43);

const asKey = (text: string): Credential => ({ kind: 'api_key', text });
const asToken: Credential = { kind: 'session_token', token: jwt };
const asReference: Credential = { kind: 'session_reference', reference };

describe('one credential', () => {
  it.each<[string, CredentialParts, Credential | undefined]>([
    ['nothing at all', {}, undefined],
    ['a key as bearer', { authorization: `Bearer ${key}` }, asKey(key)],
    ['a key with its own scheme', { authorization: `ApiKey ${key}` }, asKey(key)],
    ['a key in its own header', { apiKeyHeader: key }, asKey(key)],
    ['a token as bearer', { authorization: `Bearer ${jwt}` }, asToken],
    ['a reference in the cookie', { sessionCookie: reference }, asReference],
    ['a lower-case scheme', { authorization: `bearer ${jwt}` }, asToken],
    ['an upper-case scheme', { authorization: `BEARER ${jwt}` }, asToken],
    ['a scheme in any case', { authorization: `aPIkEY ${key}` }, asKey(key)],
    ['several spaces after the scheme', { authorization: `Bearer    ${jwt}` }, asToken],
    ['spaces at the end', { authorization: `Bearer ${jwt}  ` }, asToken],
    ['the same key in two headers', { authorization: `Bearer ${key}`, apiKeyHeader: key }, asKey(key)],
    ['the same key in two schemes', { authorization: `ApiKey ${key}`, apiKeyHeader: key }, asKey(key)],
    ['a mistyped key is still a key, never a token', { authorization: 'Bearer hd_a.b.c' }, asKey('hd_a.b.c')],
    ['whatever has the key scheme', { authorization: 'ApiKey nonsense' }, asKey('nonsense')],
  ])('%s', (_, parts, credential) => {
    expect(credentialFrom(parts)).toEqual(credential);
  });
});

describe('two credentials at once', () => {
  it.each<[string, CredentialParts]>([
    ['a token and a key', { authorization: `Bearer ${jwt}`, apiKeyHeader: key }],
    ['two keys', { authorization: `Bearer ${otherKey}`, apiKeyHeader: key }],
    ['a key and the same key in another case', { authorization: `Bearer ${key}`, apiKeyHeader: key.toUpperCase() }],
    ['a key and a cookie', { apiKeyHeader: key, sessionCookie: reference }],
    ['a token and a cookie', { authorization: `Bearer ${jwt}`, sessionCookie: reference }],
    ['all three', { authorization: `Bearer ${key}`, apiKeyHeader: key, sessionCookie: reference }],
    ['a key and an unreadable cookie', { apiKeyHeader: key, sessionCookie: 'nonsense' }],
  ])('are refused: %s', (_, parts) => {
    expect(reasonOf(() => credentialFrom(parts))).toBe('credential.ambiguous');
  });
});

describe('an unreadable credential', () => {
  it.each([
    ['nothing after the scheme', 'Bearer'],
    ['only a space after the scheme', 'Bearer '],
    ['an empty header', ''],
    ['no scheme', jwt],
    ['a scheme we do not speak', 'Basic YWRhOnNlY3JldA=='],
    ['a digest scheme', 'Digest username="ada"'],
    ['a bearer of no shape', 'Bearer nonsense'],
    ['two parts of a token', 'Bearer aaa.bbb'],
    ['four parts of a token', 'Bearer aaa.bbb.ccc.ddd'],
    ['an empty part', 'Bearer aaa..ccc'],
    ['padding in a token', `Bearer ${jwt}==`],
    ['two values', `Bearer ${jwt} ${jwt}`],
    ['two credentials in one header', `Bearer ${jwt}, ApiKey ${key}`],
    ['a tab between', `Bearer\t${jwt}`],
    ['a space before', ` Bearer ${jwt}`],
    ['a line break inside', `Bearer ${jwt}\n`],
    ['a reference as bearer', `Bearer ${reference}`],
    ['a key in upper case', `Bearer ${key.toUpperCase()}`],
  ])('is refused: %s', (_, authorization) => {
    expect(reasonOf(() => credentialFrom({ authorization }))).toBe('credential.malformed');
  });

  it.each([
    ['empty', ''],
    ['a character short', reference.slice(1)],
    ['a character long', `${reference}A`],
    ['of another alphabet', `${reference.slice(1)}=`],
    ['with a line break', `${reference}\n`],
  ])('in the cookie names no session: %s', (_, sessionCookie) => {
    expect(reasonOf(() => credentialFrom({ sessionCookie }))).toBe('session.unknown');
  });

  it('gets a refusal or an answer, never a fault, and quickly', () => {
    const part = fc.option(fc.oneof(fc.string(), fc.constantFrom(`Bearer ${jwt}`, `Bearer ${key}`, key, reference)), {
      nil: undefined,
    });
    const check = fc.property(part, part, part, (authorization, apiKeyHeader, sessionCookie) => {
      reasonOf(() => credentialFrom({ authorization, apiKeyHeader, sessionCookie }));
    });
    fc.assert(check, { numRuns: 1000 });
    const started = performance.now();
    for (const unit of [' ', 'a', 'a.', '. ', 'Bearer ', 'a b']) {
      reasonOf(() => credentialFrom({ authorization: `Bearer ${unit.repeat(200_000)}` }));
    }
    expect(performance.now() - started).toBeLessThan(500);
  });

  it('is not repeated by the refusal', () => {
    const refuse = () => credentialFrom({ authorization: 'Bearer half-a-secret' });
    expect(refuse).toThrow(Refusal);
    expect(refuse).not.toThrow(/half-a-secret/);
  });
});
