// What the events of the wire mean to us, one table per subject, and that nonsense never means access.

import { CreateWebhookEndpointEvents } from '@workos-inc/node';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { followed, interpret } from '#adapters/identity/wire/interpret.ts';
import {
  certificateNews,
  connection,
  consequential,
  directory,
  directoryGroup,
  directoryUser,
  event,
  everyName,
  groupMember,
  invitation,
  organization,
  organizationDomain,
  organizationMembership,
  session,
  user,
  type Wire,
  without,
} from '../../support/workos-payloads.ts';

const at = new Date('2026-11-20T10:00:00.000Z');
const recorded = new Date('2026-11-20T09:00:00.000Z');
const hear = (name: string, data: unknown) => interpret(event(name, data, { at, id: 'event_1' }));

const said = { id: 'event_1', directoryId: 'directory_01', at };

const ada = {
  id: 'directory_user_01',
  idpId: '00u1',
  email: 'ada@acme.example',
  name: 'Ada Lovelace',
  state: 'active',
  updatedAt: recorded,
};
const analysts = { id: 'directory_group_01', name: 'Analysts', updatedAt: recorded };

describe('a directory', () => {
  it.each([
    ['dsync.activated', directory(), { kind: 'directory.connected', name: 'Acme Okta', type: 'okta scim v2.0' }],
    ['dsync.deleted', without(directory(), 'external_key', 'domains'), { kind: 'directory.disconnected' }],
    ['dsync.user.created', directoryUser(), { kind: 'user.created', user: ada }],
    ['dsync.user.updated', directoryUser(), { kind: 'user.updated', user: ada }],
    ['dsync.user.deleted', directoryUser(), { kind: 'user.deleted', user: ada }],
    ['dsync.group.created', directoryGroup(), { kind: 'group.created', group: analysts }],
    ['dsync.group.updated', directoryGroup(), { kind: 'group.updated', group: analysts }],
    ['dsync.group.deleted', directoryGroup(), { kind: 'group.deleted', group: analysts }],
    ['dsync.group.user_added', groupMember(), { kind: 'group.member_added', user: ada, group: analysts }],
    ['dsync.group.user_removed', groupMember(), { kind: 'group.member_removed', user: ada, group: analysts }],
  ])('says %s', (name, data, expected) => {
    expect(hear(name, data)).toEqual({
      about: 'directory',
      organization: 'org_01',
      event: { ...said, ...expected },
    });
  });

  it.each([
    ['null', { organization_id: null }],
    ['no id', { organization_id: 12 }],
  ])('of an organization that is %s is of none that we know', (_, facts) => {
    for (const [name, data] of [
      ['dsync.activated', directory(facts)],
      ['dsync.deleted', directory(facts)],
      ['dsync.user.created', directoryUser(facts)],
      ['dsync.group.created', directoryGroup(facts)],
      ['dsync.group.user_removed', groupMember({ user: facts, group: facts })],
    ] as const) {
      expect(hear(name, data)).toMatchObject({ about: 'directory', organization: null });
    }
  });

  it('is told from the quoted records when a group membership does not name it', () => {
    expect(hear('dsync.group.user_added', without(groupMember(), 'directory_id'))).toMatchObject({
      event: { directoryId: 'directory_01' },
    });
  });

  it('has its id for a name when it has no other', () => {
    expect(hear('dsync.activated', without(directory(), 'name', 'type'))).toMatchObject({
      event: { name: 'directory_01', type: 'unknown' },
    });
    expect(hear('dsync.group.created', directoryGroup({ name: '' }))).toMatchObject({
      event: { group: { name: 'directory_group_01' } },
    });
  });
});

const person = (data: Wire) => {
  const meaning = hear('dsync.user.updated', data);
  if (meaning.about !== 'directory' || !('user' in meaning.event)) throw new Error(JSON.stringify(meaning));
  return meaning.event.user;
};

