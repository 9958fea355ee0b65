// An agent's secret, held only between the wire and the digest. It never prints itself.

import { Refusal } from '#domain/shared/refusal.ts';

export type KeyMode = 'live' | 'test';

/** CRC-32 (ISO 3309) of a text, as an unsigned number. Comes from outside: the domain computes no checksums. */
export type Checksum = (text: string) => number;

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const shape = /^hd_(live|test)_[0-9A-Za-z]{32}$/;

/** Random part: 26 base62 digits, 154 bits. A search cannot find it, so its digest needs no slow hash. */
export const randomDigits = 26;
const checkDigits = 6;

const toBase62 = (value: number, digits: number): string => {
  let text = '';
  for (let rest = value; text.length < digits; rest = Math.floor(rest / 62)) text = base62.charAt(rest % 62) + text;
  return text;
};

/**
 * Exactly 40 characters: `hd_live_` or `hd_test_`, 26 random base62 digits, and 6 base62 digits of CRC-32 over all that
 * stands before them. A typo or a guess is refused without a look-up, and secret scanners can match it.
 */
export class ApiKeySecret {
  readonly mode: KeyMode;
  readonly #text: string;

  private constructor(mode: KeyMode, text: string) {
    this.mode = mode;
    this.#text = text;
  }

  /** @throws Refusal `api_key.malformed` on a wrong length, alphabet or checksum. */
  static parse(text: string, checksum: Checksum): ApiKeySecret {
    const mode = shape.exec(text)?.[1] as KeyMode | undefined;
    if (!mode) throw new Refusal('api_key.malformed');
    const body = text.slice(0, -checkDigits);
    if (toBase62(checksum(body), checkDigits) !== text.slice(-checkDigits)) throw new Refusal('api_key.malformed');
    return new ApiKeySecret(mode, text);
  }

  /** @param random exactly 26 base62 digits from a cryptographic source */
  static mint(mode: KeyMode, random: string, checksum: Checksum): ApiKeySecret {
    const body = `hd_${mode}_${random}`;
    return ApiKeySecret.parse(body + toBase62(checksum(body), checkDigits), checksum);
  }

  /** The only door out. Call it to digest, or once to show the key to its new owner. */
  reveal(): string {
    return this.#text;
  }
  /** What may be shown later: enough to recognise the key, not to use it. */
  get prefix(): string {
    return this.#text.slice(0, 12);
  }
  get lastFour(): string {
    return this.#text.slice(-4);
  }
  toString(): string {
    return `${this.prefix}…${this.lastFour}`;
  }
  toJSON(): string {
    return this.toString();
  }
}
