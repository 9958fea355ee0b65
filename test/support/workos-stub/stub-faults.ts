// What may go wrong with WorkOS, on request: the stub plays it in place of an answer.

import type { ServerResponse } from 'node:http';
import type { StubRequest } from './stub-answers.ts';

export type Fault =
  | {
      readonly play: 'answer';
      readonly status: number;
      readonly body?: Readonly<Record<string, unknown>>;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The request is served, and something else is answered: as when somebody else was faster. */
  | {
      readonly play: 'served';
      readonly status: number;
      readonly body?: Readonly<Record<string, unknown>>;
    }
  /** The request is served at once, and its answer stays on the way until then. */
  | { readonly play: 'delayed'; readonly until: Promise<void> }
  /** A page of a gateway, whatever the status. */
  | { readonly play: 'page'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** The connection breaks before a byte of the answer. */
  | { readonly play: 'cut' }
  /** The connection breaks in the middle of the answer. */
  | { readonly play: 'torn' }
  /** Nothing comes, until the asker loses patience. */
  | { readonly play: 'silence' }
  /** The request is served, and the answer is lost on its way back. */
  | { readonly play: 'lost' };

export interface PlannedFault {
  readonly fault: Fault;
  /** Which requests it hits; all without it. */
  readonly on: (request: StubRequest) => boolean;
  /** How many requests it hits yet. */
  times: number;
}

/** Plays what stands in for an answer. */
export const playFault = (
  fault: Exclude<Fault, { play: 'lost' | 'served' | 'delayed' }>,
  response: ServerResponse,
  requestId: string,
): void => {
  switch (fault.play) {
    case 'answer':
      response.writeHead(fault.status, {
        'content-type': 'application/json',
        'x-request-id': requestId,
        ...fault.headers,
      });
      response.end(JSON.stringify(fault.body ?? {}));
      return;
    case 'page':
      response.writeHead(fault.status, { 'content-type': 'text/html', 'x-request-id': requestId, ...fault.headers });
      response.end('<html><body><h1>Sorry</h1></body></html>');
      return;
    case 'cut':
      response.destroy();
      return;
    case 'torn':
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{"object":', () => response.destroy());
      return;
    case 'silence':
  }
};
