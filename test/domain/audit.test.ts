// The audit trail: every event has a line, no line gives a secret away, and no line can be touched unnoticed.

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '#domain/audit/audit-entry.ts';
import { type ChainHead, chained, emptyChain, follows, genesis, textToHash } from '#domain/audit/hash-chain.ts';
import { narrate } from '#domain/audit/narrate.ts';
import type { DomainEvent, DomainEventType } from '#domain/events.ts';
import type { DirectoryUser } from '#domain/provisioning/directory-picture.ts';
import { closedProvisioningPolicy } from '#domain/provisioning/provisioning-policy.ts';
import {
  aMembership,
  anAgent,
  anApiKey,
  anEmail,
  anId,
  anInvitation,
  anOrganization,
  aSession,
  aUser,
  minute,
  monday,
} from '../support/words.ts';

// Everything in the events that must not reach the trail is spelled so that it can be found again.
const secretDigest = '5ec7e7'.repeat(10).concat('5ec7');
const session = aSession({ referenceDigest: secretDigest, providerSession: 'provider_session_5ec7e7' });
const key = anApiKey({ digest: secretDigest });
const organization = anOrganization({ provider: { provider: 'fake', id: 'org_ext' } });
const membership = aMembership();
const directory = {
  id: 'directory_1',
  organizationId: anId('org'),
  name: 'Acme Okta',
  type: 'okta scim v2.0',
  connectedAt: monday,
  disconnectedAt: null,
};
const person: DirectoryUser = {
  id: 'directory_user_ada',
  directoryId: 'directory_1',
  organizationId: anId('org'),
  idpId: 'okta-ada',
  email: 'ada@acme.test',
  name: 'Ada',
  state: 'active',
  described: { at: monday, event: 'event_1' },
  createdAt: monday,
  deletedAt: null,
  userId: null,
};
const group = {
  id: 'directory_group_1',
  directoryId: 'directory_1',
  organizationId: anId('org'),
  name: 'Engineering',
  described: { at: monday, event: 'event_1' },
  createdAt: monday,
  deletedAt: null,
};
const link = {
  directoryId: 'directory_1',
  organizationId: anId('org'),
  groupId: group.id,
  directoryUserId: person.id,
  present: true,
  said: { at: monday, event: 'event_1' },
};
const certificate = { kind: 'ResponseSigning', expiresAt: minute(9), warnedAt: minute(1), asOf: minute(1) };
const connection = {
  id: 'conn_1',
  organizationId: anId('org'),
  name: 'Okta',
  type: 'OktaSAML',
  state: 'active' as const,
  asOf: monday,
  certificates: [certificate],
  lastTest: null,
};
const invitation = anInvitation();
const domain = { name: 'acme.test', state: 'verified' as const, asOf: minute(1) };

const plan = {
  changes: { 'person.provision': 2, 'person.deprovision': 1 },
  headcount: { people: 20, peopleLeaving: 1, places: 30, placesLeaving: 0 },
  removesMost: false,
};

