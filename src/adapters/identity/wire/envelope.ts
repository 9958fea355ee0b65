// What every event of the wire has in common: an id, a name, a time, and whom it is about. The rest is kept whole for later.

import { z } from 'zod';
import { isRecord, maybeRef, moment, ref } from '#adapters/identity/wire/words.ts';
import type { HeardEvent } from '#application/ports/identity-provider.ts';
import { Refusal } from '#domain/shared/refusal.ts';

const envelope = z.looseObject({
  id: ref,
  event: ref,
  data: z.looseObject({}),
  created_at: moment,
});

/** Deeper than any event seen, and far from where a database or a recursion gives up. */
const deepest = 100;

const malformed = (why: string): Refusal => new Refusal('delivery.malformed', { why });

const storableText = (text: string): string => text.toWellFormed().replaceAll('\u0000', '\uFFFD');

/**
 * The same value, fit to be stored as JSON in PostgreSQL, which has no NUL and no half of a surrogate pair: both become
 * U+FFFD. A field called `__proto__` is left out, so that no later copy of the payload can change an object's prototype.
 */
const storable = (value: unknown, depth = 0): unknown => {
  if (depth > deepest) throw malformed('nested too deeply');
  if (typeof value === 'string') return storableText(value);
  if (Array.isArray(value)) return value.map((item) => storable(item, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== '__proto__')
      .map(([key, field]) => [storableText(key), storable(field, depth + 1)]),
  );
};

const parsed = (body: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw malformed('not JSON');
  }
};

/** The provider's organization: in the data itself, or in the record that the data quotes. */
const organizationOf = (name: string, data: Readonly<Record<string, unknown>>): string | null => {
  if (name.startsWith('organization.')) return maybeRef.parse(data['id']);
  const quoted = [data['group'], data['user'], data['organization_domain'], data['connection']].filter(isRecord);
  const refs = [data, ...quoted].map((record) => maybeRef.parse(record['organization_id']));
  return refs.find((ref) => ref !== null) ?? null;
};

/**
 * Reads an event that is already JSON, as an entry of the feed is.
 * @throws Refusal `delivery.malformed`
 */
export const eventFrom = (json: unknown): HeardEvent => {
  const payload = storable(json);
  const read = envelope.safeParse(payload);
  if (!isRecord(payload) || !read.success) {
    const fields = read.error?.issues.map(({ path }) => path.join('.')) ?? [];
    throw malformed(`no event: ${[...new Set(fields)].join(', ') || 'not an object'}`);
  }
  const { id, event: name, created_at: occurredAt, data } = read.data;
  return { id, name, occurredAt, organization: organizationOf(name, data), payload };
};

/**
 * Reads the bytes of an authentic delivery.
 * @throws Refusal `delivery.malformed` when they are not JSON, or JSON that is no event
 */
export const readEnvelope = (body: Uint8Array): HeardEvent => eventFrom(parsed(body));
