// Applies what a provider said about users, organizations, domains, memberships, invitations, sessions and connections. Each handler may hear it twice, late, or in any order.

import { acceptInvitation } from '#application/invitations/accept.ts';
import { endAccess } from '#application/memberships/end-access.ts';
import { freeSlug } from '#application/organizations/create-organization.ts';
import type { Clock, Ids } from '#application/ports/system.ts';
import { applyDirectoryEvent } from '#application/provisioning/apply-directory-event.ts';
import type { ProviderEvent } from '#application/provisioning/provider-event.ts';
import { link, unclaimed } from '#application/sessions/arrival.ts';
import { endEach } from '#application/sessions/end-sessions.ts';
import type { Transaction } from '#application/unit-of-work.ts';
import { Membership } from '#domain/memberships/membership.ts';
import { assignableRoles } from '#domain/memberships/role.ts';
import { Organization } from '#domain/organizations/organization.ts';
import { isActive } from '#domain/provisioning/directory-picture.ts';
import { isId } from '#domain/shared/ids.ts';
import { dueAtOnce } from '#domain/shared/time.ts';
import { hearCertificate, hearConnection } from '#domain/sso/connection.ts';
import { parseEmail } from '#domain/users/email.ts';
import { User } from '#domain/users/user.ts';

/** `waits`: it is about something not heard of yet. `old`: authentic, and without effect by now. */
export type Applied =
  | { readonly is: 'applied' }
  | { readonly is: 'old' | 'ignored' | 'waits'; readonly because: string };

type About<A extends ProviderEvent['about']> = Extract<ProviderEvent, { readonly about: A }>;

const applied: Applied = { is: 'applied' };
const old: Applied = { is: 'old', because: 'overtaken by newer news, or heard before' };
const waitsFor = (what: string): Applied => ({ is: 'waits', because: `${what} is not known yet` });

export interface Hearing {
  readonly tx: Transaction;
  readonly provider: string;
  /** The organization that the event names, where we know it. */
  readonly organization: Organization | undefined;
  readonly ids: Ids;
  readonly clock: Clock;
}

export const applyProviderEvent = async (hearing: Hearing, event: ProviderEvent): Promise<Applied> => {
  switch (event.about) {
    case 'directory': {
      const { tx, organization, ids, clock } = hearing;
      if (!organization) return waitsFor('the organization of this directory');
      return (await applyDirectoryEvent(tx, organization, event.event, ids, clock)) ? applied : old;
    }
    case 'user':
      return hearUser(hearing, event);
    case 'organization':
      return hearOrganization(hearing, event);
    case 'domain':
      return hearDomain(hearing, event);
    case 'membership':
      return hearMembership(hearing, event);
    case 'invitation':
      return hearInvitation(hearing, event);
    case 'session':
      return hearSession(hearing, event);
    case 'connection':
      return 'certificate' in event ? hearCertificateNews(hearing, event) : hearConnectionState(hearing, event);
    case 'nothing':
      return { is: 'ignored', because: event.because };
  }
};

const hearUser = async (hearing: Hearing, event: About<'user'>): Promise<Applied> => {
  const { tx, provider, ids, clock } = hearing;
  const identity = { provider, subject: event.subject };
  const known = await tx.users.byIdentity(provider, event.subject);
  if (known?.state.status === 'deleted') return old;
  const email = parseEmail(event.email) ?? known?.state.email;
  if (!email) return { is: 'ignored', because: 'the address is not readable' };
  const register = (): User => User.register({ id: ids.next('user'), email, name: event.name, identity, at: event.at });

  // Somebody whom we never met is remembered as gone, so that older news about them lets nobody in.
  if (event.what === 'deleted') return endUser(hearing, known ?? register(), event.at);

  // An address that nobody verified is a claim: taken over, it would make its claimant whoever is hired under it next.
  if (!event.emailVerified) return { is: 'ignored', because: 'the address is not verified yet' };
  const user = known ?? (await unclaimed(tx, provider, email)) ?? register();
  await link(tx, user, identity);
  user.describe({ email, name: event.name, at: event.at });
  await tx.save(user);
  await tx.inbox.wake(dueAtOnce(clock.now()));
  return applied;
};

/** The person is gone everywhere: every membership, every session, and the user itself. */
const endUser = async ({ tx, clock }: Hearing, user: User, at: Date): Promise<Applied> => {
  for (const membership of await tx.memberships.acrossOrganizations(user.state.id)) {
    const organization = await tx.organizations.get(membership.state.organizationId);
    if (organization) await endAccess(tx, organization, membership, 'user_deleted', at, clock.now());
  }
  await endEach(tx, await tx.sessions.activeOfUser(user.state.id), 'user_deleted', clock.now());
  user.delete(at);
  await tx.save(user);
  return applied;
};