/** One example of each; the compiler asks for the ones that are missing. */
const examples: { readonly [Type in DomainEventType]: DomainEvent & { readonly type: Type } } = {
  'invitation.sent': { type: 'invitation.sent', invitation },
  'invitation.expired': { type: 'invitation.expired', invitation: { ...invitation, status: 'expired' } },
  'invitation.resent': {
    type: 'invitation.resent',
    invitation: { ...invitation, invitedBy: anId('user', 2), expiresAt: minute(9) },
    before: invitation,
  },
  'invitation.accepted': {
    type: 'invitation.accepted',
    invitation: { ...invitation, status: 'accepted', acceptedBy: anId('user', 3) },
    before: invitation,
  },
  'invitation.revoked': {
    type: 'invitation.revoked',
    invitation: { ...invitation, status: 'revoked' },
    before: invitation,
    because: 'revoked_by_member',
  },
  'directory.reconciliation_begun': {
    type: 'directory.reconciliation_begun',
    organizationId: anId('org'),
    reconciliation: anId('recon'),
    plan,
  },
  'organization.founded': { type: 'organization.founded', organization },
  'organization.ownerless': { type: 'organization.ownerless', organization: { ...organization, ownerless: true } },
  'organization.linked': { type: 'organization.linked', organization, before: { ...organization, provider: null } },
  'organization.renamed': {
    type: 'organization.renamed',
    organization: { ...organization, name: 'New' },
    before: organization,
  },
  'organization.provisioning_changed': {
    type: 'organization.provisioning_changed',
    organization: { ...organization, provisioningPolicy: { ...closedProvisioningPolicy, defaultRole: null } },
    before: organization,
  },
  'organization.deleted': {
    type: 'organization.deleted',
    organization: { ...organization, status: 'deleted' },
    before: organization,
  },
  'organization.domain_changed': {
    type: 'organization.domain_changed',
    organization: { ...organization, domains: [domain] },
    before: organization,
    domain,
  },
  'organization.ownership_passed': {
    type: 'organization.ownership_passed',
    organization,
    from: anId('user', 1),
    to: anId('user', 2),
  },
  'user.registered': { type: 'user.registered', user: aUser() },
  'user.identity_linked': {
    type: 'user.identity_linked',
    user: aUser(),
    identity: { provider: 'fake', subject: 'person_1' },
  },
  'user.changed': { type: 'user.changed', user: aUser({ email: anEmail('new@acme.test') }), before: aUser() },
  'user.deleted': { type: 'user.deleted', user: aUser({ status: 'deleted' }), before: aUser() },
  'membership.granted': { type: 'membership.granted', membership },
  'membership.role_changed': {
    type: 'membership.role_changed',
    membership: { ...membership, role: 'admin' },
    before: membership,
  },
  'membership.manager_changed': {
    type: 'membership.manager_changed',
    membership: { ...membership, managedBy: 'directory' },
    before: membership,
  },
  'membership.revoked': {
    type: 'membership.revoked',
    membership: { ...membership, status: 'revoked' },
    before: membership,
    because: 'directory_says_so',
  },
  'session.started': { type: 'session.started', session },
  'session.switched': {
    type: 'session.switched',
    session: { ...session, organizationId: anId('org', 2) },
    before: session,
  },
  'session.ended': { type: 'session.ended', session: { ...session, status: 'ended' }, because: 'revoked_by_admin' },
  'agent.created': { type: 'agent.created', agent: anAgent() },
  'api_key.issued': { type: 'api_key.issued', key },
  'api_key.expired': { type: 'api_key.expired', key: { ...key, status: 'expired', expiresAt: minute(9) } },
  'api_key.revoked': { type: 'api_key.revoked', key: { ...key, status: 'revoked' } },
  'directory.connected': { type: 'directory.connected', directory },
  'directory.disconnected': { type: 'directory.disconnected', directory },
  'directory_user.provisioned': { type: 'directory_user.provisioned', person, before: null },
  'directory_user.updated': { type: 'directory_user.updated', person: { ...person, name: 'Ada L.' }, before: person },
  'directory_user.deprovisioned': {
    type: 'directory_user.deprovisioned',
    person: { ...person, deletedAt: minute(1) },
    before: person,
  },
  'directory_group.created': { type: 'directory_group.created', group, before: null },
  'directory_group.renamed': { type: 'directory_group.renamed', group: { ...group, name: 'R&D' }, before: group },
  'directory_group.deleted': { type: 'directory_group.deleted', group, before: group },
  'directory_group.member_added': { type: 'directory_group.member_added', link },
  'directory_group.member_removed': { type: 'directory_group.member_removed', link: { ...link, present: false } },
  'connection.changed': { type: 'connection.changed', connection, before: null },
  'connection.certificate_expiring': { type: 'connection.certificate_expiring', connection, certificate },
  'connection.certificate_renewed': {
    type: 'connection.certificate_renewed',
    connection,
    certificate: { ...certificate, warnedAt: null },
  },
  'connection.tested': {
    type: 'connection.tested',
    connection,
    test: {
      at: minute(1),
      by: anId('user'),
      outcome: 'ok',
      error: null,
      email: 'ada@acme.test',
      missing: ['name'],
    },
  },
  'connection.created': { type: 'connection.created', connection },
  'connection.removed': { type: 'connection.removed', connection },
  'setup_link.issued': { type: 'setup_link.issued', organizationId: anId('org'), intent: 'sso' },
  'role_mappings.replaced': {
    type: 'role_mappings.replaced',
    organizationId: anId('org'),
    before: [],
    after: [{ groupId: 'directory_group_1', role: 'developer' }],
  },
  'sign_in.refused': {
    type: 'sign_in.refused',
    organizationId: null,
    email: 'eve@evil.test',
    reason: 'sign_in.denied',
  },
  'provider_event.replayed': {
    type: 'provider_event.replayed',
    organizationId: anId('org'),
    event: { id: anId('evt'), externalId: 'event_01', name: 'dsync.user.updated', status: 'dead', attempts: 20 },
  },
  'act.refused': {
    type: 'act.refused',
    organizationId: anId('org'),
    attempt: 'GET /v1/audit',
    reason: 'caller.scope_missing',
  },
};

