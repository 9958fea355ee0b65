// Moves a person's session to another of their organizations: the provider must agree, and our own membership table has the last word.

import { actorOf } from '#application/access/permitted.ts';
import type { IdentityProvider } from '#application/ports/identity-provider.ts';
import type { ReadModels } from '#application/ports/read-models.ts';
import type { Clock, Seal } from '#application/ports/system.ts';
import { openRefreshBox, refreshBoxOf } from '#application/sessions/refresh-box.ts';
import type { Act, UnitOfWork } from '#application/unit-of-work.ts';
import type { SwitchOrganization } from '#application/use-cases.ts';
import { asPerson } from '#domain/access/caller.ts';
import type { SessionState } from '#domain/sessions/session.ts';
import type { OrganizationId, SessionId, UserId } from '#domain/shared/ids.ts';
import { Refusal } from '#domain/shared/refusal.ts';

export const switchOrganization =
  (
    provider: IdentityProvider,
    readModels: ReadModels,
    uow: UnitOfWork,
    seal: Seal,
    clock: Clock,
    settings: { readonly loginUrl: string },
  ): SwitchOrganization =>
  async (caller, { organizationId, refreshBox }, source) => {
    const person = asPerson(caller);
    const theirs = await readModels.organizationsOf(person.id);
    if (!theirs.some(({ id }) => id === organizationId)) throw new Refusal('organization.not_found');
    const link = (await readModels.organization(organizationId))?.provider;
    const ref = link?.provider === provider.name ? link.id : undefined;

    // Without the refresh token of this very session there is nothing to ask the provider with.
    const opened = refreshBox === undefined ? undefined : await openRefreshBox(seal, refreshBox);
    if (!ref || opened?.session !== person.sessionId) throw signInAgain(settings.loginUrl, organizationId);
    const refreshed = await provider.sessions.refresh({ refreshToken: opened.refreshToken, organization: ref });
    if (refreshed.is !== 'refreshed') throw signInAgain(settings.loginUrl, organizationId);

    const session = await moveSession(
      uow,
      { actor: actorOf(person), source },
      person.sessionId,
      person.id,
      organizationId,
      clock,
    );
    return refreshBoxOf(seal, refreshed.tokens, session, clock.now());
  };

/** What only a fresh sign-in can give, and where to get it. */
export const signInAgain = (loginUrl: string, organizationId: OrganizationId | undefined): Refusal => {
  const login_url = organizationId ? `${loginUrl}?organization_id=${organizationId}` : loginUrl;
  return new Refusal('session.reauthentication_required', { login_url });
};

/**
 * The move itself, in one commit, with the membership looked at again inside it.
 * @throws Refusal `organization.not_found` when the person is no active member, `session.ended`
 */
export const moveSession = (
  uow: UnitOfWork,
  act: Act,
  sessionId: SessionId,
  userId: UserId,
  organizationId: OrganizationId,
  clock: Clock,
): Promise<SessionState> =>
  uow.run({ across: 'own_session', inTurnWith: organizationId }, act, async (tx) => {
    const organization = await tx.organizations.get(organizationId);
    const membership = await tx.memberships.ofUser(organizationId, userId);
    if (organization?.state.status !== 'active' || membership?.state.status !== 'active') {
      throw new Refusal('organization.not_found');
    }
    const session = await tx.sessions.get(sessionId);
    if (session?.state.userId !== userId || session.isOverAt(clock.now())) throw new Refusal('session.ended');
    session.switchTo(organizationId, organization.state.sessionPolicy);
    await tx.save(session);
    return session.state;
  });
