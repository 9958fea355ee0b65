// Every error that WorkOS is known to answer with, through the real SDK: what a sign-in makes of it, and what a refresh.

import { describe, expect, it } from 'vitest';
import { failureOf } from '#adapters/identity/workos/failures.ts';
import { codeVerifier, outcomeOf, staffed, workosWorld } from './workos-world.ts';

type Body = Readonly<Record<string, unknown>>;
type Row = readonly [status: number, body: Body, atSignIn: unknown, atRefresh: unknown];

const pending = { pending_authentication_token: 'p', message: 'More, please.' };
const over = { is: 'over' };
const interaction = { is: 'interaction_required' };
const outsider = { is: 'not_a_member' };
const denied = 'sign_in.denied';

const oauth = (error: string): Body => ({ error, error_description: 'Because.' });
const coded = (code: string): Body => ({ code, message: 'Because.' });
const each = (status: number, bodies: readonly Body[], atSignIn: unknown, atRefresh: unknown): readonly Row[] =>
  bodies.map((body) => [status, body, atSignIn, atRefresh]);

const table: readonly Row[] = [
  ...each(400, [oauth('invalid_grant'), oauth('expired_token')], undefined, over),
  ...each(400, ['invalid_one_time_code', 'invalid_pending_authentication_token'].map(coded), undefined, over),
  ...each(400, [coded('code_challenge_not_found'), oauth('invalid_request')], undefined, over),
  // A refresh cannot choose, and a sign-in cannot without a list to choose from.
  [403, { ...pending, code: 'organization_selection_required' }, denied, interaction],
  ...each(
    403,
    [
      'email_verification_required',
      'mfa_enrollment',
      'mfa_challenge',
      'mfa_verification',
      'radar_email_challenge',
      'radar_sms_challenge',
    ].map((code) => ({ ...pending, code })),
    denied,
    interaction,
  ),
  [400, { ...oauth('sso_required'), connection_ids: ['conn_01'], email: 'ada@acme.test' }, denied, interaction],
  [403, { code: 'sso_required', message: 'SSO, please.' }, denied, interaction],
  [400, { ...oauth('organization_authentication_methods_required'), auth_methods: {} }, denied, interaction],
  [400, { message: 'Must use SSO for selected organization' }, denied, interaction],
  ...each(
    403,
    [
      'radar_challenge',
      'radar_sign_up_challenge',
      'radar_sms_sign_in_challenge',
      'application_consent_required',
      'passkey_progressive_enrollment',
      'authentication_method_not_allowed',
      'email_password_auth_disabled',
      'a_question_of_tomorrow',
    ].map(coded),
    denied,
    interaction,
  ),
  ...each(400, ['organization_membership_not_found', 'organization_not_found'].map(oauth), denied, outsider),
  [400, coded('invalid_organization_id'), denied, outsider],
  ...each(
    400,
    [
      'access_denied',
      'sign_up_not_allowed',
      'invitation_invalid',
      'invitation_cannot_be_used_for_email',
      'invalid_connection',
      'invalid_profile',
    ].map(oauth),
    denied,
    interaction,
  ),
  ...each(400, ['invalid_credentials', 'user_mismatch'].map(coded), denied, interaction),
  ...each(
    400,
    ['invalid_client', 'unauthorized_client', 'token_too_big', 'pkce_not_supported'].map(oauth),
    'identity.unavailable',
    'identity.unavailable',
  ),
  [401, { message: 'Unauthorized' }, 'identity.unavailable', 'identity.unavailable'],
  [400, oauth('slow_down'), 'identity.throttled', 'identity.throttled'],
  [429, coded('too_many_requests'), 'identity.throttled', 'identity.throttled'],
  [429, coded('daily_quota_exceeded'), 'identity.throttled', 'identity.throttled'],
  [408, { message: 'Timeout' }, 'identity.unavailable', 'identity.unavailable'],
  ...[500, 502, 503, 504].map(
    (status): Row => [status, oauth('server_error'), 'identity.unavailable', 'identity.unavailable'],
  ),
  // A server that is in trouble may say anything; only an answer can mean no.
  [500, oauth('invalid_grant'), 'identity.unavailable', 'identity.unavailable'],
];

describe('an answer of WorkOS', () => {
  it.each(table)('%i %j means %j to a sign-in and %j to a refresh', async (status, body, atSignIn, atRefresh) => {
    const world = await workosWorld();
    const { code, signIn } = staffed(world);
    const { tokens } = await signIn();
    const fresh = await code();
    world.stub.plan({ play: 'answer', status, body });
    const { login, sessions } = world.provider;
    const proof = { code: fresh, codeVerifier, ip: null, userAgent: null };
    expect(await outcomeOf(login.redeem(proof))).toEqual(atSignIn);
    expect(await outcomeOf(sessions.refresh({ refreshToken: tokens.refreshToken }))).toEqual(atRefresh);
  });
});

describe('an error', () => {
  it('is known by its name when its class comes from the other copy of the SDK', () => {
    expect(failureOf(Object.assign(new Error(), { name: 'NotFoundException' })).kind).toBe('not_found');
    expect(failureOf(Object.assign(new Error(), { name: 'UnauthorizedException' })).kind).toBe('misconfigured');
    expect(failureOf(Object.assign(new Error(), { name: 'RateLimitExceededException', retryAfter: 3 }))).toMatchObject({
      kind: 'throttled',
      retryAfterSeconds: 3,
    });
  });

  it('is read for its code wherever that stands', () => {
    const places = [
      { code: 'invalid_grant' },
      { error: 'invalid_grant' },
      { rawData: { code: 'invalid_grant' } },
      { rawData: { error: 'invalid_grant' } },
    ];
    for (const place of places)
      expect(failureOf({ status: 400, ...place })).toMatchObject({ kind: 'over', code: 'invalid_grant' });
  });

  it.each([[undefined], [null], ['text'], [7], [new Error('anything')], [{}], [Object.create(null)]])(
    'that is %j counts as no answer',
    (thrown) => {
      expect(failureOf(thrown).kind).toBe('unavailable');
    },
  );

  it('never lends its text to a code: only a word is one', () => {
    expect(failureOf({ status: 400, code: 'a sentence with sk_test_1' }).code).toBeNull();
  });
});
