// Finishes a sign-in: one state, one code, one proven person; then a session in an organization where they belong.

import type { IdentityProvider, ProvenIdentity } from '#application/ports/identity-provider.ts';
import type { ReadModels, Standings } from '#application/ports/read-models.ts';
import type { Clock, Digest, Entropy, Ids, Seal } from '#application/ports/system.ts';
import { arrivingUser, placeOf } from '#application/sessions/arrival.ts';
import { openLoginBox, spendState } from '#application/sessions/login-box.ts';
import { refreshBoxOf } from '#application/sessions/refresh-box.ts';
import type { ConnectionTests } from '#application/sso/connection-tests.ts';
import type { Transaction, UnitOfWork } from '#application/unit-of-work.ts';
import type { CompleteLogin } from '#application/use-cases.ts';
import type { Actor } from '#domain/audit/audit-entry.ts';
import { defaultSessionPolicy } from '#domain/organizations/session-policy.ts';
import { Session } from '#domain/sessions/session.ts';
import type { OrganizationId, SessionId, UserId } from '#domain/shared/ids.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { parseEmail } from '#domain/users/email.ts';

export interface SignInParts {
  readonly provider: IdentityProvider;
  readonly readModels: ReadModels;
  readonly standings: Standings;
  readonly uow: UnitOfWork;
  readonly seal: Seal;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly entropy: Entropy;
  readonly digest: Digest;
  readonly connectionTests: ConnectionTests;
}

export const completeLogin = (parts: SignInParts): CompleteLogin => {
  const { provider, uow, seal, clock, ids, digest } = parts;

  return async ({ code, state, box, replaces, source }) => {
    const nobody = { actor: { kind: 'anonymous', id: null }, source } as const;
    const started = await openLoginBox(seal, box, state);
    if (!started) throw new Refusal('sign_in.state_invalid');
    const isFresh = await spendState(uow, digest, clock, nobody, state);
    if (!isFresh) throw new Refusal('sign_in.state_invalid');
    if (started.test) return parts.connectionTests.finish(started, started.test, { code, source });

    const { codeVerifier } = started;
    const invitationToken = started.invitationToken ?? undefined;
    const { ip, userAgent } = source;
    const wanted = started.organization && (await parts.readModels.organization(started.organization))?.provider;
    const organization = wanted && wanted.provider === provider.name ? wanted.id : undefined;
    const proof = { code, codeVerifier, ip, userAgent, invitationToken, organization };
    const redeemed = await provider.login.redeem(proof);
    if (!redeemed) throw new Refusal('sign_in.code_spent');
    try {
      const email = parseEmail(redeemed.email);
      if (!redeemed.emailVerified || !email) throw new Refusal('sign_in.email_unverified');
      const userId = await uow.run({ across: 'sign_in' }, nobody, (tx) =>
        arrivingUser(tx, provider.name, redeemed, email, ids, clock.now()),
      );
      const proven = await inAnOrganization(redeemed, userId, started.organization);

      const remembered = started.remember;
      const reference = parts.entropy.reference();
      const old = replaces && (await parts.standings.ofSessionReference(digest.sha256(replaces)));
      const impersonator = proven.impersonator?.email;
      const actor: Actor = { kind: 'user', id: userId, ...(impersonator !== undefined && { impersonator }) };
      const act = { actor, source };
      // In turn with everybody who writes there: a removal that commits first is seen, one that comes later ends this session.
      const place = await uow.run({ across: 'sign_in' }, act, (tx) => placeNamedBy(tx, proven));
      const { state: session } = await uow.run({ across: 'sign_in', inTurnWith: place }, act, async (tx) => {
        if (old) await replace(tx, old.session.id, proven.providerSession);
        return startSession(tx, proven, userId, { remembered, referenceDigest: digest.sha256(reference), source });
      });
      const { refreshBox, cookieSeconds } = await refreshBoxOf(seal, proven.tokens, session, clock.now());
      const { id: sessionId, organizationId } = session;
      const { returnTo } = started;
      return {
        is: 'signed_in',
        sessionId,
        userId,
        organizationId,
        reference,
        refreshBox,
        remembered,
        cookieSeconds,
        returnTo,
      };
    } catch (refusal) {
      // The provider let them in and we do not: its session must not linger, and the trail must show the attempt.
      if (refusal instanceof Refusal && refusal.reason !== 'storage.unavailable') {
        const { reason } = refusal;
        await uow.run({ across: 'sign_in' }, nobody, async (tx) => {
          const organizationId = (await placeNamedBy(tx, redeemed)) ?? null;
          tx.tell({ type: 'sign_in.refused', organizationId, email: redeemed.email, reason });
          const { providerSession } = redeemed;
          tx.after({ do: 'end_provider_session', provider: provider.name, providerSession });
        });
      }
      throw refusal;
    }
  };

  async function placeNamedBy(
    tx: Transaction,
    { organization: id }: ProvenIdentity,
  ): Promise<OrganizationId | undefined> {
    return id === null ? undefined : (await tx.organizations.byProvider({ provider: provider.name, id }))?.state.id;
  }

  /**
   * Somebody who arrives without an organization is moved into the one they asked for, or their first. The provider does it, so
   * that its policies for that organization apply; when it asks for more, they arrive without one and choose.
   */
  async function inAnOrganization(
    proven: ProvenIdentity,
    userId: UserId,
    wanted: OrganizationId | null,
  ): Promise<ProvenIdentity> {
    if (proven.organization !== null) return proven;
    const theirs = await parts.readModels.organizationsOf(userId);
    const choice = theirs.find(({ id }) => id === wanted) ?? theirs[0];
    const link = choice && (await parts.readModels.organization(choice.id))?.provider;
    if (link?.provider !== provider.name) return proven;
    const organization = link.id;
    const refreshed = await provider.sessions.refresh({ refreshToken: proven.tokens.refreshToken, organization });
    return refreshed.is === 'refreshed' ? { ...proven, organization, tokens: refreshed.tokens } : proven;
  }

  async function startSession(
    tx: Transaction,
    proven: ProvenIdentity,
    userId: UserId,
    how: Pick<Parameters<typeof Session.start>[0], 'remembered' | 'referenceDigest'> & {
      source: { ip: string | null; userAgent: string | null };
    },
  ): Promise<Session> {
    const now = clock.now();
    const organization = await placeOf(tx, provider.name, proven, userId, ids, now);
    // The provider may keep one session over several sign-ins; the newest of ours stands for it.
    const before = await tx.sessions.byProviderSession(provider.name, proven.providerSession);
    if (before) await replace(tx, before.state.id, proven.providerSession);
    const session = Session.start({
      id: ids.next('sess'),
      userId,
      organizationId: organization?.state.id ?? null,
      provider: provider.name,
      providerSession: proven.providerSession,
      referenceDigest: how.referenceDigest,
      method: proven.method,
      remembered: how.remembered,
      policy: organization?.state.sessionPolicy ?? defaultSessionPolicy,
      authenticatedAt: proven.authenticatedAt,
      ip: how.source.ip,
      userAgent: how.source.userAgent,
      impersonator: proven.impersonator,
      at: now,
    });
    await tx.save(session);
    return session;
  }

  async function replace(tx: Transaction, sessionId: SessionId, byProviderSession: string): Promise<void> {
    const session = await tx.sessions.get(sessionId);
    if (session?.state.status !== 'active') return;
    session.end('replaced', clock.now());
    await tx.save(session);
    const { provider: name, providerSession } = session.state;
    if (providerSession !== byProviderSession)
      tx.after({ do: 'end_provider_session', provider: name, providerSession });
  }
};
