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

  const pageOf = <R extends Numbered, T>(
    records: readonly R[],
    from: string | null,
    show: (record: R) => T,
  ): ListedPage<T> => {
    const rest = records.toSorted(byId).filter(({ id }) => from === null || id > from);
    const items = rest.slice(0, pageSize);
    return { items: items.map(show), next: rest.length > pageSize ? (items.at(-1)?.id ?? null) : null };
  };

  const people = (directory: FakeDirectory, users: readonly FakeDirectoryUser[], from: string | null) =>
    pageOf(users, from, (user) => listedPerson(directoryUserOnWire(directory, user), world.clock.now()));

  return {
    async directories(organization) {
      await reach();
      const theirs = world.directories.all().filter((directory) => directory.organization === organization);
      const directories = theirs.map((directory) => listedDirectory(activatedDirectoryOnWire(directory, [])));
      // It shares our clock, and its lists never trail its events.
      return { asOf: world.clock.now(), directories };
    },
    async groups(id, from) {
      await reach();
      const directory = directoryOf(id);
      return pageOf(directory.groups, from, (group) =>
        listedGroup(directoryGroupOnWire(directory, group), world.clock.now()),
      );
    },
    async users(id, from) {
      await reach();
      const directory = directoryOf(id);
      return people(directory, listedUsers(directory), from);
    },
    async members({ directory: id, group }, from) {
      await reach();
      const directory = directoryOf(id);
      const members = new Set(directory.groups.find((one) => one.id === group)?.members);
      const users = listedUsers(directory).filter((user) => members.has(user.id));
      return people(directory, users, from);
    },
  };
};
