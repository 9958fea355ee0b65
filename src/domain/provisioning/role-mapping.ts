// Which group of the directory confers which role. An ordered list: the first mapping that matches wins.

import type { AssignableRole } from '#domain/memberships/role.ts';

export interface RoleMapping {
  /** The provider's id of the directory group. */
  readonly groupId: string;
  readonly role: AssignableRole;
}

/** The first mapping whose group is among these; undefined when none is. */
export const firstMatch = (mappings: readonly RoleMapping[], groupIds: ReadonlySet<string>): RoleMapping | undefined =>
  mappings.find((mapping) => groupIds.has(mapping.groupId));
