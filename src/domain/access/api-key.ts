// An API key: the credential of an agent. Only a keyed digest of its secret is ever stored.

import type { KeyMode } from '#domain/access/api-key-secret.ts';
import { inOrder, type Scope } from '#domain/access/scope.ts';
import type { AgentId, ApiKeyId, OrganizationId } from '#domain/shared/ids.ts';
import { Refusal } from '#domain/shared/refusal.ts';

/** Who made a key or an agent: a person or an agent (through its own key). */
export interface Maker {
  readonly kind: 'user' | 'agent';
  readonly id: string;
}

export interface ApiKeyState {
  readonly id: ApiKeyId;
  readonly organizationId: OrganizationId;
  readonly agentId: AgentId;
  readonly name: string;
  readonly mode: KeyMode;
  readonly scopes: readonly Scope[];
  /** HMAC-SHA-256 of the secret under the newest pepper, hex. */
  readonly digest: string;
  readonly prefix: string;
  readonly lastFour: string;
  /** CIDR blocks (v4 or v6) from which the key may be used; empty: from anywhere. */
  readonly ipAllowlist: readonly string[];
  readonly status: 'active' | 'revoked';
  /** Exclusive: at this very moment the key no longer works. Null: never expires. */
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
  readonly createdBy: Maker;
  readonly createdAt: Date;
  readonly revokedAt: Date | null;
  readonly version: number;
}

/**
 * The scopes a new key gets, in catalogue order.
 * @throws Refusal `api_key.beyond_maker` when one of them is not its maker's own, `api_key.without_scopes` when there are none.
 */
export const narrowedTo = (wanted: readonly Scope[], makersOwn: readonly Scope[]): Scope[] => {
  const beyond = wanted.filter((scope) => !makersOwn.includes(scope));
  if (beyond.length > 0) throw new Refusal('api_key.beyond_maker', { scopes: inOrder(beyond) });
  if (wanted.length === 0) throw new Refusal('api_key.without_scopes');
  return inOrder(wanted);
};

export type ApiKeyEvent = { readonly type: 'api_key.issued' | 'api_key.revoked'; readonly key: ApiKeyState };

export class ApiKey {
  readonly kind = 'api_key';
  #state: ApiKeyState;
  #events: ApiKeyEvent[] = [];

  private constructor(state: ApiKeyState) {
    this.#state = state;
  }

  static issue(
    facts: Omit<ApiKeyState, 'status' | 'lastUsedAt' | 'revokedAt' | 'createdAt' | 'version'> & { at: Date },
  ): ApiKey {
    const { at, ...rest } = facts;
    const key = new ApiKey({ ...rest, status: 'active', lastUsedAt: null, revokedAt: null, createdAt: at, version: 0 });
    key.#events.push({ type: 'api_key.issued', key: key.#state });
    return key;
  }

  static restore(state: ApiKeyState): ApiKey {
    return new ApiKey(state);
  }

  /** Ends the key at once. The second time changes nothing. */
  revoke(at: Date): void {
    if (this.#state.status === 'revoked') return;
    this.#state = { ...this.#state, status: 'revoked', revokedAt: at };
    this.#events.push({ type: 'api_key.revoked', key: this.#state });
  }

  get state(): ApiKeyState {
    return this.#state;
  }
  pullEvents(): ApiKeyEvent[] {
    return this.#events.splice(0);
  }
}