describe('a directory user', () => {
  it.each([
    ['active', 'active'],
    ['inactive', 'inactive'],
    ['suspended', 'suspended'],
    ['a word of tomorrow', 'a word of tomorrow'],
    ['Active', 'Active'],
    ['', 'unknown'],
    [null, 'unknown'],
    [true, 'unknown'],
    [['active'], 'unknown'],
    [undefined, 'unknown'],
  ])('of state %j is %s', (state, expected) => {
    expect(person(directoryUser({ state })).state).toBe(expected);
    expect(hear('dsync.group.user_added', groupMember({ user: { state } }))).toMatchObject({
      event: { user: { state: expected } },
    });
  });

  it.each([
    ['its own field', { email: 'a@acme.example' }, 'a@acme.example'],
    [
      'the list, at the primary one',
      { email: null, emails: [{ value: 'b@x.example' }, { primary: true, value: 'c@x.example' }] },
      'c@x.example',
    ],
    [
      'the list, where a sloppy sender writes "True"',
      { email: null, emails: [{ primary: 'True', value: 'c@x.example' }] },
      'c@x.example',
    ],
    ['nowhere when "False" is primary', { email: null, emails: [{ primary: 'False', value: 'c@x.example' }] }, null],
    ['nowhere when the primary one is empty', { email: '', emails: [{ primary: true, value: null }] }, null],
    ['nowhere when there is only nonsense', { email: 7, emails: 'many' }, null],
    ['nowhere when nothing is mapped, as with Entra ID', { email: null, emails: [] }, null],
  ])('has its address from %s', (_, facts, expected) => {
    expect(person(directoryUser(facts)).email).toBe(expected);
  });

  it('keeps the address as it was written; comparing is the business of the domain', () => {
    expect(person(directoryUser({ email: ' Ada@ACME.example ' })).email).toBe(' Ada@ACME.example ');
  });

  it.each([
    [{ name: 'Countess Lovelace' }, 'Countess Lovelace'],
    [{ first_name: 'Ada', last_name: null }, 'Ada'],
    [{ first_name: '', last_name: 'Lovelace' }, 'Lovelace'],
    [{ first_name: null, last_name: null }, null],
    [{ name: null, first_name: 1, last_name: {} }, null],
  ])('with %j is called %s', (facts, expected) => {
    expect(person(directoryUser(facts)).name).toBe(expected);
  });

  it('needs nothing but its id and its directory, so that no leaver is overlooked for a missing field', () => {
    expect(hear('dsync.user.deleted', { id: 'directory_user_01', directory_id: 'directory_01' })).toEqual({
      about: 'directory',
      organization: null,
      event: {
        ...said,
        kind: 'user.deleted',
        user: { id: 'directory_user_01', idpId: null, email: null, name: null, state: 'unknown', updatedAt: at },
      },
    });
  });

  it.each([
    ['its own word', {}, recorded],
    [
      'its creation, for want of a change',
      { updated_at: null, created_at: '2026-11-19T00:00:00.000Z' },
      new Date('2026-11-19T00:00:00.000Z'),
    ],
    ['the event, for want of both', { updated_at: 'soon', created_at: undefined }, at],
    ['the event, when it claims to be from after it', { updated_at: '2099-01-01T00:00:00.000Z' }, at],
  ])('changed when %s says', (_, facts, expected) => {
    expect(person(directoryUser(facts)).updatedAt).toEqual(expected);
  });

  it('that is quoted without a time counts as older than any news of its own', () => {
    const timeless = { updated_at: null, created_at: null };
    expect(hear('dsync.group.user_added', groupMember({ user: timeless, group: timeless }))).toMatchObject({
      event: { at, user: { updatedAt: new Date(0) }, group: { updatedAt: new Date(0) } },
    });
  });
});

