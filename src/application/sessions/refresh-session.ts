// For a person's API client: a new access token for an old refresh token, as long as our own session lives.

import { sessionProof } from '#application/access/proofs.ts';
import type { IdentityProvider } from '#application/ports/identity-provider.ts';
import type { ReadModels, Standings } from '#application/ports/read-models.ts';
import type { Clock, Seal } from '#application/ports/system.ts';
import { openRefreshBox, refreshBoxOf } from '#application/sessions/refresh-box.ts';
import type { RefreshOnce } from '#application/sessions/refresh-once.ts';
import { moveSession, signInAgain } from '#application/sessions/switch-organization.ts';
import type { UnitOfWork } from '#application/unit-of-work.ts';
import type { RefreshSession } from '#application/use-cases.ts';
import { Refusal } from '#domain/shared/refusal.ts';

/** A reference that no provider has given to any organization. */
const unknownOrganization = 'org_00000000000000000000000000';

export const refreshSession =
  (
    provider: IdentityProvider,
    refresh: RefreshOnce,
    standings: Standings,
    readModels: ReadModels,
    uow: UnitOfWork,
    seal: Seal,
    clock: Clock,
    settings: { readonly loginUrl: string },
  ): RefreshSession =>
  async (request, source) => {
    const opened = await openRefreshBox(seal, request.refreshToken);
    const target = request.organizationId ? await readModels.organization(request.organizationId) : undefined;
    // Our own membership table first, where the box tells whose it is: the provider must not move a session that we refuse.
    const boxed = opened && (await readModels.session(opened.session));
    if (boxed && request.organizationId) {
      const theirs = await readModels.organizationsOf(boxed.userId);
      if (!theirs.some(({ id }) => id === request.organizationId)) throw new Refusal('organization.not_found');
    }
    // An organization that does not exist is asked for all the same, so that a worthless token learns nothing from the answer.
    const known = target?.provider?.provider === provider.name ? target.provider.id : unknownOrganization;
    const organization = request.organizationId ? known : undefined;

    const refreshToken = opened?.refreshToken ?? request.refreshToken;
    const refreshed = await refresh({ refreshToken, organization }, opened?.session);
    if (refreshed.is === 'not_a_member') throw new Refusal('organization.not_found');
    if (refreshed.is === 'interaction_required') throw signInAgain(settings.loginUrl, target?.id);
    if (refreshed.is === 'over') throw new Refusal('session.refresh_refused');
    let { tokens: pair } = refreshed;

    const standing = await standings.ofProviderSession(provider.name, refreshed.claims.providerSession);
    if (!standing) throw new Refusal('session.unknown');
    const { session, user } = standing;
    // The provider may keep one session over several of ours; a box of an earlier one does not open the newest.
    if (opened && opened.session !== session.id) throw new Refusal('session.ended');
    const act = { actor: { kind: 'user', id: user.id }, source } as const;
    let now = session;
    if (target && target.id !== session.organizationId) {
      now = await moveSession(uow, act, session.id, user.id, target.id, clock);
    } else {
      const { organizationRef } = sessionProof(standing, clock.now());
      if (organizationRef !== null && organizationRef !== refreshed.claims.organization) {
        // At the provider the session stands elsewhere: its organization was founded in it, or the answer to a switch was lost.
        // A token that names another organization than ours would be refused.
        const moved = await refresh({ refreshToken: pair.refreshToken, organization: organizationRef }, session.id);
        if (moved.is !== 'refreshed') throw signInAgain(settings.loginUrl, session.organizationId ?? undefined);
        pair = moved.tokens;
      }
    }
    const tokens = opened
      ? { ...pair, refreshToken: (await refreshBoxOf(seal, pair, now, clock.now())).refreshBox }
      : pair;
    return { tokens, organizationId: now.organizationId };
  };
