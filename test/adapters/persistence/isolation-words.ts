// What the catalogue of the database may look like: which tables belong to no organization, and why; who may delete what.

/** Tables without an organization, with the reason. A table that is neither here nor kept apart fails the build. */
export const sharedTables: Readonly<Record<string, string>> = {
  'public.users':
    'a person belongs to no organization and may be in several; what organizations know of them is a membership',
  'public.user_identities': "a provider's name of a person, found before anybody knows where they belong",
  'public.outbox': 'a queue for the worker; an organization may add to it and see nothing of it',
  'public.feed_cursors': "where in a provider's list of events we stand; one row for each provider",
  'public.spent_sign_ins': 'digests of states of sign-ins, spent before anybody knows who signs in',
  'public.migrations': 'which version the tables have; the service only reads it',
};

/** Schemas of libraries that keep their own tables, with the reason. */
export const sharedSchemas: Readonly<Record<string, string>> = {
  pgboss: 'jobs name what is to be done and no more; they are worked across organizations',
};

/** What may be deleted at all, by table; everything else stays. */
export const deletable: Readonly<Record<string, string>> = {
  'public.verified_domains': 'a domain that is no longer held',
  'public.outbox': 'an effect that was carried out',
  'public.idempotency_keys': 'a key whose day is over, or whose request was refused',
  'public.reconciliation_items': 'what was listed, once the reconciliation is over',
  'public.spent_sign_ins': 'a state that can no longer be brought by anybody',
};

/** Where rows are never changed. */
export const appendOnly: readonly string[] = ['public.audit_entries'];
