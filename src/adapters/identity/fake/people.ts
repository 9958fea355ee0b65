// The people whom the provider knows, across organizations.

import type { Journal } from '#adapters/identity/fake/journal.ts';
import { describePerson, endSessionsOf, strike } from '#adapters/identity/fake/ripples.ts';
import { userOnWire } from '#adapters/identity/fake/wire-payloads.ts';
import { addressFrom, personIn, WorldComplaint } from '#adapters/identity/fake/world-complaint.ts';
import type { Person } from '#adapters/identity/fake/world-state.ts';
import { parseEmail } from '#domain/users/email.ts';

export class FakePeople {
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  all(): readonly Person[] {
    return this.#journal.state.people;
  }

  byEmail(text: string): Person | undefined {
    const email = parseEmail(text);
    return this.#journal.state.people.find((person) => person.email === email);
  }

  /** A person whom the provider knows. Somebody with that address already: that one, unchanged. */
  async add(facts: {
    readonly email: string;
    readonly name: string | null;
    readonly password?: boolean | undefined;
    readonly emailVerified?: boolean | undefined;
  }): Promise<Person> {
    const email = addressFrom(facts.email);
    const known = this.#journal.state.people.find((person) => person.email === email);
    if (known) return known;
    const person: Person = {
      subject: this.#journal.id('user'),
      email,
      emailVerified: facts.emailVerified ?? true,
      name: facts.name,
      password: facts.password ?? true,
      terminated: false,
      lastOrganization: null,
      lastSignInAt: null,
      ...this.#journal.born(),
    };
    this.#journal.state.people.push(person);
    this.#journal.sayLater({ name: 'user.created', data: userOnWire(person) });
    await this.#journal.saved();
    return person;
  }

  /** Changes what is known of a person. */
  async change(
    subject: string,
    change: { readonly email?: string | undefined; readonly name?: string | undefined },
  ): Promise<Person> {
    const person = personIn(this.#journal.state, subject);
    const email = change.email === undefined ? person.email : addressFrom(change.email);
    if (this.#journal.state.people.some((other) => other !== person && other.email === email)) {
      throw new WorldComplaint('email_taken', `${email} is somebody else's address.`);
    }
    describePerson(this.#journal, person, email, change.name ?? person.name);
    await this.#journal.saved();
    return person;
  }

  /** Bars a person from signing in anywhere, and ends their sessions. The second time changes nothing. */
  async terminate(subject: string): Promise<void> {
    const person = personIn(this.#journal.state, subject);
    if (person.terminated) return;
    person.terminated = true;
    person.updatedAt = this.#journal.now();
    endSessionsOf(this.#journal, subject);
    await this.#journal.saved();
  }

  /** The provider forgets a person: sessions and memberships end with it. */
  async remove(subject: string): Promise<void> {
    const person = personIn(this.#journal.state, subject);
    endSessionsOf(this.#journal, subject);
    const theirs = this.#journal.state.memberships.filter((one) => one.subject === subject);
    for (const { organization } of theirs) strike(this.#journal, subject, organization);
    for (const user of this.#journal.state.directories.flatMap(({ users }) => users)) {
      if (user.subject === subject) user.subject = null;
    }
    this.#journal.state.people.splice(this.#journal.state.people.indexOf(person), 1);
    this.#journal.state.codes = this.#journal.state.codes.filter((code) => code.subject !== subject);
    this.#journal.sayLater({ name: 'user.deleted', data: userOnWire(person) });
    await this.#journal.saved();
  }
}
