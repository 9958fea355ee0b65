// Single sign-on as an organization's admins see and set it up: its connections, the way to the provider's pages, and removal.

import { acting, actorOf, permitted } from '#application/access/permitted.ts';
import type { IdentityProvider, SsoAdministration } from '#application/ports/identity-provider.ts';
import type { ReadModels } from '#application/ports/read-models.ts';
import type { Clock } from '#application/ports/system.ts';
import { safeReturnTo } from '#application/sessions/return-to.ts';
import { knownConnection, learn, refOf } from '#application/sso/known-connection.ts';
import type { CreateSetupLink, SsoUseCases } from '#application/sso/sso-use-cases.ts';
import type { UnitOfWork } from '#application/unit-of-work.ts';
import type { Caller } from '#domain/access/caller.ts';
import type { Source } from '#domain/audit/audit-entry.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';
import { Refusal } from '#domain/shared/refusal.ts';

/** What providers promise of a link, less what it takes to click it. */
const linkSeconds = 300;

export const getSso =
  (provider: IdentityProvider, readModels: ReadModels): SsoUseCases['getSso'] =>
  async (caller, organizationId) => {
    permitted(caller, organizationId, 'orgs:manage');
    const canDo = provider.sso !== undefined;
    return {
      connections: await readModels.connections(organizationId),
      can: {
        setupLink: canDo,
        testConnection: canDo,
        removeConnection: canDo,
        createConnection: provider.sso?.createConnection !== undefined,
      },
    };
  };

/** The trail tells who got a link and for what; the link itself goes from the provider to the caller and stays nowhere. */
export const createSetupLink =
  (provider: IdentityProvider, uow: UnitOfWork, settings: { readonly publicUrl: string }): CreateSetupLink =>
  async (caller, { organizationId, intent, returnTo }, source) => {
    const sso = administered(provider);
    const organization = await registered(provider, uow, caller, organizationId, source);
    const back = new URL(safeReturnTo(returnTo), settings.publicUrl).href;
    const url = await sso.setupLink({ organization, intent, returnTo: back });
    await uow.run(organizationId, { actor: actorOf(caller), source }, async (tx) =>
      tx.tell({ type: 'setup_link.issued', organizationId, intent }),
    );
    return { url, seconds: linkSeconds };
  };

export const createConnection =
  (provider: IdentityProvider, uow: UnitOfWork, clock: Clock): SsoUseCases['createConnection'] =>
  async (caller, { organizationId, ...wanted }, source) => {
    const create = provider.sso?.createConnection;
    if (!create) {
      permitted(caller, organizationId, 'orgs:manage');
      throw new Refusal('sso.not_supported');
    }
    const organization = await registered(provider, uow, caller, organizationId, source);
    const made = await create({ organization, ...wanted });
    return uow.once(organizationId, { actor: actorOf(caller), source }, async (tx) => {
      const connection = await learn(tx, organizationId, made, clock);
      tx.tell({ type: 'connection.created', connection });
      return connection;
    });
  };

export const removeConnection =
  (provider: IdentityProvider, uow: UnitOfWork, clock: Clock): SsoUseCases['removeConnection'] =>
  async (caller, organizationId, connectionId, source) => {
    const sso = administered(provider);
    const connection = await knownConnection(provider, uow, clock, caller, organizationId, connectionId, source);
    await sso.removeConnection(connection.id);
    await uow.run(organizationId, { actor: actorOf(caller), source }, async (tx) =>
      tx.tell({ type: 'connection.removed', connection }),
    );
  };

const administered = (provider: IdentityProvider): SsoAdministration => {
  if (!provider.sso) throw new Refusal('sso.not_supported');
  return provider.sso;
};

/** The provider's name of the caller's organization. */
const registered = async (
  provider: IdentityProvider,
  uow: UnitOfWork,
  caller: Caller,
  organizationId: OrganizationId,
  source: Source,
): Promise<string> => {
  const ref = await acting(uow, caller, organizationId, 'orgs:manage', source, async (tx) =>
    refOf(await tx.organizations.get(organizationId), provider),
  );
  if (ref === undefined) throw new Refusal('sso.not_ready');
  return ref;
};
