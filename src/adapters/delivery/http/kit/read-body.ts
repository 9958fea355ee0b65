// Takes a request's body off the wire: bounded, and JSON only where JSON is meant.

import type { IncomingMessage } from 'node:http';
import getRawBody from 'raw-body';
import { Refusal } from '#domain/shared/refusal.ts';
import type { Exchange } from './exchange.ts';

/** Bytes of a JSON body. Every real one is below 10 kB. */
export const jsonLimit = 64 * 1024;
/** After a refusal, this much more is read and thrown away, so that an honest client gets to read the answer. */
const drained = 8 * 1024 * 1024;

const drain = (request: IncomingMessage): void => {
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > drained) request.destroy();
  });
  request.on('error', () => undefined);
  request.resume();
};

/**
 * The bytes as they came.
 * @throws Refusal `request.too_large`, or `request.invalid` when the body ends before or after its declared length
 */
export const readRaw = async (ctx: Exchange, limit: number): Promise<Buffer> => {
  try {
    return await getRawBody(ctx.req, { limit, length: ctx.get('content-length') || null });
  } catch (thrown) {
    const type = thrown instanceof Error && 'type' in thrown ? thrown.type : undefined;
    drain(ctx.req);
    if (type === 'entity.too.large') throw new Refusal('request.too_large', { limit_bytes: limit });
    if (type === 'request.aborted' || type === 'request.size.invalid') {
      throw new Refusal('request.invalid', { issues: ['body: ended before its declared length'] });
    }
    throw thrown;
  }
};

const jsonType = /^application\/(?:json|[a-z0-9!#$&^_.+-]+\+json)$/i;
const utf8 = /^(?:utf-?8)?$/i;

/**
 * The parsed JSON body; undefined when there is none.
 * @throws Refusal `request.too_large`, `request.invalid` for another content type, a broken encoding or broken JSON
 */
export const readJson = async (ctx: Exchange): Promise<unknown> => {
  const declared = ctx.get('content-length');
  const chunked = ctx.get('transfer-encoding') !== '';
  if (!chunked && (declared === '' || declared === '0')) return undefined;
  if (!jsonType.test(ctx.request.type) || !utf8.test(ctx.request.charset)) {
    throw new Refusal('request.invalid', { issues: ['content-type: send application/json in UTF-8'] });
  }
  if (ctx.get('content-encoding') !== '') {
    throw new Refusal('request.invalid', { issues: ['content-encoding: send the body uncompressed'] });
  }
  const bytes = await readRaw(ctx, jsonLimit);
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new Refusal('request.invalid', { issues: ['body: is not JSON in UTF-8'] });
  }
};
