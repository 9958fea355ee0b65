// What WorkOS delivers: signed by its own SDK, in any order, as often as it likes, and never harmful twice.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { workosDeliveries } from '#adapters/identity/workos/deliveries.ts';
import { memoryReadModels } from '#adapters/persistence/memory/memory-read-models.ts';
import { MemoryStore } from '#adapters/persistence/memory/memory-store.ts';
import { FakeClock } from '#adapters/system/fake-clock.ts';
import { silentLog } from '#adapters/system/pino-log.ts';
import { typeIds } from '#adapters/system/type-ids.ts';
import type { Delivery } from '#application/ports/identity-provider.ts';
import { receiveDelivery } from '#application/provisioning/receive-delivery.ts';
import { applyInbox } from '#application/reactions/apply-inbox.ts';
import { worker } from '#application/reactions/worker.ts';
import { unitOfWork } from '#application/unit-of-work.ts';
import type { OpenPersistence } from '#bootstrap/open-persistence.ts';
import type { Answer, Person, World } from '#bootstrap/testing.ts';
import { Organization } from '#domain/organizations/organization.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { anId } from '../support/words.ts';
import * as wire from '../support/workos-payloads.ts';
import { days, dora, hours, inWorld, memberNamed, minutes, refusal, trailOf } from './words.ts';

const secret = 'whsec_the_one_that_signs';
const olderSecret = 'whsec_the_one_before';

/** A store of our own making: to look into, and to take away. */
const reachable = () => {
  const store = new MemoryStore(typeIds);
  const state = { isDown: false };
  const persistence: OpenPersistence = {
    store: {
      transact: (scope, work) =>
        state.isDown ? Promise.reject(new Refusal('storage.unavailable')) : store.transact(scope, work),
    },
    readModels: memoryReadModels(store),
    check: async () => undefined,
    close: async () => undefined,
  };
  return {
    state,
    persistence,
    organizations: () => [...store.tables.rows.organizations.rows.values()],
    inbox: () => [...store.tables.rows.inbox.rows.values()].filter(({ provider }) => provider === 'workos'),
  };
};
type Store = ReturnType<typeof reachable>;

interface Scene {
  readonly world: World;
  readonly store: Store;
  /** Owns an organization that no provider knows yet. */
  readonly owner: Person;
  readonly organization: OrganizationId;
  deliver(
    event: wire.Wire,
    how?: { readonly secret?: string; readonly at?: Date; readonly settle?: boolean },
  ): Promise<Answer>;
}

const post = async (world: World, path: string, delivery: Delivery & { readonly signature: string }): Promise<Answer> =>
  world.anonymous.send('POST', path, {
    body: new Uint8Array(delivery.body),
    headers: { 'content-type': 'application/json', 'workos-signature': delivery.signature },
  });

const scene = async (story: (scene: Scene) => Promise<void>): Promise<void> => {
  const store = reachable();
  await inWorld(
    async (world) => {
      const owner = await world.signIn('nora@newcomer.test');
      await world.outage('down', days(365)); // so that the fake provider never learns of it
      const founded = await owner.post('/v1/organizations', { name: 'Newcomer' });
      await story({
        world,
        store,
        owner,
        organization: founded.body.id,
        async deliver(event, how = {}) {
          const signedAt = how.at ?? world.clock.now();
          const answer = await post(
            world,
            '/webhooks/workos',
            await wire.signed(event, how.secret ?? secret, signedAt),
          );
          if (how.settle !== false) await world.service.inbox.drain();
          return answer;
        },
      });
    },
    { persistence: store.persistence, workosWebhookSecrets: [secret, olderSecret] },
  );
};

const linking = (organization: OrganizationId): wire.Wire =>
  wire.event('organization.created', wire.organization({ external_id: organization, name: 'Newcomer' }), {
    at: new Date('2026-01-01T00:00:00.000Z'),
  });

const when = (minute: number): { at: Date } => ({ at: new Date(Date.UTC(2026, 0, 1, 9, minute)) });

