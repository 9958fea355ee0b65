// How an agent lies in the database.

import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import type { AgentState } from '#domain/access/agent.ts';
import type { AgentId, OrganizationId, UserId } from '#domain/shared/ids.ts';

export const AgentRow = defineEntity({
  name: 'AgentRow',
  tableName: 'agents',
  properties: {
    id: p.string().$type<AgentId>().primary(),
    organizationId: p.string().$type<OrganizationId>(),
    name: p.string(),
    description: p.text().nullable(),
    status: p.string().$type<AgentState['status']>(),
    responsible: p.string().$type<UserId>().nullable(),
    createdAt: p.datetime(3),
    version: p.integer(),
  },
});
export type AgentRow = InferEntity<typeof AgentRow>;

export const agentFromRow = (row: AgentRow): AgentState => ({
  id: row.id,
  organizationId: row.organizationId,
  name: row.name,
  description: row.description ?? null,
  status: row.status,
  responsible: row.responsible ?? null,
  createdAt: row.createdAt,
  version: row.version,
});

export const agentToRow = (state: AgentState, version: number) => ({ ...state, version });
