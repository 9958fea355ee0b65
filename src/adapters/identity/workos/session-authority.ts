// WorkOS' side of a session: whether it lives, a new pair of tokens for it, and its end.

import type { WorkOS } from '@workos-inc/node';
import type { CallBudget, CallDebts } from '#adapters/identity/workos/call-budget.ts';
import { whenNo } from '#adapters/identity/workos/failures.ts';
import { couldBeIssued, type WorkosTokens } from '#adapters/identity/workos/session-tokens.ts';
import { SingleFlight } from '#adapters/identity/workos/single-flight.ts';
import type { Transport } from '#adapters/identity/workos/transport.ts';
import type { Refreshed, SessionAuthority } from '#application/ports/identity-provider.ts';
import type { Log } from '#application/ports/system.ts';
import { Refusal } from '#domain/shared/refusal.ts';

/** The most that WorkOS puts on a page. */
const pageSize = 100;
/** Somebody with more sessions than this many pages hold is a program gone wild; asking on would hurt the others. */
const mostPages = 50;

export interface SessionAuthorityParts {
  readonly transport: Transport;
  readonly tokens: WorkosTokens;
  /** What the checks may cost. Signing in, refreshing and signing out are not counted against it. */
  readonly budget: CallBudget;
  /** What a person's further pages cost beyond the one that everybody needs. */
  readonly debts: CallDebts;
  readonly log: Log;
}

export const sessionAuthority = ({
  transport,
  tokens,
  budget,
  debts,
  log,
}: SessionAuthorityParts): SessionAuthority => {
  const listings = new SingleFlight<ReadonlySet<string>>();
  const refreshes = new SingleFlight<Refreshed>();

  /** There is no way to ask WorkOS about one session: only for all of a person's. */
  const aliveOf = async (subject: string): Promise<ReadonlySet<string>> => {
    debts.mustBePaid(subject);
    const alive = new Set<string>();
    let after: string | undefined;
    for (let page = 0; page < mostPages; page += 1) {
      budget.take();
      debts.owes(subject, page);
      const { data, next } = await sessionsPage(transport, subject, after).catch(slowDown);
      // WorkOS says that it lists active sessions; what a list of another day holds is told apart by the state.
      for (const session of data) if (session.status === 'active') alive.add(session.id);
      if (next === undefined || next === after) return alive;
      after = next;
    }
    log.warn('somebody has more sessions at WorkOS than are looked at', { subject, looked_at: mostPages * pageSize });
    return alive;
  };

  const slowDown = (thrown: unknown): never => {
    const seconds = thrown instanceof Refusal ? thrown.details['retry_after_seconds'] : undefined;
    if (thrown instanceof Refusal && thrown.reason === 'identity.throttled') {
      budget.closeFor(typeof seconds === 'number' ? seconds : 1);
    }
    throw thrown;
  };

  const refresh = async (
    refreshToken: string,
    organization: string | undefined,
    isRepeat = false,
  ): Promise<Refreshed> => {
    const over = (): Refreshed => ({ is: 'over' });
    const interaction = (): Refreshed => ({ is: 'interaction_required' });
    if (!couldBeIssued(refreshToken)) return over();
    const answer = await transport.interactive
      .ask('refresh a session', ({ userManagement }) =>
        userManagement.authenticateWithRefreshToken({
          refreshToken,
          ...(organization !== undefined && { organizationId: organization }),
        }),
      )
      .catch(
        whenNo<Refreshed>({
          over,
          // Whatever a client sends for a refresh token comes here: what WorkOS cannot read is no good either.
          invalid: over,
          not_found: over,
          not_a_member: () => ({ is: 'not_a_member' }),
          interaction_required: interaction,
          selection_required: interaction,
          // A new kind of question (403) or a flat no: on the hosted page the person sees what it is about.
          forbidden: interaction,
          denied: interaction,
        }),
      );
    if ('is' in answer) return answer;
    const { authenticatedAt: _, ...claims } = tokens.justIssued(answer.accessToken);
    const { accessToken, refreshToken: next } = answer;
    const pair = { accessToken, refreshToken: next, expiresAt: claims.expiresAt };
    if (organization === undefined || claims.organization === organization)
      return { is: 'refreshed', claims, tokens: pair };
    // Somebody else has just used this token up, and WorkOS repeats what it told them: the pair is new, the place is not.
    return isRepeat ? interaction() : refresh(next, organization, true);
  };

  return {
    async isAlive({ providerSession, subject }) {
      const alive = await listings.join(subject, () => aliveOf(subject));
      return alive.has(providerSession);
    },

    /** Two who bring the same token at once get the same pair. On two nodes WorkOS does it, for 30 seconds after a rotation. */
    refresh: ({ refreshToken, organization }) =>
      refreshes.join(`${organization ?? ''} ${refreshToken}`, () => refresh(refreshToken, organization)),

    async end(providerSession) {
      await transport.background
        .ask('end a session', ({ userManagement }) => userManagement.revokeSession({ sessionId: providerSession }))
        // Unknown, or ended already.
        .catch(whenNo({ not_found: nothing, invalid: nothing, over: nothing, conflict: nothing }));
      // A list that was begun before may still hold it.
      listings.leaveAll();
    },

    logoutUrl: (providerSession, returnTo) =>
      transport.addresses.getLogoutUrl({ sessionId: providerSession, returnTo }),
  };
};

const nothing = (): void => undefined;

type Page = {
  readonly data: readonly { readonly id: string; readonly status: string }[];
  readonly next: string | undefined;
};

const sessionsPage = (transport: Transport, subject: string, after: string | undefined): Promise<Page> =>
  transport.interactive
    .ask('list the sessions of a user', async ({ userManagement }: WorkOS): Promise<Page> => {
      const options = { limit: pageSize, ...(after !== undefined && { after }) };
      const { data, listMetadata } = await userManagement.listSessions(subject, options);
      return { data, next: listMetadata.after ?? undefined };
    })
    // Nobody of that name, or not any more: nothing of theirs lives.
    .catch(whenNo<Page>({ not_found: () => ({ data: [], next: undefined }) }));
