// A process that is asked to stop: it says so before it refuses anybody.

import { describe, expect, it } from 'vitest';
import { serviceProcess } from '../support/service-process.ts';

describe('SIGTERM', () => {
  it('turns readiness down first, serves on while the proxy notices, and then ends', async () => {
    const service = await serviceProcess({ DATABASE_URL: 'memory:', STOP_DELAY_SECONDS: '2' });
    const status = (path: string): Promise<number> =>
      fetch(`${service.url}${path}`).then(
        (answer) => answer.status,
        () => 0,
      );
    const stopped = service.stop();
    await expect.poll(() => status('/readyz')).toBe(503);
    expect(await status('/healthz')).toBe(200);
    expect(await status('/v1/whoami')).toBe(401);
    expect(await stopped).toMatchObject({ code: 0 });
    expect(await status('/healthz')).toBe(0);
  }, 60_000);
});