describe('a membership', () => {
  const membership = {
    about: 'membership',
    organization: 'org_01',
    subject: 'user_01',
    role: 'admin',
    directoryManaged: false,
    at,
  };

  it.each([
    ['active', 'active'],
    ['pending', 'pending'],
    ['inactive', 'ended'],
    ['suspended', 'ended'],
    ['ACTIVE', 'ended'],
    ['a word of tomorrow', 'ended'],
    [true, 'ended'],
    [null, 'ended'],
    [undefined, 'ended'],
  ])('of status %j is %s, and ended once deleted', (status, expected) => {
    const data = organizationMembership({ status });
    for (const name of ['organization_membership.created', 'organization_membership.updated']) {
      expect(hear(name, data)).toEqual({ ...membership, status: expected });
      expect(hear(name, JSON.parse(JSON.stringify(data)))).toEqual({ ...membership, status: expected });
    }
    expect(hear('organization_membership.deleted', data)).toEqual({ ...membership, status: 'ended' });
  });

  it.each([
    [true, true],
    ['True', true],
    ['true', true],
    [false, false],
    ['False', false],
    ['no', false],
    [1, false],
    [undefined, false],
  ])('with directory_managed %j is managed by the directory: %s', (directory_managed, expected) => {
    expect(hear('organization_membership.updated', organizationMembership({ directory_managed }))).toMatchObject({
      directoryManaged: expected,
    });
  });

  it.each([
    [{ slug: 'a-role-of-theirs' }, 'a-role-of-theirs'],
    [{ slug: '' }, null],
    [{}, null],
    [null, null],
    ['admin', null],
    [undefined, null],
  ])('with role %j has the role word %s', (role, expected) => {
    expect(hear('organization_membership.created', organizationMembership({ role }))).toMatchObject({ role: expected });
  });
});

describe('a user', () => {
  it.each(['created', 'updated', 'deleted'] as const)('was %s', (what) => {
    expect(hear(`user.${what}`, user())).toEqual({
      about: 'user',
      what,
      subject: 'user_01',
      email: 'ada@acme.example',
      emailVerified: true,
      name: 'Ada Lovelace',
      at,
    });
  });

  it.each([
    [true, true],
    ['TRUE', true],
    [false, false],
    ['False', false],
    [null, false],
    [undefined, false],
  ])('with email_verified %j has a proven address: %s', (email_verified, expected) => {
    expect(hear('user.updated', user({ email_verified }))).toMatchObject({ emailVerified: expected });
    expect(hear('user.updated', JSON.parse(JSON.stringify(user({ email_verified }))))).toMatchObject({
      emailVerified: expected,
    });
  });

  it('without an address cannot be read, but its deletion can', () => {
    expect(hear('user.created', user({ email: null }))).toEqual({
      about: 'nothing',
      because: 'unreadable: user.created email',
    });
    expect(hear('user.deleted', { id: 'user_01' })).toMatchObject({
      about: 'user',
      what: 'deleted',
      subject: 'user_01',
    });
  });
});

describe('an organization', () => {
  it.each(['created', 'updated', 'deleted'] as const)('was %s', (what) => {
    expect(hear(`organization.${what}`, organization())).toEqual({
      about: 'organization',
      what,
      organization: 'org_01',
      name: 'Acme',
      externalId: 'org_00000000000000000000000001',
      domains: [{ name: 'acme.example', state: 'verified' }],
      at,
    });
  });

  it('keeps the domains that can be read, and believes in none that is not verified in so many words', () => {
    const domains = [
      organizationDomain({ domain: 'a.example', state: 'pending' }),
      organizationDomain({ domain: 'b.example', state: 'failed' }),
      organizationDomain({ domain: 'c.example', state: 'legacy_verified' }),
      without(organizationDomain({ domain: 'd.example' }), 'state'),
      'e.example',
      null,
    ];
    expect(hear('organization.updated', organization({ domains }))).toMatchObject({
      domains: [
        { name: 'a.example', state: 'pending' },
        { name: 'b.example', state: 'failed' },
        { name: 'c.example', state: 'pending' },
        { name: 'd.example', state: 'pending' },
      ],
    });
    expect(hear('organization.deleted', { id: 'org_01' })).toMatchObject({ what: 'deleted', domains: [] });
  });
});