describe('an organization of ours', () => {
  it('is linked by its external id, and then its directory brings people', () =>
    scene(async ({ deliver, owner, organization, store }) => {
      expect((await deliver(linking(organization))).status).toBe(200);
      await deliver(wire.event('dsync.activated', wire.directory(), when(1)));
      await deliver(wire.event('dsync.group.created', wire.directoryGroup(), when(2)));
      await deliver(wire.event('dsync.user.created', wire.directoryUser(), when(3)));
      await deliver(wire.event('dsync.group.user_added', wire.groupMember(), when(4)));
      expect(store.inbox().map(({ status }) => status)).toEqual([
        'applied',
        'applied',
        'applied',
        'applied',
        'applied',
      ]);
      const ada = await memberNamed(owner, organization, 'ada@acme.example');
      expect(ada).toMatchObject({ name: 'Ada Lovelace', role: 'analyst', managed_by: 'directory', status: 'active' });
      const domains = (await owner.get(`/v1/organizations/${organization}`)).body.domains;
      expect(domains).toEqual([{ name: 'acme.example', state: 'verified' }]);
      const granted = (await trailOf(owner, organization)).find(
        ({ action, actor }) => action === 'membership.granted' && actor.kind === 'directory',
      );
      expect(granted).toMatchObject({
        actor: { id: 'directory_01' },
        source: { via: 'webhook', request_id: expect.stringMatching(/^evt_/) },
      });
    }));

  it('may be heard of later than its people: what came too early waits, and is applied once as soon as it is known', () =>
    scene(async ({ world, deliver, owner, organization, store }) => {
      await deliver(wire.event('dsync.user.created', wire.directoryUser(), when(3)));
      await deliver(wire.event('dsync.group.user_added', wire.groupMember(), when(4)));
      await deliver(wire.event('organization_membership.created', wire.organizationMembership(), when(5)));
      expect(store.inbox().map(({ status }) => status)).toEqual(['waiting', 'waiting', 'waiting']);
      expect((await owner.get(`/v1/organizations/${organization}/members`)).body.data).toHaveLength(1);

      await deliver(linking(organization));
      expect(store.inbox().map(({ status }) => status)).toEqual(['applied', 'applied', 'waiting', 'applied']);
      expect(await memberNamed(owner, organization, 'ada@acme.example')).toMatchObject({ status: 'active' });
      await world.service.inbox.drain();
      const grants = (await trailOf(owner, organization)).filter(({ action }) => action === 'membership.granted');
      expect(grants).toHaveLength(2);
    }));

  it('waits a week for what it is about, however much other news there is meanwhile, and is set aside then', () =>
    scene(async ({ world, deliver, store }) => {
      await deliver(wire.event('dsync.user.created', wire.directoryUser({ organization_id: 'org_never' }), when(3)));
      for (let other = 0; other < 190; other += 1) {
        const somebody = wire.user({ id: `user_other_${other}`, email: `other${other}@elsewhere.example` });
        await deliver(wire.event('user.created', somebody, when(4)), { settle: other % 20 === 0 });
        if (other % 20 === 0) expect(store.inbox()[0]).toMatchObject({ status: 'waiting', attempts: 0 });
      }
      await world.service.inbox.drain();
      expect(store.inbox()[0]?.status).toBe('waiting');
      world.clock.turn(days(7) - 1);
      await world.service.inbox.drain();
      expect(store.inbox()[0]?.status).toBe('waiting');
      world.clock.turn(hours(1) + 1);
      await world.service.inbox.drain();
      expect(store.inbox()[0]).toMatchObject({ status: 'dead', note: expect.stringContaining('not known yet') });
    }));

  it('is made here when WorkOS has one that nobody founded here, ownerless until somebody is appointed', () =>
    scene(async ({ deliver, store }) => {
      const theirs = wire.organization({ id: 'org_theirs', external_id: null, name: 'Theirs', domains: [] });
      for (const name of ['organization.updated', 'organization.created'])
        await deliver(wire.event(name, theirs, when(0)));
      await deliver(wire.event('dsync.user.created', wire.directoryUser({ organization_id: 'org_theirs' }), when(3)));
      const made = store.organizations().filter(({ provider }) => provider?.id === 'org_theirs');
      expect(made).toMatchObject([{ name: 'Theirs', slug: 'theirs', ownerless: true, status: 'active' }]);
      expect(store.inbox().at(-1)).toMatchObject({ status: 'applied', organizationId: made[0]?.id });
    }));

  it('cannot be claimed by an external id that is none of ours', () =>
    scene(async ({ deliver, store, owner }) => {
      const foreign = wire.organization({ external_id: anId('org', 99), name: 'Foreign' });
      await deliver(wire.event('organization.created', foreign, when(0)));
      expect(store.inbox().at(-1)).toMatchObject({ status: 'ignored', note: expect.stringContaining('external id') });
      expect((await owner.get('/v1/organizations')).body.data).toHaveLength(1);
    }));

  it('that is linked already is not moved to another one of the provider', () =>
    scene(async ({ deliver, organization, store }) => {
      await deliver(linking(organization));
      await deliver(
        wire.event('organization.updated', wire.organization({ id: 'org_other', external_id: organization }), when(9)),
      );
      expect(store.inbox().at(-1)).toMatchObject({ status: 'ignored' });
    }));

  it('that is deleted at the provider ends for everybody in it', () =>
    scene(async ({ deliver, organization, owner }) => {
      await deliver(linking(organization));
      await deliver(wire.event('organization.deleted', wire.organization({ external_id: organization }), when(9)));
      expect((await owner.get('/v1/whoami')).status).toBe(401);
    }));
});