describe('the line of an event', () => {
  const told = Object.values(examples).map((event) => [event.type, event] as const);

  it.each(told)('%s has one, which names what happened and to what', (type, event) => {
    const line = narrate(event);
    expect(line.action).toBe(type);
    expect(line.target.kind).not.toBe('');
    expect(line.outcome).toBe(type.endsWith('.refused') ? 'refused' : 'done');
    expect(line.after, 'what it was afterwards').not.toEqual({});
    expect(line.after).not.toBeNull();
  });

  it.each(told)('%s gives no digest, no reference and no provider session away', (_, event) => {
    const text = JSON.stringify(narrate(event));
    expect(text).not.toContain('5ec7e7');
    expect(text).not.toMatch(/digest|reference|providerSession|provider_session/i);
  });

  it.each(told)('%s says the same when read back from JSON, so its hash can be checked later', (_, event) => {
    const line = narrate(event);
    expect(JSON.parse(JSON.stringify(line))).toEqual(line);
  });

  it.each(told.filter(([type]) => !/^(user|sign_in)\./.test(type)))('%s belongs to the organization', (_, event) => {
    expect(narrate(event).organizationId).toMatch(/^org_/);
  });

  it('shows of a change only what differs, on both sides', () => {
    expect(narrate(examples['user.changed'])).toMatchObject({
      before: { email: 'ada@acme.test' },
      after: { email: 'new@acme.test' },
    });
    expect(Object.keys(narrate(examples['user.changed']).after ?? {})).toEqual(['email']);
  });

  it('says why access ended, and whose', () => {
    expect(narrate(examples['membership.revoked'])).toMatchObject({
      before: { status: 'active' },
      after: { user: anId('user'), status: 'revoked', because: 'directory_says_so' },
    });
  });

  it('says of a leaver that the record is deleted, whatever state it was deleted in', () => {
    expect(narrate(examples['directory_user.deprovisioned'])).toMatchObject({
      before: { state: 'active' },
      after: { state: 'deleted' },
    });
  });

  it('shows a key by what its owner recognises', () => {
    expect(narrate(examples['api_key.issued']).after).toMatchObject({ key: 'hd_live_AbCd…wXyZ', expires_at: null });
  });
});

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const draft = (number: number) => ({
  ...narrate({ ...examples['sign_in.refused'], organizationId: anId('org'), reason: `reason ${number}` }),
  id: anId('aud', number),
  at: minute(number),
  actor: { kind: 'anonymous', id: null } as const,
  source: { via: 'http', ip: '192.0.2.7', userAgent: 'a browser', requestId: anId('req', number) } as const,
});

const chain = (length: number): AuditEntry[] => {
  const entries: AuditEntry[] = [];
  let head: ChainHead = emptyChain;
  for (let number = 1; number <= length; number++) {
    const entry = chained(head, draft(number), sha256);
    entries.push(entry);
    head = { sequence: entry.sequence, hash: entry.hash };
  }
  return entries;
};

/** Index of the first entry that does not follow; undefined when all do. */
const firstBreak = (entries: readonly AuditEntry[]): number | undefined => {
  let head: ChainHead | undefined = emptyChain;
  for (const [index, entry] of entries.entries()) {
    head = follows(head, entry, sha256);
    if (!head) return index;
  }
  return undefined;
};

