// What one can ask about invitations; a part of the table of contents (`UseCases`), with its conventions.

import type { Origin } from '#application/idempotency/once.ts';
import type { Page, PageRequest } from '#application/ports/read-models.ts';
import type { Caller } from '#domain/access/caller.ts';
import type { Source } from '#domain/audit/audit-entry.ts';
import type { InvitationState } from '#domain/invitations/invitation.ts';
import type { AssignableRole } from '#domain/memberships/role.ts';
import type { InvitationId, OrganizationId } from '#domain/shared/ids.ts';

/** An invitation, with its status as it is now: one whose time ran out is `expired`. */
export type InvitationNow = InvitationState;

export interface InvitationUseCases {
  readonly invite: Invite;
  readonly listInvitations: (
    caller: Caller,
    organizationId: OrganizationId,
    filter: { readonly status?: InvitationState['status'] | undefined },
    page: PageRequest,
  ) => Promise<Page<InvitationNow>>;
  /**
   * Another mail, good for another seven days; the link in the mail before ends. One whose time ran out can be sent again.
   * @throws Refusal `invitation.not_found`, `invitation.accepted`, `invitation.not_open`, and as `invite`
   */
  readonly resendInvitation: (
    caller: Caller,
    organizationId: OrganizationId,
    invitation: InvitationId,
    source: Origin,
  ) => Promise<InvitationNow>;
  /**
   * Nobody can take it up any more, from this moment. Revoking what is not open any more changes nothing.
   * @throws Refusal `invitation.not_found`, `invitation.accepted`, `membership.only_owner_makes_admins`
   */
  readonly revokeInvitation: (
    caller: Caller,
    organizationId: OrganizationId,
    invitation: InvitationId,
    source: Source,
  ) => Promise<void>;
}

/**
 * Asks whoever has this address in. The provider sends the mail, soon after; whoever proves to have the address, by its link
 * or by the organization's single sign-on, becomes a member with that role.
 * @throws Refusal `request.invalid` for what is no address, `membership.only_owner_makes_admins`, `invitation.already_member`,
 * `invitation.already_sent`, `invitation.directory_decides`, `caller.person_required`
 */
export type Invite = (
  caller: Caller,
  request: { readonly organizationId: OrganizationId; readonly email: string; readonly role: AssignableRole },
  source: Origin,
) => Promise<InvitationNow>;
