// The provider throttles, answers with pages, is gone, is slow: nobody signs in meanwhile, nobody is signed out, and all else goes on.

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Answer, httpClient } from '#bootstrap/testing/http-client.ts';
import { withPostgres } from '../support/postgres.ts';
import type { ServiceProcess } from '../support/service-process.ts';
import { WorkosBrowser } from '../support/workos-service.ts';
import type { Fault } from '../support/workos-stub/stub-faults.ts';
import {
  expectFewWords,
  expectIntact,
  linesOf,
  readiness,
  ready,
  rounds,
  type Stage,
  staged,
  traffic,
} from './staging.ts';

vi.setConfig({ testTimeout: 120_000 * rounds, hookTimeout: 120_000 });

await withPostgres('a provider that fails', (database) => {
  let stage: Stage;
  let nodes: readonly [ServiceProcess, ServiceProcess];
  beforeAll(async () => {
    stage = await staged(database, ['both', 'both']);
    nodes = stage.nodes as unknown as typeof nodes;
  });
  afterEach(() => stage?.stub.mend());
  afterAll(() => stage?.close());

  const browser = (): WorkosBrowser =>
    new WorkosBrowser({ url: nodes[0].url, anonymous: httpClient(nodes[0].url, {}) });
  let people = 0;
  const member = (): string => {
    people += 1;
    return `member-${people}@acme.test`;
  };
  /** Somebody whom the organization hired, and who came in. */
  const signedIn = async (email: string): Promise<WorkosBrowser> => {
    const user = stage.dashboard.user(email);
    const ref = stage.stub.organizations.organizations.find(({ externalId }) => externalId === stage.organization)?.id;
    stage.accepted.push(stage.directory.hire(email), stage.directory.change(email, { first_name: 'Renamed' }));
    await stage.settle();
    stage.dashboard.member(ref ?? '', user.id);
    await stage.settle();
    const somebody = browser();
    const landed = await somebody.enter(email, `?organization_id=${stage.organization}`);
    if (landed.status !== 302) throw new Error(`${email} did not come in: ${landed.text}`);
    return somebody;
  };
  const whoami = async (who: WorkosBrowser, node: ServiceProcess): Promise<number> => {
    const cookie = [...who.cookies()].map(([name, value]) => `${name}=${value}`).join('; ');
    return (await httpClient(node.url, { cookie }).get('/v1/whoami')).status;
  };

  /**
   * One outage: agents and people go on, events are applied, who is sent away is out at once, and who comes is asked to come again.
   * Afterwards all is as if it had not been.
   */
  const outage = async (faults: readonly Fault[], expectTurnedAway: (answer: Answer) => void): Promise<void> => {
    const before = nodes.map((node) => linesOf(node).length);
    const email = member();
    const leaver = await signedIn(email);
    const [stays, comes] = [await signedIn(member()), member()];
    stage.dashboard.user(comes);
    for (const node of nodes) for (const who of [leaver, stays]) expect(await whoami(who, node)).toBe(200);
    const load = await traffic(stage, 10 * rounds);
    const owner = stage.ownerAt(nodes[1]);
    let isGone = false;
    for (const fault of faults) {
      stage.stub.mend();
      stage.stub.plan(fault);
      const answer = browser().enter(comes);
      if (!isGone) {
        const session = (
          await httpClient(nodes[0].url, { cookie: `hd_session=${leaver.cookie('hd_session')}` }).get('/v1/whoami')
        ).body.caller.session_id;
        const ended = await owner.delete(`/v1/organizations/${stage.organization}/sessions/${session}`);
        expect(ended.status).toBe(204);
        isGone = true;
      }
      for (const node of nodes) {
        await expect.poll(() => whoami(leaver, node), { timeout: 2000 }).toBe(401);
        expect(await whoami(stays, node)).toBe(200);
        expect(await readiness(node)).toEqual(ready);
      }
      expectTurnedAway(await answer);
      await sleep(500);
    }
    await load.stop();
    // Also while the provider was away.
    await expectIntact(stage, load);
    expect([...load.live.keys()]).toEqual([200]);
    expect([...load.webhooks.keys()]).toEqual([200]);
    stage.stub.mend();
    await expect.poll(async () => (await browser().enter(comes)).status, { timeout: 40_000, interval: 500 }).toBe(302);
    const atWorkos = () => {
      const user = stage.stub.organizations.users.find((one) => one.email === email)?.id;
      return stage.stub.sessions.sessions.filter((one) => one.user === user).map(({ status }) => status);
    };
    await expect.poll(atWorkos, { timeout: 40_000 }).toEqual(['revoked']);
    for (const [at, node] of nodes.entries()) await expectFewWords(node, before[at], faults.length);
  };

  const turnedAway = (answer: Answer): void => {
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  };

  describe('a provider', () => {
    it('that throttles: who comes is told when to come again', async () => {
      const tooMany = { status: 429, headers: { 'retry-after': '2' }, body: { message: 'Too many requests' } };
      await outage([{ play: 'answer', ...tooMany }], (answer) => {
        turnedAway(answer);
        expect(answer.headers.get('retry-after')).toBe('2');
      });
    });

    it('that answers with pages of a gateway, and is then gone', () =>
      outage([{ play: 'page', status: 502 }, { play: 'page', status: 200 }, { play: 'cut' }], turnedAway));

    it('that takes too long', async () => {
      const { promise: late, resolve } = Promise.withResolvers<void>();
      await outage([{ play: 'delayed', until: late }], turnedAway).finally(resolve);
    });
  });
});
