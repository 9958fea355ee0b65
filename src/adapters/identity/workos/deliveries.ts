// How WorkOS' deliveries are received: its own SDK proves the signature, our guards stand around it, our wire reads the rest.

import { isUtf8 } from 'node:buffer';
import { readEnvelope } from '#adapters/identity/wire/envelope.ts';
import { interpret } from '#adapters/identity/wire/interpret.ts';
import { readSignatureHeader, usableSecrets } from '#adapters/identity/wire/signature.ts';
import type { Delivery, EventDeliveries } from '#application/ports/identity-provider.ts';
import type { Clock, Log } from '#application/ports/system.ts';
import { Refusal } from '#domain/shared/refusal.ts';

export interface WorkosDeliveriesOptions {
  /** The signing secrets of our webhook endpoints: one, or two while one replaces the other. */
  readonly secrets: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
}

/** Whether this secret made the signature. Throws only if the SDK breaks. */
type SignedBy = (secret: string, body: Uint8Array, header: string) => Promise<boolean>;

/** The SDK is loaded with the first delivery: who runs another provider never pays for it. */
const loadSdk = async (): Promise<SignedBy> => {
  const { SignatureVerificationException, WorkOS } = await import('@workos-inc/node');
  // Verification calls nobody, but hangs on a client, and a client insists on having a name.
  const { webhooks } = new WorkOS({ clientId: 'verifies_deliveries_only' });
  return async (secret, payload, sigHeader) => {
    try {
      // The SDK knows only the machine's clock, so the age is judged by ours beforehand and the SDK's own limit is lifted.
      return await webhooks.verifyHeader({ payload, sigHeader, secret, tolerance: Number.POSITIVE_INFINITY });
    } catch (thrown) {
      if (thrown instanceof SignatureVerificationException) return false;
      throw thrown;
    }
  };
};

/**
 * Our guards, each for something seen in SDK 11.0.0: no header is a TypeError, a time in the future is accepted however
 * far, `x=…, y=…` passes for `t=…, v1=…`, only one secret is tried, an empty secret is a DOMException, and bytes that are
 * no UTF-8 are replaced before they are compared, so that other bytes than the signed ones would pass. An event without
 * data verifies and then breaks the SDK's `constructEvent`, which is why the envelope is ours to read.
 */
export const workosDeliveries = ({ secrets, clock, log }: WorkosDeliveriesOptions): EventDeliveries => {
  const usable = usableSecrets(secrets);
  let warned = false;
  let sdk: Promise<SignedBy> | undefined;

  const isSigned = async (body: Uint8Array, header: string): Promise<boolean> => {
    sdk ??= loadSdk();
    const signedBy = await sdk;
    const answers = await Promise.allSettled(usable.map((secret) => signedBy(secret, body, header)));
    const broken = answers.find((answer) => answer.status === 'rejected');
    // Whatever the SDK stumbles over, the sender sent it: a no, not a fault of ours. The line is for whoever wonders why.
    if (broken) log.warn('The WorkOS SDK could not judge a signature.', { error: String(broken.reason?.name) });
    return answers.some((answer) => answer.status === 'fulfilled' && answer.value);
  };

  return {
    async receive({ body, signature }: Delivery) {
      if (usable.length === 0 && !warned) {
        warned = true;
        log.warn('Deliveries from WorkOS come in and none is accepted: WORKOS_WEBHOOK_SECRETS is empty.');
      }
      const { timestamp, digest } = readSignatureHeader(signature, { now: clock.now() });
      if (!isUtf8(body)) throw new Refusal('delivery.unverified');
      if (!(await isSigned(body, `t=${timestamp}, v1=${digest}`))) throw new Refusal('delivery.unverified');
      return readEnvelope(body);
    },
    interpret,
  };
};
