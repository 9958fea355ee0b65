// How each deliberate no, and each fault, looks on the wire: one status, one code, one envelope.

import { Refusal, type RefusalDetails, type RefusalReason } from '#domain/shared/refusal.ts';

/** The code that goes with each status: coarse, for programs that do not look at `reason`. */
export const codes = {
  400: 'VALIDATION_ERROR',
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  413: 'PAYLOAD_TOO_LARGE',
  422: 'POLICY_VIOLATION',
  429: 'RATE_LIMITED',
  500: 'INTERNAL_ERROR',
  503: 'UNAVAILABLE',
} as const;

export type ErrorStatus = keyof typeof codes;
/** What a refusal can be; a 500 is never a refusal. */
export type RefusalStatus = Exclude<ErrorStatus, 500>;

/** The compiler keeps this table complete: a new refusal without a status does not build. */
export const statusOf: Readonly<Record<RefusalReason, RefusalStatus>> = {
  'request.invalid': 400,
  'request.too_large': 413,
  'request.unknown_route': 404,
  'request.cross_origin': 403,
  'request.conflict': 409,

  'idempotency_key.malformed': 400,
  'idempotency_key.reused': 409,
  'idempotency_key.under_way': 409,
  'idempotency_key.answer_gone': 409,

  'credential.missing': 401,
  'credential.ambiguous': 400,
  'credential.malformed': 401,

  'session.unknown': 401,
  'session.ended': 401,
  'session.expired': 401,
  'session.token_invalid': 401,
  'session.token_expired': 401,
  'session.organization_changed': 401,
  'session.not_found': 404,
  'session.refresh_refused': 401,
  'session.reauthentication_required': 409,

  'api_key.malformed': 401,
  'api_key.unknown': 401,
  'api_key.revoked': 401,
  'api_key.expired': 401,
  'api_key.address_not_allowed': 403,
  'api_key.not_found': 404,
  'api_key.beyond_maker': 403,
  'api_key.without_scopes': 422,

  'agent.not_active': 401,
  'agent.not_found': 404,
  'agent.name_taken': 409,

  'user.not_active': 401,
  'membership.not_active': 401,
  'organization.not_active': 401,
  'organization.not_found': 404,
  'organization.slug_taken': 409,
  'organization.none': 403,

  'caller.scope_missing': 403,
  'caller.person_required': 403,

  'membership.not_found': 404,
  'membership.revoked': 409,
  'membership.directory_managed': 403,
  'membership.only_owner_makes_admins': 403,
  'membership.nobody_raises_themself': 403,
  'membership.only_owner_hands_over': 403,
  'membership.owner_stays': 409,
  'membership.ownership_is_handed_over': 422,

  'invitation.not_found': 404,
  'invitation.already_member': 409,
  'invitation.already_sent': 409,
  'invitation.directory_decides': 403,
  'invitation.accepted': 409,
  'invitation.not_open': 409,

  'role_mapping.unknown_group': 422,
  'role_mapping.owner_not_mappable': 422,
  'role_mapping.group_twice': 422,

  'event.not_found': 404,
  'event.applied_already': 409,
  'event.forgotten': 409,
  'reconciliation.not_supported': 422,
  'reconciliation.not_ready': 409,
  'reconciliation.not_found': 404,
  'reconciliation.under_way': 409,
  'reconciliation.not_planned': 409,
  'reconciliation.removes_most': 422,
  'connection.not_found': 404,
  'connection.refused': 422,
  'sso.not_supported': 422,
  'sso.not_ready': 409,

  'sign_in.state_invalid': 400,
  'sign_in.code_spent': 403,
  'sign_in.denied': 403,
  'sign_in.email_unverified': 403,
  'sign_in.not_a_member': 403,

  'delivery.unverified': 401,
  'delivery.malformed': 400,

  'identity.unavailable': 503,
  'identity.throttled': 503,
  'storage.unavailable': 503,
};

/** What is said of a fault, whatever it was. */
export const faultMessage = 'Something went wrong on our side. Tell us the request id and we can find it.';

export interface Problem {
  readonly status: ErrorStatus;
  readonly reason: RefusalReason | 'internal';
  readonly message: string;
  readonly details: RefusalDetails;
}

/** The problem to answer with. Of a fault it tells nothing but that it happened. */
export const problemOf = (
  thrown: unknown,
  statuses: Partial<Readonly<Record<RefusalReason, RefusalStatus>>> = {},
): Problem => {
  if (!(thrown instanceof Refusal)) return { status: 500, reason: 'internal', message: faultMessage, details: {} };
  const status = statuses[thrown.reason] ?? statusOf[thrown.reason];
  return { status, reason: thrown.reason, message: thrown.message, details: thrown.details };
};

export const envelope = (problem: Problem, requestId: string) => ({
  error: {
    code: codes[problem.status],
    reason: problem.reason,
    message: problem.message,
    details: problem.details,
    request_id: requestId,
  },
});

const patience = 5;

/** Headers that belong to the status: how to authenticate (RFC 9110 §11.6.1), when to try again (RFC 9110 §10.2.3). */
export const problemHeaders = (problem: Problem): Readonly<Record<string, string>> => {
  if (problem.status === 401) return { 'WWW-Authenticate': 'Bearer realm="hatidata", ApiKey realm="hatidata"' };
  const seconds = problem.details['retry_after_seconds'];
  if (problem.status !== 503 && problem.status !== 429 && seconds === undefined) return {};
  const wait = typeof seconds === 'number' && seconds > 0 ? Math.min(Math.ceil(seconds), 3600) : patience;
  return { 'Retry-After': String(wait) };
};
