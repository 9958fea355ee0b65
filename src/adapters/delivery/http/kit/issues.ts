// Says what is wrong with a request, field by field, without repeating what was sent.

import type { z } from 'zod';
import { Refusal } from '#domain/shared/refusal.ts';

const most = 10;
const longest = 200;
const harmlessName = /^\w{1,64}$/;

const named = (part: PropertyKey): string => (harmlessName.test(String(part)) ? String(part) : '?');

const said = (issue: z.core.$ZodIssue): string => {
  if (issue.code !== 'unrecognized_keys') return issue.message;
  const known = issue.keys.filter((key) => harmlessName.test(key)).slice(0, 5);
  return known.length > 0 ? `has unknown fields: ${known.join(', ')}` : 'has unknown fields';
};

/** Reads the value, or refuses with at most ten issues. Messages tell what was expected, never what came. */
export const readAs = <T>(shape: z.ZodType<T>, value: unknown, where: 'query' | 'body'): T => {
  const read = shape.safeParse(value);
  if (read.success) return read.data;
  const issues = read.error.issues
    .slice(0, most)
    .map((issue) => `${[where, ...issue.path.map(named)].join('.')}: ${said(issue)}`.slice(0, longest));
  throw new Refusal('request.invalid', { issues });
};
