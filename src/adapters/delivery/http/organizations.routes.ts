// Organizations: those one belongs to, a new one, and who owns it.

import { z } from 'zod';
import type { UseCases } from '#application/use-cases.ts';
import { listShape, organization as organizationOf, organizationShape, roleShape, whole } from './entities.ts';
import { idOf, idShape, name, org } from './inputs.ts';
import { creating, type Route, route } from './kit/route.ts';

const slug = z
  .string()
  .max(48)
  .regex(/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/, 'expected lower-case letters, digits and hyphens')
  .meta({ description: 'Made from the name when absent.', examples: ['acme'] });

const domain = z
  .string()
  .max(253)
  .regex(
    /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
    'expected a lower-case domain',
  )
  .meta({ examples: ['acme.example'] });

export const organizationRoutes = (
  useCases: Pick<UseCases, 'listMyOrganizations' | 'createOrganization' | 'getOrganization' | 'transferOwnership'>,
): readonly Route[] => [
  route({
    method: 'get',
    path: '/v1/organizations',
    operation: 'listMyOrganizations',
    summary: 'The organizations that I belong to',
    tags: ['organizations'],
    allows: 'any caller',
    answers: [
      200,
      listShape(
        z.object({ id: idShape('org'), name: z.string(), slug: z.string(), role: roleShape.nullable() }).meta({
          id: 'OwnOrganization',
          description: 'An organization, and the role that the caller has in it.',
        }),
      ),
    ],
    refuses: ['caller.person_required'],
    handle: async ({ caller }) => whole(await useCases.listMyOrganizations(caller), (own) => own),
  }),

  creating({
    path: '/v1/organizations',
    operation: 'createOrganization',
    summary: 'Found an organization',
    description: 'The caller becomes its owner. Claimed domains are pending until they are verified.',
    tags: ['organizations'],
    allows: 'any caller',
    body: z.strictObject({
      name: name(120).meta({ examples: ['Acme'] }),
      slug: slug.optional(),
      domains: z.array(domain).max(20).default([]),
    }),
    answers: [201, organizationShape],
    refuses: ['organization.slug_taken', 'caller.person_required'],
    handle: ({ caller, body, source }) =>
      useCases.createOrganization(caller, { name: body.name, slug: body.slug, domains: body.domains }, source),
    shows: organizationOf,
  }),

  route({
    method: 'get',
    path: '/v1/organizations/{org}',
    operation: 'getOrganization',
    summary: 'My organization',
    tags: ['organizations'],
    allows: 'any caller',
    params: { org },
    answers: [200, organizationShape],
    refuses: [],
    handle: async ({ caller, params }) => organizationOf(await useCases.getOrganization(caller, params.org)),
  }),

  route({
    method: 'post',
    path: '/v1/organizations/{org}/ownership',
    operation: 'transferOwnership',
    summary: 'Hand the ownership over',
    description: 'To another active member; the owner becomes admin. Only the owner can.',
    tags: ['organizations'],
    allows: 'any caller',
    params: { org },
    body: z.strictObject({ user_id: idOf('user') }),
    answers: [204, 'nothing'],
    refuses: ['caller.person_required', 'membership.only_owner_hands_over', 'membership.not_found'],
    async handle({ caller, params, body, source }) {
      await useCases.transferOwnership(caller, params.org, body.user_id, source);
      return undefined;
    },
  }),
];