describe('a chain', () => {
  const entries = chain(8);
  const at = (index: number): AuditEntry => {
    const entry = entries[index];
    if (!entry) throw new Error(`The chain has no entry ${index}`);
    return entry;
  };
  const replaced = (index: number, entry: AuditEntry): AuditEntry[] => entries.with(index, entry);

  it('begins at the genesis value, counts from one without a gap, and holds', () => {
    expect(at(0).previousHash).toBe(genesis);
    expect(entries.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(firstBreak(entries)).toBeUndefined();
    expect(new Set(entries.map(({ hash }) => hash)).size).toBe(8);
  });

  const edits: readonly (readonly [string, Partial<AuditEntry>])[] = [
    ['id', { id: anId('aud', 99) }],
    ['organization', { organizationId: anId('org', 2) }],
    ['time, by a millisecond', { at: new Date(minute(4).getTime() + 1) }],
    ['actor', { actor: { kind: 'system', id: null } }],
    ['actor’s id', { actor: { kind: 'anonymous', id: 'x' } }],
    ['action', { action: 'act.refused' }],
    ['target', { target: { kind: 'user', id: 'user_x' } }],
    ['kind of target', { target: { kind: 'session', id: null } }],
    ['channel', { source: { ...draft(4).source, via: 'cli' } }],
    ['address', { source: { ...draft(4).source, ip: '192.0.2.8' } }],
    ['user agent', { source: { ...draft(4).source, userAgent: null } }],
    ['request', { source: { ...draft(4).source, requestId: null } }],
    ['state before', { before: {} }],
    ['state after', { after: { ...draft(4).after, reason: 'another' } }],
    ['one fact more', { after: { ...draft(4).after, more: null } }],
    ['outcome', { outcome: 'done' }],
    ['sequence', { sequence: 5 }],
    ['hash before', { previousHash: genesis }],
    ['hash', { hash: genesis }],
  ];

  it.each(edits)('shows an edit of the %s at that very entry', (_, edit) => {
    expect(firstBreak(replaced(3, { ...at(3), ...edit }))).toBe(3);
  });

  it('shows an edit that was hashed anew at the entry after it', () => {
    const { hash: _, ...edited } = { ...at(3), outcome: 'done' as const };
    const forged = { ...edited, hash: sha256(textToHash(edited)) };
    expect(firstBreak(replaced(3, forged))).toBe(4);
  });

  it('shows a deletion, a swap, a repetition and an insertion where they are, anywhere', () => {
    const index = fc.integer({ min: 0, max: 6 });
    const stranger = chained({ sequence: 3, hash: genesis }, draft(99), sha256);
    const check = fc.property(index, (place) => {
      expect(firstBreak(entries.toSpliced(place, 1))).toBe(place);
      expect(firstBreak(entries.toSpliced(place, 2, at(place + 1), at(place)))).toBe(place);
      expect(firstBreak(entries.toSpliced(place + 1, 0, at(place)))).toBe(place + 1);
      expect(firstBreak(entries.toSpliced(place, 0, stranger))).toBe(place);
    });
    fc.assert(check);
  });

  it('cannot tell by itself that its newest entries are gone: that is what checkpoints are for', () => {
    expect(firstBreak(entries.slice(0, 5))).toBeUndefined();
    expect(firstBreak(entries.slice(1))).toBe(0);
  });
});

describe('the text that is hashed', () => {
  const facts = fc.dictionary(
    fc.string(),
    fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.array(fc.string(), { maxLength: 3 })),
  );
  const shuffled = <T extends object>(record: T): T => Object.fromEntries(Object.entries(record).toReversed()) as T;

  it('does not depend on the order of properties, at any depth', () => {
    const check = fc.property(facts, (after) => {
      const entry = { ...draft(1), after, sequence: 1, previousHash: genesis };
      const disordered = {
        ...shuffled(entry),
        after: shuffled(after),
        actor: shuffled(entry.actor),
        source: shuffled(entry.source),
      };
      expect(textToHash(disordered)).toBe(textToHash(entry));
    });
    fc.assert(check);
  });

  it('differs when any fact differs', () => {
    const check = fc.property(facts, facts, (one, other) => {
      fc.pre(JSON.stringify(Object.entries(one).toSorted()) !== JSON.stringify(Object.entries(other).toSorted()));
      const entry = { ...draft(1), sequence: 1, previousHash: genesis };
      expect(textToHash({ ...entry, after: one })).not.toBe(textToHash({ ...entry, after: other }));
    });
    fc.assert(check);
  });

  it('is the same for an entry that was written to JSON and read again', () => {
    const entry = { ...draft(1), sequence: 1, previousHash: genesis };
    const read = { ...JSON.parse(JSON.stringify(entry)), at: new Date(JSON.parse(JSON.stringify(entry.at))) };
    expect(textToHash(read)).toBe(textToHash(entry));
  });

  it('stays as it is: a change here would make every chain in the world look forged', () => {
    const entry = { ...draft(1), sequence: 1, previousHash: genesis };
    expect(textToHash(entry)).toBe(
      `hatidata.audit.v1\n{"action":"sign_in.refused","actor":{"id":null,"kind":"anonymous"},` +
        `"after":{"email":"eve@evil.test","reason":"reason 1"},"at":"2026-03-02T09:01:00.000Z","before":null,` +
        `"id":"${anId('aud', 1)}","organization_id":"${anId('org')}","outcome":"refused","previous_hash":"${genesis}",` +
        `"sequence":1,"source":{"ip":"192.0.2.7","request_id":"${anId('req', 1)}","user_agent":"a browser","via":"http"},` +
        `"target":{"id":null,"kind":"user"}}`,
    );
  });
});
