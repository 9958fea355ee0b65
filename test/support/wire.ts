// A wire between a client and a server, to be cut, or to go silent while both ends believe that it is there.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Wire {
  /** The server's address, reached over this wire. */
  readonly url: string;
  /** From now on nothing passes in either direction; no end is told. */
  silence(): void;
  /** What was held back passes, and everything after it. */
  speak(): void;
  close(): Promise<void>;
}

/**
 * @param target an address with a host and a port, such as `postgres://…`
 * @param rewrite what becomes of what the server says
 */
export const wireTo = async (
  target: string,
  usualPort: number,
  rewrite: (fromServer: Buffer) => Buffer = (bytes) => bytes,
): Promise<Wire> => {
  const { hostname, port } = new URL(target);
  const ends = new Set<Socket>();
  let isSilent = false;
  const server = createServer((near) => {
    const far = connect(Number(port || usualPort), hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      ends.add(from);
      from.on('data', (bytes) => void to.write(from === far ? rewrite(bytes) : bytes));
      from.on('error', () => {});
      from.on('close', () => {
        ends.delete(from);
        to.destroy();
      });
      if (isSilent) from.pause();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    silence() {
      isSilent = true;
      for (const end of ends) end.pause();
    },
    speak() {
      isSilent = false;
      for (const end of ends) end.resume();
    },
    async close() {
      for (const end of ends) end.destroy();
      server.close();
      await once(server, 'close');
    },
  };
};
