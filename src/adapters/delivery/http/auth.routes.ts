// How a person signs in and out: the browser goes to the hosted login, comes back with a code, and leaves with a session cookie.

import { z } from 'zod';
import type { UseCases } from '#application/use-cases.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { idOf, line } from './inputs.ts';
import type { Cookies } from './kit/cookies.ts';
import { type Route, route } from './kit/route.ts';

/** An error code as providers write them (RFC 6749 §4.1.2.1). Anything else in its place is not repeated. */
const errorWord = /^(?=.{1,64}$)[a-z]+(?:_[a-z]+)*$/;
const providerIsDown: ReadonlySet<string> = new Set(['server_error', 'temporarily_unavailable']);

/** What the provider's `error` in a callback means to the person. */
const refusedByProvider = (error: string): Refusal => {
  if (providerIsDown.has(error)) return new Refusal('identity.unavailable');
  return new Refusal('sign_in.denied', errorWord.test(error) ? { provider_error: error } : {});
};

/** Sends the browser back to the start, once: a second time in a row, something is wrong that starting afresh does not mend. */
const startAfresh = (cookies: Cookies): string => {
  if (cookies.startedAgain()) {
    cookies.forgetStartedAgain();
    throw new Refusal('sign_in.state_invalid');
  }
  cookies.noteStartedAgain();
  return '/auth/login?again=1';
};

const invitationToken = line(512).min(1).meta({ description: 'Of the invitation that brought the person here.' });

export const authRoutes = (
  useCases: Pick<UseCases, 'beginLogin' | 'completeLogin' | 'failLogin' | 'signOut'>,
): readonly Route[] => [
  route({
    method: 'get',
    path: '/auth/login',
    operation: 'beginLogin',
    summary: 'Start a sign-in',
    description:
      'Sends the browser to the hosted login. An e-mail of a verified domain leads to that organization’s own identity provider.',
    tags: ['sign-in'],
    allows: 'anyone',
    query: z.object({
      email: line(320).optional().meta({ description: 'Where the sign-in leads; an unreadable one is ignored.' }),
      organization_id: idOf('org').optional(),
      return_to: line(2048).optional().meta({ description: 'A path of ours to land on afterwards.' }),
      remember: z.stringbool().optional().meta({ description: '`true`: stay signed in for days, not hours.' }),
      invitation_token: invitationToken.optional(),
      again: z.literal('1').optional().meta({ description: 'Set by ourselves when a sign-in had to start afresh.' }),
    }),
    answers: [302, 'redirect'],
    refuses: [
      'sign_in.state_invalid',
      'organization.not_found',
      'organization.not_active',
      'identity.unavailable',
      'identity.throttled',
      'storage.unavailable',
    ],
    statuses: { 'organization.not_active': 403 },
    async handle({ query, cookies }) {
      // The callback left a note in a cookie. Without it this browser keeps no cookies, and no sign-in can succeed.
      if (query.again && !cookies.startedAgain()) throw new Refusal('sign_in.state_invalid');
      const started = await useCases.beginLogin({
        email: query.email,
        organizationId: query.organization_id,
        returnTo: query.return_to,
        remember: query.remember ?? false,
        invitationToken: query.invitation_token,
      });
      cookies.keepLogin(started.state, started.box, started.seconds);
      return started.url;
    },
  }),

  route({
    method: 'get',
    path: '/auth/callback',
    operation: 'completeLogin',
    summary: 'Finish a sign-in',
    description:
      'Where the hosted login sends the browser back to. A callback that does not belong to a sign-in of this browser starts a fresh one, once. The test of a connection ends here too: its result is recorded, and nobody is signed in.',
    tags: ['sign-in'],
    allows: 'anyone',
    query: z.object({
      code: line(4096).optional(),
      state: line(4096).optional(),
      error: line(4096).optional(),
    }),
    answers: [302, 'redirect'],
    refuses: [
      'sign_in.state_invalid',
      'sign_in.code_spent',
      'sign_in.denied',
      'sign_in.email_unverified',
      'sign_in.not_a_member',
      'user.not_active',
      'organization.not_active',
      'identity.unavailable',
      'identity.throttled',
      'storage.unavailable',
      'request.conflict',
    ],
    // The person did prove who they are; it does not let them in.
    statuses: { 'user.not_active': 403, 'organization.not_active': 403 },
    async handle({ query: { code, state, error }, cookies, source }) {
      const box = state === undefined ? undefined : cookies.loginBox(state);
      if (state !== undefined) cookies.forgetLogin(state);
      if (error !== undefined) {
        const word = errorWord.test(error) ? error : 'unknown';
        const tested = state && box ? await useCases.failLogin({ error: word, state, box, source }) : undefined;
        if (tested) return tested.returnTo;
        throw refusedByProvider(error);
      }
      if (!code || !state || box === undefined) return startAfresh(cookies);
      try {
        const done = await useCases.completeLogin({ code, state, box, replaces: replacedBy(cookies), source });
        cookies.forgetStartedAgain();
        if (done.is === 'signed_in') cookies.keepSession(done.reference, done.refreshBox, done.cookieSeconds);
        return done.returnTo;
      } catch (thrown) {
        if (thrown instanceof Refusal && thrown.reason === 'sign_in.state_invalid') return startAfresh(cookies);
        throw thrown;
      }
    },
  }),

  route({
    method: 'get',
    path: '/auth/start',
    operation: 'startLogin',
    summary: 'Start a sign-in that began elsewhere',
    description:
      'For sign-ins that begin at the identity provider: whatever it sends along is not believed; a fresh sign-in starts. Only an invitation is taken along, which the provider judges itself.',
    tags: ['sign-in'],
    allows: 'anyone',
    query: z.object({ invitation_token: invitationToken.optional() }),
    answers: [302, 'redirect'],
    refuses: [],
    handle: ({ query: { invitation_token: token } }) =>
      token === undefined ? '/auth/login' : `/auth/login?invitation_token=${encodeURIComponent(token)}`,
  }),

  route({
    method: 'post',
    path: '/auth/logout',
    operation: 'signOut',
    summary: 'Sign out',
    description:
      'Ends the session here and at the identity provider, and clears the cookies, also when the session is already gone.',
    tags: ['sign-in'],
    allows: 'anyone',
    ownPagesOnly: true,
    leavesCookies: true,
    answers: [303, 'redirect'],
    refuses: [
      'caller.person_required',
      'identity.unavailable',
      'identity.throttled',
      'storage.unavailable',
      'request.conflict',
    ],
    async handle({ identify, cookies, source }) {
      const caller = await identify();
      const { logoutUrl } = caller ? await useCases.signOut(caller, source) : { logoutUrl: undefined };
      cookies.forgetSession();
      return logoutUrl ?? '/';
    },
  }),
];

/** The session that this browser still has; two at once are none that could be told. */
const replacedBy = (cookies: Cookies): string | undefined => {
  try {
    return cookies.session();
  } catch {
    return undefined;
  }
};
