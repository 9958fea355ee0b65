// The directory reader on WorkOS: its pace, its pages, and that no fault ever looks like people who are gone.

import { describe, expect, it } from 'vitest';
import { FakeClock } from '#adapters/system/fake-clock.ts';
import type { DirectoryReader } from '#application/ports/directory-reader.ts';
import { Dashboard } from '../../support/workos-stub/dashboard.ts';
import { outcomeOf, type WorkosWorld, workosWorld } from './workos-world.ts';

const readerOf = ({ provider }: Pick<WorkosWorld, 'provider'>): DirectoryReader => {
  if (!provider.directory) throw new Error('WorkOS lists its directories');
  return provider.directory;
};

const staffed = async (people: number) => {
  const world = await workosWorld();
  const dashboard = new Dashboard(world.stub, () => world.clock.now());
  const acme = world.stub.organizations.addOrganization('Acme').id;
  const directory = dashboard.connectDirectory(acme);
  for (let number = 0; number < people; number += 1) directory.hire(`person-${number}@acme.test`);
  return { ...world, acme, directory };
};

type List = (from: string | null) => Promise<{ readonly items: readonly unknown[]; readonly next: string | null }>;

/** Reads to the end; answers how many there were. */
const countOf = async (list: List, onPage: () => void = () => {}): Promise<number> => {
  let count = 0;
  let next: string | null = null;
  do {
    const page: Awaited<ReturnType<List>> = await list(next);
    count += page.items.length;
    next = page.next;
    onPage();
  } while (next !== null);
  return count;
};

describe('the pace', () => {
  /** A provider whose waiting turns the clock, and when each request about a directory was made by it. */
  const paced = async () => {
    const world = await staffed(950);
    const times: number[] = [];
    const clock = new FakeClock();
    const provider = await world.another({
      clock,
      pause: async (milliseconds) => clock.turn(milliseconds / 1000),
    });
    const asked = (): void => {
      times.push(clock.now().getTime());
    };
    return { ...world, reader: readerOf({ provider }), times, asked };
  };

  it('is four requests a second for each directory at most, whatever is asked of it', async () => {
    const { reader, directory, times, asked } = await paced();
    await countOf((from) => reader.users(directory.id, from), asked);
    await countOf((from) => reader.groups(directory.id, from), asked);
    expect(times).toHaveLength(11);
    for (const [index, time] of times.entries()) {
      const fourBefore = times[index - 4];
      if (fourBefore !== undefined) expect(time - fourBefore).toBeGreaterThanOrEqual(1000);
    }
  });

  it('is one for each: a second directory does not wait for the first', async () => {
    const { reader, directory, stub, times, asked, acme } = await paced();
    const other = new Dashboard(stub, () => new Date()).connectDirectory(acme);
    await reader.users(directory.id, null);
    await countOf((from) => reader.users(other.id, from), asked);
    expect(times).toEqual([new FakeClock().now().getTime()]);
  });

  it('holds also where WorkOS does not answer: the SDK does not try again by itself', async () => {
    const { reader, directory, stub, requests } = await paced().then((world) => ({
      ...world,
      requests: world.stub.requests,
    }));
    stub.plan({ play: 'answer', status: 500 }, { on: 'GET /directory_users' });
    expect(await outcomeOf(reader.users(directory.id, null))).toBe('identity.unavailable');
    expect(requests.filter(({ path }) => path === '/directory_users')).toHaveLength(1);
  });
});

describe('what is asked', () => {
  it('is a hundred at a time, oldest first, and the members of a group by the group', async () => {
    const { stub, directory, ...world } = await staffed(150);
    const group = directory.group('Staff');
    directory.join('person-3@acme.test', group);
    const reader = readerOf(world);
    expect(await countOf((from) => reader.users(directory.id, from))).toBe(150);
    const staff = { directory: directory.id, group: String(group['id']) };
    expect(await countOf((from) => reader.members(staff, from))).toBe(1);
    const queries = stub.requests.map(({ query }) => Object.fromEntries(query));
    expect(queries).toEqual([
      { directory: directory.id, limit: '100', order: 'asc' },
      { directory: directory.id, limit: '100', order: 'asc', after: expect.stringMatching(/^directory_user_/) },
      { group: group['id'], limit: '100', order: 'asc' },
    ]);
  });

  it.each([
    ['linked', 'connected'],
    ['validating', 'unsettled'],
    ['invalid_credentials', 'unsettled'],
    ['unlinked', 'unsettled'],
    ['deleting', 'unsettled'],
  ])('a directory that is %s counts as %s', async (state, expected) => {
    const { stub, acme, ...world } = await staffed(0);
    const [held] = stub.directories.directories;
    if (held) held.wire = { ...held.wire, state };
    const { directories } = await readerOf(world).directories(acme);
    expect(directories.map((directory) => directory.state)).toEqual([expected]);
  });
});

describe('a fault', () => {
  it.each([
    ['too many requests', { play: 'answer', status: 429, headers: { 'retry-after': '7' } }, 'identity.throttled'],
    ['a page of a gateway', { play: 'page', status: 200 }, 'identity.unavailable'],
    ['an answer of another shape', { play: 'answer', status: 200, body: { data: {} } }, 'identity.unavailable'],
    [
      'a person who cannot be read',
      { play: 'answer', status: 200, body: { data: [{ email: 'ada@acme.test' }], list_metadata: {} } },
      'identity.unavailable',
    ],
    [
      'a directory that is gone',
      { play: 'answer', status: 404, body: { message: 'Not found' } },
      'identity.unavailable',
    ],
    ['a torn answer', { play: 'torn' }, 'identity.unavailable'],
  ] as const)('is %s, in the middle as at the beginning', async (_, fault, expected) => {
    const { stub, directory, ...world } = await staffed(150);
    stub.deviate(/directory_users/);
    const reader = readerOf(world);
    const first = await reader.users(directory.id, null);
    expect(first.items).toHaveLength(100);
    stub.plan(fault, { on: 'GET /directory_users' });
    expect(await outcomeOf(reader.users(directory.id, first.next))).toBe(expected);
  });

  it('tells after how many seconds WorkOS wants to be asked again', async () => {
    const { stub, directory, ...world } = await staffed(1);
    stub.plan({ play: 'answer', status: 429, headers: { 'retry-after': '7' } });
    await expect(readerOf(world).users(directory.id, null)).rejects.toMatchObject({
      details: { retry_after_seconds: 7 },
    });
  });

  it('is a cursor that does not move', async () => {
    const { stub, directory, ...world } = await staffed(1);
    stub.deviate(/directory_users/);
    stub.plan({ play: 'answer', status: 200, body: { data: [], list_metadata: { after: 'here' } } });
    expect(await outcomeOf(readerOf(world).users(directory.id, 'here'))).toBe('identity.unavailable');
  });
});
