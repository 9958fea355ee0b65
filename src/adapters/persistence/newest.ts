// Which of several things that followed each other stands for them: a person's memberships in one organization, sessions over one session of the provider.

/**
 * The active one before those that ended, then the one made last. Ids tell the order of making; `createdAt` need not, since a
 * directory's late news grants with the time at which it happened.
 */
export const byStanding = (
  a: { readonly id: string; readonly status: string },
  b: { readonly id: string; readonly status: string },
): number => Number(b.status === 'active') - Number(a.status === 'active') || (a.id > b.id ? -1 : 1);