describe('a domain', () => {
  const pending = organizationDomain({ state: 'pending' });

  it.each([
    ['organization_domain.created', pending, 'pending'],
    ['organization_domain.created', without(pending, 'state'), 'pending'],
    ['organization_domain.updated', organizationDomain(), 'verified'],
    ['organization_domain.updated', organizationDomain({ state: 'failed' }), 'failed'],
    ['organization_domain.updated', organizationDomain({ state: 'a word of tomorrow' }), 'pending'],
    ['organization_domain.verified', pending, 'verified'],
    ['organization_domain.verification_failed', { reason: 'expired', organization_domain: pending }, 'failed'],
    ['organization_domain.verification_failed', pending, 'failed'],
    ['organization_domain.deleted', organizationDomain(), 'deleted'],
  ])('says %s', (name, data, state) => {
    expect(hear(name, data)).toEqual({ about: 'domain', organization: 'org_01', name: 'acme.example', state, at });
  });
});

describe('an invitation', () => {
  const facts = { about: 'invitation', id: 'invitation_01', organization: 'org_01', email: 'nina@elsewhere.test', at };

  it.each([
    ['invitation.created', 'sent'],
    ['invitation.resent', 'sent'],
    ['invitation.revoked', 'revoked'],
  ])('says %s, to whom and for which organization', (name, what) => {
    expect(hear(name, invitation())).toEqual({ ...facts, what, acceptedBy: null });
  });

  it('says who accepted it, and may ask into no organization at all', () => {
    expect(hear('invitation.accepted', invitation({ accepted_user_id: 'user_02' }))).toEqual({
      ...facts,
      what: 'accepted',
      acceptedBy: 'user_02',
    });
    expect(hear('invitation.accepted', invitation({ organization_id: null }))).toMatchObject({ organization: null });
  });

  it('without an address is unreadable', () => {
    expect(hear('invitation.revoked', invitation({ email: null }))).toEqual({
      about: 'nothing',
      because: 'unreadable: invitation.revoked email',
    });
  });
});

describe('a session and a connection', () => {
  it('ends when it is revoked', () => {
    expect(hear('session.revoked', session())).toEqual({
      about: 'session',
      what: 'ended',
      providerSession: 'session_01',
      at,
    });
  });

  it.each([
    ['connection.activated', 'active'],
    ['connection.deactivated', 'inactive'],
    ['connection.deleted', 'deleted'],
  ])('says %s, whatever its own state field says', (name, state) => {
    expect(hear(name, connection({ state: 'draft' }))).toEqual({
      about: 'connection',
      organization: 'org_01',
      id: 'conn_01',
      name: 'Acme SAML',
      type: 'OktaSAML',
      state,
      at,
    });
  });

  it('of no organization is of no use to us', () => {
    expect(hear('connection.activated', without(connection(), 'organization_id'))).toEqual({
      about: 'nothing',
      because: 'unreadable: connection.activated organization_id',
    });
  });

  it.each([
    ['connection.saml_certificate_renewal_required', 'expiring'],
    ['connection.saml_certificate_renewed', 'renewed'],
  ])('says by %s of which connection a certificate is, which one, and until when it is good', (name, what) => {
    expect(hear(name, certificateNews({ days_until_expiry: 30 }))).toEqual({
      about: 'connection',
      organization: 'org_01',
      id: 'conn_01',
      certificate: { what, kind: 'ResponseSigning', expiresAt: new Date('2026-12-31T00:00:00.000Z') },
      at,
    });
  });

  it('says that a certificate runs out even when it does not say which, or when', () => {
    const name = 'connection.saml_certificate_renewal_required';
    for (const certificate of [undefined, null, {}, { certificate_type: 7, expiry_date: 'soon' }]) {
      expect(hear(name, certificateNews({ certificate }))).toMatchObject({
        certificate: { what: 'expiring', kind: 'ResponseSigning', expiresAt: null },
      });
    }
    expect(hear(name, certificateNews({ connection: {} }))).toMatchObject({ about: 'nothing' });
  });
});

