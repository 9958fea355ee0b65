// What a use case needs of the machine it runs on: the time, new ids, randomness, digests, sealed boxes, a log.

import type { Checksum } from '#domain/access/api-key-secret.ts';
import type { Id, IdPrefix } from '#domain/shared/ids.ts';

export interface Clock {
  now(): Date;
}

export interface Ids {
  /** A new id of that kind. Ids made later sort later (to the millisecond). */
  next<Prefix extends IdPrefix>(prefix: Prefix): Id<Prefix>;
}

/** Cryptographic randomness. */
export interface Entropy {
  /** 256 bits as 43 characters of base64url. */
  reference(): string;
  /** That many base62 digits, uniformly drawn. */
  base62(digits: number): string;
}

export interface Digest {
  /** SHA-256 of the UTF-8 text, lower-case hex. */
  sha256(text: string): string;
  /**
   * HMAC-SHA-256 under each configured pepper, newest first, lower-case hex. Write the first; look for any of them: that is
   * how a pepper is rotated.
   */
  peppered(text: string): readonly [string, ...string[]];
  /** The S256 challenge of a PKCE verifier (RFC 7636): base64url of its SHA-256. */
  pkceChallenge(verifier: string): string;
  readonly crc32: Checksum;
}

/** Encrypts what others keep for us – the client, or a table – and must come back unread and unchanged. */
export interface Seal {
  /**
   * @param seconds after which the box no longer opens
   * @param password with it, our own key alone does not open the box: only together with the same password
   */
  close(
    purpose: string,
    content: Readonly<Record<string, unknown>>,
    seconds: number,
    password?: string,
  ): Promise<string>;
  /** Undefined when it was made for another purpose or password, is too old, was tampered with, or is no box at all. */
  open(purpose: string, box: string, password?: string): Promise<Readonly<Record<string, unknown>> | undefined>;
}

/** Whether an address lies in a CIDR block. Both v4 and v6; a v4 address mapped into v6 counts as v4. */
export interface Networks {
  /** Whether the text is a CIDR block or a single address. */
  isBlock(text: string): boolean;
  contains(blocks: readonly string[], address: string): boolean;
}

/** Structured log lines. Facts must be harmless: no secret, no token, no whole body. */
export interface Log {
  debug(message: string, facts?: Readonly<Record<string, unknown>>): void;
  info(message: string, facts?: Readonly<Record<string, unknown>>): void;
  warn(message: string, facts?: Readonly<Record<string, unknown>>): void;
  error(message: string, facts?: Readonly<Record<string, unknown>>): void;
}
