// A user: one person, across organizations.

import type { UserId } from '#domain/shared/ids.ts';
import type { Email } from '#domain/users/email.ts';

/** Who vouches for the person, and under which name. The only key that links a sign-in to a user; an e-mail alone never does. */
export interface ProviderIdentity {
  readonly provider: string;
  readonly subject: string;
}

export interface UserState {
  readonly id: UserId;
  readonly email: Email;
  readonly name: string | null;
  readonly status: 'active' | 'deleted';
  /** Empty for somebody whom a directory announced and who has not signed in yet. */
  readonly identities: readonly ProviderIdentity[];
  /** Time of the newest news about name, e-mail and status; older news is ignored. */
  readonly asOf: Date;
  readonly createdAt: Date;
  readonly version: number;
}

export type UserEvent =
  | { readonly type: 'user.registered'; readonly user: UserState }
  | { readonly type: 'user.identity_linked'; readonly user: UserState; readonly identity: ProviderIdentity }
  | { readonly type: 'user.changed' | 'user.deleted'; readonly user: UserState; readonly before: UserState };

export class User {
  readonly kind = 'user';
  #state: UserState;
  #events: UserEvent[] = [];

  private constructor(state: UserState) {
    this.#state = state;
  }

  static register(facts: {
    id: UserId;
    email: Email;
    name: string | null;
    identity?: ProviderIdentity;
    at: Date;
    /** When the name and address were said, if before `at`. */
    asOf?: Date;
  }): User {
    const user = new User({
      id: facts.id,
      email: facts.email,
      name: facts.name,
      status: 'active',
      identities: facts.identity ? [facts.identity] : [],
      asOf: facts.asOf ?? facts.at,
      createdAt: facts.at,
      version: 0,
    });
    user.#events.push({ type: 'user.registered', user: user.#state });
    return user;
  }

  static restore(state: UserState): User {
    return new User(state);
  }

  /** Joins a provider's subject to this person. The same subject again changes nothing. */
  linkIdentity(identity: ProviderIdentity): void {
    if (this.isKnownTo(identity.provider, identity.subject)) return;
    this.#state = { ...this.#state, identities: [...this.#state.identities, identity] };
    this.#events.push({ type: 'user.identity_linked', user: this.#state, identity });
  }

  /**
   * Takes over name and e-mail as somebody entitled reports them. News older than ours, or about somebody deleted, does
   * nothing; news that changes nothing still counts as news, so that older words cannot undo it.
   */
  describe(facts: { email: Email; name: string | null; at: Date }): void {
    const before = this.#state;
    if (before.status === 'deleted' || facts.at < before.asOf) return;
    const name = facts.name ?? before.name;
    this.#state = { ...before, email: facts.email, name, asOf: facts.at };
    if (facts.email === before.email && name === before.name) return;
    this.#events.push({ type: 'user.changed', user: this.#state, before });
  }

  /** The provider deleted the person. Final; the second time changes nothing. */
  delete(at: Date): void {
    if (this.#state.status === 'deleted') return;
    const before = this.#state;
    this.#state = { ...before, status: 'deleted', asOf: at };
    this.#events.push({ type: 'user.deleted', user: this.#state, before });
  }

  isKnownTo(provider: string, subject: string): boolean {
    return this.#state.identities.some((known) => known.provider === provider && known.subject === subject);
  }

  get state(): UserState {
    return this.#state;
  }
  pullEvents(): UserEvent[] {
    return this.#events.splice(0);
  }
}
