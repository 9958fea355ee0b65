// Every id is a branded string that says what it names: `org_…`, `user_…`. Mixing two kinds is a type error.

declare const brand: unique symbol;

/** A TypeID (https://github.com/jetify-com/typeid): prefix, underscore, a UUIDv7 in 26 lower-case base32 digits. Sorts by creation time. */
export type Id<Prefix extends string> = `${Prefix}_${string}` & { readonly [brand]: Prefix };

export type OrganizationId = Id<'org'>;
export type UserId = Id<'user'>;
export type MembershipId = Id<'mem'>;
export type InvitationId = Id<'inv'>;
export type SessionId = Id<'sess'>;
export type AgentId = Id<'agent'>;
export type ApiKeyId = Id<'key'>;
/** Our own number for an event heard from a provider (the inbox row), not the provider's event id. */
export type InboxEventId = Id<'evt'>;
export type AuditEntryId = Id<'aud'>;
export type EffectId = Id<'eff'>;
export type RequestId = Id<'req'>;
export type ReconciliationId = Id<'recon'>;

export type IdPrefix =
  | 'org'
  | 'user'
  | 'mem'
  | 'inv'
  | 'sess'
  | 'agent'
  | 'key'
  | 'evt'
  | 'aud'
  | 'eff'
  | 'req'
  | 'recon';

/** Base32 as TypeID writes it (Crockford's alphabet, lower case); the first digit of 128 bits is never above 7. */
const suffix = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/;

/** Whether this text is a well-formed id of that kind. Says nothing about whether it exists. */
export const isId = <Prefix extends IdPrefix>(prefix: Prefix, text: string): text is Id<Prefix> =>
  text.startsWith(`${prefix}_`) && suffix.test(text.slice(prefix.length + 1));
