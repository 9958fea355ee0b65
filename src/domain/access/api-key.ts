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
  /** `expired` is written down some time after the end has come; until then `expiresAt` alone decides. */
  readonly status: 'active' | 'revoked' | 'expired';
  /** Exclusive: at this very moment the key no longer works. Null: never expires. */
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
  readonly createdBy: Maker;
  readonly createdAt: Date;
  readonly revokedAt: Date | null;
  readonly version: number;
}

/** What a key may do, where, and for how long. */
export interface KeyReach {
  readonly mode: KeyMode;
  readonly scopes: readonly Scope[];
  readonly ipAllowlist: readonly string[];
  readonly expiresAt: Date | null;
}

/**
 * What a new key gets of what was wished for: never more than its maker has. A key that makes keys passes on its own limits:
 * its mode, its addresses, and its end. Scopes come in catalogue order.
 * @throws Refusal `api_key.beyond_maker` where the wish goes further, `api_key.without_scopes` when nothing is wished for
 */
export const narrowedTo = (
  wish: KeyReach,
  maker: { readonly scopes: readonly Scope[]; readonly key?: KeyReach | undefined },
): Pick<KeyReach, 'scopes' | 'ipAllowlist' | 'expiresAt'> => {
  const beyond = wish.scopes.filter((scope) => !maker.scopes.includes(scope));
  if (beyond.length > 0) throw new Refusal('api_key.beyond_maker', { scopes: inOrder(beyond) });
  if (wish.scopes.length === 0) throw new Refusal('api_key.without_scopes');
  const scopes = inOrder(wish.scopes);
  const { key } = maker;
  if (!key) return { scopes, ipAllowlist: wish.ipAllowlist, expiresAt: wish.expiresAt };

  if (wish.mode !== key.mode) throw new Refusal('api_key.beyond_maker', { mode: wish.mode });
  const elsewhere =
    key.ipAllowlist.length === 0 ? [] : wish.ipAllowlist.filter((block) => !key.ipAllowlist.includes(block));
  if (elsewhere.length > 0) throw new Refusal('api_key.beyond_maker', { ip_allowlist: elsewhere });
  if (key.expiresAt && wish.expiresAt && wish.expiresAt > key.expiresAt) {
    throw new Refusal('api_key.beyond_maker', { expires_at: key.expiresAt.toISOString() });
  }
  return {
    scopes,
    ipAllowlist: wish.ipAllowlist.length > 0 ? wish.ipAllowlist : key.ipAllowlist,
    expiresAt: wish.expiresAt ?? key.expiresAt,
  };
};

export type ApiKeyEvent = {
  readonly type: 'api_key.issued' | 'api_key.revoked' | 'api_key.expired';
  readonly key: ApiKeyState;
};

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
    if (this.#state.status !== 'active') return;
    this.#state = { ...this.#state, status: 'revoked', revokedAt: at };
    this.#events.push({ type: 'api_key.revoked', key: this.#state });
  }

  /** Writes down that its time has run out. Changes nothing while it has not, and nothing of a key that was revoked. */
  expire(now: Date): void {
    const { status, expiresAt } = this.#state;
    if (status !== 'active' || expiresAt === null || now < expiresAt) return;
    this.#state = { ...this.#state, status: 'expired' };
    this.#events.push({ type: 'api_key.expired', key: this.#state });
  }

  get state(): ApiKeyState {
    return this.#state;
  }
  pullEvents(): ApiKeyEvent[] {
    return this.#events.splice(0);
  }
}
