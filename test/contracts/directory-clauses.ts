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

const pagesOf = async <T>(pages: AsyncIterable<ListedPage<T>>): Promise<ListedPage<T>[]> => {
  const read: ListedPage<T>[] = [];
  for await (const page of pages) read.push(page);
  return read;
};
const itemsOf = async <T>(pages: AsyncIterable<ListedPage<T>>): Promise<T[]> =>
  (await pagesOf(pages)).flatMap(({ items }) => items);

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
      expect(await reader.directories(world.places.home)).toEqual([
        { id: directory, name: expect.any(String), type: expect.any(String), state: 'connected' },
      ]);
      expect(await itemsOf(reader.users(directory))).toEqual([user]);
      expect(await itemsOf(reader.groups(directory))).toEqual([group]);
      expect(await itemsOf(reader.members({ directory, group: group.id }))).toEqual([user]);
    },
  },
  {
    promise: 'an organization without a directory has none',
    missing: needsDirectory,
    check: async (world) => {
      await world.hire('nora@home.test');
      expect(await readerOf(world).directories(world.places.second)).toEqual([]);
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
      for (const list of [
        (from?: string | null) => reader.users(directory, from),
        (from?: string | null) => reader.members({ directory, group }, from),
      ]) {
        const pages = await pagesOf(list());
        expect(pages.length).toBeGreaterThan(1);
        expect(pages.flatMap(({ items }) => items.map(({ id }) => id)).toSorted()).toEqual(wanted.toSorted());
        expect(pages.map(({ next }) => next === null)).toEqual(pages.map((_, index) => index === pages.length - 1));
        expect(await pagesOf(list(pages[0]?.next))).toEqual(pages.slice(1));
      }
    },
  },
  {
    promise: 'a directory that is not there is a fault, and never an empty list',
    missing: needsDirectory,
    check: async (world) => {
      const reader = readerOf(world);
      const fault = expect.objectContaining({ name: 'Refusal', reason: 'identity.unavailable' });
      for (const pages of [
        reader.users('directory_never'),
        reader.groups('directory_never'),
        reader.members({ directory: 'directory_never', group: 'directory_group_never' }),
      ]) {
        await expect(itemsOf<unknown>(pages)).rejects.toEqual(fault);
      }
    },
  },
];
