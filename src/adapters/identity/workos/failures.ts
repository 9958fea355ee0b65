// What went wrong when we asked WorkOS something: every error that its SDK throws, sorted into the few kinds that we act on.

import { isRecord } from '#adapters/identity/wire/words.ts';

/** A no that WorkOS meant. What it means to us depends on what was asked. */
export type NoKind =
  /** The code, the refresh token or the pending sign-in is not good, or not any more. */
  | 'over'
  /** More has to be proven than this call can carry: SSO, a second factor, a verified address. */
  | 'interaction_required'
  /** The person belongs to several organizations and one has to be named. */
  | 'selection_required'
  | 'not_a_member'
  /** The person is not let in, whatever else they prove. */
  | 'denied'
  /** The API key, or the person, may not do this. */
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'invalid';

/** No answer that could be used; nothing was decided. */
export type FaultKind =
  | 'throttled'
  | 'unavailable'
  /** Nobody but the operator can help: the key, the client id, or a setting in the dashboard. */
  | 'misconfigured';

/** Facts about the failure that may be logged. */
export interface FailureFacts {
  readonly status: number | null;
  readonly code: string | null;
  /** WorkOS' id of the request, for its support. */
  readonly requestId: string | null;
  /** How long WorkOS asks us to wait, if it said so. */
  readonly retryAfterSeconds: number | null;
}

export interface Failure extends FailureFacts {
  readonly kind: NoKind | FaultKind;
}

/** Every code of WorkOS' documentation and OpenAPI document that can meet us, and what it comes to. */
const kinds: Readonly<Record<NoKind | FaultKind, readonly string[]>> = {
  over: [
    'invalid_grant',
    'expired_token',
    'invalid_pending_authentication_token',
    'invalid_one_time_code',
    'code_challenge_not_found',
  ],
  interaction_required: [
    'email_verification_required',
    'mfa_enrollment',
    'mfa_challenge',
    'mfa_verification',
    'sso_required',
    'organization_authentication_methods_required',
    'radar_challenge',
    'radar_email_challenge',
    'radar_sms_challenge',
    'radar_sign_up_challenge',
    'radar_sms_sign_in_challenge',
    'application_consent_required',
    'passkey_progressive_enrollment',
    'authentication_method_not_allowed',
    'email_password_auth_disabled',
  ],
  selection_required: ['organization_selection_required'],
  not_a_member: ['organization_membership_not_found', 'organization_not_found', 'invalid_organization_id'],
  denied: [
    'access_denied',
    'sign_up_not_allowed',
    'invitation_invalid',
    'invitation_cannot_be_used_for_email',
    'invalid_connection',
    'invalid_profile',
    'invalid_credentials',
    'user_mismatch',
  ],
  forbidden: [],
  not_found: ['entity_not_found'],
  conflict: [
    'external_id_already_used',
    'organization_membership_already_exists',
    'email_already_invited_to_organization',
    'user_already_organization_member',
    'invite_not_pending',
    'invite_has_accepted_user_id',
  ],
  invalid: [],
  throttled: ['too_many_requests', 'daily_quota_exceeded', 'slow_down'],
  unavailable: [],
  // A template of the token that has grown too big, and PKCE switched off, can only be mended in the dashboard.
  misconfigured: ['invalid_client', 'unauthorized_client', 'token_too_big', 'pkce_not_supported'],
};

const kindOfCode: ReadonlyMap<string, NoKind | FaultKind> = new Map(
  Object.entries(kinds).flatMap(([kind, codes]) => codes.map((code) => [code, kind as NoKind | FaultKind] as const)),
);

/** What a status comes to when no code says more. */
const kindOfStatus: Readonly<Record<number, NoKind | FaultKind>> = {
  400: 'invalid',
  401: 'misconfigured',
  403: 'forbidden',
  404: 'not_found',
  408: 'unavailable',
  409: 'conflict',
  422: 'invalid',
  429: 'throttled',
};

/** The SDK exists twice, for `import` and for `require`, so an error is known by its name and never by its class. */
const statusOfName: ReadonlyMap<string, number> = new Map([
  ['BadRequestException', 400],
  ['UnauthorizedException', 401],
  ['NoApiKeyProvidedException', 401],
  ['ApiKeyRequiredException', 401],
  ['NotFoundException', 404],
  ['ConflictException', 409],
  ['UnprocessableEntityException', 422],
  ['RateLimitExceededException', 429],
]);

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
const number = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;

/** Whole seconds, and a day at most: whatever a header says, nobody is told to wait for longer. */
const seconds = (value: unknown): number | null => {
  const said = number(value);
  return said === null ? null : Math.min(Math.ceil(said), 86_400);
};

