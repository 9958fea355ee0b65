// Memberships, users, organizations, connections, agents and keys: what each act changes, what it reports, and what the second time does.

import { describe, expect, it } from 'vitest';
import { Agent } from '#domain/access/agent.ts';
import { ApiKey, type KeyReach, narrowedTo } from '#domain/access/api-key.ts';
import { Membership } from '#domain/memberships/membership.ts';
import { Organization } from '#domain/organizations/organization.ts';
import { closedProvisioningPolicy } from '#domain/provisioning/provisioning-policy.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { User } from '#domain/users/user.ts';
import { reasonOf } from '../support/refused.ts';
import {
  aMembership,
  anAgent,
  anApiKey,
  anEmail,
  anId,
  anOrganization,
  aUser,
  minute,
  monday,
} from '../support/words.ts';

/** What the entity has reported since it was last asked, by name. */
const reported = (entity: { pullEvents(): readonly { readonly type: string }[] }): string[] =>
  entity.pullEvents().map(({ type }) => type);

describe('a membership', () => {
  const granted = () =>
    Membership.grant({
      id: anId('mem'),
      organizationId: anId('org'),
      userId: anId('user'),
      role: 'developer',
      managedBy: 'hand',
      at: monday,
    });

  it('begins active, and reports the grant once', () => {
    const membership = granted();
    expect(membership.state).toMatchObject({ status: 'active', role: 'developer', createdAt: monday, version: 0 });
    expect(reported(membership)).toEqual(['membership.granted']);
    expect(reported(membership)).toEqual([]);
  });

  it('reports nothing when it is only restored', () => {
    expect(reported(Membership.restore(aMembership()))).toEqual([]);
  });

  it('changes its role, and tells both sides', () => {
    const membership = Membership.restore(aMembership({ role: 'analyst' }));
    membership.changeRole('developer', minute(1));
    expect(membership.pullEvents()).toMatchObject([
      { type: 'membership.role_changed', before: { role: 'analyst' }, membership: { role: 'developer' } },
    ]);
    expect(membership.state.asOf).toEqual(minute(1));
  });

  it('says nothing when the role is the one it has', () => {
    const membership = Membership.restore(aMembership({ role: 'analyst' }));
    membership.changeRole('analyst', minute(1));
    expect(reported(membership)).toEqual([]);
  });

  it('revoked is final: a second revocation changes nothing, everything else is refused', () => {
    const membership = granted();
    membership.revoke('removed_by_member', minute(1));
    const { state } = membership;
    expect(reported(membership)).toEqual(['membership.granted', 'membership.revoked']);
    membership.revoke('user_deleted', minute(2));
    expect(reasonOf(() => membership.changeRole('admin', minute(3)))).toBe('membership.revoked');
    expect(reasonOf(() => membership.followSource('directory', 'admin', minute(3)))).toBe('membership.revoked');
    expect(membership.state).toBe(state);
    expect(reported(membership)).toEqual([]);
  });

  it('tells why it was revoked', () => {
    const membership = granted();
    membership.pullEvents();
    membership.revoke('directory_says_so', minute(1));
    expect(membership.pullEvents()).toMatchObject([{ because: 'directory_says_so', before: { status: 'active' } }]);
  });

  it('follows the directory from now on, with its role', () => {
    const membership = Membership.restore(aMembership({ role: 'admin', managedBy: 'hand' }));
    membership.followSource('directory', 'developer', minute(1));
    expect(membership.state).toMatchObject({ role: 'developer', managedBy: 'directory' });
    expect(reported(membership)).toEqual(['membership.manager_changed', 'membership.role_changed']);
    membership.followSource('directory', 'developer', minute(2));
    expect(reported(membership)).toEqual([]);
  });

  it('of the owner follows the directory and stays the owner’s', () => {
    const membership = Membership.restore(aMembership({ role: 'owner' }));
    membership.followSource('directory', 'analyst', minute(1));
    expect(membership.state).toMatchObject({ role: 'owner', managedBy: 'directory' });
  });
});

