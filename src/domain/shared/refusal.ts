// Every way this system says "no" on purpose. Anything else that is thrown is a fault.

/**
 * The catalogue of refusals: a stable reason, and the sentence that a person reads.
 * The reason is API (`error.reason`); the sentence may be reworded.
 */
export const refusals = {
  'request.invalid': 'The request is not well formed.',
  'request.too_large': 'The request body is too large.',
  'request.unknown_route': 'There is nothing at this address.',
  'request.cross_origin':
    'Requests with a session cookie that change something must come from our own pages: send our address as Origin.',
  'request.conflict': 'Somebody else changed the same thing at the same moment. Read it again and retry.',

  'idempotency_key.malformed':
    'An Idempotency-Key is 1 to 255 visible ASCII characters without quotes, backslashes and spaces; it may stand in double quotes.',
  'idempotency_key.reused': 'This Idempotency-Key was used for another request. Each request needs a key of its own.',
  'idempotency_key.under_way':
    'A request with this Idempotency-Key is under way. Ask again for its answer in a moment.',
  'idempotency_key.answer_gone':
    'This was done, but its answer can no longer be read. Look at what is there before you ask anew with another key.',

  'credential.missing': 'Sign in, or send an API key.',
  'credential.ambiguous': 'The request carries more than one credential. Send exactly one.',
  'credential.malformed': 'The credential has neither the shape of a session token nor of an API key.',

  'session.unknown': 'This session does not exist. Sign in again.',
  'session.ended': 'This session has ended. Sign in again.',
  'session.expired': 'This session has expired. Sign in again.',
  'session.token_invalid': 'The session token is not valid.',
  'session.token_expired': 'The session token has expired. Refresh it.',
  'session.organization_changed':
    'The session has moved to another organization since this token was issued. Refresh the token.',
  'session.not_found': 'No such session.',
  'session.refresh_refused': 'The refresh token is no longer good. Sign in again.',
  'session.reauthentication_required': 'That organization asks you to sign in again.',

  'api_key.malformed': 'This is not a HatiData API key: its length, alphabet or checksum is wrong.',
  'api_key.unknown': 'This API key does not exist.',
  'api_key.revoked': 'This API key has been revoked.',
  'api_key.expired': 'This API key has expired.',
  'api_key.address_not_allowed': 'This API key may not be used from this address.',
  'api_key.not_found': 'No such API key.',
  'api_key.beyond_maker': 'A key cannot reach further than its maker.',
  'api_key.without_scopes': 'A key needs at least one scope.',

  'agent.not_active': 'The agent behind this key is not active.',
  'agent.not_found': 'No such agent.',
  'agent.name_taken': 'Another agent of this organization has this name.',

  'user.not_active': 'This account is not active.',
  'membership.not_active': 'You are not an active member of this organization.',
  'organization.not_active': 'This organization is not active.',
  'organization.not_found': 'No such organization.',
  'organization.slug_taken': 'Another organization has this slug.',
  'organization.none': 'This session has no organization yet. Choose one first.',

  'caller.scope_missing': 'You lack the scope that this needs.',
  'caller.person_required': 'Only a person can do this; agents cannot.',

  'membership.not_found': 'No such member.',
  'membership.revoked': 'This membership has ended and cannot change.',
  'membership.directory_managed': 'The directory manages this member. Change them in your identity provider.',
  'membership.only_owner_makes_admins': 'Only the owner makes or unmakes admins.',
  'membership.nobody_raises_themself': 'Nobody changes their own role.',
  'membership.owner_stays': 'The owner cannot be removed or demoted. Hand the ownership over first.',
  'membership.only_owner_hands_over': 'Only the owner hands the ownership over.',
  'membership.ownership_is_handed_over': 'Ownership is handed over, not assigned as a role.',

  'invitation.not_found': 'No such invitation.',
  'invitation.already_member': 'Somebody with this address is a member already.',
  'invitation.already_sent': 'This address has an open invitation already. Send it again, or revoke it first.',
  'invitation.directory_decides':
    'The directory knows this person and decides about their access. Change them in your identity provider.',
  'invitation.accepted': 'This invitation has been accepted. Whoever took it up is a member now.',
  'invitation.not_open': 'This invitation is not open any more. Send a new one.',

  'role_mapping.unknown_group': 'No such group in the directory of this organization.',
  'role_mapping.owner_not_mappable': 'Ownership is handed over by the owner; a group cannot confer it.',
  'role_mapping.group_twice': 'A group may appear only once in the mappings.',

  'event.not_found': 'No such event in this organization.',
  'event.applied_already': 'This event was applied; there is nothing to replay.',
  'event.forgotten': 'What this event said is no longer kept, so it cannot be applied again.',

  'reconciliation.not_supported': 'The identity provider does not list its directories.',
  'reconciliation.not_ready':
    'The identity provider does not know this organization yet, so there is nothing to compare. Try again in a minute.',
  'reconciliation.not_found': 'The directory of this organization was never reconciled.',
  'reconciliation.under_way': 'A reconciliation of this organization is under way. Wait until it is done.',
  'reconciliation.not_planned':
    'This plan is not there to be carried out: it was carried out already, or a newer reading has taken its place.',
  'reconciliation.removes_most':
    'This would remove most of the directory. Make sure that the identity provider lists it whole; then confirm with remove_most.',

  'connection.not_found': 'No such connection.',
  'connection.refused': 'The identity provider would not take this connection. Check what you entered.',
  'sso.not_supported':
    'The identity provider cannot do this from here. Make a set-up link and do it on its own pages instead.',
  'sso.not_ready': 'The identity provider does not know this organization yet. Try again in a minute.',

  'sign_in.state_invalid': 'This sign-in was not started in this browser, was used before, or took too long.',
  'sign_in.code_spent': 'This sign-in code is not good or was used before.',
  'sign_in.denied': 'The sign-in was cancelled, or the identity provider did not let this person in.',
  'sign_in.email_unverified': 'The identity provider has not verified this e-mail address.',
  'sign_in.not_a_member':
    'You are not a member of this organization, or your access has ended. Ask its administrators.',

  'delivery.unverified': 'The signature of this delivery is missing, wrong or out of its time window.',
  'delivery.malformed': 'The delivery is authentic but is not an event we can read.',

  'identity.unavailable': 'The identity provider does not answer right now.',
  'identity.throttled': 'The identity provider asks us to slow down.',
  'storage.unavailable': 'The database does not answer right now.',
} as const;

export type RefusalReason = keyof typeof refusals;

/** What a refusal may tell its reader. Never a secret, never another organization's data. */
export type RefusalDetails = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

/** A deliberate no. Everything a caller may learn is in `reason` and `details`. */
export class Refusal extends Error {
  readonly reason: RefusalReason;
  readonly details: RefusalDetails;

  /** @param cause what stood in the way, for the log; nobody outside hears of it */
  constructor(reason: RefusalReason, details: RefusalDetails = {}, cause?: unknown) {
    super(refusals[reason], cause === undefined ? undefined : { cause });
    this.name = 'Refusal';
    this.reason = reason;
    this.details = details;
  }
}
