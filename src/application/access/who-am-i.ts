// Shows a caller themselves: who they are, where they are, and where else they could be.

import type { CallerCache, Forgettable } from '#application/ports/caller-cache.ts';
import type { ReadModels } from '#application/ports/read-models.ts';
import type { Profile, WhoAmI } from '#application/use-cases.ts';
import type { Caller } from '#domain/access/caller.ts';

export const whoAmI =
  (readModels: ReadModels, cache: CallerCache, trustSeconds: number): WhoAmI =>
  async (caller) => {
    // The organization is part of the key: a caller proven before a switch must not fill the profile of after it.
    const credential = caller.kind === 'user' ? caller.sessionId : caller.apiKeyId;
    const key = `profile ${credential} ${caller.organizationId}`;
    const about = await cache.through(key, async () => {
      const value = await describe(readModels, caller);
      const reliesOn: Forgettable[] = [caller.id, ...value.organizations.map(({ id }) => id)];
      if (caller.kind === 'user') reliesOn.push(caller.sessionId);
      if (caller.organizationId) reliesOn.push(caller.organizationId);
      return { value, reliesOn, seconds: trustSeconds };
    });
    return { caller, ...about };
  };

const describe = async (readModels: ReadModels, caller: Caller): Promise<Omit<Profile, 'caller'>> => {
  const organization = caller.organizationId ? ((await readModels.organization(caller.organizationId)) ?? null) : null;
  const inShort = organization && { id: organization.id, name: organization.name, slug: organization.slug };
  if (caller.kind === 'agent') {
    const agent = (await readModels.agent(caller.organizationId, caller.id)) ?? null;
    return { user: null, agent: agent && { id: agent.id, name: agent.name }, organization: inShort, organizations: [] };
  }
  const user = (await readModels.user(caller.id)) ?? null;
  return {
    user: user && { id: user.id, email: user.email, name: user.name },
    agent: null,
    organization: inShort,
    organizations: await readModels.organizationsOf(caller.id),
  };
};
