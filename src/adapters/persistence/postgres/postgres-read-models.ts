// Answers to questions, straight from the database. What judges a credential is read in one round trip, at one moment.

import type { EntityName } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/postgresql';
import type {
  DirectoryOverview,
  Member,
  OrganizationOfUser,
  ReadModels,
  SessionStanding,
  Standings,
} from '#application/ports/read-models.ts';
import { byStanding } from '../newest.ts';
import { keyIn, numberIn, pageOf } from '../page-cursor.ts';
import { sortableName } from '../text.ts';
import { rethrow } from './database-faults.ts';
import { afresh } from './postgres-run.ts';
import { AgentRow, agentFromRow } from './rows/agent.row.ts';
import { ApiKeyRow, apiKeyFromRow } from './rows/api-key.row.ts';
import { AuditEntryRow, auditEntryFromRow } from './rows/audit.row.ts';
import { MembershipRow, membershipFromRow } from './rows/membership.row.ts';
import { OrganizationRow, organizationFromRow } from './rows/organization.row.ts';
import { SessionRow, sessionFromRow } from './rows/session.row.ts';
import { ConnectionRow, connectionFromRow } from './rows/settings.row.ts';
import { UserRow, userFromRow } from './rows/user.row.ts';

const batchSize = 500;

/** A row that a query made into JSON with `to_jsonb`, several of them side by side. */
type Json = Record<string, unknown>;

/** A condition of a query with the values for its question marks; undefined: no such condition. */
type Condition = readonly [sql: string, ...values: unknown[]] | undefined;

const allOf = (...conditions: readonly Condition[]): { sql: string; values: unknown[] } => {
  const wanted = conditions.filter((condition) => condition !== undefined);
  return {
    sql: wanted.map(([sql]) => `(${sql})`).join(' and '),
    values: wanted.flatMap(([, ...values]) => values),
  };
};

const sessionStanding = `
  select to_jsonb(s) as session, to_jsonb(u) as person, to_jsonb(m) as membership, to_jsonb(o) as organization
  from sessions s
  join users u on u.id = s.user_id
  left join memberships m on m.organization_id = s.organization_id and m.user_id = s.user_id and m.status = 'active'
  left join organizations o on o.id = s.organization_id`;

interface SessionStandingJson {
  readonly session: Json;
  readonly person: Json;
  readonly membership: Json | null;
  readonly organization: Json | null;
}

/** Whether a record exists now: never deleted, or created anew after that. */
const isPresent = (alias: string): string =>
  `(${alias}.deleted_at is null or ${alias}.created_at > ${alias}.deleted_at)`;

/**
 * @param fork a fresh EntityManager for each question
 */
