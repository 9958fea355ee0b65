// Answers to questions about an organization, straight from the database, each in a transaction that sees nothing else.

import type { SqlEntityManager } from '@mikro-orm/postgresql';
import type { DirectoryOverview, Member, ReadModels, Standings } from '#application/ports/read-models.ts';
import type { AuditEntry } from '#domain/audit/audit-entry.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';
import { keyIn, numberIn, pageOf } from '../page-cursor.ts';
import { rethrow } from './database-faults.ts';
import { enterToRead } from './database-roles.ts';
import { inTransaction } from './in-transaction.ts';
import { type Lookups, postgresLookups, rowOf } from './postgres-lookups.ts';
import { afresh } from './postgres-run.ts';
import { AgentRow, agentFromRow } from './rows/agent.row.ts';
import { ApiKeyRow, apiKeyFromRow } from './rows/api-key.row.ts';
import { AuditEntryRow, auditEntryFromRow } from './rows/audit.row.ts';
import { heardOfFromRow, InboxRow } from './rows/inbox.row.ts';
import { InvitationRow, invitationFromRow } from './rows/invitation.row.ts';
import { MembershipRow, membershipFromRow } from './rows/membership.row.ts';
import { SessionRow, sessionFromRow } from './rows/session.row.ts';
import { ConnectionRow, connectionFromRow } from './rows/settings.row.ts';

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

/** Whether a record exists now: never deleted, or created anew after that. */
const isPresent = (alias: string): string =>
  `(${alias}.deleted_at is null or ${alias}.created_at > ${alias}.deleted_at)`;

/** Every question about one organization, with that organization first. */
export type OrganizationQuestions = Omit<ReadModels, keyof Lookups | 'auditTrail'> & {
  /** The entries that follow that one, oldest first; none when there is no more. */
  auditAfter(organizationId: OrganizationId, sequence: number): Promise<readonly AuditEntry[]>;
};

/**
 * @param fork an EntityManager whose transaction may see the organization that is asked about
 */
export const organizationQuestions = (fork: () => SqlEntityManager): OrganizationQuestions => {
  return {
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
    async invitations(organizationId, { status, at }, page) {
      const [before] = keyIn(page.cursor, 1) ?? [];
      const pending = { status: 'pending' } as const;
      const standing = {
        pending: [{ ...pending, expiresAt: { $gt: at } }],
        expired: [{ ...pending, expiresAt: { $lte: at } }, { status: 'expired' as const }],
        accepted: [{ status: 'accepted' as const }],
        revoked: [{ status: 'revoked' as const }],
      };
      const rows = await fork().find(
        InvitationRow,
        {
          organizationId,
          ...(before !== undefined && { id: { $lt: before as never } }),
          ...(status !== undefined && { $or: standing[status] }),
        },
        { ...afresh, orderBy: { id: 'desc' }, limit: page.limit + 1 },
      );
      return pageOf(rows, page, ({ id }) => [id], invitationFromRow);
    },
    async invitation(organizationId, id) {
      const row = await fork().findOne(InvitationRow, { organizationId, id }, afresh);
      return row === null ? undefined : invitationFromRow(row);
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
    async events(organizationId, { status }, page) {
      const [before] = keyIn(page.cursor, 1) ?? [];
      const rows = await fork().find(
        InboxRow,
        {
          organizationId,
          ...(before !== undefined && { id: { $lt: before as never } }),
          ...(status !== undefined && { status }),
        },
        { ...afresh, exclude: ['payload'], orderBy: { id: 'desc' }, limit: page.limit + 1 },
      );
      return pageOf(rows as unknown as readonly InboxRow[], page, ({ id }) => [id], heardOfFromRow);
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
    async auditAfter(organizationId, sequence) {
      const rows = await fork().find(
        AuditEntryRow,
        { organizationId, sequence: { $gt: sequence } },
        { ...afresh, orderBy: { sequence: 'asc' }, limit: batchSize },
      );
      return rows.map(auditEntryFromRow);
    },
  };
};

/** Each question in a transaction of its organization, which can write nothing; the lookups without one. */
export const postgresReadModels = (fork: () => SqlEntityManager): ReadModels & Standings => {
  const names = Object.keys(organizationQuestions(fork)) as (keyof OrganizationQuestions)[];
  const within =
    (name: keyof OrganizationQuestions) =>
    (organizationId: OrganizationId, ...rest: readonly unknown[]): Promise<unknown> => {
      const em = fork();
      return inTransaction(em, async () => {
        await enterToRead(em, organizationId);
        const question = organizationQuestions(() => em)[name] as (...asked: readonly unknown[]) => Promise<unknown>;
        return question(organizationId, ...rest);
      });
    };
  const questions = Object.fromEntries(names.map((name) => [name, within(name)])) as unknown as OrganizationQuestions;
  return {
    ...questions,
    ...postgresLookups(fork),
    async *auditTrail(organizationId) {
      for (let read = 0; ; ) {
        const batch = await questions.auditAfter(organizationId, read).catch(rethrow);
        const last = batch.at(-1);
        if (!last) return;
        yield batch;
        read = last.sequence;
      }
    },
  };
};
