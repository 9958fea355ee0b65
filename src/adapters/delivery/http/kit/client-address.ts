// Where a request comes from: the socket's word, or a trusted proxy's.

import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Networks } from '#application/ports/system.ts';

/** A v4 address that a dual-stack socket shows as v6 is the v4 address; a zone (`%eth0`) is no part of the address. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '').replace(/%.*$/, '');

/**
 * The nearest address that is not one of our proxies. `X-Forwarded-For` is believed from right to left, only as far as the
 * addresses that wrote it are trusted: whatever a client puts there itself stands further left and is never reached.
 */
export const clientAddress =
  (networks: Networks, trustedProxies: readonly string[]) =>
  (request: IncomingMessage): string | null => {
    const peer = request.socket.remoteAddress;
    if (peer === undefined) return null;
    if (trustedProxies.length === 0) return plain(peer);
    const trusted = (address: string): boolean => networks.contains(trustedProxies, address);
    let nearest = plain(peer);
    const forwarded = (request.headersDistinct['x-forwarded-for'] ?? []).join(',').split(',');
    for (const hop of forwarded.reverse()) {
      const address = plain(hop.trim());
      if (!trusted(nearest) || isIP(address) === 0) return nearest;
      nearest = address;
    }
    return nearest;
  };
