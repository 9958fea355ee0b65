// Which connection an admin means: one that we heard of, or one whose event has not reached us yet.

import { acting } from '#application/access/permitted.ts';
import type { IdentityProvider, ListedConnection } from '#application/ports/identity-provider.ts';
import type { Clock } from '#application/ports/system.ts';
import type { Transaction, UnitOfWork } from '#application/unit-of-work.ts';
import type { Caller } from '#domain/access/caller.ts';
import type { Source } from '#domain/audit/audit-entry.ts';
import type { Organization } from '#domain/organizations/organization.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { dueAtOnce } from '#domain/shared/time.ts';
import { type Connection, hearConnection } from '#domain/sso/connection.ts';

/** The provider's name of the organization; undefined until it has been registered there. */
export const refOf = (organization: Organization | undefined, provider: IdentityProvider): string | undefined => {
  const ref = organization?.state.provider;
  return ref?.provider === provider.name ? ref.id : undefined;
};

/** What the provider lists is news like an event: it is written down, and told when it changes something. */
export const learn = async (
  tx: Transaction,
  organizationId: OrganizationId,
  listed: ListedConnection,
  clock: Clock,
): Promise<Connection> => {
  const before = await tx.connections.get(organizationId, listed.id);
  const connection = hearConnection(before, { organizationId, ...listed });
  if (connection === before) return connection;
  await tx.connections.save(connection);
  if (before?.state !== connection.state) tx.tell({ type: 'connection.changed', connection, before: before ?? null });
  if (!before) await tx.inbox.wake(dueAtOnce(clock.now()));
  return connection;
};

/**
 * @throws Refusal `connection.not_found`, also for one of another organization and for one that has been removed; and what
 * `acting` throws
 */
export const knownConnection = async (
  provider: IdentityProvider,
  uow: UnitOfWork,
  clock: Clock,
  caller: Caller,
  organizationId: OrganizationId,
  id: string,
  source: Source,
): Promise<Connection> => {
  const { known, ref } = await acting(uow, caller, organizationId, 'orgs:manage', source, async (tx) => ({
    known: await tx.connections.get(organizationId, id),
    ref: refOf(await tx.organizations.get(organizationId), provider),
  }));
  if (known?.state === 'deleted') throw new Refusal('connection.not_found');
  if (known) return known;
  const listed = ref === undefined ? [] : ((await provider.sso?.connections(ref)) ?? []);
  const found = listed.find((one) => one.id === id);
  if (!found) throw new Refusal('connection.not_found');
  const act = { actor: { kind: 'provider', id: provider.name }, source } as const;
  return uow.run(organizationId, act, (tx) => learn(tx, organizationId, found, clock));
};
