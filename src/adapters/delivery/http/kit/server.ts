// The socket side: how long a client may take, and what becomes of bytes that are no HTTP at all.

import { createServer, type IncomingMessage, type RequestListener, type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Ids } from '#application/ports/system.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { envelope, problemOf } from './problem.ts';

const seconds = 1000;

/** Whether the parser gave up over the size of the head of the request. */
const isTooLarge = (fault: Error): boolean => 'code' in fault && fault.code === 'HPE_HEADER_OVERFLOW';

/** Answers what Node's parser refused, in the same envelope as everything else, and hangs up. */
const answerClientError = (ids: Ids) => (fault: Error, socket: Socket) => {
  const isGone = 'code' in fault && fault.code === 'ECONNRESET';
  if (isGone || !socket.writable) {
    socket.destroy();
    return;
  }
  const requestId = ids.next('req');
  const problem = problemOf(new Refusal(isTooLarge(fault) ? 'request.too_large' : 'request.invalid'));
  const body = JSON.stringify(envelope(problem, requestId));
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${requestId}`,
    'X-Content-Type-Options: nosniff',
    'Cache-Control: no-store',
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
};

/**
 * A server around the application, not yet listening. Slow senders are cut off: 10 s for the head, 30 s for the whole request.
 */
export const httpServer = (listener: RequestListener, ids: Ids): Server => {
  const server = createServer(
    {
      headersTimeout: 10 * seconds,
      requestTimeout: 30 * seconds,
      keepAliveTimeout: 60 * seconds,
      // How often the two limits above are looked at; Node's own 30 s would double them.
      connectionsCheckingInterval: 2 * seconds,
      maxHeaderSize: 16 * 1024,
      // The application answers a missing Host itself, in the envelope.
      requireHostHeader: false,
    },
    listener,
  );
  server.on('clientError', answerClientError(ids));
  // `Expect` with anything but 100-continue: served as if it had not been sent.
  server.on('checkExpectation', (request: IncomingMessage, response) => listener(request, response));
  return server;
};
