// Small changes that several parts of the world cause in each other, each said as the event that it is.

import type { Journal } from '#adapters/identity/fake/journal.ts';
import {
  membershipOnWire,
  previousAttributes,
  sessionOnWire,
  userOnWire,
} from '#adapters/identity/fake/wire-payloads.ts';
import type { FakeOrganization, FakeSession, Person } from '#adapters/identity/fake/world-state.ts';

export const isAlive = (journal: Journal, session: FakeSession): boolean =>
  session.endedAt === null && journal.now() < session.expiresAt;

export const endSession = (journal: Journal, session: FakeSession): void => {
  session.endedAt = journal.now();
  session.updatedAt = journal.now();
  journal.sayLater({ name: 'session.revoked', data: sessionOnWire(session) });
};

/** All of a person's sessions, or those in one organization. */
export const endSessionsOf = (journal: Journal, subject: string, organization?: string): void => {
  for (const session of journal.state.sessions) {
    const meant = session.subject === subject && (organization === undefined || session.organization === organization);
    if (meant && isAlive(journal, session)) endSession(journal, session);
  }
};

/** The same address and name again: nothing is said. */
export const describePerson = (journal: Journal, person: Person, email: string, name: string | null): void => {
  const before = userOnWire(person);
  Object.assign(person, { email, name });
  const previous = previousAttributes(before, userOnWire(person));
  if (Object.keys(previous).length === 0) return;
  person.updatedAt = journal.now();
  journal.sayLater({ name: 'user.updated', data: userOnWire(person), context: { previous_attributes: previous } });
};

/** Already a member: nothing is said. */
export const enlist = (journal: Journal, person: Person, organization: FakeOrganization, role: string): void => {
  const { memberships } = journal.state;
  if (memberships.some((one) => one.subject === person.subject && one.organization === organization.ref)) return;
  const membership = {
    id: journal.id('om'),
    subject: person.subject,
    organization: organization.ref,
    role,
    ...journal.born(),
  };
  memberships.push(membership);
  journal.sayLater({ name: 'organization_membership.created', data: membershipOnWire(membership) });
};

/** Not a member: nothing is said. Sessions in the organization end with the membership. */
export const strike = (journal: Journal, subject: string, organization: string): void => {
  const { memberships } = journal.state;
  const at = memberships.findIndex((one) => one.subject === subject && one.organization === organization);
  const [membership] = at === -1 ? [] : memberships.splice(at, 1);
  if (!membership) return;
  journal.sayLater({ name: 'organization_membership.deleted', data: membershipOnWire(membership) });
  endSessionsOf(journal, subject, organization);
};