describe('a user', () => {
  const sso = { provider: 'fake', subject: 'person_1' };

  it('is registered with or without an identity', () => {
    const facts = { id: anId('user'), email: anEmail('ada@acme.test'), name: null, at: monday };
    expect(User.register(facts).state.identities).toEqual([]);
    const signedIn = User.register({ ...facts, identity: sso });
    expect(signedIn.isKnownTo('fake', 'person_1')).toBe(true);
    expect(signedIn.isKnownTo('fake', 'person_2')).toBe(false);
    expect(signedIn.isKnownTo('other', 'person_1')).toBe(false);
    expect(reported(signedIn)).toEqual(['user.registered']);
  });

  it('is linked to an identity once', () => {
    const user = User.restore(aUser());
    user.linkIdentity(sso);
    user.linkIdentity({ ...sso });
    expect(user.state.identities).toEqual([sso]);
    expect(reported(user)).toEqual(['user.identity_linked']);
  });

  it('takes newer facts over, and keeps a name when the news has none', () => {
    const user = User.restore(aUser());
    user.describe({ email: anEmail('ada.l@acme.test'), name: null, at: minute(1) });
    expect(user.state).toMatchObject({ email: 'ada.l@acme.test', name: 'Ada' });
    expect(user.pullEvents()).toMatchObject([{ type: 'user.changed', before: { email: 'ada@acme.test' } }]);
  });

  it('ignores older facts', () => {
    const user = User.restore(aUser({ asOf: minute(5) }));
    user.describe({ email: anEmail('old@acme.test'), name: 'Old', at: minute(4) });
    expect(user.state).toEqual(aUser({ asOf: minute(5) }));
  });

  it('takes a confirmation as news: what was said before it cannot undo it', () => {
    const user = User.restore(aUser());
    user.describe({ email: anEmail('ada@acme.test'), name: 'Ada', at: minute(3) });
    expect(reported(user)).toEqual([]);
    user.describe({ email: anEmail('other@acme.test'), name: 'Ada', at: minute(2) });
    expect(user.state.email).toBe('ada@acme.test');
  });

  it('deleted is final: later facts and a second deletion change nothing', () => {
    const user = User.restore(aUser());
    user.delete(minute(1));
    expect(reported(user)).toEqual(['user.deleted']);
    const { state } = user;
    user.describe({ email: anEmail('back@acme.test'), name: 'Back', at: minute(2) });
    user.delete(minute(3));
    expect(user.state).toBe(state);
    expect(reported(user)).toEqual([]);
  });
});

describe('an organization', () => {
  const claim = (state: 'pending' | 'verified' | 'failed', at: number) =>
    ({ name: 'acme.test', state, asOf: minute(at) }) as const;

  it('is founded closed: domains pending, nothing provisioned beyond the least role', () => {
    const organization = Organization.found({
      id: anId('org'),
      name: 'Acme',
      slug: 'acme',
      domains: ['acme.test'],
      at: monday,
    });
    expect(organization.state).toMatchObject({ status: 'active', ownerless: false, provider: null });
    expect(organization.state.provisioningPolicy).toEqual({
      defaultRole: 'analyst',
      gateGroupId: null,
      justInTime: false,
    });
    expect(organization.verifies('acme.test')).toBe(false);
    expect(reported(organization)).toEqual(['organization.founded']);
  });

  it('is linked and renamed, each once', () => {
    const organization = Organization.restore(anOrganization());
    organization.link({ provider: 'fake', id: 'org_ext' });
    organization.link({ provider: 'fake', id: 'org_ext' });
    organization.rename('Acme Inc');
    organization.rename('Acme Inc');
    expect(reported(organization)).toEqual(['organization.linked', 'organization.renamed']);
  });

  it('hears that a domain is verified', () => {
    const organization = Organization.restore(anOrganization({ domains: [claim('pending', 0)] }));
    organization.hearDomain(claim('verified', 1));
    expect(organization.verifies('acme.test')).toBe(true);
    expect(organization.verifies('ACME.test')).toBe(false);
    expect(organization.pullEvents()).toMatchObject([
      { type: 'organization.domain_changed', domain: claim('verified', 1) },
    ]);
  });

  it.each([
    ['in order', [claim('verified', 1), claim('failed', 2), claim('verified', 3)], true],
    ['disordered', [claim('verified', 3), claim('verified', 1), claim('failed', 2)], true],
    ['confirmed, then the older failure', [claim('verified', 1), claim('verified', 3), claim('failed', 2)], true],
    ['failed last, heard first', [claim('failed', 9), claim('verified', 1)], false],
  ])('knows in the end what was said last about a domain: %s', (_, words, verified) => {
    const organization = Organization.restore(anOrganization());
    for (const word of words) organization.hearDomain(word);
    expect(organization.verifies('acme.test')).toBe(verified);
    expect(organization.state.domains).toHaveLength(1);
  });

  it('loses a domain, once', () => {
    const organization = Organization.restore(anOrganization({ domains: [claim('verified', 0)] }));
    organization.loseDomain('acme.test', minute(1));
    organization.loseDomain('acme.test', minute(2));
    expect(organization.verifies('acme.test')).toBe(false);
    expect(reported(organization)).toEqual(['organization.domain_changed']);
  });

  it('does not lose a domain to older news', () => {
    const organization = Organization.restore(anOrganization({ domains: [claim('verified', 5)] }));
    organization.loseDomain('acme.test', minute(4));
    expect(organization.verifies('acme.test')).toBe(true);
  });

  it('remembers the loss of a domain it never had: its late verification routes nobody', () => {
    const organization = Organization.restore(anOrganization());
    organization.loseDomain('acme.test', minute(2));
    organization.hearDomain(claim('verified', 1));
    expect(organization.verifies('acme.test')).toBe(false);
  });

  it('changes its provisioning policy once', () => {
    const organization = Organization.restore(anOrganization());
    organization.changeProvisioning({ ...closedProvisioningPolicy });
    expect(reported(organization)).toEqual([]);
    organization.changeProvisioning({ ...closedProvisioningPolicy, defaultRole: null });
    expect(reported(organization)).toEqual(['organization.provisioning_changed']);
  });

  it('says once that it has no owner, until somebody owns it', () => {
    const organization = Organization.restore(anOrganization());
    organization.loseOwner();
    organization.loseOwner();
    expect(organization.state.ownerless).toBe(true);
    organization.passOwnership(anId('user', 2), null);
    expect(organization.state.ownerless).toBe(false);
    expect(reported(organization)).toEqual(['organization.ownerless', 'organization.ownership_passed']);
  });

  it('is deleted once', () => {
    const organization = Organization.restore(anOrganization());
    organization.delete();
    organization.delete();
    expect(organization.state.status).toBe('deleted');
    expect(reported(organization)).toEqual(['organization.deleted']);
  });
});

