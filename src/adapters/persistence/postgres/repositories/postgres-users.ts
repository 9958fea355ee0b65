// Users in the database.

import type { Users } from '#application/ports/store.ts';
import { User, type UserState } from '#domain/users/user.ts';
import { afresh, type PostgresRun, saveEntity } from '../postgres-run.ts';
import { UserIdentityRow, UserRow, userFromRow, userToRow } from '../rows/user.row.ts';

/** Tells these locks from others; any number. */
const addressLock = 7_290_115;
/** Addresses share so many locks, since the server has room for few thousands: a transaction about a whole directory takes them all. */
const addressLocks = 256;

const restored = (row: UserRow | null): User | undefined => (row === null ? undefined : User.restore(userFromRow(row)));

export const postgresUsers = (run: PostgresRun): Users => {
  const { em } = run;

  /** Identities are only ever added. One that belongs to somebody else is a unique violation. */
  const keepIdentities = async (state: UserState): Promise<void> => {
    const known = await em.find(UserIdentityRow, { userId: state.id }, afresh);
    const added = state.identities.filter(
      ({ provider, subject }) => !known.some((row) => row.provider === provider && row.subject === subject),
    );
    if (added.length === 0) return;
    await em.insertMany(
      UserIdentityRow,
      added.map(({ provider, subject }) => ({ provider, subject, userId: state.id })),
    );
  };

  return {
    get: async (id) => restored(await em.findOne(UserRow, { id }, afresh)),
    async byIdentity(provider, subject) {
      const identity = await em.findOne(UserIdentityRow, { provider, subject }, afresh);
      return identity === null ? undefined : restored(await em.findOne(UserRow, { id: identity.userId }, afresh));
    },
    async byEmail(email) {
      // A statement of its own: the one that reads must begin when the wait is over.
      await em.execute('select pg_advisory_xact_lock(?, hashtext(?) % ?)', [addressLock, email, addressLocks]);
      const rows = await em.find(
        UserRow,
        { email, status: { $ne: 'deleted' } },
        { ...afresh, orderBy: { createdAt: 'asc', id: 'asc' } },
      );
      return rows.map((row) => User.restore(userFromRow(row)));
    },
    async save(user) {
      const { state } = user;
      await saveEntity(
        run,
        user,
        (version) => em.insert(UserRow, userToRow(state, version)),
        (expected, version) => em.nativeUpdate(UserRow, { id: state.id, version: expected }, userToRow(state, version)),
      );
      if (state.identities.length > 0) await keepIdentities(state);
    },
  };
};
