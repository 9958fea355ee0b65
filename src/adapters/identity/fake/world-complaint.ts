// What the world says no with when it is asked for something that is not there, or that somebody else has.

import type { FakeOrganization, Person, WorldState } from '#adapters/identity/fake/world-state.ts';
import { parseEmail } from '#domain/users/email.ts';

export class WorldComplaint extends Error {
  readonly reason:
    | 'organization_not_found'
    | 'person_not_found'
    | 'connection_not_found'
    | 'directory_not_found'
    | 'directory_user_not_found'
    | 'directory_group_not_found'
    | 'email_invalid'
    | 'email_taken'
    | 'group_name_taken';

  constructor(reason: WorldComplaint['reason'], message: string) {
    super(message);
    this.name = 'WorldComplaint';
    this.reason = reason;
  }
}

export const addressFrom = (text: string): string => {
  const email = parseEmail(text);
  if (!email) throw new WorldComplaint('email_invalid', 'That is not an e-mail address.');
  return email;
};

export const personIn = (state: WorldState, subject: string): Person => {
  const person = state.people.find((one) => one.subject === subject);
  if (!person) throw new WorldComplaint('person_not_found', 'No such person.');
  return person;
};

export const organizationIn = (state: WorldState, ref: string): FakeOrganization => {
  const organization = state.organizations.find((one) => one.ref === ref);
  if (!organization) throw new WorldComplaint('organization_not_found', 'No such organization.');
  return organization;
};
