// The six roles, and the fixed set of scopes that each confers.

import { bundles, inOrder, type Scope, scopes } from '#domain/access/scope.ts';

export const roles = ['owner', 'admin', 'developer', 'analyst', 'auditor', 'service_account'] as const;
export type Role = (typeof roles)[number];

/** Ownership passes from owner to owner; every other role can be given by an admin's hand or by a group. */
export type AssignableRole = Exclude<Role, 'owner'>;
export const assignableRoles = roles.filter((role): role is AssignableRole => role !== 'owner');

const without = (set: readonly Scope[], ...taken: Scope[]): Scope[] => set.filter((scope) => !taken.includes(scope));

const scopesByRole: Readonly<Record<Role, readonly Scope[]>> = {
  owner: scopes,
  admin: without(scopes, 'billing:manage'),
  developer: inOrder([
    ...without(bundles.developer, 'audit:read'),
    'memory:read',
    'memory:write',
    'triggers:read',
    'triggers:manage',
  ]),
  analyst: inOrder([...without(bundles.read_only, 'audit:read'), 'query:write', 'memory:read']),
  auditor: ['audit:read'],
  service_account: inOrder(bundles.agent),
};

export const scopesOf = (role: Role): readonly Scope[] => scopesByRole[role];
