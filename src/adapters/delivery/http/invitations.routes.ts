// Invitations: who was asked in, by whom, and what became of it.

import { z } from 'zod';
import type { UseCases } from '#application/use-cases.ts';
import type { InvitationState } from '#domain/invitations/invitation.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { listed, listShape, roleShape } from './entities.ts';
import { idShape, invitation, line, listOf, org, pageOf } from './inputs.ts';
import { creating, type Route, route } from './kit/route.ts';

const statuses = ['pending', 'accepted', 'revoked', 'expired'] as const;
const time = z.iso.datetime().meta({ examples: ['2026-01-31T15:00:00.000Z'] });

const invitationShape = z
  .object({
    id: idShape('inv'),
    email: z.string(),
    role: roleShape,
    status: z.enum(statuses),
    invited_by: idShape('user').meta({ description: 'The member who sent it, or sent it again, last.' }),
    sent_at: time.nullable().meta({ description: 'When the identity provider sent the mail; null until it has.' }),
    expires_at: time.meta({ description: 'Seven days after the mail was sent.' }),
    accepted_by: idShape('user').nullable(),
    created_at: time,
  })
  .meta({ id: 'Invitation' });

const shown = (state: InvitationState) => ({
  id: state.id,
  email: state.email,
  role: state.role,
  status: state.status,
  invited_by: state.invitedBy,
  sent_at: state.sentAt?.toISOString() ?? null,
  expires_at: state.expiresAt.toISOString(),
  accepted_by: state.acceptedBy,
  created_at: state.createdAt.toISOString(),
});

export const invitationRoutes = (
  useCases: Pick<UseCases, 'invite' | 'listInvitations' | 'resendInvitation' | 'revokeInvitation'>,
): readonly Route[] => [
  route({
    method: 'get',
    path: '/v1/organizations/{org}/invitations',
    operation: 'listInvitations',
    summary: 'The invitations',
    description: 'Newest first.',
    tags: ['members'],
    allows: 'users:manage',
    params: { org },
    query: listOf({ status: z.enum(statuses).optional() }),
    answers: [200, listShape(invitationShape)],
    refuses: [],
    handle: async ({ caller, params, query }) =>
      listed(await useCases.listInvitations(caller, params.org, { status: query.status }, pageOf(query)), shown),
  }),

  creating({
    path: '/v1/organizations/{org}/invitations',
    operation: 'invite',
    summary: 'Invite somebody by e-mail',
    description:
      'The identity provider sends a mail with a link, soon after. Whoever proves to have this address, by that link or by the organization’s single sign-on, becomes a member with that role. It is good for seven days.',
    tags: ['members'],
    allows: 'users:manage',
    params: { org },
    body: z.strictObject({ email: line(254).trim().min(1), role: roleShape }),
    answers: [201, invitationShape],
    refuses: [
      'caller.person_required',
      'membership.only_owner_makes_admins',
      'membership.ownership_is_handed_over',
      'invitation.already_member',
      'invitation.already_sent',
      'invitation.directory_decides',
    ],
    async handle({ caller, params, body, source }) {
      if (body.role === 'owner') throw new Refusal('membership.ownership_is_handed_over');
      const request = { organizationId: params.org, email: body.email, role: body.role };
      return useCases.invite(caller, request, source);
    },
    shows: shown,
  }),

  creating({
    path: '/v1/organizations/{org}/invitations/{invitation}/resend',
    operation: 'resendInvitation',
    summary: 'Send an invitation again',
    description:
      'Another mail, good for another seven days, also when the first seven are over. The link in the mail before ends.',
    tags: ['members'],
    allows: 'users:manage',
    params: { org, invitation },
    answers: [200, invitationShape],
    refuses: [
      'caller.person_required',
      'membership.only_owner_makes_admins',
      'invitation.already_member',
      'invitation.directory_decides',
      'invitation.accepted',
      'invitation.not_open',
    ],
    handle: ({ caller, params, source }) => useCases.resendInvitation(caller, params.org, params.invitation, source),
    shows: shown,
  }),

  route({
    method: 'delete',
    path: '/v1/organizations/{org}/invitations/{invitation}',
    operation: 'revokeInvitation',
    summary: 'Revoke an invitation',
    description: 'From this moment nobody can take it up. Revoking one that is not open any more changes nothing.',
    tags: ['members'],
    allows: 'users:manage',
    params: { org, invitation },
    answers: [204, 'nothing'],
    refuses: ['caller.person_required', 'membership.only_owner_makes_admins', 'invitation.accepted'],
    async handle({ caller, params, source }) {
      await useCases.revokeInvitation(caller, params.org, params.invitation, source);
      return undefined;
    },
  }),
];
