// The 22 scopes that people and agents share, and the four bundles that HatiData publishes.

export const scopes = [
  'query:read',
  'query:write',
  'tables:list',
  'tables:describe',
  'tables:create',
  'tables:alter',
  'schemas:read',
  'functions:execute',
  'memory:read',
  'memory:write',
  'cot:write',
  'triggers:read',
  'triggers:manage',
  'branches:create',
  'branches:merge',
  'audit:read',
  'users:manage',
  'keys:manage',
  'policies:manage',
  'orgs:manage',
  'billing:manage',
  'webhooks:manage',
] as const;

export type Scope = (typeof scopes)[number];

const readOnly: readonly Scope[] = ['query:read', 'tables:list', 'tables:describe', 'schemas:read', 'audit:read'];
const developer: readonly Scope[] = [
  ...readOnly,
  'query:write',
  'tables:create',
  'tables:alter',
  'functions:execute',
  'branches:create',
  'branches:merge',
];

/** Named sets of scopes for API keys, as HatiData documents them. Note that `admin` holds no agent scopes. */
export const bundles = {
  read_only: readOnly,
  developer,
  admin: [
    ...developer,
    'users:manage',
    'keys:manage',
    'policies:manage',
    'orgs:manage',
    'billing:manage',
    'webhooks:manage',
  ],
  agent: [
    'query:read',
    'query:write',
    'tables:list',
    'tables:describe',
    'memory:read',
    'memory:write',
    'cot:write',
    'triggers:read',
    'branches:create',
  ],
} as const satisfies Record<string, readonly Scope[]>;

/** The scopes in catalogue order, each once: two equal sets print alike. */
export const inOrder = (some: Iterable<Scope>): Scope[] => {
  const set = new Set(some);
  return scopes.filter((scope) => set.has(scope));
};
