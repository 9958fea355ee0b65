// The hosted login over HTTP: the sign-in page, the way back with a code, signing out, and the public keys.

import { Router } from '@koa/router';
import { z } from 'zod';
import { signInPage } from '#adapters/identity/fake/sign-in-page.ts';
import type { SignInRefusal } from '#adapters/identity/fake/sign-in-rules.ts';
import {
  type Exchange,
  type Fields,
  jsonTrouble,
  ownPagesOnly,
  pageTrouble,
  queryOf,
  readForm,
  showPage,
  Trouble,
} from '#adapters/identity/fake/web.ts';
import type { FakeWorld } from '#adapters/identity/fake/world.ts';

const requestNames = [
  'client_id',
  'redirect_uri',
  'response_type',
  'state',
  'code_challenge',
  'code_challenge_method',
  'organization',
  'login_hint',
  'connection',
  'invitation_token',
];

/** An address of the service itself, as the browser will read it: nobody is sent elsewhere. */
const ownAddress = (world: FakeWorld) =>
  z
    .string()
    .refine((text) => URL.canParse(text) && new URL(text).origin === world.publicUrl, {
      error: `must lie under ${world.publicUrl}`,
    })
    .transform((text) => new URL(text).href);

/** An authorization request (RFC 6749 §4.1.1) with PKCE (RFC 7636 §4.3). */
const authorizationRequest = (world: FakeWorld) =>
  z.object({
    client_id: z.literal(world.clientId),
    response_type: z.literal('code'),
    redirect_uri: ownAddress(world),
    state: z.string().min(1).max(2048),
    code_challenge: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
    code_challenge_method: z.literal('S256').default('S256'),
    organization: z.string().max(200).optional(),
    login_hint: z.string().max(254).optional(),
    connection: z.string().max(200).optional(),
    invitation_token: z.string().max(512).optional(),
  });

const answer = z.object({ email: z.string().trim().max(254), method: z.enum(['sso', 'password']) });

const pickRequest = (sent: Fields): Fields =>
  Object.fromEntries(
    requestNames.flatMap((name) => (sent[name] === undefined || sent[name] === '' ? [] : [[name, sent[name]]])),
  );

const backTo = (redirectUri: string, facts: Fields): string => {
  const url = new URL(redirectUri);
  for (const [name, value] of Object.entries(facts)) url.searchParams.set(name, value);
  return url.href;
};

const statusOf = (refused: SignInRefusal): number => (refused === 'not_an_address' ? 400 : 403);

/** What the provider's own pages do while it is out. */
export const throughOutage = async (world: FakeWorld): Promise<void> => {
  const { mode } = world.outage();
  if (mode === 'down') throw new Trouble(503, 'identity.unavailable', 'The identity provider is down (on request).');
  if (mode === '429') throw new Trouble(429, 'identity.throttled', 'The identity provider is overloaded (on request).');
  if (mode === 'slow') await world.pause(2000);
};

/** Through a connection means to its organization; one that is not active lets nobody in, and the browser goes back at once. */
const closedConnection = (world: FakeWorld, id: string | undefined): boolean =>
  id !== undefined && world.connections.byId(id)?.connection.state !== 'active';

const organizationOf = (
  world: FakeWorld,
  request: {
    connection?: string | undefined;
    organization?: string | undefined;
    invitation_token?: string | undefined;
  },
) => {
  const invitation = world.invitations.behind(request.invitation_token);
  if (invitation) return invitation.organization;
  return request.connection === undefined
    ? request.organization
    : world.connections.byId(request.connection)?.organization.ref;
};

const connectionInvalid = ({
  redirect_uri,
  state,
}: {
  readonly redirect_uri: string;
  readonly state: string;
}): string =>
  backTo(redirect_uri, { error: 'connection_invalid', error_description: 'The connection is not active.', state });

const begin = (world: FakeWorld) => async (ctx: Exchange) => {
  await throughOutage(world);
  const sent = pickRequest(queryOf(ctx));
  const request = authorizationRequest(world).parse(sent);
  if (closedConnection(world, request.connection)) return ctx.redirect(connectionInvalid(request));
  const invitation = world.invitations.behind(request.invitation_token);
  const isStale = request.invitation_token !== undefined && !(invitation && world.invitations.isGood(invitation));
  const refused = isStale ? ('invitation_not_good' as const) : undefined;
  const email = invitation?.email ?? request.login_hint ?? '';
  const view = { request: sent, email, method: undefined, refused, invited: invitation !== undefined };
  const organization = organizationOf(world, request);
  showPage(ctx, world.publicUrl, signInPage(world, { ...view, organization }));
};

const proceed = (world: FakeWorld) => async (ctx: Exchange) => {
  await throughOutage(world);
  const { fields } = await readForm(ctx);
  const sent = pickRequest({ ...queryOf(ctx), ...fields });
  const request = authorizationRequest(world).parse(sent);
  const { state, redirect_uri, code_challenge } = request;
  if (closedConnection(world, request.connection)) return ctx.redirect(connectionInvalid(request));
  const organization = organizationOf(world, request);
  if (fields['act'] === 'cancel') {
    const facts = { error: 'access_denied', error_description: 'The person cancelled the sign-in.', state };
    return ctx.redirect(backTo(redirect_uri, facts));
  }
  const { email, method } = answer.parse(fields);
  const invitationToken = request.invitation_token;
  const asked = { email, method, codeChallenge: code_challenge, organization, invitationToken };
  const outcome = await world.sessions.signIn(asked);
  if (outcome.is === 'signed_in') return ctx.redirect(backTo(redirect_uri, { code: outcome.code, state }));
  ctx.status = statusOf(outcome.because);
  const invited = world.invitations.behind(invitationToken) !== undefined;
  const view = { request: sent, email, method, refused: outcome.because, invited };
  showPage(ctx, world.publicUrl, signInPage(world, { ...view, organization }));
};

/** Ends the provider's session and sends the browser back, as a real hosted logout does on a GET. */
const logOut = (world: FakeWorld) => async (ctx: Exchange) => {
  const { session_id, return_to } = z
    .object({
      session_id: z.string().max(200),
      return_to: ownAddress(world),
    })
    .parse(queryOf(ctx));
  await world.sessions.end(session_id);
  ctx.redirect(return_to);
};

export const signInRoutes = (world: FakeWorld): Router => {
  const router = new Router();
  const asPage = pageTrouble(world.publicUrl);
  router.get('/fake-idp/authorize', asPage, begin(world));
  router.post('/fake-idp/authorize', asPage, ownPagesOnly(world.publicUrl), proceed(world));
  router.get('/fake-idp/logout', asPage, logOut(world));
  router.get('/fake-idp/jwks', jsonTrouble, async (ctx) => {
    await throughOutage(world);
    ctx.body = world.sessions.jwks();
  });
  return router;
};
