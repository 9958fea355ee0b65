// Reconciliations in the database.

import type { Reconciliations } from '#application/ports/reconciliations.ts';
import type { Change } from '#domain/provisioning/drift.ts';
import type { Headcount } from '#domain/provisioning/plan.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';
import { afresh, type PostgresRun } from '../postgres-run.ts';
import {
  DirectoryGroupRow,
  DirectoryUserRow,
  directoryGroupFromRow,
  directoryUserFromRow,
  GroupLinkRow,
  groupLinkFromRow,
} from '../rows/directory.row.ts';
import {
  changeAt,
  ReconciliationItemRow,
  ReconciliationRow,
  reconciliationFromRow,
  reconciliationItemFromRow,
  reconciliationItemToRow,
  reconciliationToRow,
} from '../rows/reconciliation.row.ts';

/** Never deleted, or made anew since: as `isPresent` has it. */
const present = (alias: string): string => `(${alias}.deleted_at is null or ${alias}.created_at > ${alias}.deleted_at)`;

const noItem = (kind: string, key: string): string =>
  `not exists (select from reconciliation_items i
    where i.organization_id = r.organization_id and i.kind = '${kind}' and i.key = ${key})`;

const headcount = `
  with people as (
    select coalesce(lower(btrim(r.email)), r.id) as who,
      r.described_at >= ?::timestamptz
        or exists (select from reconciliation_items i where i.organization_id = r.organization_id
          and i.kind = 'user' and i.active and i.key = r.id)
        or exists (select from reconciliation_items i where i.organization_id = r.organization_id
          and i.kind = 'user' and i.active and i.address = lower(btrim(r.email))) as stays
    from directory_users r
    left join directories d on d.organization_id = r.organization_id and d.id = r.directory_id
    where r.organization_id = ? and r.state = 'active' and ${present('r')} and r.directory_id <> all (?::text[])
      and (d.disconnected_at is null or (d.connected_at > d.disconnected_at and r.described_at > d.disconnected_at))
  ), persons as (select who, bool_or(stays) as stays from people group by who
  ), places as (
    select r.said_at < ?::timestamptz and ${noItem('link', `r.group_id || ' ' || r.directory_user_id`)} as leaves
    from directory_group_links r
    -- The place of somebody who is gone already counts for nothing, and leaves no more.
    join directory_users u on u.organization_id = r.organization_id and u.id = r.directory_user_id
      and u.state = 'active' and ${present('u')}
    join directory_groups g on g.organization_id = r.organization_id and g.id = r.group_id and ${present('g')}
    where r.organization_id = ? and r.present and r.directory_id = any (?::text[])
  )
  select (select count(*)::int from persons) as people,
    (select count(*)::int from persons where not stays) as "peopleLeaving",
    (select count(*)::int from places) as places,
    (select count(*)::int from places where leaves) as "placesLeaving"`;

