// What two nodes say to each other so that they live in one fake world: a call of the provider port, and its outcome.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import type { RefusalDetails, RefusalReason } from '#domain/shared/refusal.ts';

export const linkPath = '/fake-idp/link';

/** Bytes of a call. */
export const callLimit = 64 * 1024;

export interface Call {
  readonly part: string;
  readonly method: string;
  readonly args: readonly unknown[];
}

export type Outcome =
  | { readonly is: 'value'; readonly value: unknown }
  | { readonly is: 'refusal'; readonly reason: RefusalReason; readonly details: RefusalDetails }
  | { readonly is: 'fault'; readonly message: string };

/** Which methods each part of the provider has: what it cannot do is missing there too. */
export type Abilities = Readonly<Record<string, readonly string[]>>;

// Dates and missing values survive this; JSON would lose them. Only whoever knows the secret is read.
export const pack = (value: unknown): Buffer => serialize(value);
export const unpack = <T>(bytes: Uint8Array): T => deserialize(bytes) as T;

/** What a node shows the other, made of the secret that both have for sealing sessions. */
export const passOf = (secret: string): string =>
  `Link ${createHmac('sha256', secret).update('fake identity provider, node to node').digest('base64url')}`;

export const isPass = (shown: string, secret: string): boolean => {
  const [ours, theirs] = [Buffer.from(passOf(secret)), Buffer.from(shown)];
  return ours.length === theirs.length && timingSafeEqual(ours, theirs);
};
