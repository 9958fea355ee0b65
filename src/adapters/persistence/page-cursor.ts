// Where a page ended, as an opaque text. Keyset: the sort key of the last row, so rows added meanwhile neither repeat nor hide others.

import type { Page, PageRequest } from '#application/ports/read-models.ts';
import { Refusal } from '#domain/shared/refusal.ts';

const encode = (key: readonly string[]): string => Buffer.from(JSON.stringify(key)).toString('base64url');

/**
 * The sort key in a cursor; undefined without a cursor.
 * @throws Refusal `request.invalid` for a cursor that was not made for a key of this many parts
 */
export const keyIn = (cursor: string | null, parts: number): readonly string[] | undefined => {
  if (cursor === null) return undefined;
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    const fits = Array.isArray(key) && key.length === parts && key.every((part) => typeof part === 'string');
    // PostgreSQL has no text with a zero byte in it.
    if (fits && encode(key) === cursor && !key.some((part: string) => part.includes('\0'))) return key;
  } catch {
    // Not even JSON: refused below like everything else that we did not make.
  }
  throw new Refusal('request.invalid', { cursor: 'not a cursor of this list' });
};

/** The same for a list in the order of a number. */
export const numberIn = (cursor: string | null): number | undefined => {
  const [text] = keyIn(cursor, 1) ?? [];
  if (text === undefined) return undefined;
  if (!/^[1-9][0-9]{0,14}$/.test(text)) throw new Refusal('request.invalid', { cursor: 'not a cursor of this list' });
  return Number(text);
};

/** Makes a page of rows that were asked for with one more than the limit: the extra row tells that there is a next page. */
export const pageOf = <R, T>(
  rows: readonly R[],
  page: PageRequest,
  keyOf: (row: R) => readonly string[],
  itemOf: (row: R) => T,
): Page<T> => {
  const shown = rows.slice(0, page.limit);
  const last = shown.at(-1);
  return {
    items: shown.map(itemOf),
    next: rows.length > page.limit && last !== undefined ? encode(keyOf(last)) : null,
  };
};