/** A code is words in lower case. Anything else in its place is not repeated: it could be a text with a secret in it. */
const word = (value: unknown): string | null =>
  typeof value === 'string' && /^(?=.{1,64}$)[a-z]+(?:_[a-z]+)*$/.test(value) ? value : null;

const codeOf = (thrown: Readonly<Record<string, unknown>>): string | null => {
  const raw = isRecord(thrown['rawData']) ? thrown['rawData'] : {};
  return word(thrown['code']) ?? word(thrown['error']) ?? word(raw['code']) ?? word(raw['error']);
};

/** Seconds of a Retry-After header; a date in it is not worth a clock, we wait as if nothing was said. */
const secondsIn = (headers: unknown): number | null => {
  const value = headers instanceof Headers ? headers.get('retry-after') : null;
  return value !== null && /^\d{1,6}$/.test(value) ? seconds(Number(value)) : null;
};

/** An answer that is no JSON never came from WorkOS' own programs: a proxy, a gateway, or a page that says "sorry". */
const fromPage = (page: Readonly<Record<string, unknown>>): Failure => {
  const status = number(page['rawStatus']);
  return {
    kind: status === 429 ? 'throttled' : 'unavailable',
    status,
    code: null,
    requestId: text(page['requestID']),
    retryAfterSeconds: secondsIn(page['rawHeaders']),
  };
};

const insistsOnSso = (thrown: Readonly<Record<string, unknown>>): boolean =>
  /must use sso/i.test(text(thrown['message']) ?? '');

/**
 * Sorts whatever the SDK threw. Total: what is not known by its code or status counts as no answer at all, since only
 * an answer can mean no.
 */
export const failureOf = (thrown: unknown): Failure => {
  const nothing = { status: null, code: null, requestId: null, retryAfterSeconds: null };
  // Errors have their facts as own fields; a record is all that we need them to be.
  if (typeof thrown !== 'object' || thrown === null) return { kind: 'unavailable', ...nothing };
  const error = thrown as Readonly<Record<string, unknown>>;
  const cause = isRecord(error['cause']) ? error['cause'] : error;
  if (cause['name'] === 'ParseError') return fromPage(cause);

  const status = statusOfName.get(text(error['name']) ?? '') ?? number(error['status']);
  const facts: FailureFacts = {
    status,
    code: status === null ? null : codeOf(error),
    requestId: text(error['requestID']),
    retryAfterSeconds: seconds(error['retryAfter']),
  };
  if (status === null || status === 408 || status >= 500) return { kind: 'unavailable', ...facts };
  if (status === 401 || status === 429) return { kind: kindOfStatus[status] ?? 'unavailable', ...facts };
  const known = facts.code === null ? undefined : kindOfCode.get(facts.code);
  if (known) return { kind: known, ...facts };
  if (status === 400 && insistsOnSso(error)) return { kind: 'interaction_required', ...facts };
  return { kind: kindOfStatus[status] ?? 'invalid', ...facts };
};

/** What a sign-in needs to go on when an organization has to be named. The token is a secret. */
export interface PendingSelection {
  readonly token: string;
  readonly organizations: readonly string[];
}

/** Undefined when the error does not carry what it should. */
export const pendingSelectionOf = (thrown: unknown): PendingSelection | undefined => {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  const { pendingAuthenticationToken: token, rawData } = thrown as Readonly<Record<string, unknown>>;
  const listed = isRecord(rawData) && Array.isArray(rawData['organizations']) ? rawData['organizations'] : [];
  const organizations = listed.flatMap((one) => (isRecord(one) && typeof one['id'] === 'string' ? [one['id']] : []));
  return typeof token === 'string' && organizations.length > 0 ? { token, organizations } : undefined;
};

/** WorkOS meant no. Whoever asked decides what that means; if nobody expected it, it is a fault of ours. */
export class WorkosNo extends Error {
  readonly kind: NoKind;
  readonly facts: FailureFacts;
  /** Private, so that no log and no inspection shows the pending token. */
  readonly #pending: PendingSelection | undefined;

  constructor(what: string, kind: NoKind, facts: FailureFacts, pending?: PendingSelection) {
    const { status, code, requestId } = facts;
    super(`WorkOS would not ${what}: ${code ?? kind} (status ${status}, request ${requestId ?? 'unknown'})`);
    this.name = 'WorkosNo';
    this.kind = kind;
    this.facts = facts;
    this.#pending = pending;
  }

  pendingSelection(): PendingSelection | undefined {
    return this.#pending;
  }
}

/** For `catch`: answers the refusals that were to be expected, and lets everything else go on. */
export const whenNo =
  <T>(answers: Partial<Readonly<Record<NoKind, (no: WorkosNo) => T>>>) =>
  (thrown: unknown): T => {
    const answer = thrown instanceof WorkosNo ? answers[thrown.kind] : undefined;
    if (thrown instanceof WorkosNo && answer) return answer(thrown);
    throw thrown;
  };