export const postgresReadModels = (fork: () => SqlEntityManager): ReadModels & Standings => {
  /** A row from its JSON: names and times as MikroORM would have read them. */
  const rowOf = <Row extends object>(em: SqlEntityManager, name: EntityName<Row>, json: Json): Row =>
    em.map(name, json as never);

  const standingOf = async (where: string, values: readonly unknown[]): Promise<SessionStanding | undefined> => {
    const em = fork();
    const found = await em.execute<SessionStandingJson[]>(`${sessionStanding} where ${where}`, [...values]);
    const standings = found.map(
      ({ session, person, membership, organization }): SessionStanding => ({
        session: sessionFromRow(rowOf(em, SessionRow, session)),
        user: userFromRow(rowOf(em, UserRow, person)),
        membership: membership && membershipFromRow(rowOf(em, MembershipRow, membership)),
        organization: organization && organizationFromRow(rowOf(em, OrganizationRow, organization)),
      }),
    );
    return standings.toSorted((a, b) => byStanding(a.session, b.session))[0];
  };

  return {
    ofSessionReference: (digest) => standingOf('s.reference_digest = ?', [digest]),
    ofProviderSession: (provider, providerSession) =>
      standingOf('s.provider = ? and s.provider_session = ?', [provider, providerSession]),
    async ofApiKey(digests) {
      if (digests.length === 0) return undefined;
      const em = fork();
      const found = await em.execute<{ key: Json; agent: Json; organization: Json }[]>(
        `select to_jsonb(k) as key, to_jsonb(a) as agent, to_jsonb(o) as organization
        from api_keys k
        join agents a on a.id = k.agent_id and a.organization_id = k.organization_id
        join organizations o on o.id = k.organization_id
        where k.digest in (?)`,
        [digests],
      );
      const standings = found.map(({ key, agent, organization }) => ({
        key: apiKeyFromRow(rowOf(em, ApiKeyRow, key)),
        agent: agentFromRow(rowOf(em, AgentRow, agent)),
        organization: organizationFromRow(rowOf(em, OrganizationRow, organization)),
      }));
      return digests.map((digest) => standings.find(({ key }) => key.digest === digest)).find((standing) => standing);
    },

    async organizationVerifying(domain) {
      const em = fork();
      const [found] = await em.execute<{ organization: Json }[]>(
        `select to_jsonb(o) as organization from verified_domains d
        join organizations o on o.id = d.organization_id
        where d.name = ? and o.status = 'active'`,
        [domain],
      );
      return found && organizationFromRow(rowOf(em, OrganizationRow, found.organization));
    },
    async organization(id) {
      const row = await fork().findOne(OrganizationRow, { id }, afresh);
      return row === null ? undefined : organizationFromRow(row);
    },
    async user(id) {
      const row = await fork().findOne(UserRow, { id }, afresh);
      return row === null ? undefined : userFromRow(row);
    },
    async agent(organizationId, id) {
      const row = await fork().findOne(AgentRow, { organizationId, id }, afresh);
      return row === null ? undefined : agentFromRow(row);
    },
    async organizationsOf(userId) {
      const found = await fork().execute<OrganizationOfUser[]>(
        `select o.id, o.name, o.slug, m.role from memberships m
        join organizations o on o.id = m.organization_id
        where m.user_id = ? and m.status = 'active' and o.status = 'active'`,
        [userId],
      );
      return found
        .map(({ id, name, slug, role }) => ({ id, name, slug, role }))
        .toSorted((a, b) => (sortableName(a) < sortableName(b) ? -1 : 1));
    },
    async members(organizationId, filter, page) {
      const [after] = keyIn(page.cursor, 1) ?? [];
      const where = allOf(
        ['m.organization_id = ?', organizationId],
        after === undefined ? undefined : ['m.id > ?', after],
        filter.status && ['m.status = ?', filter.status],
        filter.role && ['m.role = ?', filter.role],
        filter.text ? ['strpos(u.search_text, ?) > 0', filter.text.toLowerCase()] : undefined,
      );
      const em = fork();
      const found = await em.execute<(Member['user'] & { membership: Json })[]>(
        `select to_jsonb(m) as membership, u.id, u.email, u.name
        from memberships m join users u on u.id = m.user_id
        where ${where.sql} order by m.id limit ?`,
        [...where.values, page.limit + 1],
      );
      return pageOf(
        found,
        page,
        ({ membership }) => [String(membership['id'])],
        ({ membership, id, email, name }) => ({
          membership: membershipFromRow(rowOf(em, MembershipRow, membership)),
          user: { id, email, name },
        }),
      );
    },
    async member(organizationId, id) {
      const em = fork();
      const [found] = await em.execute<(Member['user'] & { membership: Json })[]>(
        `select to_jsonb(m) as membership, u.id, u.email, u.name
        from memberships m join users u on u.id = m.user_id
        where m.organization_id = ? and m.id = ?`,
        [organizationId, id],
      );
      return (
        found && {
          membership: membershipFromRow(rowOf(em, MembershipRow, found.membership)),
          user: { id: found.id, email: found.email, name: found.name },
        }
      );
    },
    async sessionsOfUser(userId) {
      const rows = await fork().find(SessionRow, { userId, status: 'active' }, { ...afresh, orderBy: { id: 'desc' } });
      return rows.map(sessionFromRow);
    },
    async session(id) {
      const row = await fork().findOne(SessionRow, { id, status: 'active' }, afresh);
      return row === null ? undefined : sessionFromRow(row);
    },
    async sessionsIn(organizationId, filter, page) {
      const [before] = keyIn(page.cursor, 1) ?? [];
      const where = allOf(
        ['s.organization_id = ?', organizationId],
        [`s.status = 'active'`],
        before === undefined ? undefined : ['s.id < ?', before],
        filter.userId && ['s.user_id = ?', filter.userId],
      );
      const em = fork();
      const found = await em.execute<(Member['user'] & { session: Json })[]>(
        `select to_jsonb(s) as session, u.id, u.email, u.name
        from sessions s join users u on u.id = s.user_id
        where ${where.sql} order by s.id desc limit ?`,
        [...where.values, page.limit + 1],
      );
      return pageOf(
        found,
        page,
        ({ session }) => [String(session['id'])],
        ({ session, id, email, name }) => ({
          session: sessionFromRow(rowOf(em, SessionRow, session)),
          user: { id, email, name },
        }),
      );
    },
    async agents(organizationId, page) {
      const [after] = keyIn(page.cursor, 1) ?? [];
      const rows = await fork().find(
        AgentRow,
        { organizationId, status: { $ne: 'deleted' }, ...(after !== undefined && { id: { $gt: after as never } }) },
        { ...afresh, orderBy: { id: 'asc' }, limit: page.limit + 1 },
      );
      return pageOf(rows, page, ({ id }) => [id], agentFromRow);
    },
    async apiKeys(organizationId, filter, page) {
      const [after] = keyIn(page.cursor, 1) ?? [];
      const rows = await fork().find(
        ApiKeyRow,
        {
          organizationId,
          ...(after !== undefined && { id: { $gt: after as never } }),
          ...(filter.agentId !== undefined && { agentId: filter.agentId }),
          ...(filter.prefix !== undefined && { prefix: filter.prefix }),
        },
        { ...afresh, orderBy: { id: 'asc' }, limit: page.limit + 1 },
      );
      return pageOf(rows, page, ({ id }) => [id], apiKeyFromRow);
    },
    async apiKey(organizationId, id) {
      const row = await fork().findOne(ApiKeyRow, { organizationId, id }, afresh);
      return row === null ? undefined : apiKeyFromRow(row);
    },
    async directory(organizationId) {
      const [found] = await fork().execute<{ directories: DirectoryOverview['directories']; last: string | null }[]>(
        `select
          coalesce((select jsonb_agg(jsonb_build_object(
            'id', d.id, 'name', d.name, 'type', d.type,
            'state', case when d.disconnected_at is null or d.connected_at > d.disconnected_at
              then 'connected' else 'disconnected' end,
            'users', (select count(*) from directory_users u
              where u.organization_id = d.organization_id and u.directory_id = d.id and ${isPresent('u')}),
            'groups', (select count(*) from directory_groups g
              where g.organization_id = d.organization_id and g.directory_id = d.id and ${isPresent('g')})
          ) order by d.id) from directories d where d.organization_id = ?), '[]') as directories,
          to_jsonb(greatest(
            (select max(greatest(connected_at, disconnected_at)) from directories where organization_id = ?),
            (select max(greatest(described_at, created_at, deleted_at)) from directory_users where organization_id = ?),
            (select max(greatest(described_at, created_at, deleted_at)) from directory_groups where organization_id = ?),
            (select max(said_at) from directory_group_links where organization_id = ?)
          )) as last`,
        [organizationId, organizationId, organizationId, organizationId, organizationId],
      );
      return {
        directories: found?.directories ?? [],
        lastEventAt: found?.last ? new Date(found.last) : null,
      };
    },
    async connections(organizationId) {
      const rows = await fork().find(ConnectionRow, { organizationId, state: { $ne: 'deleted' } }, afresh);
      return rows.map(connectionFromRow).toSorted((a, b) => (a.id < b.id ? -1 : 1));
    },
    async groups(organizationId, page) {
      const [afterName, afterId] = keyIn(page.cursor, 2) ?? [];
      const where = allOf(
        ['g.organization_id = ?', organizationId],
        [isPresent('g')],
        afterName === undefined ? undefined : ['(g.sort_name, g.id) > (?, ?)', afterName, afterId],
      );
      // Who stands in a group is the domain's rule (`groupsOf`): present there, and said since group, person and directory went away.
      const found = await fork().execute<
        { id: string; directory_id: string; name: string; sort_name: string; members: string | number }[]
      >(
        `select g.id, g.directory_id, g.name, g.sort_name, (
          select count(*) from directory_group_links l
          join directory_users u on u.organization_id = l.organization_id and u.id = l.directory_user_id
          left join directories d on d.organization_id = u.organization_id and d.id = u.directory_id
          where l.organization_id = g.organization_id and l.group_id = g.id and l.present and ${isPresent('u')}
            and (g.deleted_at is null or l.said_at > g.deleted_at)
            and (u.deleted_at is null or l.said_at > u.deleted_at)
            and (d.disconnected_at is null or l.said_at > d.disconnected_at)
        ) as members
        from directory_groups g where ${where.sql} order by g.sort_name, g.id limit ?`,
        [...where.values, page.limit + 1],
      );
      return pageOf(
        found,
        page,
        ({ sort_name, id }) => [sort_name, id],
        ({ id, directory_id, name, members }) => ({ id, directoryId: directory_id, name, members: Number(members) }),
      );
    },
    async audit(organizationId, filter, page) {
      const before = numberIn(page.cursor);
      const rows = await fork().find(
        AuditEntryRow,
        {
          organizationId,
          ...(before !== undefined && { sequence: { $lt: before } }),
          ...(filter.actor !== undefined && { actorId: filter.actor }),
          ...(filter.action !== undefined && { action: filter.action as never }),
          ...(filter.target !== undefined && { targetId: filter.target }),
          at: {
            ...(filter.from !== undefined && { $gte: filter.from }),
            ...(filter.to !== undefined && { $lt: filter.to }),
          },
        },
        { ...afresh, orderBy: { sequence: 'desc' }, limit: page.limit + 1 },
      );
      return pageOf(rows, page, ({ sequence }) => [String(sequence)], auditEntryFromRow);
    },
    async *auditTrail(organizationId) {
      for (let read = 0; ; ) {
        const rows = await fork()
          .find(
            AuditEntryRow,
            { organizationId, sequence: { $gt: read } },
            { ...afresh, orderBy: { sequence: 'asc' }, limit: batchSize },
          )
          .catch(rethrow);
        const batch = rows.map(auditEntryFromRow);
        const last = batch.at(-1);
        if (!last) return;
        yield batch;
        read = last.sequence;
      }
    },
  };
};
