// What the fake world's directories hold, listed as the provider would: in its wire shapes, page by page.

import {
  activatedDirectoryOnWire,
  directoryGroupOnWire,
  directoryUserOnWire,
} from '#adapters/identity/fake/wire-payloads.ts';
import type { FakeWorld } from '#adapters/identity/fake/world.ts';
import type { FakeDirectory, FakeDirectoryUser } from '#adapters/identity/fake/world-state.ts';
import { listedDirectory, listedGroup, listedPerson } from '#adapters/identity/wire/listed.ts';
import type { DirectoryReader, ListedPage } from '#application/ports/directory-reader.ts';
import { Refusal } from '#domain/shared/refusal.ts';

const pageSize = 100;

interface Numbered {
  readonly id: string;
}

const byId = (a: Numbered, b: Numbered): number => (a.id < b.id ? -1 : 1);

/** Whom the provider knows: in the secure flow, somebody inactive is gone for it. */
const listedUsers = ({ users, inactiveUsers }: FakeDirectory): FakeDirectoryUser[] =>
  users.filter(({ state }) => state === 'active' || (state === 'inactive' && inactiveUsers === 'kept'));

/** @param reach what every call that would cross the network goes through */
export const fakeDirectoryReader = (world: FakeWorld, reach: () => Promise<void>): DirectoryReader => {
  const directoryOf = (id: string): FakeDirectory => {
    const directory = world.directories.all().find((one) => one.id === id);
    if (!directory) throw new Refusal('identity.unavailable');
    return directory;
  };

  /** Looks again for each page: the world moves on between two. */
  async function* pages<R extends Numbered, T>(
    records: () => readonly R[],
    from: string | null,
    show: (record: R) => T,
  ): AsyncGenerator<ListedPage<T>> {
    for (let cursor: string | null = from, first = true; first || cursor !== null; first = false) {
      await reach();
      const rest: R[] = records()
        .toSorted(byId)
        .filter(({ id }) => cursor === null || id > cursor);
      const items = rest.slice(0, pageSize);
      cursor = rest.length > pageSize ? (items.at(-1)?.id ?? null) : null;
      yield { items: items.map(show), next: cursor };
    }
  }

  const person = (directory: string) => (user: FakeDirectoryUser) =>
    listedPerson(directoryUserOnWire(directoryOf(directory), user), world.clock.now());

  return {
    // It shares our clock, and its lists never trail its events.
    lagSeconds: 0,
    async directories(organization) {
      await reach();
      const theirs = world.directories.all().filter((directory) => directory.organization === organization);
      return theirs.map((directory) => listedDirectory(activatedDirectoryOnWire(directory, [])));
    },
    groups: (directory, from = null) =>
      pages(
        () => directoryOf(directory).groups,
        from,
        (group) => listedGroup(directoryGroupOnWire(directoryOf(directory), group), world.clock.now()),
      ),
    users: (directory, from = null) => pages(() => listedUsers(directoryOf(directory)), from, person(directory)),
    members: ({ directory, group }, from = null) =>
      pages(
        () => {
          const members = new Set(directoryOf(directory).groups.find(({ id }) => id === group)?.members);
          return listedUsers(directoryOf(directory)).filter(({ id }) => members.has(id));
        },
        from,
        person(directory),
      ),
  };
};