describe('the same delivery', () => {
  it('fifty times in parallel changes state and trail once, and is acknowledged fifty times', () =>
    scene(async ({ world, deliver, owner, organization, store }) => {
      await deliver(linking(organization));
      await deliver(wire.event('dsync.activated', wire.directory(), when(1)));
      const before = await trailOf(owner, organization);
      const delivery = await wire.signed(
        wire.event('dsync.user.created', wire.directoryUser(), when(3)),
        secret,
        world.clock.now(),
      );
      const answers = await Promise.all(Array.from({ length: 50 }, () => post(world, '/webhooks/workos', delivery)));
      await world.service.inbox.drain();
      expect(new Set(answers.map(({ status, text }) => `${status} ${text}`))).toEqual(
        new Set(['200 {"received":true}']),
      );
      expect(store.inbox()).toHaveLength(3);
      const after = await trailOf(owner, organization);
      const added = after.slice(0, after.length - before.length).map(({ action }) => action);
      expect(added.toSorted()).toEqual(['directory_user.provisioned', 'membership.granted']);
      expect((await owner.get(`/v1/organizations/${organization}/audit/verify`)).body.whole).toBe(true);
    }));

  it('under another signature and secret (rotation) is still the same', () =>
    scene(async ({ world, deliver, organization, store }) => {
      const event = linking(organization);
      await deliver(event);
      world.clock.turn(60);
      expect((await deliver(event, { secret: olderSecret })).status).toBe(200);
      expect(store.inbox()).toHaveLength(1);
    }));
});

