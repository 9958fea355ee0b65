// A page that had its own name pointed at this machine must not read what the fake provider knows.

import { get } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createWorld } from '#bootstrap/testing.ts';

const statusAs = (url: string, host: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    get(url, { headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    }).on('error', reject);
  });

describe('the fake provider, asked under a host name', () => {
  it('answers under its own, and under the other names of this very machine', async () => {
    await using world = await createWorld();
    const { port } = new URL(world.url);
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`]) {
      expect(await statusAs(`${world.url}/fake-idp/directories`, host)).toBe(200);
    }
  });

  it('shows nothing under a foreign one', async () => {
    await using world = await createWorld();
    const { port } = new URL(world.url);
    for (const host of ['evil.example', `evil.example:${port}`, `localhost.evil.example:${port}`, 'localhost:1']) {
      expect(await statusAs(`${world.url}/fake-idp/directories`, host), host).toBe(403);
    }
  });
});
