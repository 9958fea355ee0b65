// One act: change entities, record what happened, remember what must still be done; all in one commit. Reactions follow it.

import type { CallerCache, Forgettable } from '#application/ports/caller-cache.ts';
import type { Effect, Repositories, Scope, Store } from '#application/ports/store.ts';
import type { Clock, Ids } from '#application/ports/system.ts';
import { consequencesOf } from '#application/reactions/consequences.ts';
import type { Agent } from '#domain/access/agent.ts';
import type { ApiKey } from '#domain/access/api-key.ts';
import type { Actor, Source } from '#domain/audit/audit-entry.ts';
import { narrate } from '#domain/audit/narrate.ts';
import type { DomainEvent } from '#domain/events.ts';
import type { Membership } from '#domain/memberships/membership.ts';
import type { Organization } from '#domain/organizations/organization.ts';
import type { Session } from '#domain/sessions/session.ts';
import type { User } from '#domain/users/user.ts';

/** Who acts, and from where: what the audit trail will say. */
export interface Act {
  readonly actor: Actor;
  readonly source: Source;
}

export type Entity = Organization | User | Membership | Session | Agent | ApiKey;

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
}

export interface UnitOfWork {
  /**
   * Runs the work in one transaction and returns its answer after the commit. The work may run more than once (see `Store`).
   * When it returns, every cached caller that the change concerns has been forgotten.
   */
  run<T>(scope: Scope, act: Act, work: (tx: Transaction) => Promise<T>): Promise<T>;
}

const saveOne = (tx: Repositories, entity: Entity): Promise<void> => {
  switch (entity.kind) {
    case 'organization':
      return tx.organizations.save(entity);
    case 'user':
      return tx.users.save(entity);
    case 'membership':
      return tx.memberships.save(entity);
    case 'session':
      return tx.sessions.save(entity);
    case 'agent':
      return tx.agents.save(entity);
    case 'api_key':
      return tx.apiKeys.save(entity);
  }
};

export const unitOfWork = (
  store: Store,
  callers: Pick<CallerCache, 'forget'>,
  wakeOutbox: () => void,
  clock: Clock,
  ids: Ids,
): UnitOfWork => ({
  async run(scope, act, work) {
    const committed = await store.transact(scope, async (repositories) => {
      const events: DomainEvent[] = [];
      const effects: Effect[] = [];
      const tx: Transaction = {
        ...repositories,
        now: clock.now(),
        async save(...entities) {
          for (const entity of entities) {
            events.push(...entity.pullEvents());
            await saveOne(repositories, entity);
          }
        },
        tell: (...told) => void events.push(...told),
        after: (...more) => void effects.push(...more),
      };
      const answer = await work(tx);

      const at = clock.now();
      const consequences = events.map(consequencesOf);
      effects.push(...consequences.flatMap(({ effects: following }) => following));
      if (events.length > 0)
        await repositories.audit.append(events.map((event) => ({ ...narrate(event), ...act, at })));
      if (effects.length > 0) {
        await repositories.outbox.add(
          effects.map((effect) => ({ id: ids.next('eff'), effect, attempts: 0, dueAt: at })),
        );
      }
      const forget = [...new Set<Forgettable>(consequences.flatMap((consequence) => consequence.forget))];
      // Told by the database at the commit: it also reaches the other nodes if this one does not live to tell them.
      if (forget.length > 0) await repositories.announcements.toForget(forget);
      return { answer, forget, owesEffects: effects.length > 0 };
    });

    if (committed.forget.length > 0) await callers.forget(committed.forget);
    if (committed.owesEffects) wakeOutbox();
    return committed.answer;
  },
});
