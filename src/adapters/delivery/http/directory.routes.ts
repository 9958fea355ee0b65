// What the customer's directory says, and what the organization makes of it: role mappings and the provisioning policy.

import { z } from 'zod';
import type { NamedRoleMapping, UseCases } from '#application/use-cases.ts';
import type { AssignableRole, Role } from '#domain/memberships/role.ts';
import type { ProvisioningPolicy } from '#domain/provisioning/provisioning-policy.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { listed, listShape, roleShape } from './entities.ts';
import { line, listOf, org, pageOf } from './inputs.ts';
import { type Route, route } from './kit/route.ts';
import { returning, setupLink, setupLinkShape } from './sso.routes.ts';

const directoryShape = z
  .object({
    directories: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        type: z.string(),
        state: z.enum(['connected', 'disconnected']),
        users: z.int().min(0),
        groups: z.int().min(0),
      }),
    ),
    last_event_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Directory' });

const groupShape = z
  .object({ id: z.string(), directory_id: z.string(), name: z.string(), members: z.int().min(0) })
  .meta({ id: 'DirectoryGroup' });

const mappingsShape = z
  .object({
    data: z.array(z.object({ group_id: z.string(), group_name: z.string().nullable(), role: roleShape })),
  })
  .meta({ id: 'RoleMappings', description: 'In order: the first mapping that matches wins.' });

const groupId = line(255).min(1);

const wantedMappings = z
  .array(z.strictObject({ group_id: groupId, role: roleShape, group_name: z.unknown().optional() }))
  .max(500);

const policyShape = z
  .object({ default_role: roleShape.nullable(), gate_group_id: z.string().nullable(), just_in_time: z.boolean() })
  .meta({ id: 'ProvisioningPolicy' });

const mappings = (named: readonly NamedRoleMapping[]) => ({
  data: named.map(({ groupId, groupName, role }) => ({ group_id: groupId, group_name: groupName, role })),
});

const policy = (state: ProvisioningPolicy) => ({
  default_role: state.defaultRole,
  gate_group_id: state.gateGroupId,
  just_in_time: state.justInTime,
});

const mappable = (role: Role): AssignableRole => {
  if (role === 'owner') throw new Refusal('role_mapping.owner_not_mappable');
  return role;
};

