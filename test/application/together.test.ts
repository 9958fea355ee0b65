// What shares a commit: the events of one organization, and deliveries that arrive at the same moment. One at fault keeps nobody back.

import { describe, expect, it } from 'vitest';
import { MemoryCallerCache } from '#adapters/cache/memory/memory-caller-cache.ts';
import { workosDeliveries } from '#adapters/identity/workos/deliveries.ts';
import { memoryReadModels } from '#adapters/persistence/memory/memory-read-models.ts';
import { MemoryStore } from '#adapters/persistence/memory/memory-store.ts';
import { FakeClock } from '#adapters/system/fake-clock.ts';
import { silentLog } from '#adapters/system/pino-log.ts';
import { typeIds } from '#adapters/system/type-ids.ts';
import type { InboxEvent, Repositories, Scope, Store } from '#application/ports/store.ts';
import { keptTogether } from '#application/provisioning/kept-together.ts';
import { heard } from '#application/provisioning/receive-delivery.ts';
import { applyInbox } from '#application/reactions/apply-inbox.ts';
import { worker } from '#application/reactions/worker.ts';
import { unitOfWork } from '#application/unit-of-work.ts';
import { Organization } from '#domain/organizations/organization.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import * as wire from '../support/workos-payloads.ts';

/** A store in memory that notes which transactions were committed, and lets a test stand between it and the work. */
const noted = (between: (tx: Repositories) => Repositories = (tx) => tx) => {
  const inner = new MemoryStore(typeIds);
  const committed: Scope[] = [];
  const store: Store = {
    async transact(scope, work) {
      const answer = await inner.transact(scope, (tx) => work(between(tx)));
      committed.push(scope);
      return answer;
    },
  };
  return { inner, store, committed };
};

const heardOf = (clock: FakeClock, name: string, data: Readonly<Record<string, unknown>>): InboxEvent => {
  const at = clock.now();
  const payload = wire.event(name, data, { at });
  return heard(
    'workos',
    { id: String(payload['id']), name, organization: 'org_A', occurredAt: at, payload },
    clock,
    typeIds,
  );
};

const stored = (clock: FakeClock, person: string): InboxEvent => {
  const at = clock.now();
  const data = wire.directoryUser({
    id: `user_${person}`,
    directory_id: 'directory_A',
    organization_id: 'org_A',
    idp_id: `idp_${person}`,
    email: `${person}@a.test`,
    updated_at: at.toISOString(),
  });
  return heardOf(clock, 'dsync.user.created', data);
};

type Told = string | ((clock: FakeClock) => InboxEvent);

/** @param told who was hired, or an event; in this order. The worker looks at the inbox until nothing is due. */
const world = async (told: readonly Told[], between?: (clock: FakeClock) => (tx: Repositories) => Repositories) => {
  const clock = new FakeClock();
  const { inner, store, committed } = noted(between?.(clock));
  const id = typeIds.next('org');
  const organization = Organization.found({ id, name: 'A', slug: 'a', domains: [], at: clock.now() });
  organization.link({ provider: 'workos', id: 'org_A' });
  await inner.transact({ across: 'founding' }, (tx) => tx.organizations.save(organization));
  const events = told.map((one) => (typeof one === 'string' ? stored(clock, one) : one(clock)));
  await inner.transact({ across: 'inbox' }, (tx) => tx.inbox.addAll(events));
  const uow = unitOfWork(store, new MemoryCallerCache(clock), () => {}, clock, typeIds);
  const deliveries = new Map([['workos', workosDeliveries({ secrets: ['x'], clock, log: silentLog })]]);
  await worker('inbox', applyInbox(store, uow, deliveries, clock, typeIds, silentLog, 1), silentLog).drain();

  const trail = [];
  for await (const batch of memoryReadModels(inner).auditTrail(id)) trail.push(...batch);
  const statusOf = (event: InboxEvent) =>
    inner.transact(id, async (tx) => (await tx.inbox.get(id, event.id))?.status ?? 'gone');
  return {
    trail,
    statuses: await Promise.all(events.map(statusOf)),
    events,
    commits: committed.filter((scope) => scope === id).length,
  };
};

