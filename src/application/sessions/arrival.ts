// Who arrives, and do they belong where they arrive? The two questions of every sign-in.

import { acceptInvitation } from '#application/invitations/accept.ts';
import type { ProvenIdentity } from '#application/ports/identity-provider.ts';
import type { Ids } from '#application/ports/system.ts';
import type { Transaction } from '#application/unit-of-work.ts';
import { Membership } from '#domain/memberships/membership.ts';
import type { Organization } from '#domain/organizations/organization.ts';
import type { UserId } from '#domain/shared/ids.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { domainOf, type Email, parseEmail } from '#domain/users/email.ts';
import { type ProviderIdentity, User } from '#domain/users/user.ts';

/**
 * The user of a proven identity: known by subject; or announced before (by a directory, an invitation) under an address that
 * the provider has verified, and not yet claimed by another subject; or new.
 * @throws Refusal `user.not_active`
 */
export const arrivingUser = async (
  tx: Transaction,
  provider: string,
  proven: Pick<ProvenIdentity, 'subject' | 'name'>,
  email: Email,
  ids: Ids,
  at: Date,
): Promise<UserId> => {
  const identity = { provider, subject: proven.subject };
  const user =
    (await tx.users.byIdentity(provider, proven.subject)) ??
    (await unclaimed(tx, provider, email)) ??
    User.register({ id: ids.next('user'), email, name: proven.name, identity, at });
  if (user.state.status !== 'active') throw new Refusal('user.not_active');
  await link(tx, user, identity);
  user.describe({ email, name: proven.name, at });
  await tx.save(user);
  return user.state.id;
};

/** Joins a provider's subject to a user. Where somebody was let in before the provider knew them, it now hears that they belong. */
export const link = async (tx: Transaction, user: User, identity: ProviderIdentity): Promise<void> => {
  const { provider, subject } = identity;
  if (user.isKnownTo(provider, subject)) return;
  user.linkIdentity(identity);
  const { id: userId } = user.state;
  for (const { state } of await tx.memberships.acrossOrganizations(userId)) {
    tx.after({ do: 'align_membership', organizationId: state.organizationId, userId });
  }
};

/** Somebody announced under this address whom this provider has no subject for yet. */
export const unclaimed = async (tx: Transaction, provider: string, email: Email): Promise<User | undefined> =>
  (await tx.users.byEmail(email)).find((user) => user.state.identities.every((known) => known.provider !== provider));

/**
 * The organization in which the person arrives; undefined when the provider named none.
 * @throws Refusal `sign_in.not_a_member`, `organization.not_active`
 */
export const placeOf = async (
  tx: Transaction,
  provider: string,
  proven: Pick<ProvenIdentity, 'organization' | 'method' | 'email' | 'impersonator'>,
  userId: UserId,
  ids: Ids,
  at: Date,
): Promise<Organization | undefined> => {
  if (proven.organization === null) return undefined;
  const organization = await tx.organizations.byProvider({ provider, id: proven.organization });
  if (!organization) throw new Refusal('sign_in.not_a_member');
  if (organization.state.status !== 'active') throw new Refusal('organization.not_active');

  const organizationId = organization.state.id;
  // The address was proved: no sign-in comes this far with one that the provider has not verified. Support staff accepts nothing.
  const email = proven.impersonator ? undefined : parseEmail(proven.email);
  if (email) await acceptInvitation(tx, organizationId, { userId, email }, ids, at);
  const standing = await tx.memberships.ofUser(organizationId, userId);
  if (standing?.state.status === 'active') return organization;
  if (!(await mayJoinBySigningIn(tx, organization, proven))) throw new Refusal('sign_in.not_a_member');
  const role = organization.state.provisioningPolicy.defaultRole;
  if (!role) throw new Refusal('sign_in.not_a_member');
  await tx.save(Membership.grant({ id: ids.next('mem'), organizationId, userId, role, managedBy: 'hand', at }));
  return organization;
};

/** Just in time: only by the organization's own SSO, from a domain it verified, and never where a directory decides. */
const mayJoinBySigningIn = async (
  tx: Transaction,
  organization: Organization,
  proven: Pick<ProvenIdentity, 'method' | 'email'>,
): Promise<boolean> =>
  organization.state.provisioningPolicy.justInTime &&
  proven.method === 'sso' &&
  organization.verifies(domainOf(proven.email.toLowerCase() as Email)) &&
  !(await tx.directory.anyConnected(organization.state.id));
