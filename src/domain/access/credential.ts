// What a request carries to say who is calling. The shape alone decides the path; there is no fallback from one to the other.

import { Refusal } from '#domain/shared/refusal.ts';

export type Credential =
  /** An agent's key, not yet checked for its checksum. */
  | { readonly kind: 'api_key'; readonly text: string }
  /** A provider's access token (JWT), from a person's API client. */
  | { readonly kind: 'session_token'; readonly token: string }
  /** The opaque reference from a person's browser. */
  | { readonly kind: 'session_reference'; readonly reference: string };

/** The three places where a credential may stand. Absent ones are undefined. */
export interface CredentialParts {
  readonly authorization?: string | undefined;
  readonly apiKeyHeader?: string | undefined;
  readonly sessionCookie?: string | undefined;
}

const jwtShape = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
const referenceShape = /^[A-Za-z0-9_-]{43}$/;
const keyShape = /^hd_/;

const fromAuthorization = (header: string): Credential => {
  const [, scheme = '', value = ''] = /^([A-Za-z]+) +(\S+) *$/.exec(header) ?? [];
  if (scheme.toLowerCase() === 'apikey') return { kind: 'api_key', text: value };
  if (scheme.toLowerCase() === 'bearer' && keyShape.test(value)) return { kind: 'api_key', text: value };
  if (scheme.toLowerCase() === 'bearer' && jwtShape.test(value)) return { kind: 'session_token', token: value };
  throw new Refusal('credential.malformed');
};

/**
 * The one credential of a request; undefined when it carries none.
 * The same API key in two headers is one credential.
 * @throws Refusal `credential.ambiguous` for two different ones, `credential.malformed` for an unreadable one.
 */
export const credentialFrom = (parts: CredentialParts): Credential | undefined => {
  const found: Credential[] = [];
  if (parts.authorization !== undefined) found.push(fromAuthorization(parts.authorization));
  if (parts.apiKeyHeader !== undefined) found.push({ kind: 'api_key', text: parts.apiKeyHeader });
  if (parts.sessionCookie !== undefined) found.push({ kind: 'session_reference', reference: parts.sessionCookie });
  const [first, ...others] = found;
  if (others.some((other) => JSON.stringify(other) !== JSON.stringify(first)))
    throw new Refusal('credential.ambiguous');
  if (first?.kind === 'session_reference' && !referenceShape.test(first.reference))
    throw new Refusal('session.unknown');
  return first;
};
