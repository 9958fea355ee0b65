// Carries out what the directory decision asks for: let in, bring into line, or end one person's standing.

import { closeInvitation } from '#application/invitations/accept.ts';
import { endAccess } from '#application/memberships/end-access.ts';
import type { Ids } from '#application/ports/system.ts';
import type { Transaction } from '#application/unit-of-work.ts';
import { Membership } from '#domain/memberships/membership.ts';
import type { AssignableRole } from '#domain/memberships/role.ts';
import type { Organization } from '#domain/organizations/organization.ts';
import type { StandingDecision } from '#domain/provisioning/decide.ts';
import type { DirectoryUser } from '#domain/provisioning/directory-picture.ts';
import type { UserId } from '#domain/shared/ids.ts';
import { domainOf, type Email, parseEmail } from '#domain/users/email.ts';
import { User } from '#domain/users/user.ts';

export interface Occasion {
  readonly organization: Organization;
  /** When it was said, by the clock of whoever said it. */
  readonly said: Date;
  readonly now: Date;
  readonly ids: Ids;
}

export const carryOutAll = async (
  tx: Transaction,
  occasion: Occasion,
  standings: readonly StandingDecision[],
): Promise<void> => {
  // An owner goes last: a successor is then sought among those who stay.
  const isOwner = (decision: StandingDecision): number =>
    Number('membership' in decision && decision.membership.role === 'owner');
  for (const decision of standings.toSorted((a, b) => isOwner(a) - isOwner(b))) await carryOut(tx, occasion, decision);
};

const carryOut = async (tx: Transaction, occasion: Occasion, decision: StandingDecision): Promise<void> => {
  switch (decision.do) {
    case 'nothing':
      // The standing stays; the person's name or address may still be news.
      if (decision.because === 'as_it_should_be')
        await letIn(tx, occasion, decision.person, decision.person.userId, null);
      return;
    case 'grant':
      return letIn(tx, occasion, decision.person, decision.person.userId, decision.role);
    case 'update':
      return letIn(tx, occasion, decision.person, decision.membership.userId, decision.role);
    case 'revoke': {
      const { organization, said, now } = occasion;
      // Read again: an earlier decision of the same event may have made this member the owner.
      const membership = await tx.memberships.get(organization.state.id, decision.membership.id);
      if (membership) await endAccess(tx, organization, membership, 'directory_says_so', said, now);
    }
  }
};

/**
 * Makes the person whom a directory record names an active member.
 *
 * @param presumed whom the record meant until now
 * @param role null: as it is
 */
const letIn = async (
  tx: Transaction,
  occasion: Occasion,
  person: DirectoryUser,
  presumed: UserId | null,
  role: AssignableRole | null,
): Promise<void> => {
  const { organization, said, now, ids } = occasion;
  const organizationId = organization.state.id;
  const user = await userOf(tx, occasion, person, presumed);
  if (!user) return;

  const before = presumed === null ? undefined : await tx.memberships.ofUser(organizationId, presumed);
  const moved = before?.state.status === 'active' && before.state.userId !== user.state.id;
  // The address names somebody else now: whom it named before leaves, and the new one comes in.
  if (moved) await endAccess(tx, organization, before, 'directory_says_so', said, now);

  const standing =
    before?.state.userId === user.state.id ? before : await tx.memberships.ofUser(organizationId, user.state.id);
  if (standing?.state.status === 'active') {
    if (!role) return;
    standing.followSource('directory', role, said);
    await tx.save(standing);
    return;
  }
  const former = before?.state.role === 'owner' ? undefined : before?.state.role;
  const granted = role ?? former;
  if (!granted) return;
  const { id: userId } = user.state;
  await tx.save(
    Membership.grant({ id: ids.next('mem'), organizationId, userId, role: granted, managedBy: 'directory', at: said }),
  );
  await closeInvitation(tx, organizationId, user.state.email, 'directory_let_them_in');
};

/**
 * The user behind a directory record, linked to it from now on; undefined while the record has no readable address.
 *
 * A directory speaks for a person's name and address only under domains that its organization has verified. Under any other
 * domain a new address means another person: else one customer's directory could rename a user whom it shares with another
 * customer to an address of its own, and sign in as them.
 */
const userOf = async (
  tx: Transaction,
  { organization, said, ids }: Occasion,
  person: DirectoryUser,
  presumed: UserId | null,
): Promise<User | undefined> => {
  const email = person.email === null ? undefined : parseEmail(person.email);
  if (!email) return undefined;
  const entitled = (user: User): boolean =>
    organization.verifies(domainOf(user.state.email)) && organization.verifies(domainOf(email));

  const known = presumed === null ? undefined : await tx.users.get(presumed);
  const same = known?.state.status === 'active' && (known.state.email === email || entitled(known));
  const user = same ? known : await ownerOf(tx, email, person, ids, said);
  // As old as the description, not as the event at hand: a name that was said before that event may still come.
  if (entitled(user)) user.describe({ email, name: person.name, at: person.described.at });
  await tx.save(user);
  if (person.userId !== user.state.id) {
    await tx.directory.save({ directories: [], users: [{ ...person, userId: user.state.id }], groups: [], links: [] });
  }
  return user;
};

/** Whoever has this address already, or somebody new. */
const ownerOf = async (tx: Transaction, email: Email, person: DirectoryUser, ids: Ids, at: Date): Promise<User> => {
  const [oldest] = await tx.users.byEmail(email);
  const { name, described } = person;
  return oldest ?? User.register({ id: ids.next('user'), email, name, at, asOf: described.at });
};
