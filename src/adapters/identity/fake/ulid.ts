// Ids as the provider writes them: a prefix and a ULID (https://github.com/ulid/spec), of which a later one always sorts later.

import { randomBytes } from 'node:crypto';

const digits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

const encode = (value: bigint, length: number): string =>
  Array.from({ length }, (_, at) => digits[Number((value >> BigInt(5 * (length - 1 - at))) & 31n)]).join('');

const decode = (text: string): bigint =>
  [...text].reduce((value, digit) => (value << 5n) | BigInt(digits.indexOf(digit)), 0n);

/** 128 bits of zero: what a world that has made no id yet starts from. */
export const firstUlid = '0'.repeat(26);

/**
 * The next ULID after `last`. Within one millisecond, or when the clock went back, it counts on from the last one: two
 * events of the same instant must keep their order.
 */
export const nextUlid = (last: string, at: Date): string => {
  const time = encode(BigInt(at.getTime()), 10);
  if (time <= last.slice(0, 10)) return encode(decode(last) + 1n, 26);
  const random = BigInt(`0x${randomBytes(10).toString('hex')}`) >> 1n; // a clear top bit leaves room to count on
  return time + encode(random, 16);
};
