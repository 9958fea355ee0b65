// The members of an organization, their roles, and their sessions there.

import { z } from 'zod';
import type { UseCases } from '#application/use-cases.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import {
  listed,
  listShape,
  member as memberOf,
  memberShape,
  roleShape,
  session as sessionOf,
  sessionShape,
} from './entities.ts';
import { line, listOf, member, org, pageOf } from './inputs.ts';
import { type Route, route } from './kit/route.ts';

const endedShape = z.object({ ended: z.int().min(0).meta({ description: 'How many sessions ended.' }) });

export const memberRoutes = (
  useCases: Pick<UseCases, 'listMembers' | 'changeRole' | 'removeMember' | 'listSessions' | 'endMemberSessions'>,
): readonly Route[] => [
  route({
    method: 'get',
    path: '/v1/organizations/{org}/members',
    operation: 'listMembers',
    summary: 'The members',
    tags: ['members'],
    allows: 'users:manage',
    params: { org },
    query: listOf({
      status: z.enum(['active', 'revoked']).optional(),
      role: roleShape.optional(),
      q: line(200).optional().meta({ description: 'Part of a name or an e-mail, any case.' }),
    }),
    answers: [200, listShape(memberShape)],
    refuses: [],
    handle: async ({ caller, params, query }) =>
      listed(
        await useCases.listMembers(
          caller,
          params.org,
          { status: query.status, role: query.role, text: query.q || undefined },
          pageOf(query),
        ),
        memberOf,
      ),
  }),

  route({
    method: 'patch',
    path: '/v1/organizations/{org}/members/{member}',
    operation: 'changeRole',
    summary: 'Change a member’s role',
    description: 'Takes effect on the member’s next request. Ownership is handed over, not assigned.',
    tags: ['members'],
    allows: 'users:manage',
    params: { org, member },
    body: z.strictObject({ role: roleShape }),
    answers: [200, memberShape],
    refuses: [
      'caller.person_required',
      'membership.revoked',
      'membership.directory_managed',
      'membership.only_owner_makes_admins',
      'membership.nobody_raises_themself',
      'membership.owner_stays',
      'membership.ownership_is_handed_over',
    ],
    async handle({ caller, params, body, source }) {
      if (body.role === 'owner') throw new Refusal('membership.ownership_is_handed_over');
      const request = { organizationId: params.org, member: params.member, role: body.role };
      return memberOf(await useCases.changeRole(caller, request, source));
    },
  }),

  route({
    method: 'delete',
    path: '/v1/organizations/{org}/members/{member}',
    operation: 'removeMember',
    summary: 'Remove a member',
    description: 'Ends the membership and the person’s sessions here. Removing somebody already gone changes nothing.',
    tags: ['members'],
    allows: 'users:manage',
    params: { org, member },
    answers: [204, 'nothing'],
    refuses: [
      'caller.person_required',
      'membership.directory_managed',
      'membership.only_owner_makes_admins',
      'membership.owner_stays',
    ],
    async handle({ caller, params, source }) {
      await useCases.removeMember(caller, params.org, params.member, source);
      return undefined;
    },
  }),

  route({
    method: 'get',
    path: '/v1/organizations/{org}/members/{member}/sessions',
    operation: 'listMemberSessions',
    summary: 'A member’s sessions here',
    tags: ['members'],
    allows: 'users:manage',
    params: { org, member },
    query: listOf({}),
    answers: [200, listShape(sessionShape)],
    refuses: [],
    handle: async ({ caller, params, query }) =>
      listed(
        await useCases.listSessions(caller, params.org, { member: params.member }, pageOf(query)),
        ({ session, user }) => ({ ...sessionOf(session), user }),
      ),
  }),

  route({
    method: 'delete',
    path: '/v1/organizations/{org}/members/{member}/sessions',
    operation: 'endMemberSessions',
    summary: 'End all of a member’s sessions here',
    tags: ['members'],
    allows: 'users:manage',
    params: { org, member },
    answers: [200, endedShape],
    refuses: ['caller.person_required'],
    handle: async ({ caller, params, source }) => ({
      ended: await useCases.endMemberSessions(caller, params.org, params.member, source),
    }),
  }),
];
