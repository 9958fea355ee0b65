// Answers to the questions that come before an organization is known, or are about all of a person's. Each is one call in one round trip.

import type { EntityName } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/postgresql';
import type { OrganizationOfUser, ReadModels, SessionStanding, Standings } from '#application/ports/read-models.ts';
import { byStanding } from '../newest.ts';
import { sortableName } from '../text.ts';
import { AgentRow, agentFromRow } from './rows/agent.row.ts';
import { ApiKeyRow, apiKeyFromRow } from './rows/api-key.row.ts';
import { MembershipRow, membershipFromRow } from './rows/membership.row.ts';
import { OrganizationRow, organizationFromRow } from './rows/organization.row.ts';
import { SessionRow, sessionFromRow } from './rows/session.row.ts';
import { UserRow, userFromRow } from './rows/user.row.ts';

/** Everything else that is asked is asked within an organization. */
export type Lookups = Standings &
  Pick<
    ReadModels,
    'organizationVerifying' | 'organization' | 'user' | 'agent' | 'organizationsOf' | 'sessionsOfUser' | 'session'
  >;

/** A row that a query made into JSON with `to_jsonb`. */
type Json = Record<string, unknown>;

interface SessionStandingJson {
  readonly session: Json;
  readonly person: Json;
  readonly membership: Json | null;
  readonly organization: Json | null;
}

/** A row from its JSON: names and times as MikroORM would have read them. */
export const rowOf = <Row extends object>(em: SqlEntityManager, name: EntityName<Row>, json: Json): Row =>
  em.map(name, json as never);

/**
 * @param fork a fresh EntityManager for each question; its role is `service`, which by itself may ask nothing else
 */
export const postgresLookups = (fork: () => SqlEntityManager): Lookups => {
  /** @param call such as `person(?)`: a function of the schema `lookup` */
  const ask = async <Found, Answer>(
    call: string,
    values: readonly unknown[],
    answer: (em: SqlEntityManager, found: Found) => Answer,
  ): Promise<Answer[]> => {
    const em = fork();
    const rows = await em.execute<{ found: Found }[]>(`select lookup.${call} as found`, [...values]);
    return rows.map(({ found }) => answer(em, found));
  };

  const standingIn = (em: SqlEntityManager, found: SessionStandingJson): SessionStanding => ({
    session: sessionFromRow(rowOf(em, SessionRow, found.session)),
    user: userFromRow(rowOf(em, UserRow, found.person)),
    membership: found.membership && membershipFromRow(rowOf(em, MembershipRow, found.membership)),
    organization: found.organization && organizationFromRow(rowOf(em, OrganizationRow, found.organization)),
  });
  const organizationIn = (em: SqlEntityManager, found: Json) => organizationFromRow(rowOf(em, OrganizationRow, found));
  const sessionIn = (em: SqlEntityManager, found: Json) => sessionFromRow(rowOf(em, SessionRow, found));

  return {
    ofSessionReference: async (digest) => (await ask('session_by_reference(?)', [digest], standingIn))[0],
    async ofProviderSession(provider, providerSession) {
      const standings = await ask('sessions_by_provider(?, ?)', [provider, providerSession], standingIn);
      return standings.toSorted((a, b) => byStanding(a.session, b.session))[0];
    },
    async ofApiKey(digests) {
      if (digests.length === 0) return undefined;
      const standings = await ask(
        'keys_by_digest(array[?])',
        [digests],
        (em, { key, agent, organization }: { key: Json; agent: Json; organization: Json }) => ({
          key: apiKeyFromRow(rowOf(em, ApiKeyRow, key)),
          agent: agentFromRow(rowOf(em, AgentRow, agent)),
          organization: organizationIn(em, organization),
        }),
      );
      return digests.map((digest) => standings.find(({ key }) => key.digest === digest)).find((standing) => standing);
    },
    organizationVerifying: async (domain) => (await ask('organization_verifying(?)', [domain], organizationIn))[0],
    organization: async (id) => (await ask('organization(?)', [id], organizationIn))[0],
    user: async (id) => (await ask('person(?)', [id], (em, found: Json) => userFromRow(rowOf(em, UserRow, found))))[0],
    async agent(organizationId, id) {
      const agentIn = (em: SqlEntityManager, found: Json) => agentFromRow(rowOf(em, AgentRow, found));
      return (await ask('agent(?, ?)', [organizationId, id], agentIn))[0];
    },
    async organizationsOf(userId) {
      const found = await ask('organizations_of(?)', [userId], (_, found: OrganizationOfUser) => found);
      return found
        .map(({ id, name, slug, role }) => ({ id, name, slug, role }))
        .toSorted((a, b) => (sortableName(a) < sortableName(b) ? -1 : 1));
    },
    sessionsOfUser: (userId) => ask('active_sessions_of(?)', [userId], sessionIn),
    session: async (id) => (await ask('active_session(?)', [id], sessionIn))[0],
  };
};
