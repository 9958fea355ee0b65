// Where identity providers deliver their events: the bytes as they came, verified and stored before they are acknowledged.

import { z } from 'zod';
import type { UseCases } from '#application/use-cases.ts';
import { type PathParam, type Route, route } from '../http/kit/route.ts';

/** Bytes of a delivery. Providers stay far below; a directory user with every attribute is some 20 kB. */
export const deliveryLimit = 1024 * 1024;

/**
 * @param signatureHeaders by the provider's name in the path: the header (lower case) that carries its signature
 */
export const webhookRoutes = (
  useCases: Pick<UseCases, 'receiveDelivery'>,
  signatureHeaders: Readonly<Record<string, string>>,
): readonly Route[] => {
  const names = Object.keys(signatureHeaders);
  const provider: PathParam<string> = {
    shape: z.enum(names.length > 0 ? names : ['none']),
    read: (text) => (names.includes(text) ? text : undefined),
    otherwise: 'request.unknown_route',
  };
  return [
    route({
      method: 'post',
      path: '/webhooks/{provider}',
      operation: 'receiveDelivery',
      summary: 'Take in one event of an identity provider',
      description:
        'Verified over the raw bytes and the time window. 200 means stored: an event heard before is answered the same and changes nothing.',
      tags: ['webhooks'],
      allows: 'anyone',
      params: { provider },
      body: { raw: { limitBytes: deliveryLimit, mediaType: 'application/json' } },
      answers: [200, z.object({ received: z.literal(true) })],
      refuses: [
        'delivery.unverified',
        'delivery.malformed',
        'storage.unavailable',
        'request.conflict',
        'identity.unavailable',
        'identity.throttled',
      ],
      // A provider retries what is not 2xx; a busy moment of ours must not look like a fault of theirs.
      statuses: { 'request.conflict': 503 },
      async handle({ params, body, header }) {
        const signature = header(signatureHeaders[params.provider] ?? '');
        await useCases.receiveDelivery(params.provider, { body, signature });
        return { received: true } as const;
      },
    }),
  ];
};
