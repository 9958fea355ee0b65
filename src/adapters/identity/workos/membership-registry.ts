// Who belongs to an organization at WorkOS: brought about by looking first, so that repeats and disorder end alike.

import type { OrganizationMembership } from '@workos-inc/node';
import { whenNo } from '#adapters/identity/workos/failures.ts';
import type { Lane } from '#adapters/identity/workos/transport.ts';
import type { OrganizationRegistry } from '#application/ports/identity-provider.ts';
import type { Log } from '#application/ports/system.ts';

type Member = Parameters<OrganizationRegistry['admit']>[0];

export const membershipRegistry = ({
  lane,
  log,
}: {
  readonly lane: Lane;
  readonly log: Log;
}): Pick<OrganizationRegistry, 'admit' | 'dismiss'> => {
  /** Without `statuses` WorkOS tells the active ones only. */
  const standingsOf = ({ organization, subject }: Member): Promise<readonly OrganizationMembership[]> =>
    lane
      .ask('list the memberships of a user', async ({ userManagement }) => {
        const statuses: OrganizationMembership['status'][] = ['active', 'inactive', 'pending'];
        const asked = { organizationId: organization, userId: subject, statuses, limit: 100 };
        return (await userManagement.listOrganizationMemberships(asked)).data;
      })
      // Nobody of that name, or no such organization: then nobody belongs.
      .catch(whenNo<readonly OrganizationMembership[]>({ not_found: () => [] }));

  /** The directory that manages a membership at WorkOS owns its state; an edit of ours would fail or be undone. */
  const isLeftAlone = (membership: OrganizationMembership): boolean => {
    if (membership.directoryManaged) {
      log.debug('a membership is left to the directory that manages it at WorkOS', { membership: membership.id });
    }
    return membership.directoryManaged;
  };

  /** Takes back an invitation. Gone already is as good. */
  const remove = (id: string): Promise<void> =>
    lane
      .ask('delete a pending membership', ({ userManagement }) => userManagement.deleteOrganizationMembership(id))
      .catch(whenNo<void>({ not_found: () => undefined }));

  /** Somebody else may have done the same meanwhile: then a second look finds what was wanted. */
  const unlessDone = (member: Member, isDone: (standings: readonly OrganizationMembership[]) => boolean) => {
    const look = async (no: unknown): Promise<void> => {
      if (!isDone(await standingsOf(member))) throw no;
    };
    return whenNo<Promise<void>>({ conflict: look, invalid: look, not_found: look });
  };

  const bringBack = async (member: Member, inactive: OrganizationMembership | undefined): Promise<void> => {
    const { organization: organizationId, subject: userId } = member;
    // With the role that it had; a new one has the default role of the environment. Roles are decided here, not there.
    const call = inactive
      ? lane.ask('reactivate a membership', ({ userManagement }) =>
          userManagement.reactivateOrganizationMembership(inactive.id),
        )
      : lane.ask('create a membership', ({ userManagement }) =>
          userManagement.createOrganizationMembership({ organizationId, userId }),
        );
    await call.then(nothing).catch(unlessDone(member, (standings) => standings.some(isActive)));
  };

  return {
    async admit(member) {
      const standings = await standingsOf(member);
      if (standings.some(isActive) || standings.some(isLeftAlone)) return;
      // An invitation that was never taken up; beside it no membership can be made.
      for (const { id, status } of standings) if (status === 'pending') await remove(id);
      await bringBack(
        member,
        standings.find(({ status }) => status === 'inactive'),
      );
    },

    async dismiss(member) {
      for (const membership of await standingsOf(member)) {
        if (membership.status === 'inactive' || isLeftAlone(membership)) continue;
        if (membership.status === 'pending') await remove(membership.id);
        else {
          // Deactivated and not deleted: it ends the person's sessions in this organization, and can be taken back.
          await lane
            .ask('deactivate a membership', ({ userManagement }) =>
              userManagement.deactivateOrganizationMembership(membership.id),
            )
            .then(nothing)
            .catch(unlessDone(member, (standings) => !standings.some(isActive)));
        }
      }
    },
  };
};

const isActive = ({ status }: OrganizationMembership): boolean => status === 'active';

const nothing = (): void => undefined;
