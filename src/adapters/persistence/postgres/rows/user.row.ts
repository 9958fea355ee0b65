// How a user lies in the database.

import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import type { UserId } from '#domain/shared/ids.ts';
import type { Email } from '#domain/users/email.ts';
import type { ProviderIdentity, UserState } from '#domain/users/user.ts';
import { searchableText } from '../../text.ts';

export const UserRow = defineEntity({
  name: 'UserRow',
  tableName: 'users',
  properties: {
    id: p.string().$type<UserId>().primary(),
    email: p.string().$type<Email>(),
    name: p.string().nullable(),
    status: p.string().$type<UserState['status']>(),
    identities: p.json<readonly ProviderIdentity[]>(),
    searchText: p.text(),
    asOf: p.datetime(3),
    createdAt: p.datetime(3),
    version: p.integer(),
  },
});
export type UserRow = InferEntity<typeof UserRow>;

/** One row per identity: what keeps one subject of a provider from being two users. */
export const UserIdentityRow = defineEntity({
  name: 'UserIdentityRow',
  tableName: 'user_identities',
  properties: {
    provider: p.string().primary(),
    subject: p.string().primary(),
    userId: p.string().$type<UserId>(),
  },
});

export const userFromRow = (row: UserRow): UserState => ({
  id: row.id,
  email: row.email,
  name: row.name ?? null,
  status: row.status,
  identities: row.identities,
  asOf: row.asOf,
  createdAt: row.createdAt,
  version: row.version,
});

export const userToRow = (state: UserState, version: number) => ({
  ...state,
  searchText: searchableText(state),
  version,
});