const hearOrganization = async (hearing: Hearing, event: About<'organization'>): Promise<Applied> => {
  const { tx, provider, ids, clock } = hearing;
  const ref = { provider, id: event.organization };
  const ours =
    event.externalId !== null && isId('org', event.externalId)
      ? await tx.organizations.get(event.externalId)
      : undefined;
  const known = hearing.organization ?? ours;
  if (!known && event.externalId !== null) return { is: 'ignored', because: 'its external id is none of ours' };
  if (known && known.state.provider !== null && known.state.provider.id !== event.organization) {
    return { is: 'ignored', because: 'our organization is linked to another one of the provider' };
  }
  const organization =
    known ??
    Organization.found({
      id: ids.next('org'),
      name: event.name,
      slug: await freeSlug(event.name, event.organization, (slug) => tx.organizations.isTaken(slug)),
      domains: [],
      at: event.at,
    });
  if (organization.state.status === 'deleted') return old;
  organization.link(ref);
  // Made at the provider, it has nobody yet; an operator or its directory brings people.
  if (!known) organization.loseOwner();

  if (event.what === 'deleted') {
    organization.delete();
    await tx.save(organization);
    await endEach(tx, await tx.sessions.activeIn(organization.state.id), 'organization_deleted', clock.now());
    return applied;
  }
  for (const { name, state } of event.domains) {
    const holder = await tx.organizations.verifying(name);
    if (holder && holder.state.id !== organization.state.id) continue;
    organization.hearDomain({ name, state, asOf: event.at });
  }
  await tx.save(organization);
  await tx.inbox.wake(dueAtOnce(clock.now()));
  return applied;
};

const hearDomain = async ({ tx, organization }: Hearing, event: About<'domain'>): Promise<Applied> => {
  if (!organization) return waitsFor('the organization of this domain');
  const holder = await tx.organizations.verifying(event.name);
  if (holder && holder.state.id !== organization.state.id) {
    return { is: 'ignored', because: 'another organization has verified this domain' };
  }
  const before = organization.state;
  if (event.state === 'deleted') organization.loseDomain(event.name, event.at);
  else organization.hearDomain({ name: event.name, state: event.state, asOf: event.at });
  await tx.save(organization);
  return organization.state === before ? old : applied;
};

const hearMembership = async (hearing: Hearing, event: About<'membership'>): Promise<Applied> => {
  const { tx, provider, organization, ids, clock } = hearing;
  if (event.status === 'pending') return { is: 'ignored', because: 'an invitation is no membership yet' };
  if (!organization) return waitsFor('the organization of this membership');
  const user = await tx.users.byIdentity(provider, event.subject);
  if (!user) return waitsFor('the person of this membership');
  const organizationId = organization.state.id;
  const userId = user.state.id;
  const standing = await tx.memberships.ofUser(organizationId, userId);
  if (standing && event.at < standing.state.asOf) return old;

  const records = await tx.directory.recordsOf(organizationId, [userId]);
  const picture = await tx.directory.pictureOf(organizationId, records);
  if (event.status === 'ended') {
    if (standing?.state.status !== 'active') return old;
    // It may be the echo of a dismissal of ours which the person's return has overtaken: about its own people the directory decides.
    if (standing.state.managedBy === 'directory' && records.some((record) => isActive(picture, record))) {
      return { is: 'ignored', because: 'the directory says that this person is in' };
    }
    await endAccess(tx, organization, standing, 'provider_says_so', event.at, clock.now());
    return applied;
  }

  const { provisioningPolicy } = organization.state;
  const role = assignableRoles.find((known) => known === event.role) ?? provisioningPolicy.defaultRole;
  if (standing?.state.status === 'active') {
    // Our own word stands; the provider's counts only for members that it brought.
    if (standing.state.managedBy !== 'provider' || !role) return old;
    standing.followSource('provider', role, event.at);
    await tx.save(standing);
    return applied;
  }
  const { email } = user.state;
  if ((await acceptInvitation(tx, organizationId, { userId, email }, ids, event.at)) === 'joined') return applied;
  const invitation = (await tx.invitations.newestTo(organizationId, email))?.state;
  if (invitation?.status === 'revoked' && event.at < invitation.expiresAt) {
    // Taken up there while it was being taken back here: ours is the word that counts, and the provider hears it.
    tx.after({ do: 'align_membership', organizationId, userId });
    return { is: 'ignored', because: 'the invitation to this person was revoked' };
  }
  // Who left by our own decision comes back by our own decision only: an echo of an earlier grant must not undo a revocation.
  if (standing && standing.state.managedBy !== 'provider') return { is: 'ignored', because: 'access ended here' };
  if (user.state.status !== 'active' || !role) return { is: 'ignored', because: 'nothing here grants access' };
  // Providers make members of those who merely sign in. Where a directory decides, it decides about them too.
  if (records.length > 0 || (await tx.directory.anyConnected(organizationId))) {
    return { is: 'ignored', because: 'the directory decides who belongs here' };
  }
  await tx.save(
    Membership.grant({ id: ids.next('mem'), organizationId, userId, role, managedBy: 'provider', at: event.at }),
  );
  return applied;
};

