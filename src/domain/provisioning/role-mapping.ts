// Which group of the directory confers which role. An ordered list: the first mapping that matches wins.

import type { AssignableRole } from '#domain/memberships/role.ts';

export interface RoleMapping {
  /** The provider's id of the directory group. */
  readonly groupId: string;
  readonly role: AssignableRole;
}

/** Everything up to the last mapping that makes admins: on this part of the list it depends who is one. */
const adminsPart = (mappings: readonly RoleMapping[]): readonly RoleMapping[] =>
  mappings.slice(0, mappings.findLastIndex(({ role }) => role === 'admin') + 1);

/** Whether replacing one list by the other can make or unmake admins. */
export const touchesAdmins = (before: readonly RoleMapping[], after: readonly RoleMapping[]): boolean =>
  JSON.stringify(adminsPart(before)) !== JSON.stringify(adminsPart(after));

/** The first mapping whose group is among these; undefined when none is. */
export const firstMatch = (mappings: readonly RoleMapping[], groupIds: ReadonlySet<string>): RoleMapping | undefined =>
  mappings.find((mapping) => groupIds.has(mapping.groupId));
