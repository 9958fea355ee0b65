// The customers' directories, as their IT department changes them; every change is said as the provider would say it.

import { randomBytes } from 'node:crypto';
import type { Change, Delivered, Journal, Saying } from '#adapters/identity/fake/journal.ts';
import {
  activatedDirectoryOnWire,
  directoryGroupOnWire,
  directoryOnWire,
  directoryUserOnWire,
  previousAttributes,
  type WireRecord,
} from '#adapters/identity/fake/wire-payloads.ts';
import { addressFrom, organizationIn, WorldComplaint } from '#adapters/identity/fake/world-complaint.ts';
import type { FakeDirectory, FakeDirectoryGroup, FakeDirectoryUser } from '#adapters/identity/fake/world-state.ts';

const idpId = (): string => `idp-${randomBytes(9).toString('base64url')}`;

/** Each change settles after the delivery of its events was attempted. Changing nothing says nothing. */
export class FakeDirectories {
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  all(): readonly FakeDirectory[] {
    return this.#journal.state.directories;
  }

  /** Connects a new, empty directory to an organization. */
  async connect(
    organizationRef: string,
    facts: {
      readonly name?: string | undefined;
      readonly type?: string | undefined;
      readonly inactiveUsers?: FakeDirectory['inactiveUsers'] | undefined;
    } & Delivered = {},
  ): Promise<Change<FakeDirectory>> {
    const organization = organizationIn(this.#journal.state, organizationRef);
    const directory: FakeDirectory = {
      id: this.#journal.id('directory'),
      organization: organization.ref,
      name: facts.name ?? `${organization.name} directory`,
      type: facts.type ?? 'okta scim v2.0',
      inactiveUsers: facts.inactiveUsers ?? 'kept',
      users: [],
      groups: [],
      ...this.#journal.born(),
    };
    this.#journal.state.directories.push(directory);
    const data = activatedDirectoryOnWire(directory, organization.domains);
    return this.#journal.change(directory, [{ name: 'dsync.activated', data }], facts);
  }

  /** Removes a directory. That it is gone is all that is said: no word about its users and groups. */
  async remove(id: string, how: Delivered = {}): Promise<Change<FakeDirectory>> {
    const directory = this.#directory(id);
    this.#journal.state.directories.splice(this.#journal.state.directories.indexOf(directory), 1);
    return this.#journal.change(directory, [{ name: 'dsync.deleted', data: directoryOnWire(directory) }], how);
  }

  /** Changes what is said of people who become inactive from now on. Nothing is said of the switch itself. */
  async setInactiveUsers(id: string, inactiveUsers: FakeDirectory['inactiveUsers']): Promise<FakeDirectory> {
    const directory = this.#directory(id);
    directory.inactiveUsers = inactiveUsers;
    await this.#journal.saved();
    return directory;
  }

  /** Hires somebody, into groups named by id or by name. Somebody who was deleted comes back under a new id, with the same `idpId`. */
  async hire(
    directoryId: string,
    facts: { readonly email: string; readonly name: string; readonly groups?: readonly string[] } & Delivered,
  ): Promise<Change<FakeDirectoryUser>> {
    const directory = this.#directory(directoryId);
    const email = addressFrom(facts.email);
    this.#refuseTaken(directory, email);
    const groups = (facts.groups ?? []).map((group) => this.#group(directory, group));
    const former = directory.users.findLast((user) => user.email === email);
    const user: FakeDirectoryUser = {
      id: this.#journal.id('directory_user'),
      idpId: former?.idpId ?? idpId(),
      email,
      name: facts.name,
      state: 'active',
      subject: former?.subject ?? this.#journal.state.people.find((person) => person.email === email)?.subject ?? null,
      ...this.#journal.born(),
    };
    directory.users.push(user);
    return this.#journal.change(user, this.#enter(directory, user, groups), facts);
  }

  /** Renames, readdresses, activates or deactivates somebody. Nothing changed: nothing is said. */
  async changeUser(
    directoryId: string,
    userId: string,
    change: {
      readonly active?: boolean | undefined;
      readonly name?: string | undefined;
      readonly email?: string | undefined;
    } & Delivered,
  ): Promise<Change<FakeDirectoryUser>> {
    const directory = this.#directory(directoryId);
    const user = this.#directoryUser(directory, userId);
    const email = change.email === undefined ? user.email : addressFrom(change.email);
    if (email !== user.email) this.#refuseTaken(directory, email);
    const before = directoryUserOnWire(directory, user);
    const wasActive = user.state === 'active';
    const active = change.active ?? wasActive;
    Object.assign(user, { email, name: change.name ?? user.name, state: active ? 'active' : 'inactive' });

    const previous = previousAttributes(before, directoryUserOnWire(directory, user));
    if (Object.keys(previous).length === 0) return { now: user, said: [] };
    user.updatedAt = this.#journal.now();
    return this.#journal.change(user, this.#sayingsOfChange(directory, user, wasActive, before, previous), change);
  }

  /** Terminates somebody: the record is deleted, and the person cannot sign in there any more. */
  async terminate(directoryId: string, userId: string, how: Delivered = {}): Promise<Change<FakeDirectoryUser>> {
    const directory = this.#directory(directoryId);
    const user = this.#directoryUser(directory, userId);
    const unheardOf = user.state === 'inactive' && directory.inactiveUsers === 'deleted'; // said when they became inactive
    const data = directoryUserOnWire(directory, user);
    user.state = 'deleted';
    user.updatedAt = this.#journal.now();
    for (const group of directory.groups) group.members = group.members.filter((member) => member !== user.id);
    return this.#journal.change(user, unheardOf ? [] : [{ name: 'dsync.user.deleted', data }], how);
  }

  async createGroup(
    directoryId: string,
    facts: { readonly name: string } & Delivered,
  ): Promise<Change<FakeDirectoryGroup>> {
    const directory = this.#directory(directoryId);
    this.#refuseTakenGroup(directory, facts.name);
    const group: FakeDirectoryGroup = {
      id: this.#journal.id('directory_group'),
      idpId: facts.name, // Okta's way: what a group is called is what it is
      name: facts.name,
      members: [],
      ...this.#journal.born(),
    };
    directory.groups.push(group);
    return this.#journal.change(
      group,
      [{ name: 'dsync.group.created', data: directoryGroupOnWire(directory, group) }],
      facts,
    );
  }

  /** The same name again: nothing is said. */
  async renameGroup(
    directoryId: string,
    groupId: string,
    change: { readonly name: string } & Delivered,
  ): Promise<Change<FakeDirectoryGroup>> {
    const directory = this.#directory(directoryId);
    const group = this.#group(directory, groupId);
    if (group.name === change.name) return { now: group, said: [] };
    this.#refuseTakenGroup(directory, change.name);
    const previous = { name: group.name };
    group.name = change.name;
    group.updatedAt = this.#journal.now();
    const data = { ...directoryGroupOnWire(directory, group), previous_attributes: previous };
    return this.#journal.change(group, [{ name: 'dsync.group.updated', data }], change);
  }

  /** Deletes a group. No word about its members: they are out of it by that. */
  async deleteGroup(directoryId: string, groupId: string, how: Delivered = {}): Promise<Change<FakeDirectoryGroup>> {
    const directory = this.#directory(directoryId);
    const group = this.#group(directory, groupId);
    directory.groups.splice(directory.groups.indexOf(group), 1);
    return this.#journal.change(
      group,
      [{ name: 'dsync.group.deleted', data: directoryGroupOnWire(directory, group) }],
      how,
    );
  }

