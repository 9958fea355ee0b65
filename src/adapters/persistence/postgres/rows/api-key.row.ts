// How an API key lies in the database: its digest, never its secret.

import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import type { ApiKeyState, Maker } from '#domain/access/api-key.ts';
import type { KeyMode } from '#domain/access/api-key-secret.ts';
import type { Scope } from '#domain/access/scope.ts';
import type { AgentId, ApiKeyId, OrganizationId } from '#domain/shared/ids.ts';

export const ApiKeyRow = defineEntity({
  name: 'ApiKeyRow',
  tableName: 'api_keys',
  properties: {
    id: p.string().$type<ApiKeyId>().primary(),
    organizationId: p.string().$type<OrganizationId>(),
    agentId: p.string().$type<AgentId>(),
    name: p.string(),
    mode: p.string().$type<KeyMode>(),
    scopes: p.json<readonly Scope[]>(),
    digest: p.string(),
    prefix: p.string(),
    lastFour: p.string(),
    ipAllowlist: p.json<readonly string[]>(),
    status: p.string().$type<ApiKeyState['status']>(),
    expiresAt: p.datetime(3).nullable(),
    lastUsedAt: p.datetime(3).nullable(),
    createdBy: p.json<Maker>(),
    createdAt: p.datetime(3),
    revokedAt: p.datetime(3).nullable(),
    version: p.integer(),
  },
});
export type ApiKeyRow = InferEntity<typeof ApiKeyRow>;

export const apiKeyFromRow = (row: ApiKeyRow): ApiKeyState => ({
  id: row.id,
  organizationId: row.organizationId,
  agentId: row.agentId,
  name: row.name,
  mode: row.mode,
  scopes: row.scopes,
  digest: row.digest,
  prefix: row.prefix,
  lastFour: row.lastFour,
  ipAllowlist: row.ipAllowlist,
  status: row.status,
  expiresAt: row.expiresAt ?? null,
  lastUsedAt: row.lastUsedAt ?? null,
  createdBy: row.createdBy,
  createdAt: row.createdAt,
  revokedAt: row.revokedAt ?? null,
  version: row.version,
});

export const apiKeyToRow = (state: ApiKeyState, version: number) => ({ ...state, version });
