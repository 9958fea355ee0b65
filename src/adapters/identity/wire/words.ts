// The small words of the wire, read tolerantly: times, references, texts, and booleans that some senders spell as text.

import { z } from 'zod';
import { isStorable } from '#domain/shared/time.ts';

/** An ISO 8601 time with an offset, between 1970 and 9999. Without an offset it is nobody's time, and refused. */
export const moment = z.iso
  .datetime({ offset: true })
  .transform((text) => new Date(text))
  .refine(isStorable);

/** Undefined when missing or unreadable. */
export const maybeMoment = moment.optional().catch(undefined);

/** The provider's id or name of something: printable, no spaces, short enough for an index. */
export const ref = z.string().regex(/^[\x21-\x7e]{1,200}$/);

export const maybeRef = ref.nullable().catch(null);

/** A text, or null when it is missing, empty or something else. */
export const maybeText = z.string().min(1).nullable().catch(null);

/** The customer's own id of something: any text, or null. */
export const maybeForeignId = z.string().min(1).max(500).nullable().catch(null);

/**
 * True for `true` and for "true" in any case, false for all else. "False" is a text, and a naive reading of a text is
 * true: with Entra ID that kept leavers active (wandb/docs#2790).
 */
export const yes = z
  .unknown()
  .optional()
  .transform((value) => value === true || (typeof value === 'string' && value.trim().toLowerCase() === 'true'));

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
