// Two nodes work through one inbox: each organization in its order, none of them twice, and none kept waiting by another.

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { MemoryCallerCache } from '#adapters/cache/memory/memory-caller-cache.ts';
import { workosDeliveries } from '#adapters/identity/workos/deliveries.ts';
import { type OpenDatabase, openPostgres } from '#adapters/persistence/postgres/open-database.ts';
import { silentLog } from '#adapters/system/pino-log.ts';
import { systemClock as clock } from '#adapters/system/system-clock.ts';
import { typeIds } from '#adapters/system/type-ids.ts';
import { takeIn } from '#application/provisioning/receive-delivery.ts';
import { applyInbox } from '#application/reactions/apply-inbox.ts';
import { type Worker, worker } from '#application/reactions/worker.ts';
import { unitOfWork } from '#application/unit-of-work.ts';
import { Organization } from '#domain/organizations/organization.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';
import { withPostgres } from '../support/postgres.ts';
import * as wire from '../support/workos-payloads.ts';

vi.setConfig({ testTimeout: 60_000 });

const each = 25;

await withPostgres('lanes of the inbox on PostgreSQL', (url) => {
  let nodes: OpenDatabase[];
  let workers: Worker[];
  const organizations = new Map<string, OrganizationId>();

  beforeAll(async () => {
    nodes = [await openPostgres({ url, ids: typeIds }), await openPostgres({ url, ids: typeIds })];
    const deliveries = new Map([['workos', workosDeliveries({ secrets: ['x'], clock, log: silentLog })]]);
    await nodes[0]?.migrate();
    workers = [...nodes, ...nodes.slice(1)].map(({ store }, number) => {
      const uow = unitOfWork(store, new MemoryCallerCache(clock), () => {}, clock, typeIds);
      return worker(
        'inbox',
        applyInbox(store, uow, deliveries, clock, typeIds, silentLog, number < 2 ? 3 : 1),
        silentLog,
      );
    });
    for (const ref of ['org_A', 'org_B', 'org_C', 'org_D']) {
      const id = typeIds.next('org');
      const founded = Organization.found({ id, name: ref, slug: ref.toLowerCase(), domains: [], at: clock.now() });
      founded.link({ provider: 'workos', id: ref });
      await nodes[0]?.store.transact({ across: 'founding' }, (tx) => tx.organizations.save(founded));
      organizations.set(ref, id);
    }
  });
  afterAll(() => Promise.all(nodes.map((node) => node.close())));

  const hear = async (ref: string, number: number, minute: number): Promise<void> => {
    const at = new Date(Date.UTC(2026, 1, 2, 9, minute));
    const data = wire.directoryUser({
      id: `user_${ref}_${String(number).padStart(3, '0')}`,
      directory_id: `directory_${ref}`,
      organization_id: ref,
      idp_id: `idp_${ref}_${number}`,
      email: `person-${number}@${ref.slice(-1)}.test`,
      updated_at: at.toISOString(),
    });
    const event = wire.event('dsync.user.created', data, { at });
    const heard = { id: String(event['id']), name: 'dsync.user.created', organization: ref, occurredAt: at };
    await nodes[0]?.store.transact({ across: 'inbox' }, (tx) =>
      takeIn(tx, 'workos', { ...heard, payload: event }, clock, typeIds),
    );
  };
  /** Who was provisioned, in the order of the trail. */
  const provisioned = async (ref: string): Promise<string[]> => {
    const people: string[] = [];
    for await (const batch of nodes[0]?.readModels.auditTrail(organizations.get(ref) as OrganizationId) ?? [])
      for (const { action, target } of batch)
        if (action === 'directory_user.provisioned' && target.id) people.push(target.id);
    return people;
  };

  describe('two nodes at once', () => {
    it('apply the events of each organization in the order in which they happened, each once', async () => {
      // Heard in the opposite order of their happening.
      for (let number = each; number > 0; number -= 1)
        for (const ref of ['org_A', 'org_B', 'org_C']) await hear(ref, number, number);
      await Promise.all(workers.slice(0, 2).map((one) => one.drain()));
      await Promise.all(workers.slice(0, 2).map((one) => one.drain()));
      for (const ref of ['org_A', 'org_B', 'org_C']) {
        const people = await provisioned(ref);
        expect(people).toHaveLength(each);
        expect(people).toEqual(people.toSorted());
      }
    });

    it('do not let a flood of one organization keep another waiting', async () => {
      for (let number = 100; number < 160; number += 1) await hear('org_A', number, 1);
      // The newest of all, and by its name the last.
      await hear('org_D', 1, 59);
      // One that works in one lane at a time.
      const one = workers[2];
      let floodWhenServed: number | undefined;
      const draining = one?.drain();
      while (floodWhenServed === undefined) {
        if ((await provisioned('org_D')).length > 0) floodWhenServed = (await provisioned('org_A')).length - each;
      }
      await draining;
      expect(floodWhenServed).toBeLessThan(50);
      expect(await provisioned('org_A')).toHaveLength(each + 60);
    });
  });
});
