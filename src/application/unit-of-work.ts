// One act: change entities, record what happened, remember what must still be done; all in one commit. Reactions follow it.

import type { Once, Origin } from '#application/idempotency/once.ts';
import type { CallerCache, Forgettable } from '#application/ports/caller-cache.ts';
import type { Effect, Repositories, Scope, Store } from '#application/ports/store.ts';
import type { Clock, Ids } from '#application/ports/system.ts';
import { consequencesOf } from '#application/reactions/consequences.ts';
import type { Agent } from '#domain/access/agent.ts';
import type { ApiKey } from '#domain/access/api-key.ts';
import type { Actor } from '#domain/audit/audit-entry.ts';
import { narrate } from '#domain/audit/narrate.ts';
import type { DomainEvent } from '#domain/events.ts';
import type { Invitation } from '#domain/invitations/invitation.ts';
import type { Membership } from '#domain/memberships/membership.ts';
import type { Organization } from '#domain/organizations/organization.ts';
import type { Session } from '#domain/sessions/session.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { dueAtOnce } from '#domain/shared/time.ts';
import type { User } from '#domain/users/user.ts';

/** Who acts, and from where: what the audit trail will say. */
export interface Act {
  readonly actor: Actor;
  readonly source: Origin;
}

export type Entity = Organization | User | Membership | Invitation | Session | Agent | ApiKey;

/** The repositories, and two verbs that make sure nothing changes without a trace. */
export interface Transaction extends Repositories {
  /** When this run of the work began. */
  readonly now: Date;
  /** Saves entities; what they report becomes audit entries and effects of this same commit. */
  save(...entities: readonly Entity[]): Promise<void>;
  /** Records something that happened to no entity. */
  tell(...events: readonly DomainEvent[]): void;
  /** Something to do in the world after the commit, besides what follows from the events. */
  after(...effects: readonly Effect[]): void;
  /** From here on it is another act: for work that carries out several in one commit. The trail tells each by its own actor. */
  as(act: Act): void;
}

export interface UnitOfWork {
  /**
   * Runs the work in one transaction and returns its answer after the commit. The work may run more than once (see `Store`).
   * When it returns, every cached caller that the change concerns has been forgotten.
   */
  run<T>(scope: Scope, act: Act, work: (tx: Transaction) => Promise<T>): Promise<T>;
  /**
   * The same for work that must not be done twice: where the sender gave a key, the answer is kept under it in this very commit.
   * It is the answer that the use case gives.
   * @throws Refusal `idempotency_key.under_way` when this try took so long that another one has the key by now; nothing was done
   */
  once<T>(scope: Scope, act: Act, work: (tx: Transaction) => Promise<T>): Promise<T>;
}

const saveOne = (tx: Repositories, entity: Entity): Promise<void> => {
  switch (entity.kind) {
    case 'organization':
      return tx.organizations.save(entity);
    case 'user':
      return tx.users.save(entity);
    case 'membership':
      return tx.memberships.save(entity);
    case 'invitation':
      return tx.invitations.save(entity);
    case 'session':
      return tx.sessions.save(entity);
    case 'agent':
      return tx.agents.save(entity);
    case 'api_key':
      return tx.apiKeys.save(entity);
  }
};

const draftOf = (event: DomainEvent, { actor, source: { once: _, ...source } }: Act, at: Date) => ({
  ...narrate(event),
  actor,
  source,
  at,
});

export const unitOfWork = (
  store: Store,
  callers: Pick<CallerCache, 'forget'>,
  wakeOutbox: () => void,
  clock: Clock,
  ids: Ids,
): UnitOfWork => {
  const commit = async <T>(
    scope: Scope,
    act: Act,
    once: Once | undefined,
    work: (tx: Transaction) => Promise<T>,
  ): Promise<T> => {
    const committed = await store.transact(scope, async (repositories) => {
      const told: { readonly event: DomainEvent; readonly by: Act }[] = [];
      let by = act;
      const tell = (...events: readonly DomainEvent[]): void =>
        void told.push(...events.map((event) => ({ event, by })));
      const effects: Effect[] = [];
      const tx: Transaction = {
        ...repositories,
        now: clock.now(),
        async save(...entities) {
          for (const entity of entities) {
            tell(...entity.pullEvents());
            await saveOne(repositories, entity);
          }
        },
        tell,
        after: (...more) => void effects.push(...more),
        as(another) {
          by = another;
        },
      };
      const answer = await work(tx);
      if (once && !(await repositories.idempotencyKeys.answer(once.attempt, await once.seal(answer)))) {
        throw new Refusal('idempotency_key.under_way');
      }

      const at = clock.now();
      const consequences = told.map(({ event }) => consequencesOf(event));
      effects.push(...consequences.flatMap(({ effects: following }) => following));
      if (effects.length > 0) {
        await repositories.outbox.add(
          effects.map((effect) => ({ id: ids.next('eff'), effect, attempts: 0, dueAt: dueAtOnce(at) })),
        );
      }
      const forget = [...new Set<Forgettable>(consequences.flatMap((consequence) => consequence.forget))];
      // Told by the database at the commit: it also reaches the other nodes if this one does not live to tell them.
      if (forget.length > 0) await repositories.announcements.toForget(forget);
      // Last: whoever writes to the same trail waits from here until the commit.
      if (told.length > 0) await repositories.audit.append(told.map(({ event, by }) => draftOf(event, by, at)));
      return { answer, forget, owesEffects: effects.length > 0 };
    });

    if (committed.forget.length > 0) await callers.forget(committed.forget);
    if (committed.owesEffects) wakeOutbox();
    return committed.answer;
  };
  return {
    run: (scope, act, work) => commit(scope, act, undefined, work),
    once: (scope, act, work) => commit(scope, act, act.source.once, work),
  };
};