describe('events of one organization', () => {
  it('share a commit, and the trail tells each by its own event', async () => {
    const { events, commits, trail, statuses } = await world(['ada', 'ben', 'cy']);
    expect(statuses).toEqual(['applied', 'applied', 'applied']);
    expect(commits).toBe(1);
    const provisioned = trail.filter(({ action }) => action === 'directory_user.provisioned');
    expect(provisioned.map(({ source }) => source.requestId)).toEqual(events.map(({ id }) => id));
    const granted = trail.filter(({ action }) => action === 'membership.granted');
    expect(granted.map(({ source }) => source.requestId)).toEqual(events.map(({ id }) => id));
  });

  it('are applied one by one where one of them is at fault, which alone is set back', async () => {
    const { statuses, trail, commits } = await world(['ada', 'ben', 'cy'], () => (tx) => ({
      ...tx,
      directory: {
        ...tx.directory,
        async save(learned) {
          if (learned.users.some(({ email }) => email === 'ben@a.test')) throw new Error('no space left on device');
          await tx.directory.save(learned);
        },
      },
    }));
    expect(statuses).toEqual(['applied', 'stored', 'applied']);
    expect(commits).toBe(2);
    expect(
      trail.filter(({ action }) => action === 'directory_user.provisioned').map(({ target }) => target.id),
    ).toEqual(['user_ada', 'user_cy']);
  });

  it('that wait are woken by what comes after them in the same commit', async () => {
    const connection = {
      id: 'conn_A',
      organization_id: 'org_A',
      name: 'Okta',
      connection_type: 'OktaSAML',
      state: 'active',
    };
    const { statuses } = await world([
      (clock) =>
        heardOf(clock, 'connection.saml_certificate_renewal_required', {
          connection,
          certificate: { certificate_type: 'ResponseSigning', expiry_date: '2027-01-01T00:00:00.000Z' },
        }),
      (clock) => heardOf(clock, 'connection.activated', connection),
    ]);
    expect(statuses).toEqual(['applied', 'applied']);
  });

  it('go into the next commit when this one has taken a while: others write there, too', async () => {
    const { statuses, commits } = await world(['ada', 'ben', 'cy'], (clock) => (tx) => ({
      ...tx,
      roleMappings: {
        ...tx.roleMappings,
        of(organizationId) {
          clock.turn(0.03);
          return tx.roleMappings.of(organizationId);
        },
      },
    }));
    expect(statuses).toEqual(['applied', 'applied', 'applied']);
    expect(commits).toBe(2);
  });
});

describe('deliveries', () => {
  /** A store whose commits wait until they are let go; tells how many events each was to keep. */
  const held = (failing: (events: readonly InboxEvent[]) => Error | undefined = () => undefined) => {
    const { inner } = noted();
    const sizes: number[] = [];
    const { promise: open, resolve: letGo } = Promise.withResolvers<void>();
    const store: Store = {
      transact: (scope, work) =>
        inner.transact(scope, async (tx) => {
          const answer = await work({
            ...tx,
            inbox: {
              ...tx.inbox,
              async addAll(events) {
                sizes.push(events.length);
                const fault = failing(events);
                if (fault) throw fault;
                return tx.inbox.addAll(events);
              },
            },
          });
          await open;
          return answer;
        }),
    };
    return { store, sizes, letGo };
  };
  const clock = new FakeClock();
  const people = ['ada', 'ben', 'cy', 'di', 'eva', 'flo'];

  it('wait for nobody while few come, and share a commit when many do', async () => {
    const { store, sizes, letGo } = held();
    const keep = keptTogether(store);
    const answers = people.map((person) => keep(stored(clock, person)));
    letGo();
    expect(await Promise.all(answers)).toEqual(people.map(() => true));
    expect(sizes).toEqual([1, 1, 4]);
  });

  it('that are heard twice at the same moment are new once', async () => {
    const { store, letGo } = held();
    const keep = keptTogether(store);
    const event = stored(clock, 'twice');
    const answers = [1, 2, 3, 4, 5].map(() => keep({ ...event, id: typeIds.next('evt') }));
    letGo();
    expect((await Promise.all(answers)).filter((isNew) => isNew)).toHaveLength(1);
  });

  it('are answered each for itself: one that cannot be stored fails alone', async () => {
    const broken = stored(clock, 'broken');
    const { store, letGo } = held((events) =>
      events.some(({ id }) => id === broken.id) ? new Error('not to be stored') : undefined,
    );
    const keep = keptTogether(store);
    const answers = [...people.map((person) => stored(clock, person)), broken].map((event) => keep(event));
    letGo();
    const outcomes = await Promise.allSettled(answers);
    expect(outcomes.map(({ status }) => status)).toEqual([...people.map(() => 'fulfilled'), 'rejected']);
  });

  it('fail together, at once, when the database is away', async () => {
    const { store, sizes, letGo } = held(() => new Refusal('storage.unavailable'));
    const keep = keptTogether(store);
    const answers = people.map((person) => keep(stored(clock, person)));
    letGo();
    const outcomes = await Promise.allSettled(answers);
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    expect(sizes).toEqual([1, 1, 4]);
  });
});

describe('nodes whose clocks differ by five minutes', () => {
  it('work at once what the one that is ahead took in, and what follows from its acts', async () => {
    const [right, ahead] = [new FakeClock(), new FakeClock()];
    ahead.turn(300);
    const { store } = noted();
    await keptTogether(store)(stored(ahead, 'ada'));
    const lanes = await store.transact({ across: 'inbox' }, (tx) =>
      tx.inbox.lanes(right.now(), { after: null, lanes: 5, each: 5 }),
    );
    expect(lanes.flatMap(({ events }) => events)).toHaveLength(1);

    const act = {
      actor: { kind: 'system', id: null },
      source: { via: 'job', ip: null, userAgent: null, requestId: null },
    } as const;
    const uow = unitOfWork(store, { forget: async () => {} }, () => {}, ahead, typeIds);
    await uow.run({ across: 'outbox' }, act, async (tx) =>
      tx.after({ do: 'end_provider_session', provider: 'workos', providerSession: 'session_1' }),
    );
    const due = await store.transact({ across: 'outbox' }, (tx) => tx.outbox.due(right.now(), 10));
    expect(due).toHaveLength(1);
  });
});
