// Digests by Node's own crypto and zlib.

import { createHash, createHmac } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Digest } from '#application/ports/system.ts';

/** @param peppers newest first; the first one writes, all of them read */
export const nodeDigest = (peppers: readonly [string, ...string[]]): Digest => {
  const under = (pepper: string, text: string): string => createHmac('sha256', pepper).update(text).digest('hex');
  const [newest, ...older] = peppers;
  return {
    sha256: (text) => createHash('sha256').update(text).digest('hex'),
    peppered: (text) => [under(newest, text), ...older.map((pepper) => under(pepper, text))],
    pkceChallenge: (verifier) => createHash('sha256').update(verifier).digest('base64url'),
    crc32: (text) => crc32(text),
  };
};
