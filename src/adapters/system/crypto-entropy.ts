// Randomness from the operating system.

import { randomBytes, randomInt } from 'node:crypto';
import type { Entropy } from '#application/ports/system.ts';

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export const cryptoEntropy: Entropy = {
  reference: () => randomBytes(32).toString('base64url'),
  base62: (digits) => Array.from({ length: digits }, () => base62.charAt(randomInt(62))).join(''),
};
