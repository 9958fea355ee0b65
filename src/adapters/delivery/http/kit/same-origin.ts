// Keeps other sites from using a person's session cookie behind their back (cross-site request forgery).

import { Refusal } from '#domain/shared/refusal.ts';

const reading: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

export const writes = (method: string): boolean => !reading.has(method);

/**
 * Browsers say of every write where it comes from, and pages cannot forge it: `Origin` (RFC 6454), or, where our referrer
 * policy makes that `null`, `Sec-Fetch-Site` (Fetch Metadata). Either may vouch; silence does not.
 * @throws Refusal `request.cross_origin`
 */
export const mustBeOurOwnPage = (publicUrl: URL, header: (name: string) => string | undefined): void => {
  if (header('origin') === publicUrl.origin) return;
  const site = header('sec-fetch-site');
  if (site !== 'same-origin' && site !== 'none') throw new Refusal('request.cross_origin');
};
