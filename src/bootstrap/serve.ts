// Listens, keeps the workers going, and stops without dropping anything.

import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { httpServer } from '#adapters/delivery/http/kit/server.ts';
import { typeIds } from '#adapters/system/type-ids.ts';
import type { Log } from '#application/ports/system.ts';
import type { Service } from '#bootstrap/service.ts';

/** A port that is taken before anything else is opened: whoever knocks meanwhile is asked to come back. */
export interface Door {
  /** Where it listens, for callers on this machine. */
  readonly url: string;
  /** From now on requests are answered by this. */
  admit(listener: RequestListener): void;
  /** Takes no new requests and lets those under way finish. */
  close(): Promise<void>;
}

export interface Serving {
  /** Finishes what the workers have, then writes down what only memory knew. */
  close(): Promise<void>;
}

const second = 1000;
/** How long requests under way may take to finish when we stop. */
const drainSeconds = 10;

const starting: RequestListener = (_request, response) => {
  const error = { code: 'UNAVAILABLE', reason: 'service.starting', message: 'The service is starting.', details: {} };
  response.writeHead(503, { 'content-type': 'application/json; charset=utf-8', 'retry-after': '2' });
  response.end(JSON.stringify({ error }));
};

const listen = (server: Server, port: number, host: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });

export const openDoor = async (where: { readonly port: number; readonly host: string }): Promise<Door> => {
  let listener = starting;
  const server = httpServer((request, response) => listener(request, response), typeIds);
  await listen(server, where.port, where.host);
  const { port, address: host, family } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${host}]` : host}:${port}`,
    admit(answering) {
      listener = answering;
    },
    async close() {
      const finished = new Promise<void>((resolve) => server.close(() => resolve()));
      const impatience = setTimeout(() => server.closeAllConnections(), drainSeconds * second);
      await finished;
      clearTimeout(impatience);
    },
  };
};

export const serve = (service: Service, log: Log): Serving => {
  const every = (seconds: number, name: string, task: () => Promise<unknown> | unknown): NodeJS.Timeout => {
    let busy = false;
    return setInterval(async () => {
      if (busy) return;
      busy = true;
      try {
        await task();
      } catch (fault) {
        log.warn(`${name} did not work this time; it runs again in ${seconds} s`, { fault });
      } finally {
        busy = false;
      }
    }, seconds * second);
  };
  // Started once now: what a process that was killed left behind is taken up again.
  service.inbox.wake();
  service.outbox.wake();
  const timers = [
    every(1, 'inbox', service.inbox.drain),
    every(1, 'outbox', service.outbox.drain),
    every(5, 'writing down who was seen', service.activity.flush),
    every(10, 'catching up with the event feed', service.catchUp),
  ];

  return {
    async close() {
      for (const timer of timers) clearInterval(timer);
      await service.inbox.drain();
      await service.outbox.drain();
      await service.activity.flush();
    },
  };
};
