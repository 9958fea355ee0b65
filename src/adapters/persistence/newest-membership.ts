// Which of a person's memberships in one organization stands for them.

import type { MembershipState } from '#domain/memberships/membership.ts';

/**
 * The active one before the revoked ones, then the one granted last. Ids tell the order of granting; `createdAt` does not,
 * since a directory's late news grants with the time at which it happened.
 */
export const byStanding = (a: MembershipState, b: MembershipState): number =>
  Number(b.status === 'active') - Number(a.status === 'active') || (a.id > b.id ? -1 : 1);