/** The person's own arrival may come first, or never: somebody with two organizations may go on to the other one. */
const hearInvitation = async (hearing: Hearing, event: About<'invitation'>): Promise<Applied> => {
  const { tx, provider, organization, ids } = hearing;
  if (event.what === 'sent')
    return { is: 'old', because: 'what we had sent we know; what others send there counts when it is accepted' };
  if (event.organization === null) return { is: 'ignored', because: 'it asks into no organization' };
  if (!organization) return waitsFor('the organization of this invitation');
  const organizationId = organization.state.id;
  const email = parseEmail(event.email);
  const invitation = email && (await tx.invitations.pendingTo(organizationId, email));
  if (!email || !invitation) return { is: 'old', because: 'no invitation to this address is pending here' };

  if (event.what === 'revoked') {
    if (invitation.state.provider?.id !== event.id) return { is: 'old', because: 'another mail has taken its place' };
    invitation.revoke('provider_says_so');
    await tx.save(invitation);
    return applied;
  }
  if (event.acceptedBy === null) return { is: 'ignored', because: 'it does not say who accepted' };
  const user = await tx.users.byIdentity(provider, event.acceptedBy);
  if (!user) return waitsFor('the person who accepted this invitation');
  const { id: userId, status } = user.state;
  if (status !== 'active' || user.state.email !== email)
    return { is: 'ignored', because: 'it was for another address' };
  const outcome = await acceptInvitation(tx, organizationId, { userId, email }, ids, event.at);
  if (outcome === 'none_open') return { is: 'ignored', because: 'its time had run out' };
  return outcome === 'directory_decides'
    ? { is: 'ignored', because: 'the directory decides about this person' }
    : applied;
};

const hearSession = async ({ tx, provider, clock }: Hearing, event: About<'session'>): Promise<Applied> => {
  const session = await tx.sessions.byProviderSession(provider, event.providerSession);
  if (!session) return { is: 'old', because: 'no session of ours stands on it' };
  return (await endEach(tx, [session], 'provider_ended', clock.now())) > 0 ? applied : old;
};

type AboutCertificate = Extract<About<'connection'>, { readonly certificate: unknown }>;

const hearConnectionState = async (
  { tx, organization, clock }: Hearing,
  event: Exclude<About<'connection'>, AboutCertificate>,
): Promise<Applied> => {
  if (!organization) return waitsFor('the organization of this connection');
  const organizationId = organization.state.id;
  const before = await tx.connections.get(organizationId, event.id);
  const { id, name, type, state, at: asOf } = event;
  const connection = hearConnection(before, { id, organizationId, name, type, state, asOf });
  if (connection === before) return old;
  await tx.connections.save(connection);
  // Said again later, it only moves its time: nothing that the trail should tell.
  if (before?.state !== connection.state || before.name !== connection.name) {
    tx.tell({ type: 'connection.changed', connection, before: before ?? null });
  }
  if (!before) await tx.inbox.wake(dueAtOnce(clock.now()));
  return applied;
};

const hearCertificateNews = async ({ tx, organization }: Hearing, event: AboutCertificate): Promise<Applied> => {
  if (!organization) return waitsFor('the organization of this connection');
  const before = await tx.connections.get(organization.state.id, event.id);
  if (!before) return waitsFor('the connection of this certificate');
  const { kind } = event.certificate;
  const connection = hearCertificate(before, { ...event.certificate, at: event.at });
  if (connection === before) return old;
  await tx.connections.save(connection);
  const certificate = connection.certificates.find((one) => one.kind === kind);
  const known = before.certificates.find((one) => one.kind === kind);
  // A warning or a renewal that is repeated says nothing new to the admins.
  if (certificate && (!known || (known.warnedAt === null) !== (certificate.warnedAt === null))) {
    const type = certificate.warnedAt ? 'connection.certificate_expiring' : 'connection.certificate_renewed';
    tx.tell({ type, connection, certificate });
  }
  return applied;
};