  /** Puts somebody into a group. Already in it: nothing is said. */
  async addMember(directoryId: string, groupId: string, userId: string, how: Delivered = {}): Promise<Change<null>> {
    const directory = this.#directory(directoryId);
    const group = this.#group(directory, groupId);
    const user = this.#directoryUser(directory, userId);
    if (group.members.includes(user.id)) return { now: null, said: [] };
    group.members.push(user.id);
    return this.#journal.change(null, this.#membershipSaid('dsync.group.user_added', directory, group, user), how);
  }

  /** Takes somebody out of a group. Not in it: nothing is said. */
  async removeMember(directoryId: string, groupId: string, userId: string, how: Delivered = {}): Promise<Change<null>> {
    const directory = this.#directory(directoryId);
    const group = this.#group(directory, groupId);
    const user = this.#directoryUser(directory, userId);
    if (!group.members.includes(user.id)) return { now: null, said: [] };
    group.members = group.members.filter((member) => member !== user.id);
    return this.#journal.change(null, this.#membershipSaid('dsync.group.user_removed', directory, group, user), how);
  }

  #directory(id: string): FakeDirectory {
    const directory = this.#journal.state.directories.find((one) => one.id === id);
    if (!directory) throw new WorldComplaint('directory_not_found', 'No such directory.');
    return directory;
  }

  #directoryUser(directory: FakeDirectory, id: string): FakeDirectoryUser {
    const user = directory.users.find((one) => one.id === id && one.state !== 'deleted');
    if (!user) throw new WorldComplaint('directory_user_not_found', 'No such user in this directory.');
    return user;
  }

  #group(directory: FakeDirectory, idOrName: string): FakeDirectoryGroup {
    const group =
      directory.groups.find(({ id }) => id === idOrName) ?? directory.groups.find(({ name }) => name === idOrName);
    if (!group) throw new WorldComplaint('directory_group_not_found', 'No such group in this directory.');
    return group;
  }

  #refuseTaken(directory: FakeDirectory, email: string): void {
    if (directory.users.some((user) => user.email === email && user.state !== 'deleted')) {
      throw new WorldComplaint('email_taken', `${email} is already in this directory.`);
    }
  }

  #refuseTakenGroup(directory: FakeDirectory, name: string): void {
    if (directory.groups.some((group) => group.name === name)) {
      throw new WorldComplaint('group_name_taken', `There is already a group called ${name}.`);
    }
  }

  #enter(directory: FakeDirectory, user: FakeDirectoryUser, groups: readonly FakeDirectoryGroup[]): readonly Saying[] {
    for (const group of groups) if (!group.members.includes(user.id)) group.members.push(user.id);
    return [
      { name: 'dsync.user.created', data: directoryUserOnWire(directory, user) },
      ...groups.flatMap((group) => this.#membershipSaid('dsync.group.user_added', directory, group, user)),
    ];
  }

  /**
   * In the secure flow an inactive user is gone for the provider: said as a deletion, and a return as a creation under a new
   * id. What happens to somebody in between is not said at all.
   */
  #sayingsOfChange(
    directory: FakeDirectory,
    user: FakeDirectoryUser,
    wasActive: boolean,
    before: WireRecord,
    previous: WireRecord,
  ): readonly Saying[] {
    if (directory.inactiveUsers === 'kept' || (wasActive && user.state === 'active')) {
      const data = { ...directoryUserOnWire(directory, user), previous_attributes: previous };
      return [{ name: 'dsync.user.updated', data }];
    }
    if (wasActive) return [{ name: 'dsync.user.deleted', data: { ...before, updated_at: user.updatedAt } }];
    if (user.state !== 'active') return [];
    const formerId = user.id;
    user.id = this.#journal.id('directory_user');
    user.createdAt = this.#journal.now();
    const groups = directory.groups.filter(({ members }) => members.includes(formerId));
    for (const group of groups) group.members = group.members.filter((member) => member !== formerId);
    return this.#enter(directory, user, groups);
  }

  #membershipSaid(
    name: 'dsync.group.user_added' | 'dsync.group.user_removed',
    directory: FakeDirectory,
    group: FakeDirectoryGroup,
    user: FakeDirectoryUser,
  ): readonly Saying[] {
    if (user.state !== 'active' && directory.inactiveUsers === 'deleted') return []; // unknown to the provider meanwhile
    return [
      {
        name,
        data: {
          directory_id: directory.id,
          user: directoryUserOnWire(directory, user),
          group: directoryGroupOnWire(directory, group),
        },
      },
    ];
  }
}
