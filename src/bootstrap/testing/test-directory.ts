// A customer's directory in a test's hands: hire, move, rename, suspend, terminate.

import type { FakeWorld } from '#adapters/identity/fake/world.ts';

export interface TestDirectory {
  readonly id: string;
  /** Hires somebody into groups named by id or name; answers the directory's id of them. */
  hire(person: { readonly email: string; readonly name: string; readonly groups?: readonly string[] }): Promise<string>;
  change(
    email: string,
    change: { readonly active?: boolean; readonly name?: string; readonly email?: string },
  ): Promise<void>;
  terminate(email: string): Promise<void>;
  join(email: string, group: string): Promise<void>;
  leave(email: string, group: string): Promise<void>;
  createGroup(name: string): Promise<string>;
  deleteGroup(group: string): Promise<void>;
  /** Removes the whole directory. */
  disconnect(): Promise<void>;
  /** The id of a group by its name. */
  groupId(name: string): string;
}

export const testDirectory = (world: FakeWorld, id: string, settle: () => Promise<void>): TestDirectory => {
  const directory = () => {
    const found = world.directories.all().find((candidate) => candidate.id === id);
    if (!found) throw new Error('the directory has been disconnected');
    return found;
  };
  const userId = (email: string): string => {
    const user = directory().users.findLast((candidate) => candidate.email === email);
    if (!user) throw new Error(`${email} is not in the directory`);
    return user.id;
  };
  const groupId = (name: string): string => {
    const group = directory().groups.find((candidate) => candidate.name === name || candidate.id === name);
    if (!group) throw new Error(`the directory has no group ${name}`);
    return group.id;
  };
  const after = async <T>(change: Promise<T>): Promise<T> => {
    const result = await change;
    await settle();
    return result;
  };
  return {
    id,
    hire: async (person) => (await after(world.directories.hire(id, person))).now.id,
    change: async (email, change) => void (await after(world.directories.changeUser(id, userId(email), change))),
    terminate: async (email) => void (await after(world.directories.terminate(id, userId(email)))),
    join: async (email, group) => void (await after(world.directories.addMember(id, groupId(group), userId(email)))),
    leave: async (email, group) =>
      void (await after(world.directories.removeMember(id, groupId(group), userId(email)))),
    createGroup: async (name) => (await after(world.directories.createGroup(id, { name }))).now.id,
    deleteGroup: async (group) => void (await after(world.directories.deleteGroup(id, groupId(group)))),
    disconnect: async () => void (await after(world.directories.remove(id))),
    groupId,
  };
};