/** A list of texts as PostgreSQL reads it from one parameter. */
const texts = (list: readonly string[]): string =>
  `{${list.map((text) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`).join(',')}}`;

export const postgresReconciliations = ({ em }: PostgresRun): Reconciliations => ({
  async of(organizationId) {
    const row = await em.findOne(ReconciliationRow, { organizationId }, afresh);
    return row === null ? undefined : reconciliationFromRow(row);
  },
  async save(run) {
    const row = reconciliationToRow(run);
    await em.createQueryBuilder(ReconciliationRow).insert(row).onConflict('organizationId').merge().execute();
  },
  async due(now, limit) {
    const rows = await em.execute<{ organization_id: OrganizationId }[]>(
      `select organization_id from reconciliations where state in ('reading', 'applying') and due_at <= ?::timestamptz
      order by due_at, organization_id limit ?`,
      [now.toISOString(), limit],
    );
    return rows.map((row) => row.organization_id);
  },
  async neglected(since, limit) {
    const rows = await em.execute<{ organization_id: OrganizationId }[]>(
      `select distinct d.organization_id from directories d
      join organizations o on o.id = d.organization_id and o.status = 'active'
      left join reconciliations r on r.organization_id = d.organization_id
      where (d.disconnected_at is null or d.connected_at > d.disconnected_at)
        and (r.id is null or (r.state not in ('reading', 'applying') and r.started_at < ?::timestamptz))
      order by 1 limit ?`,
      [since.toISOString(), limit],
    );
    return rows.map((row) => row.organization_id);
  },

  async note(organizationId, items) {
    if (items.length === 0) return;
    const rows = items.map((item) => reconciliationItemToRow(organizationId, item));
    await em
      .createQueryBuilder(ReconciliationItemRow)
      .insert(rows)
      .onConflict(['organizationId', 'kind', 'key'])
      .merge()
      .execute();
  },
  async item(organizationId, kind, key) {
    const row = await em.findOne(ReconciliationItemRow, { organizationId, kind, key }, afresh);
    return row === null ? undefined : reconciliationItemFromRow(row);
  },
  async clear(organizationId) {
    await em.nativeDelete(ReconciliationItemRow, { organizationId });
  },
  async counts(organizationId) {
    const rows = await em.execute<{ turn: number; count: number }[]>(
      `select turn, count(*)::int as count from reconciliation_items
      where organization_id = ? and turn is not null group by turn order by turn`,
      [organizationId],
    );
    const counts: Partial<Record<Change, number>> = {};
    for (const { turn, count } of rows) counts[changeAt(turn)] = count;
    return counts;
  },
  async steps(organizationId, limit) {
    const rows = await em.find(
      ReconciliationItemRow,
      { organizationId, turn: { $ne: null } },
      { ...afresh, orderBy: { turn: 'asc', kind: 'asc', key: 'asc' }, limit },
    );
    return rows.flatMap((row) => {
      const { drift, ...item } = reconciliationItemFromRow(row);
      return drift ? [{ ...item, drift }] : [];
    });
  },
  async settle(organizationId, steps) {
    if (steps.length === 0) return;
    await em.execute(
      `update reconciliation_items i set turn = null, event = null
      from (select unnest(?::text[]) as kind, unnest(?::text[]) as key) settled
      where i.organization_id = ? and i.kind = settled.kind and i.key = settled.key`,
      [texts(steps.map(({ kind }) => kind)), texts(steps.map(({ key }) => key)), organizationId],
    );
  },

  async listedGroups(organizationId, directoryId, after, limit) {
    const rows = await em.find(
      ReconciliationItemRow,
      { organizationId, kind: 'group', directoryId, key: { $gt: after ?? '' } },
      { ...afresh, fields: ['key'], orderBy: { key: 'asc' }, limit },
    );
    return rows.map(({ key }) => key);
  },
  async unlistedUsers(organizationId, directoryIds, after, limit) {
    const rows = await em.execute<object[]>(
      `select r.* from directory_users r
      where r.organization_id = ? and r.directory_id = any (?::text[]) and r.id > ? and ${present('r')}
        and ${noItem('user', 'r.id')} order by r.id limit ?`,
      [organizationId, texts(directoryIds), after ?? '', limit],
    );
    return rows.map((row) => directoryUserFromRow(em.map(DirectoryUserRow, row as never)));
  },
  async unlistedGroups(organizationId, directoryIds, after, limit) {
    const rows = await em.execute<object[]>(
      `select r.* from directory_groups r
      where r.organization_id = ? and r.directory_id = any (?::text[]) and r.id > ? and ${present('r')}
        and ${noItem('group', 'r.id')} order by r.id limit ?`,
      [organizationId, texts(directoryIds), after ?? '', limit],
    );
    return rows.map((row) => directoryGroupFromRow(em.map(DirectoryGroupRow, row as never)));
  },
  async unlistedLinks(organizationId, directoryIds, after, limit) {
    const [afterGroup = '', afterUser = ''] = after?.split(' ') ?? [];
    const rows = await em.execute<object[]>(
      `select r.* from directory_group_links r
      where r.organization_id = ? and r.present and r.directory_id = any (?::text[])
        and (r.group_id, r.directory_user_id) > (?, ?)
        and exists (select from reconciliation_items i
          where i.organization_id = r.organization_id and i.kind = 'group' and i.key = r.group_id)
        and exists (select from reconciliation_items i
          where i.organization_id = r.organization_id and i.kind = 'user' and i.key = r.directory_user_id)
        and ${noItem('link', `r.group_id || ' ' || r.directory_user_id`)}
      order by r.group_id, r.directory_user_id limit ?`,
      [organizationId, texts(directoryIds), afterGroup, afterUser, limit],
    );
    return rows.map((row) => groupLinkFromRow(em.map(GroupLinkRow, row as never)));
  },

  async headcount(organizationId, { asOf, listed, except }) {
    const at = asOf.toISOString();
    const values = [at, organizationId, texts(except), at, organizationId, texts(listed)];
    const [found] = await em.execute<Headcount[]>(headcount, values);
    if (!found) throw new Error('counting gave no row');
    const { people, peopleLeaving, places, placesLeaving } = found;
    return { people, peopleLeaving, places, placesLeaving };
  },
});
