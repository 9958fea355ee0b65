// Keeps other sites from using a person's session cookie behind their back (cross-site request forgery).

import { Refusal } from '#domain/shared/refusal.ts';

const reading: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

export const writes = (method: string): boolean => !reading.has(method);

const loopback: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** At a desk, `localhost` and `127.0.0.1` with our port are the same pages: ours. */
const isOurs = (origin: string | undefined, publicUrl: URL): boolean => {
  if (origin === undefined || !URL.canParse(origin)) return false;
  const from = new URL(origin);
  if (from.origin === publicUrl.origin) return true;
  const bothAtTheDesk = loopback.has(from.hostname) && loopback.has(publicUrl.hostname);
  return bothAtTheDesk && from.protocol === publicUrl.protocol && from.port === publicUrl.port;
};

/**
 * Browsers say of every write where it comes from, and pages cannot forge it: `Origin` (RFC 6454), or, where our referrer
 * policy makes that `null`, `Sec-Fetch-Site` (Fetch Metadata). Either may vouch; silence does not.
 * @throws Refusal `request.cross_origin`
 */
export const mustBeOurOwnPage = (publicUrl: URL, header: (name: string) => string | undefined): void => {
  if (isOurs(header('origin'), publicUrl)) return;
  const site = header('sec-fetch-site');
  if (site !== 'same-origin' && site !== 'none')
    throw new Refusal('request.cross_origin', { origin: publicUrl.origin });
};
