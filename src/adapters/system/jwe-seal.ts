// Sealed boxes as JWE (RFC 7516, direct encryption with A256GCM), under keys derived from the session secrets.

import { createHash, hkdfSync } from 'node:crypto';
import { EncryptJWT, errors, jwtDecrypt } from 'jose';
import type { Clock, Seal } from '#application/ports/system.ts';

const issuer = 'hatidata-identity';

interface Key {
  readonly id: string;
  readonly bytes: Uint8Array;
}

const keyOf = (secret: string): Key => ({
  bytes: new Uint8Array(hkdfSync('sha256', secret, '', 'hatidata seal v1', 32)),
  id: createHash('sha256').update(`hatidata seal id ${secret}`).digest('hex').slice(0, 8),
});

/** @param secrets newest first; the first one closes boxes, all of them open them */
export const jweSeal = (secrets: readonly [string, ...string[]], clock: Clock): Seal => {
  const newest = keyOf(secrets[0]);
  const keys = new Map(secrets.map(keyOf).map((key) => [key.id, key]));
  return {
    async close(purpose, content, seconds) {
      const now = Math.floor(clock.now().getTime() / 1000);
      return new EncryptJWT({ content })
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: newest.id })
        .setIssuer(issuer)
        .setAudience(purpose)
        .setIssuedAt(now)
        .setExpirationTime(now + seconds)
        .encrypt(newest.bytes);
    },
    async open(purpose, box) {
      try {
        const keyFor = ({ kid = '' }: { kid?: string }): Uint8Array => (keys.get(kid) ?? newest).bytes;
        const { payload } = await jwtDecrypt(box, keyFor, {
          issuer,
          audience: purpose,
          currentDate: clock.now(),
          keyManagementAlgorithms: ['dir'],
          contentEncryptionAlgorithms: ['A256GCM'],
        });
        return payload['content'] as Readonly<Record<string, unknown>>;
      } catch (fault) {
        if (fault instanceof errors.JOSEError || fault instanceof TypeError) return undefined;
        throw fault;
      }
    },
  };
};
