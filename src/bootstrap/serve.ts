// Listens, keeps the workers going, and stops without dropping anything.

import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { httpServer } from '#adapters/delivery/http/kit/server.ts';
import { typeIds } from '#adapters/system/type-ids.ts';
import type { JobRunner } from '#application/ports/jobs.ts';
import type { Log } from '#application/ports/system.ts';
import { trouble } from '#application/reactions/trouble.ts';
import type { Role } from '#bootstrap/config.ts';
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
  /** Takes up nothing more, finishes what is in hand (for ten seconds at most), then writes down what only memory knew. */
  close(): Promise<void>;
}

const second = 1000;
/** How long requests and work under way may take to finish when we stop. */
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

export interface Serves {
  readonly role: Role;
  readonly jobs: JobRunner;
  readonly log: Log;
}

/** How long a commit of another node may lie before a node that works sees it, in seconds; its own are seen at once. */
const lookSeconds = 0.5;

export const serve = async (service: Service, { role, jobs, log }: Serves): Promise<Serving> => {
  const { inbox, outbox, activity, jobList } = service;
  const timers: NodeJS.Timeout[] = [];
  const every = (seconds: number, name: string, task: () => Promise<unknown>): void => {
    const failing = trouble(log, {
      begins: `${name} did not work; it is tried every ${seconds} s`,
      ends: `${name} works again`,
    });
    let busy = false;
    const run = async (): Promise<void> => {
      if (busy) return;
      busy = true;
      try {
        await task();
        failing.over();
      } catch (fault) {
        failing.is(fault);
      } finally {
        busy = false;
      }
    };
    timers.push(setInterval(run, seconds * second));
    // Once now: what a process that was killed left behind is taken up again.
    void run();
  };

  const work = role !== 'serve';
  await jobs.start(jobList, { work });
  if (work) {
    every(lookSeconds, 'inbox', inbox.drain);
    every(lookSeconds, 'outbox', outbox.drain);
  } else {
    // What commits wake here is left to those who work.
    await Promise.all([inbox.stop(), outbox.stop()]);
  }
  every(5, 'writing down who was seen', activity.flush);

  return {
    async close() {
      for (const timer of timers) clearInterval(timer);
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const impatience = setTimeout(resolve, drainSeconds * second);
      // What is not finished by then was not committed either: whoever works next takes it up.
      await Promise.race([Promise.all([jobs.stop(drainSeconds), inbox.stop(), outbox.stop()]), late]);
      clearTimeout(impatience);
      await activity.flush();
    },
  };
};
