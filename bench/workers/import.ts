// One large directory comes in: as events from the provider's feed, or as the lists that a reconciliation reads.

import { eventFrom } from '../../src/adapters/identity/wire/envelope.ts';
import { groupOnList, personOnList } from '../../src/adapters/identity/wire/interpret.ts';
import { MemoryJobs } from '../../src/adapters/jobs/memory/memory-jobs.ts';
import { pinoLog } from '../../src/adapters/system/pino-log.ts';
import { systemClock } from '../../src/adapters/system/system-clock.ts';
import type { IdentityProvider } from '../../src/application/ports/identity-provider.ts';
import { assembled, persistenceAt } from '../lib/assembled.ts';
import {
  directoryActivated,
  directoryRef,
  type Event,
  groupCreated,
  groupOf,
  groupUserAdded,
  organizationCreated,
  personOf,
  userCreated,
} from '../lib/events.ts';
import { answering } from './answering.ts';

export interface ImportAsked {
  readonly people: number;
  readonly groups: number;
  readonly by: 'events' | 'listing';
}

export interface ImportAnswer {
  readonly takenInSeconds: number;
  readonly appliedSeconds: number;
}

const company = 'large';
const pageSize = 100;

/** Everything is made when it is asked for: what the service keeps in memory is then its own. */
const eventAt = ({ people, groups, by }: ImportAsked, index: number): Event | undefined => {
  if (index === 0) return organizationCreated(company);
  if (index === 1) return directoryActivated(company);
  if (by === 'listing') return undefined;
  const at = index - 2;
  if (at < people) return userCreated(company, `p${at}`);
  if (at < people + groups) return groupCreated(company, `g${at - people}`);
  const link = at - people - groups;
  return link < people ? groupUserAdded(company, `g${link % groups}`, `p${link}`) : undefined;
};

const page = <T>(count: number, from: string | null, make: (index: number) => T) => {
  const start = Number(from ?? 0);
  const end = Math.min(start + pageSize, count);
  const items = Array.from({ length: end - start }, (_, index) => make(start + index));
  return { items, next: end < count ? String(end) : null };
};

const speaking =
  (asked: ImportAsked) =>
  (fake: IdentityProvider): IdentityProvider => ({
    ...fake,
    name: 'workos',
    deliveries: fake.deliveries,
    feed: {
      async after(cursor, limit) {
        const start = cursor === undefined ? 0 : Number(cursor.slice('event_'.length)) + 1;
        const events = [];
        for (let index = start; index < start + limit; index += 1) {
          const event = eventAt(asked, index);
          if (!event) break;
          events.push(eventFrom({ ...event, id: `event_${index}` }));
        }
        return events;
      },
    },
    directory: {
      async directories() {
        const directory = { id: directoryRef(company), name: 'Directory', type: 'okta scim v2.0', state: 'connected' };
        return { asOf: new Date(), directories: [directory as typeof directory & { state: 'connected' }] };
      },
      groups: async (_, from) =>
        page(asked.groups, from, (index) => groupOnList(groupOf(company, `g${index}`), new Date())),
      users: async (_, from) =>
        page(asked.people, from, (index) => personOnList(personOf(company, `p${index}`), new Date())),
      async members({ group }, from) {
        const number = Number(group.slice(group.lastIndexOf('_g') + 2));
        const count = Math.floor((asked.people - 1 - number) / asked.groups) + 1;
        return page(count, from, (index) =>
          personOnList(personOf(company, `p${number + index * asked.groups}`), new Date()),
        );
      },
    },
  });

answering<ImportAsked>(async (asked): Promise<ImportAnswer & object> => {
  const persistence = await persistenceAt(process.env['URL'] ?? '');
  const jobs = new MemoryJobs({ clock: systemClock, log: pinoLog('error') });
  const service = await assembled(persistence, speaking(asked), jobs);
  await service.outbox.stop();
  const started = performance.now();
  await service.catchUp();
  const takenIn = performance.now();
  await service.inbox.drain();
  if (asked.by === 'listing') {
    const all = service.jobList.filter(({ name }) => name.startsWith('reconcile'));
    await jobs.start(all, { work: true });
    const schedule = all.find(({ everySeconds }) => everySeconds !== undefined);
    // One round of the schedule begins it, the next one, which is a minute later, goes on with it: that minute is not counted.
    for (let round = 0; round < 2; round += 1) {
      await schedule?.run({ data: {}, attempt: 1, signal: new AbortController().signal });
    }
    await jobs.drain();
  }
  const ended = performance.now();
  await persistence.close();
  return { takenInSeconds: (takenIn - started) / 1000, appliedSeconds: (ended - takenIn) / 1000 };
});