describe('every name that WorkOS has', () => {
  it('is known to this test, all 111', () => {
    expect(new Set(everyName).size).toBe(111);
    expect(everyName).toEqual(expect.arrayContaining(Object.values(CreateWebhookEndpointEvents)));
  });

  it('that has consequences can be subscribed to, and has an example here', () => {
    expect(Object.values(CreateWebhookEndpointEvents)).toEqual(expect.arrayContaining([...followed]));
    expect(consequential().map((payload) => payload['event'])).toEqual([...followed]);
    for (const payload of consequential()) expect(interpret(payload)).not.toMatchObject({ about: 'nothing' });
  });

  it('is either followed or said not to be', () => {
    for (const name of everyName) {
      const expected = followed.includes(name) ? `unreadable: ${name} ` : `not followed: ${name}`;
      expect(hear(name, {})).toEqual({ about: 'nothing', because: expect.stringMatching(new RegExp(`^${expected}`)) });
    }
  });

  it.each([
    'session.created',
    'authentication.sso_succeeded',
    'dsync.token.created',
    'constructor',
    '__proto__',
    'toString',
  ])('grants nothing by %s, even over a readable record', (name) => {
    expect(hear(name, organizationMembership())).toEqual({ about: 'nothing', because: `not followed: ${name}` });
  });
});

describe('whatever is stored', () => {
  const mentionsAccess = (meaning: ReturnType<typeof interpret>): boolean =>
    (meaning.about === 'membership' && meaning.status === 'active') ||
    (meaning.about === 'directory' && 'user' in meaning.event && meaning.event.user.state === 'active') ||
    (meaning.about === 'user' && meaning.emailVerified) ||
    ('domains' in meaning && meaning.domains.some(({ state }) => state === 'verified'));

  it('means something or nothing, and never throws', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (payload) => {
        expect(interpret(payload).about).toBe('nothing');
      }),
    );
  });

  it('means something or nothing under every followed name, whatever the data', () => {
    const anything = fc.oneof(fc.jsonValue(), fc.constantFrom(undefined, ...consequential().map(({ data }) => data)));
    fc.assert(
      fc.property(fc.constantFrom(...followed), anything, (name, data) => {
        expect(hear(name, data).about).toEqual(expect.any(String));
      }),
    );
  });

  it('grants nothing once the word that would grant it is missing or spoilt', () => {
    const words = ['state', 'status', 'email_verified', 'domains', 'user'];
    const rubbish = fc.oneof(fc.constant(undefined), fc.constant(null), fc.jsonValue()).filter((value) => {
      const text = JSON.stringify(value) ?? '';
      return !/"active"|verified|true/i.test(text);
    });
    fc.assert(
      fc.property(fc.constantFrom(...consequential()), rubbish, fc.boolean(), (payload, spoilt, missing) => {
        const data = payload['data'] as Wire;
        const present = words.filter((word) => word in data);
        const less = without(data, ...present);
        const worse = missing ? less : { ...less, ...Object.fromEntries(present.map((word) => [word, spoilt])) };
        expect(mentionsAccess(interpret({ ...payload, data: worse }))).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('survives each of its fields being spoilt, one at a time, and tells no content when it cannot be read', () => {
    const spoilt = fc.oneof(fc.jsonValue(), fc.constant('confidential@acme.example'));
    fc.assert(
      fc.property(fc.constantFrom(...consequential()), fc.nat(), spoilt, (payload, pick, value) => {
        const data = payload['data'] as Wire;
        const fields = Object.keys(data);
        const meaning = interpret({ ...payload, data: { ...data, [fields[pick % fields.length] ?? 'id']: value } });
        if (meaning.about !== 'nothing') return;
        expect(meaning.because).toMatch(/^unreadable: [\w.]+(?: [\w.]+)+$/);
        expect(meaning.because).not.toContain('confidential');
        expect(meaning.because.length).toBeLessThan(200);
      }),
      { numRuns: 500 },
    );
  });
});