describe('a delivery is taken in only if it is what it says', () => {
  it('a signature that is missing, garbled, made with another secret, old or from the future is 401, and nothing is stored', () =>
    scene(async ({ world, deliver, organization, store }) => {
      const event = linking(organization);
      const now = world.clock.now();
      const good = await wire.signed(event, secret, now);
      const minutesOff = (count: number): Date => new Date(now.getTime() + minutes(count) * 1000);
      const refused: Record<string, Answer> = {
        'made with another secret': await deliver(event, { secret: 'whsec_of_somebody_else' }),
        old: await deliver(event, { at: minutesOff(-11) }),
        'from the future': await deliver(event, { at: minutesOff(11) }),
        'of another body': await post(world, '/webhooks/workos', {
          ...good,
          body: wire.bytes({ ...event, event: 'organization.deleted' }),
        }),
        'with one byte more': await post(world, '/webhooks/workos', {
          ...good,
          body: wire.bytes(`${JSON.stringify(event)} `),
        }),
      };
      for (const signature of [
        '',
        'nonsense',
        't=, v1=',
        good.signature.replace('v1=', 'v0='),
        good.signature.replace(/.$/, ''),
        `${good.signature.slice(0, 20)}, v1=00`,
      ]) {
        refused[`"${signature.slice(0, 30)}"`] = await post(world, '/webhooks/workos', { ...good, signature });
      }
      refused['missing'] = await world.anonymous.send('POST', '/webhooks/workos', {
        body: new Uint8Array(good.body),
        headers: { 'content-type': 'application/json' },
      });
      refused['at the door of the other provider'] = await post(world, '/webhooks/fake', good);
      for (const [what, answer] of Object.entries(refused))
        expect([what, ...refusal(answer)]).toEqual([what, 401, 'delivery.unverified']);
      expect(store.inbox()).toEqual([]);
      expect(refusal(await post(world, '/webhooks/nobody', good))).toEqual([404, 'request.unknown_route']);
    }));

  it('a body over the limit is 413, before anything is verified', () =>
    scene(async ({ deliver, organization, store }) => {
      const event = { ...linking(organization), padding: 'x'.repeat(1024 * 1024) };
      expect(refusal(await deliver(event))).toEqual([413, 'request.too_large']);
      expect(store.inbox()).toEqual([]);
    }));

  it('something authentic that is no event is 400, and nothing is stored', () =>
    scene(async ({ world, store }) => {
      for (const content of ['[]', '"text"', '{', '{}', '{"id":"event_1"}', 'null']) {
        const answer = await post(
          world,
          '/webhooks/workos',
          await wire.signed(wire.bytes(content), secret, world.clock.now()),
        );
        expect([content, ...refusal(answer)]).toEqual([content, 400, 'delivery.malformed']);
      }
      expect(store.inbox()).toEqual([]);
    }));

  it('events that we do not follow, or cannot read, are acknowledged, kept, and left alone', () =>
    scene(async ({ deliver, store, owner, organization }) => {
      const before = (await trailOf(owner, organization)).length;
      const names = [...wire.everyName, 'something.new', 'constructor', '__proto__'].filter(
        (name) => !wire.consequential().some(({ event }) => event === name),
      );
      for (const name of names)
        expect([name, (await deliver(wire.event(name, { id: 'thing_1' }), { settle: false })).status]).toEqual([
          name,
          200,
        ]);
      for (const name of ['dsync.user.created', 'organization.created'])
        await deliver(wire.event(name, { unreadable: true }));
      await deliver(wire.event('something.new', null));
      expect(new Set(store.inbox().map(({ status }) => status))).toEqual(new Set(['ignored']));
      expect((await trailOf(owner, organization)).length).toBe(before);
    }));

  it('while the database is away it is 503, and the retry is taken in', () =>
    scene(async ({ deliver, organization, store, owner }) => {
      const event = linking(organization);
      store.state.isDown = true;
      const refused = await deliver(event);
      expect(refusal(refused)).toEqual([503, 'storage.unavailable']);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(store.inbox()).toEqual([]);
      store.state.isDown = false;
      expect((await deliver(event)).status).toBe(200);
      expect((await owner.get(`/v1/organizations/${organization}`)).body.domains).toHaveLength(1);
    }));

  it('and away only while it is applied: it stays stored, and is applied when the database is back', () =>
    scene(async ({ world, deliver, organization, store }) => {
      await deliver(linking(organization), { settle: false });
      store.state.isDown = true;
      await world.service.inbox.drain();
      store.state.isDown = false;
      world.clock.turn(hours(1));
      await world.service.inbox.drain();
      expect(store.inbox().map(({ status }) => status)).toEqual(['applied']);
    }));
});

