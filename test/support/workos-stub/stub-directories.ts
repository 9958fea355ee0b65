// The customers' directories as the stub of WorkOS holds them, and the requests that list them.

import type { Wire } from '../workos-payloads.ts';
import { notFound, pageOf, type StubAnswer, StubError, type StubRequest } from './stub-answers.ts';

type Listed = Wire & { readonly id: string };

export interface StubDirectory {
  readonly id: string;
  wire: Listed;
  readonly users: Map<string, Listed>;
  readonly groups: Map<string, Listed>;
  /** Ids of users by the id of the group. */
  readonly members: Map<string, Set<string>>;
}

const known = (record: Wire): Listed => ({ ...record, id: String(record['id']) });

export class StubDirectories {
  directories: StubDirectory[] = [];

  /** A directory of that id, made when it is named for the first time. */
  at(wire: Wire): StubDirectory {
    const record = known(wire);
    const found = this.directories.find(({ id }) => id === record.id);
    if (found) return found;
    const made = { id: record.id, wire: record, users: new Map(), groups: new Map(), members: new Map() };
    this.directories.push(made);
    return made;
  }

  putUser(directory: string, user: Wire): void {
    this.#directory(directory).users.set(String(user['id']), known(user));
  }
  dropUser(directory: string, id: string): void {
    const { users, members } = this.#directory(directory);
    users.delete(id);
    for (const group of members.values()) group.delete(id);
  }
  putGroup(directory: string, group: Wire): void {
    this.#directory(directory).groups.set(String(group['id']), known(group));
  }
  dropGroup(directory: string, id: string): void {
    const { groups, members } = this.#directory(directory);
    groups.delete(id);
    members.delete(id);
  }
  membersOf(directory: string, group: string): Set<string> {
    const { members } = this.#directory(directory);
    const found = members.get(group) ?? new Set();
    members.set(group, found);
    return found;
  }
  drop(id: string): void {
    this.directories = this.directories.filter((directory) => directory.id !== id);
  }

  handle({ method, path, query }: StubRequest): StubAnswer | undefined {
    if (method !== 'GET') return undefined;
    switch (path) {
      case '/directories': {
        const organization = query.get('organization_id');
        const theirs = this.directories.filter(({ wire }) => wire['organization_id'] === organization);
        return pageOf(
          theirs.map(({ wire }) => wire),
          query,
          // In lists a directory that works is linked, while its events call it active.
          ({ domains: _, ...wire }) => ({ ...wire, state: wire['state'] === 'active' ? 'linked' : wire['state'] }),
        );
      }
      case '/directory_groups':
        return pageOf([...this.#named(query).groups.values()], query, (group) => group);
      case '/directory_users':
        return pageOf(this.#users(query), query, (user) => ({ ...user, groups: [] }));
      default:
        return undefined;
    }
  }

  #users(query: URLSearchParams): readonly Listed[] {
    const group = query.get('group');
    if (group === null) return [...this.#named(query).users.values()];
    if (query.get('directory') !== null) throw new StubError(422, { message: 'Either directory or group.' });
    const directory = this.directories.find(({ groups }) => groups.has(group));
    if (!directory) throw notFound('Directory Group');
    const members = directory.members.get(group);
    return [...directory.users.values()].filter(({ id }) => members?.has(id));
  }

  #named(query: URLSearchParams): StubDirectory {
    return this.#directory(query.get('directory') ?? '');
  }

  #directory(id: string): StubDirectory {
    const directory = this.directories.find((one) => one.id === id);
    if (!directory) throw notFound('Directory');
    return directory;
  }
}
