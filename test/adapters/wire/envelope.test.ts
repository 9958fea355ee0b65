// The envelope of an event: what is read of it, what is refused, and that the rest is kept fit for storing.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventFrom, readEnvelope } from '#adapters/identity/wire/envelope.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import {
  bytes,
  certificateNews,
  connection,
  consequential,
  directory,
  directoryGroup,
  directoryUser,
  event,
  groupMember,
  organization,
  organizationDomain,
  user,
  without,
} from '../../support/workos-payloads.ts';

const read = (payload: unknown) => readEnvelope(bytes(payload));
const malformed = expect.objectContaining({ reason: 'delivery.malformed' });

describe('the envelope', () => {
  it('gives id, name, time, and the payload whole', () => {
    const payload = { ...event('user.updated', user(), { id: 'event_7' }), unheard_of: [1, null, { deep: true }] };
    expect(read(payload)).toEqual({
      id: 'event_7',
      name: 'user.updated',
      occurredAt: new Date('2026-11-20T10:00:00.000Z'),
      organization: null,
      payload,
    });
  });

  it('needs neither `object` nor `context`, which the official emulator leaves out', () => {
    expect(read(without(event('user.created', user(), { id: 'event_8' }), 'object', 'context'))).toMatchObject({
      id: 'event_8',
    });
  });

  it('reads an entry of the feed as it reads a delivery', () => {
    for (const payload of consequential()) expect(eventFrom(payload)).toEqual(read(payload));
  });

  it('reads a time in another zone, and one more exact than ours', () => {
    const at = (created_at: string) => read({ ...event('x', {}), created_at }).occurredAt.toISOString();
    expect(at('2026-11-20T10:00:00+02:00')).toBe('2026-11-20T08:00:00.000Z');
    expect(at('2026-11-20T10:00:00.123456Z')).toBe('2026-11-20T10:00:00.123Z');
  });

  it.each([
    ['a directory', event('dsync.activated', directory()), 'org_01'],
    ['a directory user', event('dsync.user.updated', directoryUser()), 'org_01'],
    [
      'a group membership, whose organization is only in what it quotes',
      event('dsync.group.user_added', groupMember()),
      'org_01',
    ],
    [
      'a group membership where only the person says it',
      event('dsync.group.user_added', groupMember({ group: { organization_id: null } })),
      'org_01',
    ],
    ['an organization', event('organization.updated', organization()), 'org_01'],
    ['a domain', event('organization_domain.verified', organizationDomain()), 'org_01'],
    [
      'a failed domain, wrapped with its reason',
      event('organization_domain.verification_failed', { reason: 'x', organization_domain: organizationDomain() }),
      'org_01',
    ],
    [
      'a certificate, which quotes its connection',
      event('connection.saml_certificate_renewed', certificateNews()),
      'org_01',
    ],
    ['a connection of no organization', event('connection.activated', without(connection(), 'organization_id')), null],
    [
      'a directory that belongs to nobody yet',
      event('dsync.group.created', directoryGroup({ organization_id: null })),
      null,
    ],
    [
      'an organization id that is no id',
      event('dsync.group.created', directoryGroup({ organization_id: { $ne: 1 } })),
      null,
    ],
    [
      'an organization id that is endless',
      event('dsync.group.created', directoryGroup({ organization_id: 'x'.repeat(201) })),
      null,
    ],
  ])('names the organization of %s', (_, payload, expected) => {
    expect(read(payload).organization).toBe(expected);
  });

  it.each([
    ['no JSON', 'garbage'],
    ['empty', ''],
    ['JSON and then some', '{"id":"event_1"}}'],
    ['a string', '"event"'],
    ['null', 'null'],
    ['a list', []],
    ['without an id', without(event('x', {}), 'id')],
    ['of an empty id', { ...event('x', {}), id: '' }],
    ['of a numeric id', { ...event('x', {}), id: 7 }],
    ['of an endless id', { ...event('x', {}), id: 'e'.repeat(201) }],
    ['of an id with a NUL', { ...event('x', {}), id: 'event_\u0000' }],
    ['of an id with a space', { ...event('x', {}), id: 'event 1' }],
    ['without a name', without(event('x', {}), 'event')],
    ['of a name that is none', { ...event('x', {}), event: ['x'] }],
    ['without data', without(event('x', {}), 'data')],
    ['with a list for data', event('x', [])],
    ['without a date', without(event('x', {}), 'created_at')],
    ['of a day that does not exist', { ...event('x', {}), created_at: '2026-02-30T10:00:00Z' }],
    ['of a date that only a human could read', { ...event('x', {}), created_at: 'November 20, 2026' }],
    ['of a date without a zone', { ...event('x', {}), created_at: '2026-11-20T10:00:00' }],
    ['of a date as a number', { ...event('x', {}), created_at: 1_795_000_000_000 }],
    ['of a date before computers', { ...event('x', {}), created_at: '0001-01-01T00:00:00Z' }],
    ['of a date after year 9999', { ...event('x', {}), created_at: '9999-12-31T23:59:59-12:00' }],
    [
      'nested beyond reason',
      `{"id":"event_1","event":"x","created_at":"2026-11-20T10:00:00Z","data":{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`,
    ],
  ])('is malformed when it is %s', (_, payload) => {
    expect(() => read(payload)).toThrow(malformed);
  });

  it('is malformed when its bytes are no UTF-8', () => {
    const body = bytes(event('x', { name: '~' }));
    expect(() => readEnvelope(body.with(body.indexOf(0x7e), 0xff))).toThrow(malformed);
  });

  it('says which field is wrong, and nothing of what stood in it', () => {
    const refusal = (() => {
      try {
        return read({ ...event('x', {}), created_at: 'a secret' });
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(refusal).toBeInstanceOf(Refusal);
    expect(JSON.stringify(refusal)).toContain('created_at');
    expect(JSON.stringify(refusal)).not.toContain('a secret');
  });

  it('replaces what PostgreSQL cannot keep in JSON: NUL and half of a surrogate pair', () => {
    const text = `{"id":"event_1","event":"x","created_at":"2026-11-20T10:00:00Z",
      "data":{"name":"A\\u0000da \\ud83d\\ude00 \\ud800","k\\u0000ey":["\\udfff"]}}`;
    expect(read(text).payload['data']).toEqual({ name: 'A\uFFFDda 😀 \uFFFD', 'k\uFFFDey': ['\uFFFD'] });
  });

  it('leaves every prototype as it was, and keeps no `__proto__` that a later copy would obey', () => {
    const text = `{"id":"event_1","event":"x","created_at":"2026-11-20T10:00:00Z","__proto__":{"polluted":1},
      "constructor":{"prototype":{"polluted":1}},"data":{"__proto__":{"polluted":1},"list":[{"__proto__":{"polluted":1}}]}}`;
    const { payload } = read(text);
    const copy = Object.assign({}, payload, payload['data']);
    expect('polluted' in {}).toBe(false);
    expect('polluted' in copy).toBe(false);
    expect(payload['data']).toEqual({ list: [{}] });
    expect(Object.getPrototypeOf(payload)).toBe(Object.prototype);
  });
});

describe('whatever is sent', () => {
  const outcome = (act: () => unknown): unknown => {
    try {
      return act();
    } catch (thrown) {
      if (thrown instanceof Refusal && thrown.reason === 'delivery.malformed') return 'malformed';
      throw thrown;
    }
  };

  it('is heard or refused as malformed, be it JSON of any kind', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary', maxDepth: 4 }), (text) => outcome(() => read(text)) !== undefined),
    );
  });

  it('is heard or refused as malformed, be it any bytes', () => {
    fc.assert(fc.property(fc.uint8Array(), (body) => outcome(() => readEnvelope(body)) === 'malformed'));
  });

  it('can be stored when it was heard: well-formed text without NUL, at every depth', () => {
    const data = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' }));
    const unstorable = fc.constantFrom('\u0000', '\ud800', 'a\udc00b');
    fc.assert(
      fc.property(data, unstorable, (fields, text) => {
        const { payload } = read(event('x', { ...fields, [text]: [{ [text]: text }] }));
        const stored = JSON.stringify(payload);
        expect(stored).not.toMatch(/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/i);
        expect(JSON.parse(stored)).toEqual(payload);
      }),
    );
  });
});
