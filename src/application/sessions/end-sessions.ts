// Ends sessions: one of one's own, one of a member, all of a member, all of an organization.

import { acting, actorOf, permitted, stillCalling } from '#application/access/permitted.ts';
import type { ReadModels } from '#application/ports/read-models.ts';
import type { Clock } from '#application/ports/system.ts';
import type { Transaction, UnitOfWork } from '#application/unit-of-work.ts';
import type { UseCases } from '#application/use-cases.ts';
import { asPerson } from '#domain/access/caller.ts';
import type { Session, SessionEndReason } from '#domain/sessions/session.ts';
import { Refusal } from '#domain/shared/refusal.ts';

/** Ends each and answers how many ended by it. */
export const endEach = async (
  tx: Transaction,
  sessions: readonly Session[],
  because: SessionEndReason,
  at: Date,
): Promise<number> => {
  const living = sessions.filter((session) => session.state.status === 'active');
  for (const session of living) session.end(because, at);
  await tx.save(...living);
  return living.length;
};

export const endMySession =
  (uow: UnitOfWork, clock: Clock): UseCases['endMySession'] =>
  async (caller, sessionId, source) => {
    const person = asPerson(caller);
    await uow.run({ across: 'own_session' }, { actor: actorOf(person), source }, async (tx) => {
      await stillCalling(tx, person);
      const session = await tx.sessions.get(sessionId);
      if (session?.state.userId !== person.id) throw new Refusal('session.not_found');
      await endEach(tx, [session], 'revoked_by_self', clock.now());
    });
  };

export const endSession =
  (uow: UnitOfWork, clock: Clock): UseCases['endSession'] =>
  async (caller, organizationId, sessionId, source) => {
    await acting(uow, caller, organizationId, 'users:manage', source, async (tx) => {
      const session = await tx.sessions.get(sessionId);
      if (session?.state.organizationId !== organizationId) throw new Refusal('session.not_found');
      await endEach(tx, [session], 'revoked_by_admin', clock.now());
    });
  };

export const endMemberSessions =
  (uow: UnitOfWork, clock: Clock): UseCases['endMemberSessions'] =>
  async (caller, organizationId, member, source) =>
    acting(uow, caller, organizationId, 'users:manage', source, async (tx) => {
      const membership = await tx.memberships.get(organizationId, member);
      if (!membership) throw new Refusal('membership.not_found');
      const sessions = await tx.sessions.activeOfUserIn(organizationId, membership.state.userId);
      return endEach(tx, sessions, 'revoked_by_admin', clock.now());
    });

export const endAllSessions =
  (uow: UnitOfWork, clock: Clock): UseCases['endAllSessions'] =>
  async (caller, organizationId, source) =>
    acting(uow, caller, organizationId, 'users:manage', source, async (tx) =>
      endEach(tx, await tx.sessions.activeIn(organizationId), 'revoked_by_admin', clock.now()),
    );

export const listMySessions =
  (readModels: ReadModels): UseCases['listMySessions'] =>
  async (caller) =>
    readModels.sessionsOfUser(asPerson(caller).id);

export const listSessions =
  (readModels: ReadModels): UseCases['listSessions'] =>
  async (caller, organizationId, filter, page) => {
    permitted(caller, organizationId, 'users:manage');
    if (!filter.member) return readModels.sessionsIn(organizationId, {}, page);
    const member = await readModels.member(organizationId, filter.member);
    if (!member) throw new Refusal('membership.not_found');
    return readModels.sessionsIn(organizationId, { userId: member.user.id }, page);
  };
