// How a delivery proves who sent it: a time, and an HMAC over that time and the raw bytes under a shared secret.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { Refusal } from '#domain/shared/refusal.ts';

/** How old a delivery may be, and how far ahead of our clock. Both bounds are inclusive. */
export interface TimeWindow {
  readonly now: Date;
  /** Three minutes unless said otherwise, as in WorkOS' own SDK. */
  readonly toleranceMs?: number | undefined;
  /** Five minutes unless said otherwise: room for a clock that is wrong, none for a signature dated ahead to be kept. */
  readonly futureMs?: number | undefined;
}

export interface SignatureCheck extends TimeWindow {
  readonly body: Uint8Array;
  readonly header: string | undefined;
  /** Any one of them is good: while a secret is being replaced there are two. Empty ones are never good. */
  readonly secrets: readonly string[];
}

/** What a well-formed and timely header says. Nothing is proven yet. */
export interface ClaimedSignature {
  /** Unix milliseconds, in the digits that were signed. */
  readonly timestamp: string;
  /** HMAC-SHA256, 64 lower-case hex digits. */
  readonly digest: string;
}

/** The time comes first, as it is always sent; fields after the two that we know are left for the future. */
const shape = /^\s*t=(\d{1,15}),\s*v1=([0-9a-f]{64})(?:,.*)?$/s;

const digestOf = (timestamp: string, body: Uint8Array, secret: string): Buffer =>
  createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest();

/** The header that goes with this body: `t=<unix ms>, v1=<hex>`. Source: WorkOS docs, Webhooks. */
export const signatureHeader = (body: Uint8Array, secret: string, at: Date): string => {
  const timestamp = String(at.getTime());
  return `t=${timestamp}, v1=${digestOf(timestamp, body, secret).toString('hex')}`;
};

/**
 * Reads the header and holds its time against our clock.
 * @throws Refusal `delivery.unverified` when it is missing, garbled, too old or too far ahead
 */
export const readSignatureHeader = (
  header: string | undefined,
  { now, toleranceMs = 180_000, futureMs = 300_000 }: TimeWindow,
): ClaimedSignature => {
  const [, timestamp, digest] = shape.exec(header ?? '') ?? [];
  if (timestamp === undefined || digest === undefined) throw new Refusal('delivery.unverified');
  const age = now.getTime() - Number(timestamp);
  if (!(age <= toleranceMs && -age <= futureMs)) throw new Refusal('delivery.unverified');
  return { timestamp, digest };
};

/** The secrets worth trying. An empty one would let anybody sign. */
export const usableSecrets = (secrets: readonly string[]): readonly string[] =>
  secrets.filter((secret) => secret.length > 0);

/**
 * Returns when one of the secrets signed exactly these bytes within the time window. Takes as long for a wrong signature
 * as for a right one.
 * @throws Refusal `delivery.unverified`
 */
export const verifySignature = ({ body, header, secrets, ...window }: SignatureCheck): void => {
  const claimed = readSignatureHeader(header, window);
  const digest = Buffer.from(claimed.digest, 'hex');
  const matches = usableSecrets(secrets).filter((secret) =>
    timingSafeEqual(digestOf(claimed.timestamp, body, secret), digest),
  );
  if (matches.length === 0) throw new Refusal('delivery.unverified');
};
