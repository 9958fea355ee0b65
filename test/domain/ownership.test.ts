// Who may change whom. Every pair of roles, written out.

import { describe, expect, it } from 'vitest';
import type { MembershipState } from '#domain/memberships/membership.ts';
import { mayChangeRole, mayRemove, successorAmong } from '#domain/memberships/ownership.ts';
import { type AssignableRole, assignableRoles, type Role, roles, scopesOf } from '#domain/memberships/role.ts';
import { reasonOf } from '../support/refused.ts';
import { aMembership, anId, minute } from '../support/words.ts';

const me = anId('user', 1);
const them = anId('user', 2);

const changing = (actor: Role, target: Partial<MembershipState>, to: AssignableRole) =>
  reasonOf(() => mayChangeRole({ userId: me, role: actor }, aMembership({ userId: them, ...target }), to));
const removing = (actor: Role, target: Partial<MembershipState>) =>
  reasonOf(() => mayRemove({ userId: me, role: actor }, aMembership({ userId: them, ...target })));

describe('changing a role', () => {
  it('is for those who hold users:manage: the owner and the admins', () => {
    expect(roles.filter((role) => scopesOf(role).includes('users:manage'))).toEqual(['owner', 'admin']);
  });

  // Rows: from; columns: to. `+` may, `o` only the owner makes or unmakes admins, `x` the owner stays.
  const table = (actor: Role) => {
    const toAdmin = actor === 'owner' ? '+' : 'o';
    return {
      owner: { admin: 'x', developer: 'x', analyst: 'x', auditor: 'x', service_account: 'x' },
      admin: { admin: toAdmin, developer: toAdmin, analyst: toAdmin, auditor: toAdmin, service_account: toAdmin },
      developer: { admin: toAdmin, developer: '+', analyst: '+', auditor: '+', service_account: '+' },
      analyst: { admin: toAdmin, developer: '+', analyst: '+', auditor: '+', service_account: '+' },
      auditor: { admin: toAdmin, developer: '+', analyst: '+', auditor: '+', service_account: '+' },
      service_account: { admin: toAdmin, developer: '+', analyst: '+', auditor: '+', service_account: '+' },
    } as const satisfies Record<Role, Record<AssignableRole, string>>;
  };
  const answers = { '+': 'allowed', o: 'membership.only_owner_makes_admins', x: 'membership.owner_stays' } as const;

  const cases = (['owner', 'admin'] as const).flatMap((actor) =>
    roles.flatMap((from) => assignableRoles.map((to) => [actor, from, to, answers[table(actor)[from][to]]] as const)),
  );

  it.each(cases)('%s makes %s into %s: %s', (actor, from, to, answer) => {
    expect(changing(actor, { role: from }, to)).toBe(answer);
  });

  it('nobody changes their own role, not even the owner or downwards', () => {
    for (const role of roles) {
      for (const to of assignableRoles) {
        expect(changing(role, { userId: me, role }, to)).toBe('membership.nobody_raises_themself');
      }
    }
  });

  it('nobody edits whom the directory manages, not even the owner', () => {
    expect(changing('owner', { role: 'analyst', managedBy: 'directory' }, 'developer')).toBe(
      'membership.directory_managed',
    );
    expect(changing('owner', { role: 'analyst', managedBy: 'provider' }, 'developer')).toBe('allowed');
  });

  it('nobody changes a membership that has ended', () => {
    expect(changing('owner', { status: 'revoked' }, 'developer')).toBe('membership.revoked');
  });
});

describe('removing a member', () => {
  it.each([
    ...roles.map((target) => ['owner', target, target === 'owner' ? 'membership.owner_stays' : 'allowed'] as const),
    ...roles.map(
      (target) =>
        [
          'admin',
          target,
          target === 'owner'
            ? 'membership.owner_stays'
            : target === 'admin'
              ? 'membership.only_owner_makes_admins'
              : 'allowed',
        ] as const,
    ),
  ])('%s removes %s: %s', (actor, target, answer) => {
    expect(removing(actor, { role: target })).toBe(answer);
  });

  it('an admin may leave, the owner may not', () => {
    expect(removing('admin', { userId: me, role: 'admin' })).toBe('allowed');
    expect(removing('owner', { userId: me, role: 'owner' })).toBe('membership.owner_stays');
  });

  it('nobody removes whom the directory manages: they would come back at its next word', () => {
    for (const actor of ['owner', 'admin'] as const) {
      expect(removing(actor, { role: 'analyst', managedBy: 'directory' })).toBe('membership.directory_managed');
    }
  });
});

describe('when the owner is gone', () => {
  const admin = (number: number, since: number, facts: Partial<MembershipState> = {}) =>
    aMembership({ id: anId('mem', number), role: 'admin', createdAt: minute(since), ...facts });

  it('the longest-standing active admin follows', () => {
    const members = [
      admin(1, 30),
      admin(2, 10),
      admin(3, 20),
      aMembership({ id: anId('mem', 4), createdAt: minute(0) }),
    ];
    expect(successorAmong(members)?.id).toBe(anId('mem', 2));
  });

  it('somebody revoked never follows', () => {
    expect(successorAmong([admin(1, 30), admin(2, 10, { status: 'revoked' })])?.id).toBe(anId('mem', 1));
  });

  it('two who came at the same instant are told apart by id, in any order', () => {
    expect(successorAmong([admin(2, 5), admin(1, 5)])?.id).toBe(anId('mem', 1));
    expect(successorAmong([admin(1, 5), admin(2, 5)])?.id).toBe(anId('mem', 1));
  });

  it('nobody follows where there is no admin', () => {
    expect(successorAmong([aMembership({ role: 'developer' }), aMembership({ role: 'owner' })])).toBeUndefined();
    expect(successorAmong([])).toBeUndefined();
  });

  it('leaves the list as it was', () => {
    const members = [admin(1, 30), admin(2, 10)];
    successorAmong(members);
    expect(members.map(({ id }) => id)).toEqual([anId('mem', 1), anId('mem', 2)]);
  });
});
