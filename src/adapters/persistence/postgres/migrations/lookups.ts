// The first lookups: whom a credential stands for, and where somebody belongs. Each answers with whole rows, as JSON.

import type { Lookup } from './isolation.ts';

const standing = `jsonb_build_object(
      'session', to_jsonb(s), 'person', to_jsonb(u), 'membership', to_jsonb(m), 'organization', to_jsonb(o))
    from sessions s
    join users u on u.id = s.user_id
    left join memberships m on m.organization_id = s.organization_id and m.user_id = s.user_id and m.status = 'active'
    left join organizations o on o.id = s.organization_id`;

/** Frozen with migration 0003; a new lookup, or a new body of one, is made by the migration that needs it. */
export const firstLookups: readonly Lookup[] = [
  {
    name: 'session_by_reference',
    parameters: 'reference_digest text',
    query: `select ${standing}
    where s.reference_digest = $1`,
  },
  {
    name: 'sessions_by_provider',
    parameters: 'provider text, provider_session text',
    query: `select ${standing}
    where s.provider = $1 and s.provider_session = $2`,
  },
  {
    name: 'keys_by_digest',
    parameters: 'digests text[]',
    query: `select jsonb_build_object('key', to_jsonb(k), 'agent', to_jsonb(a), 'organization', to_jsonb(o))
    from api_keys k
    join agents a on a.id = k.agent_id and a.organization_id = k.organization_id
    join organizations o on o.id = k.organization_id
    where k.digest = any ($1)`,
  },
  {
    name: 'organization_verifying',
    parameters: 'domain text',
    query: `select to_jsonb(o) from verified_domains d join organizations o on o.id = d.organization_id
    where d.name = $1 and o.status = 'active'`,
  },
  { name: 'organization', parameters: 'id text', query: `select to_jsonb(o) from organizations o where o.id = $1` },
  { name: 'person', parameters: 'id text', query: `select to_jsonb(u) from users u where u.id = $1` },
  {
    name: 'agent',
    parameters: 'organization_id text, id text',
    query: `select to_jsonb(a) from agents a where a.organization_id = $1 and a.id = $2`,
  },
  {
    name: 'organizations_of',
    parameters: 'user_id text',
    query: `select jsonb_build_object('id', o.id, 'name', o.name, 'slug', o.slug, 'role', m.role)
    from memberships m join organizations o on o.id = m.organization_id
    where m.user_id = $1 and m.status = 'active' and o.status = 'active'`,
  },
  {
    name: 'active_sessions_of',
    parameters: 'user_id text',
    query: `select to_jsonb(s) from sessions s where s.user_id = $1 and s.status = 'active' order by s.id desc`,
  },
  {
    name: 'active_session',
    parameters: 'id text',
    query: `select to_jsonb(s) from sessions s where s.id = $1 and s.status = 'active'`,
  },
];