describe('whatever a directory calls the end, it is the end', () => {
  const ends: readonly (readonly [what: string, name: string, facts: wire.Wire])[] = [
    ['inactive', 'dsync.user.updated', { state: 'inactive' }],
    ['suspended', 'dsync.user.updated', { state: 'suspended' }],
    ['a word not invented yet', 'dsync.user.updated', { state: 'hibernating' }],
    ['Active, but not in so many words', 'dsync.user.updated', { state: 'Active' }],
    ['a state that is no word', 'dsync.user.updated', { state: 42 }],
    ['no state at all', 'dsync.user.updated', { state: null }],
    ['deleted, while still called active', 'dsync.user.deleted', { state: 'active' }],
  ];
  it.each(ends)('%s', (_, name, facts) =>
    inWorld(async (world) => {
      const person = await world.signIn(dora);
      const record = world.provider.directories.all()[0]?.users.find(({ email }) => email === dora);
      const organization_id = world.provider.organizations.byExternalId(world.acme)?.ref;
      expect((await person.get('/v1/whoami')).status).toBe(200);
      world.clock.turn(1);
      const user = wire.directoryUser({
        id: record?.id,
        directory_id: world.directory.id,
        organization_id,
        idp_id: record?.idpId,
        email: dora,
        updated_at: world.clock.now().toISOString(),
        ...facts,
      });
      const event = wire.event(name, user, { at: world.clock.now() });
      const answer = await post(
        world,
        '/webhooks/fake',
        await wire.signed(event, world.provider.webhookSecret, world.clock.now()),
      );
      expect(answer.status).toBe(200);
      await world.service.inbox.drain();
      expect(refusal(await person.get('/v1/whoami'))).toEqual([401, 'session.ended']);
    }),
  );
});

