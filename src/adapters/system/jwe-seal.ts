// Sealed boxes as JWE (RFC 7516, direct encryption with A256GCM), under keys derived from the session secrets.

import { createHash, hkdfSync } from 'node:crypto';
import { EncryptJWT, errors, jwtDecrypt } from 'jose';
import type { Clock, Seal } from '#application/ports/system.ts';

const issuer = 'hatidata-identity';

interface Key {
  readonly id: string;
  /** HKDF (RFC 5869): the password is part of the context, so no two passwords have one key. */
  bytes(password: string | undefined): Uint8Array;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const keyOf = (secret: string): Key => ({
  bytes(password) {
    const context = password === undefined ? 'hatidata seal v1' : `hatidata seal v1 with ${sha256(password)}`;
    return new Uint8Array(hkdfSync('sha256', secret, '', context, 32));
  },
  id: sha256(`hatidata seal id ${secret}`).slice(0, 8),
});

/** @param secrets newest first; the first one closes boxes, all of them open them */
export const jweSeal = (secrets: readonly [string, ...string[]], clock: Clock): Seal => {
  const newest = keyOf(secrets[0]);
  const keys = new Map(secrets.map(keyOf).map((key) => [key.id, key]));
  return {
    async close(purpose, content, seconds, password) {
      const now = Math.floor(clock.now().getTime() / 1000);
      return new EncryptJWT({ content })
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: newest.id })
        .setIssuer(issuer)
        .setAudience(purpose)
        .setIssuedAt(now)
        .setExpirationTime(now + seconds)
        .encrypt(newest.bytes(password));
    },
    async open(purpose, box, password) {
      try {
        const keyFor = ({ kid = '' }: { kid?: string }): Uint8Array => (keys.get(kid) ?? newest).bytes(password);
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
