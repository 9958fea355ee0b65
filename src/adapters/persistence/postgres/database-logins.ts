// What the login of the service may do, looked at before anything is served: it must be able to take the roles, and should be nothing more.

import type { SqlEntityManager } from '@mikro-orm/postgresql';
import { databaseRoles } from './database-roles.ts';

const { service } = databaseRoles;

/** The login of the service, or that of migrations, has too few rights or too many. The message says what to do; no password in it. */
export class DatabaseLoginFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DatabaseLoginFault';
  }
}

const codeOf = (thrown: unknown): unknown => (thrown instanceof Error && 'code' in thrown ? thrown.code : undefined);
const insufficientPrivilege = '42501';
const invalidValue = '22023';

/** What a failed migration means, where it failed for want of rights; otherwise what was thrown. */
export const migrationFault = (thrown: unknown): unknown =>
  codeOf(thrown) === insufficientPrivilege && thrown instanceof Error
    ? new DatabaseLoginFault(
        `The database is not of this version, and the login may not change it (${thrown.message}): set MIGRATION_DATABASE_URL to the owner of the tables, who may create roles; or migrate with one node that has it.`,
      )
    : thrown;

interface Login {
  readonly login: string;
  readonly role: string;
  readonly bypasses: boolean;
  readonly owns: boolean;
}

/**
 * @param onlyApart whether a login is refused that could lift the isolation of organizations: a superuser, one that bypasses
 * row-level security, an owner of the tables, or a member of one of these
 * @throws DatabaseLoginFault
 */
export const checkLogin = async (em: SqlEntityManager, onlyApart: boolean): Promise<void> => {
  const [found] = await em
    .execute<Login[]>(
      `select session_user::text as login, current_user::text as role,
        exists (select from pg_roles
          where (rolsuper or rolbypassrls) and pg_has_role(session_user, oid, 'member')) as bypasses,
        exists (select from pg_class
          where oid = 'organizations'::regclass and pg_has_role(session_user, relowner, 'member')) as owns`,
    )
    .catch((thrown: unknown) => {
      const code = codeOf(thrown);
      if (code !== insufficientPrivilege && code !== invalidValue) throw thrown;
      throw new DatabaseLoginFault(
        `The login of DATABASE_URL may not take the role ${service}: as an administrator of the server, grant ${service} to it.`,
      );
    });
  if (!found) throw new Error('The database said nothing about the login');
  const { login, role, bypasses, owns } = found;
  if (role !== service) {
    throw new DatabaseLoginFault(
      `Connections of DATABASE_URL do not take the role ${service}, as they are told to: a pooler in between must pass the startup parameter "options" on.`,
    );
  }
  if (onlyApart && (bypasses || owns)) {
    const because = bypasses ? 'it can see past row-level security' : 'it owns the tables';
    throw new DatabaseLoginFault(
      `The login ${login} of DATABASE_URL could lift the isolation of organizations (${because}); production does not start with it. Give the service a login of its own ("create role … login password … in role ${service}") in DATABASE_URL, and this one in MIGRATION_DATABASE_URL.`,
    );
  }
};