describe('a history of twelve events', () => {
  const clock = new FakeClock(new Date('2026-01-01T12:00:00.000Z'));
  const organization = anId('org', 1);
  const ada = wire.directoryUser();
  const bob = wire.directoryUser({
    id: 'directory_user_02',
    idp_id: '00u2',
    email: 'bob@acme.example',
    emails: [],
    first_name: 'Bob',
    last_name: 'Builder',
  });
  const said = (minute: number) => ({ updated_at: when(minute).at.toISOString() });
  const history: readonly wire.Wire[] = [
    wire.event('organization.created', wire.organization({ external_id: organization }), when(0)),
    wire.event('dsync.activated', wire.directory(), when(1)),
    wire.event('dsync.group.created', wire.directoryGroup(), when(2)),
    wire.event('dsync.user.created', { ...ada, ...said(3) }, when(3)),
    wire.event('dsync.group.user_added', wire.groupMember({ user: said(3) }), when(3)),
    wire.event('dsync.user.created', { ...bob, ...said(4) }, when(4)),
    wire.event('user.created', wire.user(), when(5)),
    wire.event('dsync.user.updated', { ...ada, ...said(6), last_name: 'King' }, when(6)),
    wire.event('dsync.group.user_added', wire.groupMember({ user: { ...bob, ...said(4) } }), when(7)),
    wire.event('dsync.user.updated', { ...bob, ...said(8), state: 'inactive' }, when(8)),
    wire.event(
      'dsync.group.user_removed',
      { ...wire.groupMember(), user: wire.without({ ...ada, last_name: 'King' }, 'updated_at', 'created_at') },
      when(9),
    ),
    wire.event('dsync.user.updated', { ...bob, ...said(10), state: 'active', first_name: 'Robert' }, when(10)),
  ];

  const reader = workosDeliveries({ secrets: [secret], clock, log: silentLog });
  const verified = new Map<Delivery, ReturnType<typeof reader.receive>>();
  /** Each delivery is verified the first time only: the thousand shuffles are about what follows. */
  const verifiedOnce: typeof reader = {
    interpret: reader.interpret,
    receive(delivery) {
      const known = verified.get(delivery) ?? reader.receive(delivery);
      verified.set(delivery, known);
      return known;
    },
  };

  /** The part of the service that hears and applies, and nothing else: a thousand worlds would take minutes. */
  const listener = async () => {
    const store = new MemoryStore(typeIds);
    const uow = unitOfWork(store, { forget: async () => undefined }, () => undefined, clock, typeIds);
    const deliveries = new Map([['workos', verifiedOnce]]);
    const inbox = worker('inbox', applyInbox(store, uow, deliveries, clock, typeIds, silentLog, 1), silentLog);
    const receive = receiveDelivery(store, deliveries, () => undefined, clock, typeIds);
    await store.transact({ across: 'inbox' }, async (tx) => {
      await tx.organizations.save(
        Organization.found({ id: organization, name: 'Acme', slug: 'acme', domains: [], at: when(0).at }),
      );
    });
    await store.transact(organization, (tx) =>
      tx.roleMappings.replace(organization, [{ groupId: 'directory_group_01', role: 'developer' }]),
    );
    return { store, receive, drain: inbox.drain };
  };

  /** What is left, in words that do not depend on the ids that we gave. */
  const leftIn = (store: MemoryStore) => {
    const { rows, trails } = store.tables;
    const users = [...rows.users.rows.values()];
    const emailOf = (id: string | null): string | undefined => users.find((user) => user.id === id)?.email;
    const memberships = [...rows.memberships.rows.values()].filter(({ status }) => status === 'active');
    const { name, status, domains, provider, ownerless } = rows.organizations.get(organization) ?? {};
    return {
      organization: { name, status, domains, provider, ownerless },
      users: users
        .map(({ email, name: called, status: is, identities }) => ({ email, called, is, identities }))
        .toSorted((a, b) => (a.email < b.email ? -1 : 1)),
      members: memberships.map(({ userId, role, managedBy }) => `${emailOf(userId)} ${role} ${managedBy}`).toSorted(),
      directories: [...rows.directories.rows.values()],
      directoryUsers: [...rows.directoryUsers.rows.values()]
        .map(({ userId, ...record }) => ({ ...record, means: emailOf(userId) }))
        .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
      groups: [...rows.directoryGroups.rows.values()],
      links: [...rows.groupLinks.rows.values()].toSorted((a, b) => (a.directoryUserId < b.directoryUserId ? -1 : 1)),
      inbox: [...rows.inbox.rows.values()].map(({ name: event, status: is }) => `${event} ${is}`).toSorted(),
      trails: [...trails.values()].every((trail) => trail.every(({ sequence }, at) => sequence === at + 1)),
    };
  };

  it('ends in one state in a thousand shuffles, with repetitions and pauses', { timeout: 60_000 }, async () => {
    const deliveries = await Promise.all(history.map((event) => wire.signed(event, secret, clock.now())));
    const play = async (order: readonly { readonly at: number; readonly pause: boolean }[]) => {
      const { store, receive, drain } = await listener();
      for (const { at, pause } of order) {
        const delivery = deliveries[at];
        if (delivery) await receive('workos', delivery);
        if (pause) await drain();
      }
      await drain();
      return leftIn(store);
    };
    const inOrder = await play(history.map((_, at) => ({ at, pause: true })));
    expect(inOrder.members).toEqual(['ada@acme.example analyst directory', 'bob@acme.example developer directory']);
    expect(inOrder.users.map(({ called }) => called)).toEqual(['Ada King', 'Robert Builder']);

    const everyEvent = history.map((_, at) => at);
    const shuffles = fc
      .tuple(
        fc.shuffledSubarray(everyEvent, { minLength: everyEvent.length }),
        fc.array(fc.nat(everyEvent.length - 1), { maxLength: 4 }),
        fc.array(fc.boolean(), { minLength: 16, maxLength: 16 }),
      )
      .map(([once, again, pauses]) => [...once, ...again].map((at, place) => ({ at, pause: pauses[place] ?? false })));
    await fc.assert(
      fc.asyncProperty(shuffles, async (order) => {
        expect(await play(order)).toEqual(inOrder);
      }),
      { numRuns: 1000 },
    );
  });
});
