// What happens at WorkOS without us: its dashboard, its own sign-up, and a customer's directory. Each act is told by the events that WorkOS tells it by.

import { directory, directoryGroup, directoryUser, groupMember, type Wire } from '../workos-payloads.ts';
import { newId } from './stub-answers.ts';
import type { StubDirectories } from './stub-directories.ts';
import type { StubEvent } from './stub-events.ts';
import type { StubInvitation } from './stub-invitations.ts';
import type { StubDomain, StubMembership, StubOrganization, StubUser } from './stub-organizations.ts';
import type { StubSession } from './stub-sessions.ts';
import type { WorkosStub } from './workos-stub.ts';

export class Dashboard {
  readonly #stub: WorkosStub;
  readonly #now: () => Date;

  constructor(stub: WorkosStub, now: () => Date) {
    this.#stub = stub;
    this.#now = now;
  }

  /** Somebody signs up at WorkOS. */
  user(email: string, facts: Partial<StubUser> = {}): StubUser {
    const [first = email] = email.split('@');
    const name = { firstName: `${first.slice(0, 1).toUpperCase()}${first.slice(1)}`, lastName: 'Test' };
    const user = this.#stub.organizations.addUser({ email, ...name, ...facts });
    this.#tell('user.created', this.#stub.organizations.userWire(user));
    return user;
  }

  organization(name: string): StubOrganization {
    const organization = this.#stub.organizations.addOrganization(name);
    this.#tell('organization.created', this.#stub.organizations.wireOf(organization));
    return organization;
  }

  /** The record in the DNS was found; also for a domain that nobody claimed before. */
  verifyDomain(organization: string, name: string): void {
    const { organizations } = this.#stub;
    const known = organizations.domains.find((domain) => domain.organization === organization && domain.name === name);
    const domain: StubDomain = known ?? organizations.addDomain(organization, name);
    domain.state = 'verified';
    domain.updatedAt = this.#now();
    this.#tell('organization_domain.verified', organizations.domainWire(domain));
  }

  member(organization: string, user: string, role = 'member'): StubMembership {
    const membership = this.#stub.organizations.addMembership(organization, user, { role });
    this.#tell('organization_membership.created', this.#stub.organizations.membershipWire(membership));
    return membership;
  }

  revokeInvitation(invitation: StubInvitation): void {
    this.#stub.invitations.revoke(invitation);
  }

  changeRole(membership: StubMembership, role: string): void {
    membership.role = role;
    this.#tell('organization_membership.updated', this.#stub.organizations.membershipWire(membership));
  }

  /** Takes somebody out of an organization; WorkOS ends their sessions there. */
  removeMember(membership: StubMembership): void {
    const { organizations, sessions } = this.#stub;
    organizations.memberships = organizations.memberships.filter((one) => one !== membership);
    this.#tell('organization_membership.deleted', organizations.membershipWire(membership));
    for (const session of sessions.sessions) {
      const isTheirs = session.user === membership.user && session.organization === membership.organization;
      if (isTheirs && session.status === 'active') sessions.end(session);
    }
  }

  endSession(session: StubSession): void {
    this.#stub.sessions.end(session);
  }

  /** Connects an empty directory. */
  connectDirectory(organization: string): DirectoryAtWork {
    const wire = directory({ id: newId('directory'), organization_id: organization, ...this.#times() });
    this.#stub.directories.at(wire);
    this.#tell('dsync.activated', wire);
    return new DirectoryAtWork(wire, this.#stub.directories, (name, data) => this.#tell(name, data), this.#now);
  }

  #times(): Wire {
    const now = this.#now().toISOString();
    return { created_at: now, updated_at: now };
  }

  #tell(name: string, data: unknown): StubEvent {
    return this.#stub.events.record(name, data);
  }
}

/** A customer's directory in the hands of its IT department. Every act is told by one event, which is answered. */
export class DirectoryAtWork {
  readonly id: string;
  readonly #wire: Wire;
  readonly #place: Wire;
  readonly #lists: StubDirectories;
  readonly #tell: (name: string, data: unknown) => StubEvent;
  readonly #now: () => Date;
  readonly #people = new Map<string, Wire>();

  constructor(wire: Wire, lists: StubDirectories, tell: (name: string, data: unknown) => StubEvent, now: () => Date) {
    this.id = String(wire['id']);
    this.#wire = wire;
    this.#place = { directory_id: this.id, organization_id: wire['organization_id'] };
    this.#lists = lists;
    this.#tell = tell;
    this.#now = now;
  }

  hire(email: string): StubEvent {
    const person = directoryUser({
      ...this.#place,
      id: newId('directory_user'),
      idp_id: email,
      email,
      emails: [{ primary: true, type: 'work', value: email }],
      username: email,
      ...this.#times(),
    });
    this.#put(email, person);
    return this.#tell('dsync.user.created', person);
  }

  change(email: string, facts: Wire): StubEvent {
    const person = { ...this.#person(email), ...facts, updated_at: this.#now().toISOString() };
    this.#put(email, person);
    return this.#tell('dsync.user.updated', person);
  }

  group(name: string): Wire {
    const group = directoryGroup({ ...this.#place, id: newId('directory_group'), name, ...this.#times() });
    this.#lists.putGroup(this.id, group);
    this.#tell('dsync.group.created', group);
    return group;
  }

  join(email: string, group: Wire): StubEvent {
    this.#lists.membersOf(this.id, String(group['id'])).add(String(this.#person(email)['id']));
    return this.#tell('dsync.group.user_added', this.#link(email, group));
  }
  leave(email: string, group: Wire): StubEvent {
    this.#lists.membersOf(this.id, String(group['id'])).delete(String(this.#person(email)['id']));
    return this.#tell('dsync.group.user_removed', this.#link(email, group));
  }

  terminate(email: string): StubEvent {
    const person = this.#person(email);
    this.#lists.dropUser(this.id, String(person['id']));
    return this.#tell('dsync.user.deleted', person);
  }

  /** The whole directory is deleted. */
  remove(): StubEvent {
    this.#lists.drop(this.id);
    return this.#tell('dsync.deleted', this.#wire);
  }

  #times(): Wire {
    const at = this.#now().toISOString();
    return { created_at: at, updated_at: at };
  }

  #put(email: string, person: Wire): void {
    this.#people.set(email, person);
    this.#lists.putUser(this.id, person);
  }

  #link(email: string, group: Wire): Wire {
    return { ...groupMember({ user: this.#person(email), group }), directory_id: this.#place['directory_id'] };
  }

  #person(email: string): Wire {
    const person = this.#people.get(email);
    if (!person) throw new Error(`${email} is not in the directory`);
    return person;
  }
}
