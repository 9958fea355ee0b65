// What a provider that lists its directories promises: the lists say what the events said, whole, in pages, and never too little.

import { expect } from 'vitest';
import type { DirectoryReader, ListedPage } from '#application/ports/directory-reader.ts';
import type { DirectoryEvent } from '#domain/provisioning/directory-event.ts';
import type { Clause, ProviderWorld } from './identity-provider.contract.ts';

const needsDirectory = ({ provider }: ProviderWorld): string | undefined =>
  provider.directory === undefined ? 'this provider does not list its directories' : undefined;

const readerOf = ({ provider }: ProviderWorld): DirectoryReader => {
  if (!provider.directory) throw new Error('this provider does not list its directories');
  return provider.directory;
};

type List<T> = (from: string | null) => Promise<ListedPage<T>>;

const pagesFrom = async <T>(list: List<T>, from: string | null = null): Promise<ListedPage<T>[]> => {
  const pages: ListedPage<T>[] = [];
  let next: string | null = from;
  do {
    const page: ListedPage<T> = await list(next);
    pages.push(page);
    next = page.next;
  } while (next !== null && pages.length < 100);
  return pages;
};
const itemsOf = async <T>(list: List<T>): Promise<T[]> => (await pagesFrom(list)).flatMap(({ items }) => items);

/** The three lists of a directory and of a group in it. */
const listsOf = (reader: DirectoryReader, directory: string, group: string) => ({
  users: (from: string | null) => reader.users(directory, from),
  groups: (from: string | null) => reader.groups(directory, from),
  members: (from: string | null) => reader.members({ directory, group }, from),
});

/** What the directory of the home said when it hired somebody. */
const hired = async (world: ProviderWorld, email: string): Promise<readonly DirectoryEvent[]> => {
  const { deliveries } = world.provider;
  const said: DirectoryEvent[] = [];
  for (const delivery of await world.hire(email)) {
    const meaning = deliveries.interpret((await deliveries.receive(delivery)).payload);
    if (meaning.about === 'directory') said.push(meaning.event);
  }
  return said;
};

/** The person, their group and their directory, as the events told of them. */
const toldOf = (events: readonly DirectoryEvent[]) => {
  const created = events.find(({ kind }) => kind === 'user.created');
  const added = events.find(({ kind }) => kind === 'group.member_added');
  if (!created || !('user' in created) || !added || !('group' in added)) {
    throw new Error('a hire was not told as a person and their place in a group');
  }
  return { user: created.user, group: added.group, directory: created.directoryId };
};

export const directoryClauses: readonly Clause[] = [
  {
    promise: 'the lists have a person, their group and their place in it as the events told of them',
    missing: needsDirectory,
    check: async (world) => {
      const { user, group, directory } = toldOf(await hired(world, 'nora@home.test'));
      const reader = readerOf(world);
      const { directories } = await reader.directories(world.places.home);
      expect(directories).toEqual([
        { id: directory, name: expect.any(String), type: expect.any(String), state: 'connected' },
      ]);
      const lists = listsOf(reader, directory, group.id);
      expect(await itemsOf(lists.users)).toEqual([user]);
      expect(await itemsOf(lists.groups)).toEqual([group]);
      expect(await itemsOf(lists.members)).toEqual([user]);
    },
  },
  {
    promise: 'an organization without a directory has none',
    missing: needsDirectory,
    check: async (world) => {
      await world.hire('nora@home.test');
      expect((await readerOf(world).directories(world.places.second)).directories).toEqual([]);
    },
  },
  {
    promise: 'the lists are as of a moment that is not after their reading, and less than ten minutes before',
    missing: needsDirectory,
    check: async (world) => {
      const { asOf } = await readerOf(world).directories(world.places.home);
      const behind = world.now().getTime() - asOf.getTime();
      expect(behind).toBeGreaterThanOrEqual(0);
      expect(behind).toBeLessThan(600_000);
    },
  },
  {
    promise: 'everybody is listed once, in several pages, and a reading that broke off goes on after its last page',
    missing: needsDirectory,
    check: async (world) => {
      const wanted: string[] = [];
      const first = toldOf(await hired(world, 'first@home.test'));
      wanted.push(first.user.id);
      for (let number = 0; number < 230; number += 1) {
        wanted.push(toldOf(await hired(world, `person-${number}@home.test`)).user.id);
      }
      const { directory } = first;
      const group = first.group.id;
      const reader = readerOf(world);
      const { users, members } = listsOf(reader, directory, group);
      for (const list of [users, members]) {
        const pages = await pagesFrom(list);
        expect(pages.length).toBeGreaterThan(1);
        expect(pages.flatMap(({ items }) => items.map(({ id }) => id)).toSorted()).toEqual(wanted.toSorted());
        expect(await pagesFrom(list, pages[0]?.next)).toEqual(pages.slice(1));
      }
    },
  },
  {
    promise: 'a directory that is not there is a fault, and never an empty list',
    missing: needsDirectory,
    check: async (world) => {
      const fault = expect.objectContaining({ name: 'Refusal', reason: 'identity.unavailable' });
      const { users, groups, members } = listsOf(readerOf(world), 'directory_never', 'directory_group_never');
      for (const list of [users, groups, members]) await expect(list(null)).rejects.toEqual(fault);
    },
  },
];
