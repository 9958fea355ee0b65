// The roles under which the service speaks to the database. None owns anything, none can bypass row-level security.

import type { SqlEntityManager } from '@mikro-orm/postgresql';
import { type Scope, turnOf } from '#application/ports/store.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';

/**
 * Names are known to the whole server, not to one database; so they say whose they are.
 * `service`: what a login of the service is a member of, and the role of every connection; by itself it may only call the lookups.
 * `organization`: taken by a transaction; sees the rows of the organization that the transaction has set, and no other.
 * `across`: taken by a transaction that has named its reason to reach across organizations (see `crossings`).
 * `lookup`: owns the lookups and nothing else; nobody takes it.
 */
export const databaseRoles = {
  service: 'hatidata_identity',
  organization: 'hatidata_identity_organization',
  across: 'hatidata_identity_across',
  lookup: 'hatidata_identity_lookup',
} as const;

/** For a connection of its own, in the words of libpq: it has the role from its first statement on, and falls back to it. */
export const asService = `-c role=${databaseRoles.service}`;

/** The same for a connection that is there already, and nothing where the role is not there yet. */
export const becomeService = `select set_config('role', rolname, false) from pg_roles where rolname = '${databaseRoles.service}'`;

/**
 * Takes the role of the scope for the rest of this transaction, names the organization or the reason to the policies, and waits
 * for the scope's turn; in one statement. All of it ends with the transaction, however that ends.
 */
export const enter = async (em: SqlEntityManager, scope: Scope): Promise<void> => {
  const within = typeof scope === 'string';
  const turn = turnOf(scope);
  const role = within ? databaseRoles.organization : databaseRoles.across;
  const [setting, value] = within ? ['app.organization', scope] : ['app.across', scope.across];
  if (turn === undefined) {
    await em.execute(`select set_config('role', ?, true), set_config(?, ?, true)`, [role, setting, value]);
  } else {
    await em.execute(
      `select pg_advisory_xact_lock(hashtextextended(?, 0)), set_config('role', ?, true), set_config(?, ?, true)`,
      [turn, role, setting, value],
    );
  }
};

/** The same for a question about one organization: nobody waits for a turn, and nothing can be written. */
export const enterToRead = async (em: SqlEntityManager, organizationId: OrganizationId): Promise<void> => {
  await em.execute(
    `select set_config('role', ?, true), set_config('app.organization', ?, true), set_config('transaction_read_only', 'on', true)`,
    [databaseRoles.organization, organizationId],
  );
};