export const directoryRoutes = (
  useCases: Pick<
    UseCases,
    | 'createSetupLink'
    | 'getDirectory'
    | 'listGroups'
    | 'getRoleMappings'
    | 'setRoleMappings'
    | 'getProvisioningPolicy'
    | 'setProvisioningPolicy'
  >,
): readonly Route[] => [
  route({
    method: 'get',
    path: '/v1/organizations/{org}/directory',
    operation: 'getDirectory',
    summary: 'The directories, and how much they hold',
    tags: ['directory'],
    allows: 'orgs:manage',
    params: { org },
    answers: [200, directoryShape],
    refuses: [],
    async handle({ caller, params }) {
      const { directories, lastEventAt } = await useCases.getDirectory(caller, params.org);
      return { directories: [...directories], last_event_at: lastEventAt?.toISOString() ?? null };
    },
  }),

  route({
    method: 'post',
    path: '/v1/organizations/{org}/directory/setup-link',
    operation: 'createDirectorySetupLink',
    summary: "Get a link to the identity provider's pages on which a directory is connected",
    description: 'Good for minutes. It is neither kept nor logged; ask for another when it is too old.',
    tags: ['directory'],
    allows: 'orgs:manage',
    params: { org },
    query: returning,
    answers: [200, setupLinkShape],
    refuses: ['sso.not_supported', 'sso.not_ready'],
    handle: async ({ caller, params, query, source }) =>
      setupLink(
        await useCases.createSetupLink(
          caller,
          { organizationId: params.org, intent: 'dsync', returnTo: query.return_to },
          source,
        ),
      ),
  }),

  route({
    method: 'get',
    path: '/v1/organizations/{org}/directory/groups',
    operation: 'listGroups',
    summary: 'The groups of the directory',
    tags: ['directory'],
    allows: 'orgs:manage',
    params: { org },
    query: listOf({}),
    answers: [200, listShape(groupShape)],
    refuses: [],
    handle: async ({ caller, params, query }) =>
      listed(await useCases.listGroups(caller, params.org, pageOf(query)), (group) => ({
        id: group.id,
        directory_id: group.directoryId,
        name: group.name,
        members: group.members,
      })),
  }),

  route({
    method: 'get',
    path: '/v1/organizations/{org}/role-mappings',
    operation: 'getRoleMappings',
    summary: 'Which group confers which role',
    tags: ['directory'],
    allows: 'orgs:manage',
    params: { org },
    answers: [200, mappingsShape],
    refuses: [],
    handle: async ({ caller, params }) => mappings(await useCases.getRoleMappings(caller, params.org)),
  }),

  route({
    method: 'put',
    path: '/v1/organizations/{org}/role-mappings',
    operation: 'setRoleMappings',
    summary: 'Replace the role mappings',
    description:
      'In order; the first match wins. Everybody whom a directory knows is re-evaluated in the same commit. What can make or unmake admins is for the owner only.',
    tags: ['directory'],
    allows: 'orgs:manage',
    params: { org },
    body: z
      .strictObject({
        mappings: wantedMappings.optional(),
        data: wantedMappings.optional().meta({ description: 'The same, as `GET` answers it.' }),
      })
      .refine(({ mappings, data }) => (mappings === undefined) !== (data === undefined), 'needs mappings'),
    answers: [200, mappingsShape],
    refuses: [
      'caller.person_required',
      'role_mapping.unknown_group',
      'role_mapping.owner_not_mappable',
      'role_mapping.group_twice',
      'membership.only_owner_makes_admins',
    ],
    async handle({ caller, params, body, source }) {
      const wanted = (body.mappings ?? body.data ?? []).map(({ group_id, role }) => ({
        groupId: group_id,
        role: mappable(role),
      }));
      return mappings(await useCases.setRoleMappings(caller, params.org, wanted, source));
    },
  }),

  route({
    method: 'get',
    path: '/v1/organizations/{org}/provisioning-policy',
    operation: 'getProvisioningPolicy',
    summary: 'What the directory and sign-ins may do by themselves',
    tags: ['directory'],
    allows: 'orgs:manage',
    params: { org },
    answers: [200, policyShape],
    refuses: [],
    handle: async ({ caller, params }) => policy(await useCases.getProvisioningPolicy(caller, params.org)),
  }),

  route({
    method: 'put',
    path: '/v1/organizations/{org}/provisioning-policy',
    operation: 'setProvisioningPolicy',
    summary: 'Replace the provisioning policy',
    description: 'Takes effect at once for everybody whom a directory knows.',
    tags: ['directory'],
    allows: 'orgs:manage',
    params: { org },
    body: z.strictObject({
      default_role: roleShape.nullable().meta({ description: 'Null: no mapping, no access.' }),
      gate_group_id: groupId.nullable().meta({ description: 'When set, only members of this group have access.' }),
      just_in_time: z.boolean().meta({ description: 'Whether signing in through SSO alone makes somebody a member.' }),
    }),
    answers: [200, policyShape],
    refuses: [
      'caller.person_required',
      'role_mapping.unknown_group',
      'role_mapping.owner_not_mappable',
      'membership.only_owner_makes_admins',
    ],
    async handle({ caller, params, body, source }) {
      const wanted: ProvisioningPolicy = {
        defaultRole: body.default_role === null ? null : mappable(body.default_role),
        gateGroupId: body.gate_group_id,
        justInTime: body.just_in_time,
      };
      return policy(await useCases.setProvisioningPolicy(caller, params.org, wanted, source));
    },
  }),
];
