// What an organization lets its directory and its sign-ins do by themselves.

import type { AssignableRole } from '#domain/memberships/role.ts';

export interface ProvisioningPolicy {
  /** Role of somebody whom the directory knows but no mapping matches. Null: no mapping, no access. */
  readonly defaultRole: AssignableRole | null;
  /** When set, only members of this directory group have access at all. */
  readonly gateGroupId: string | null;
  /**
   * Whether somebody who signs in through the organization's own SSO, with an e-mail of a domain it verified, becomes a
   * member by that. Never overrides a directory: where one is connected, the directory decides alone.
   */
  readonly justInTime: boolean;
}

/** What a new organization starts with: the directory grants the least role that can query, and signing in alone grants nothing. */
export const closedProvisioningPolicy: ProvisioningPolicy = {
  defaultRole: 'analyst',
  gateGroupId: null,
  justInTime: false,
};
