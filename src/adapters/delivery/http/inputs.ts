// What may come in, in words that the routes share: ids in paths, lines of text, pages of a list.

import { z } from 'zod';
import { type Id, type IdPrefix, isId } from '#domain/shared/ids.ts';
import type { RefusalReason } from '#domain/shared/refusal.ts';
import { isStorable } from '#domain/shared/time.ts';
import type { PathParam } from './kit/route.ts';

const digits = '01h455vb4pex5vsknk084sn02q';

/** The shape of an id as documents show it. */
export const idShape = (prefix: IdPrefix) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}_[0-7][0-9a-hjkmnp-tv-z]{25}$`), `expected an id that begins with ${prefix}_`)
    .meta({ examples: [`${prefix}_${digits}`] });

const idParam = <Prefix extends IdPrefix>(prefix: Prefix, otherwise: RefusalReason): PathParam<Id<Prefix>> => ({
  shape: idShape(prefix),
  read: (text) => (isId(prefix, text) ? text : undefined),
  otherwise,
});

/** An id inside a query or a body: there, a malformed one is a malformed request. */
export const idOf = <Prefix extends IdPrefix>(prefix: Prefix) =>
  idShape(prefix).transform((text): Id<Prefix> => text as Id<Prefix>);

export const org = idParam('org', 'organization.not_found');
export const member = idParam('mem', 'membership.not_found');
export const invitation = idParam('inv', 'invitation.not_found');
export const session = idParam('sess', 'session.not_found');
export const agent = idParam('agent', 'agent.not_found');
export const apiKey = idParam('key', 'api_key.not_found');
export const event = idParam('evt', 'event.not_found');

/** One line of text: no control characters (a database refuses NUL), no half of a surrogate pair. */
export const line = (longest: number) =>
  z
    .string()
    .max(longest)
    .refine(
      (text) => text.isWellFormed() && !/\p{Cc}/u.test(text),
      'has characters that cannot stand in a line of text',
    );

/** A name that people read: trimmed, not empty. */
export const name = (longest: number) => line(longest).trim().min(1);

/** A moment with its offset from UTC. */
export const moment = z.iso
  .datetime({ offset: true })
  .transform((text) => new Date(text))
  .refine(isStorable, 'must lie between 1970 and 9999')
  .meta({ examples: ['2026-01-31T15:00:00Z'] });

const pageFields = {
  limit: z.coerce.number().int().min(1).max(200).default(50).meta({ description: 'How many at most.' }),
  cursor: line(512).min(1).optional().meta({ description: '`pagination.cursor` of the page before.' }),
};

/** The query of a list: the page, and what narrows it. Unknown parameters are ignored. */
export const listOf = <Filter extends z.ZodRawShape>(filter: Filter) => z.object({ ...filter, ...pageFields });

export const pageOf = (query: { readonly limit: number; readonly cursor?: string | undefined }) => ({
  limit: query.limit,
  cursor: query.cursor ?? null,
});
