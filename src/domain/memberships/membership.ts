// One person's standing in one organization. Revoked is final: coming back means a new membership.

import type { AssignableRole, Role } from '#domain/memberships/role.ts';
import type { MembershipId, OrganizationId, UserId } from '#domain/shared/ids.ts';
import { Refusal } from '#domain/shared/refusal.ts';

/** Who decides about this membership: people by hand, the directory, or the provider's own membership list. */
export type Manager = 'hand' | 'directory' | 'provider';

/** Why somebody's access ended; shown in the audit trail. */
export type LeavingReason =
  | 'removed_by_member'
  | 'directory_says_so'
  | 'provider_says_so'
  | 'user_deleted'
  | 'organization_deleted';

const enderOf: Partial<Record<LeavingReason, Manager>> = {
  removed_by_member: 'hand',
  directory_says_so: 'directory',
  provider_says_so: 'provider',
};

export interface MembershipState {
  readonly id: MembershipId;
  readonly organizationId: OrganizationId;
  readonly userId: UserId;
  readonly role: Role;
  readonly status: 'active' | 'revoked';
  readonly managedBy: Manager;
  /** Time of the news that made it so; older news is ignored. */
  readonly asOf: Date;
  readonly createdAt: Date;
  readonly version: number;
}

export type MembershipEvent =
  | { readonly type: 'membership.granted'; readonly membership: MembershipState }
  | {
      readonly type: 'membership.role_changed' | 'membership.manager_changed';
      readonly membership: MembershipState;
      readonly before: MembershipState;
    }
  | {
      readonly type: 'membership.revoked';
      readonly membership: MembershipState;
      readonly before: MembershipState;
      readonly because: LeavingReason;
    };

export class Membership {
  readonly kind = 'membership';
  #state: MembershipState;
  #events: MembershipEvent[] = [];

  private constructor(state: MembershipState) {
    this.#state = state;
  }

  static grant(facts: {
    id: MembershipId;
    organizationId: OrganizationId;
    userId: UserId;
    role: Role;
    managedBy: Manager;
    at: Date;
  }): Membership {
    const membership = new Membership({
      id: facts.id,
      organizationId: facts.organizationId,
      userId: facts.userId,
      role: facts.role,
      status: 'active',
      managedBy: facts.managedBy,
      asOf: facts.at,
      createdAt: facts.at,
      version: 0,
    });
    membership.#events.push({ type: 'membership.granted', membership: membership.#state });
    return membership;
  }

  static restore(state: MembershipState): Membership {
    return new Membership(state);
  }

  /** The same role again changes nothing. Who may change whom is asked before, in `ownership.ts`. */
  changeRole(role: Role, at: Date): void {
    this.#refuseWhenRevoked();
    const before = this.#state;
    if (role === before.role) return;
    this.#state = { ...before, role, asOf: at };
    this.#events.push({ type: 'membership.role_changed', membership: this.#state, before });
  }

  /** A person's decision: from now on it stands above the provider's own word on this member. The same again changes nothing. */
  assignRole(role: AssignableRole, at: Date): void {
    this.#refuseWhenRevoked();
    if (this.#state.managedBy === 'provider') this.followSource('hand', role, at);
    else this.changeRole(role, at);
  }

  /** The directory (or the provider) speaks for this member from now on, and with this role. An owner stays owner. */
  followSource(managedBy: Manager, role: AssignableRole, at: Date): void {
    this.#refuseWhenRevoked();
    if (this.#state.managedBy !== managedBy) {
      const before = this.#state;
      this.#state = { ...before, managedBy, asOf: at };
      this.#events.push({ type: 'membership.manager_changed', membership: this.#state, before });
    }
    if (this.#state.role !== 'owner') this.changeRole(role, at);
  }

  /** Ends the standing at once, and remembers whose word ended it: only theirs can bring the person back. Asking twice is not an error. */
  revoke(because: LeavingReason, at: Date): void {
    if (this.#state.status === 'revoked') return;
    const before = this.#state;
    this.#state = { ...before, status: 'revoked', managedBy: enderOf[because] ?? before.managedBy, asOf: at };
    this.#events.push({ type: 'membership.revoked', membership: this.#state, before, because });
  }

  #refuseWhenRevoked(): void {
    if (this.#state.status === 'revoked') throw new Refusal('membership.revoked', { member: this.#state.id });
  }

  get state(): MembershipState {
    return this.#state;
  }
  pullEvents(): MembershipEvent[] {
    return this.#events.splice(0);
  }
}
