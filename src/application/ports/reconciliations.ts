// Where a reconciliation is kept while it is under way: how far it has come, what was listed, and the changes that follow.

import type { DirectoryGroup, DirectoryUser, GroupLink } from '#domain/provisioning/directory-picture.ts';
import type { Change, Drift } from '#domain/provisioning/drift.ts';
import type { Headcount } from '#domain/provisioning/plan.ts';
import type { Reconciliation } from '#domain/provisioning/reconciliation.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';

/** A record that the provider listed, or one that it did not and that therefore changes. */
export interface ReconciliationItem {
  readonly kind: 'directory' | 'group' | 'user' | 'link';
  /** Its id; of a link those of group and user, with a space between. */
  readonly key: string;
  readonly directoryId: string;
  /** Listed as a person who is active. */
  readonly active: boolean;
  /** The address of such a person, trimmed and in lower case: by it they are found again under another id. */
  readonly address: string | null;
  /** What changes; null: nothing does. */
  readonly drift: Drift | null;
}

/** A change that waits for its turn. */
export type ReconciliationStep = ReconciliationItem & { readonly drift: Drift };

export const linkKey = (groupId: string, directoryUserId: string): string => `${groupId} ${directoryUserId}`;

/** Each organization has one reconciliation at most: the newest. Its items are kept while it needs them. */
export interface Reconciliations {
  of(organizationId: OrganizationId): Promise<Reconciliation | undefined>;
  save(run: Reconciliation): Promise<void>;
  /** Organizations whose reconciliation is under way and in nobody's hands, the longest due first. Needs a scope across. */
  due(now: Date, limit: number): Promise<readonly OrganizationId[]>;
  /** Active organizations with a connected directory and no reconciliation under way nor begun since. Needs a scope across. */
  neglected(since: Date, limit: number): Promise<readonly OrganizationId[]>;

  /** Adds items, or replaces those of the same kind and key. */
  note(organizationId: OrganizationId, items: readonly ReconciliationItem[]): Promise<void>;
  item(
    organizationId: OrganizationId,
    kind: ReconciliationItem['kind'],
    key: string,
  ): Promise<ReconciliationItem | undefined>;
  /** Forgets all items. */
  clear(organizationId: OrganizationId): Promise<void>;
  /** How many changes of each kind wait. */
  counts(organizationId: OrganizationId): Promise<Readonly<Partial<Record<Change, number>>>>;
  /** The next changes, in the order of `changes` and then by key. */
  steps(organizationId: OrganizationId, limit: number): Promise<readonly ReconciliationStep[]>;
  /** These changes wait no longer. */
  settle(organizationId: OrganizationId, steps: readonly Pick<ReconciliationItem, 'kind' | 'key'>[]): Promise<void>;

  /** Ids of the groups that a directory listed, in their order, after that one. */
  listedGroups(
    organizationId: OrganizationId,
    directoryId: string,
    after: string | null,
    limit: number,
  ): Promise<readonly string[]>;
  /** People of these directories who are known, not deleted, and no item; by id, after that one. */
  unlistedUsers(
    organizationId: OrganizationId,
    directoryIds: readonly string[],
    after: string | null,
    limit: number,
  ): Promise<readonly DirectoryUser[]>;
  unlistedGroups(
    organizationId: OrganizationId,
    directoryIds: readonly string[],
    after: string | null,
    limit: number,
  ): Promise<readonly DirectoryGroup[]>;
  /** Places in groups that are no item, though both their group and their person are; by group and person, after that key. */
  unlistedLinks(
    organizationId: OrganizationId,
    directoryIds: readonly string[],
    after: string | null,
    limit: number,
  ): Promise<readonly GroupLink[]>;
  /**
   * How many there are, and how many of them no item stands for, nor was said anything since `asOf`. People count by their
   * address, where they have one, in whichever directory they are listed as active; directories of `except` do not count.
   */
  headcount(
    organizationId: OrganizationId,
    reading: { readonly asOf: Date; readonly listed: readonly string[]; readonly except: readonly string[] },
  ): Promise<Headcount>;
}
