// Which role confers which scope, written out here once more by hand: a change on either side must be meant.

import { describe, expect, it } from 'vitest';
import { bundles, inOrder, type Scope, scopes } from '#domain/access/scope.ts';
import { assignableRoles, type Role, roles, scopesOf } from '#domain/memberships/role.ts';

/** Columns: owner, admin, developer, analyst, auditor, service account. */
const matrix = `
  query:read          o a d n - s
  query:write         o a d n - s
  tables:list         o a d n - s
  tables:describe     o a d n - s
  tables:create       o a d - - -
  tables:alter        o a d - - -
  schemas:read        o a d n - -
  functions:execute   o a d - - -
  memory:read         o a d n - s
  memory:write        o a d - - s
  cot:write           o a - - - s
  triggers:read       o a d - - s
  triggers:manage     o a d - - -
  branches:create     o a d - - s
  branches:merge      o a d - - -
  audit:read          o a - - u -
  users:manage        o a - - - -
  keys:manage         o a - - - -
  policies:manage     o a - - - -
  orgs:manage         o a - - - -
  billing:manage      o - - - - -
  webhooks:manage     o a - - - -
`;

const columns: readonly Role[] = ['owner', 'admin', 'developer', 'analyst', 'auditor', 'service_account'];
const rows = matrix
  .trim()
  .split('\n')
  .map((line) => {
    const [scope = '', ...marks] = line.trim().split(/ +/);
    return { scope: scope as Scope, held: columns.filter((_, column) => marks[column] !== '-') };
  });

describe('roles and scopes', () => {
  it('are six roles and 22 scopes', () => {
    expect(roles).toEqual(columns);
    expect(rows).toHaveLength(22);
    expect([...scopes].toSorted()).toEqual(rows.map(({ scope }) => scope).toSorted());
  });

  it.each(rows)('$scope is held by $held', ({ scope, held }) => {
    expect(columns.filter((role) => scopesOf(role).includes(scope))).toEqual(held);
  });

  it.each(columns)('%s holds each scope once, in catalogue order', (role) => {
    expect(scopesOf(role)).toEqual(inOrder(scopesOf(role)));
  });

  it('every role can be given by hand or group but the owner', () => {
    expect(assignableRoles).toEqual(columns.filter((role) => role !== 'owner'));
  });
});

describe('the bundles for keys', () => {
  const readOnly = ['query:read', 'tables:list', 'tables:describe', 'schemas:read', 'audit:read'];
  const building = [
    'query:write',
    'tables:create',
    'tables:alter',
    'functions:execute',
    'branches:create',
    'branches:merge',
  ];
  const managing = ['users', 'keys', 'policies', 'orgs', 'billing', 'webhooks'].map((what) => `${what}:manage`);
  const forAgents = [
    ...['query:read', 'query:write', 'tables:list', 'tables:describe', 'memory:read', 'memory:write'],
    ...['cot:write', 'triggers:read', 'branches:create'],
  ];

  it.each([
    ['read_only', 5, readOnly],
    ['developer', 11, [...readOnly, ...building]],
    ['admin', 17, [...readOnly, ...building, ...managing]],
    ['agent', 9, forAgents],
  ] as const)('%s has the %i scopes that HatiData publishes', (name, size, expected) => {
    expect(expected).toHaveLength(size);
    expect([...bundles[name]].toSorted()).toEqual([...expected].toSorted());
  });
});

describe('scopes in order', () => {
  it('are the same whatever order and repetition they came in', () => {
    expect(inOrder(['webhooks:manage', 'query:read', 'webhooks:manage'])).toEqual(['query:read', 'webhooks:manage']);
    expect(inOrder([...scopes].toReversed())).toEqual([...scopes]);
    expect(inOrder([])).toEqual([]);
  });
});