describe('an agent', () => {
  it('begins active, and reports it', () => {
    const { status: _, createdAt: __, version: ___, ...facts } = anAgent();
    const agent = Agent.create({ ...facts, at: minute(1) });
    expect(agent.state).toEqual(anAgent({ createdAt: minute(1) }));
    expect(reported(agent)).toEqual(['agent.created']);
    expect(reported(Agent.restore(anAgent()))).toEqual([]);
  });
});

describe('an API key', () => {
  it('expires when its time has come, once, and not when it was revoked or never ends', () => {
    const key = ApiKey.restore(anApiKey({ expiresAt: minute(5) }));
    key.expire(minute(4));
    expect([key.state.status, reported(key)]).toEqual(['active', []]);
    key.expire(minute(5));
    key.expire(minute(6));
    expect([key.state.status, reported(key)]).toEqual(['expired', ['api_key.expired']]);
    key.revoke(minute(7));
    expect([key.state.status, reported(key)]).toEqual(['expired', []]);

    const revoked = ApiKey.restore(anApiKey({ expiresAt: minute(5), status: 'revoked', revokedAt: minute(1) }));
    const endless = ApiKey.restore(anApiKey({ expiresAt: null }));
    for (const other of [revoked, endless]) {
      const before = other.state;
      other.expire(minute(9));
      expect([other.state, reported(other)]).toEqual([before, []]);
    }
  });

  it('begins active and unused', () => {
    const { status: _, lastUsedAt: __, revokedAt: ___, createdAt: ____, version: _____, ...facts } = anApiKey();
    const key = ApiKey.issue({ ...facts, at: minute(1) });
    expect(key.state).toEqual(anApiKey({ createdAt: minute(1) }));
    expect(reported(key)).toEqual(['api_key.issued']);
  });

  it('revoked is final, and remembers when', () => {
    const key = ApiKey.restore(anApiKey());
    key.revoke(minute(1));
    key.revoke(minute(2));
    expect(key.state).toMatchObject({ status: 'revoked', revokedAt: minute(1) });
    expect(reported(key)).toEqual(['api_key.revoked']);
  });

  const wish = (facts: Partial<KeyReach> = {}): KeyReach => ({
    mode: 'live',
    scopes: ['query:read'],
    ipAllowlist: [],
    expiresAt: null,
    ...facts,
  });

  it('gets the scopes that were asked for, ordered, each once', () => {
    const maker = { scopes: ['query:read', 'query:write', 'audit:read'] } as const;
    const { scopes } = narrowedTo(wish({ scopes: ['query:write', 'query:read', 'query:read'] }), maker);
    expect(scopes).toEqual(['query:read', 'query:write']);
  });

  it('never gets a scope that its maker lacks, and says which', () => {
    const scopes = ['query:read', 'users:manage', 'keys:manage'] as const;
    const ask = () => narrowedTo(wish({ scopes }), { scopes: ['query:read'] });
    expect(ask).toThrow(Refusal);
    expect(reasonOf(ask)).toBe('api_key.beyond_maker');
    expect(ask).toThrow(expect.objectContaining({ details: { scopes: ['users:manage', 'keys:manage'] } }));
  });

  it('cannot be without scopes', () => {
    expect(reasonOf(() => narrowedTo(wish({ scopes: [] }), { scopes: ['query:read'] }))).toBe('api_key.without_scopes');
  });

  it.each([
    ['another mode', wish(), wish({ mode: 'test' })],
    ['a later end', wish({ expiresAt: minute(2) }), wish({ expiresAt: minute(1) })],
    ['other addresses', wish({ ipAllowlist: ['192.0.2.0/24'] }), wish({ ipAllowlist: ['10.0.0.0/8'] })],
  ])('made with a key cannot have %s than that key', (_what, wanted, key) => {
    expect(reasonOf(() => narrowedTo(wanted, { scopes: ['query:read'], key }))).toBe('api_key.beyond_maker');
  });

  it('made with a key inherits the limits that were not asked for', () => {
    const key = wish({ expiresAt: minute(1), ipAllowlist: ['10.0.0.0/8'] });
    expect(narrowedTo(wish(), { scopes: ['query:read'], key })).toEqual({
      scopes: ['query:read'],
      ipAllowlist: ['10.0.0.0/8'],
      expiresAt: minute(1),
    });
  });
});
