// Agents and their API keys in the database.

import { raw } from '@mikro-orm/core';
import type { Agents, ApiKeys } from '#application/ports/store.ts';
import { Agent } from '#domain/access/agent.ts';
import { ApiKey } from '#domain/access/api-key.ts';
import { afresh, type PostgresRun, saveEntity } from '../postgres-run.ts';
import { AgentRow, agentFromRow, agentToRow } from '../rows/agent.row.ts';
import { ApiKeyRow, apiKeyFromRow, apiKeyToRow } from '../rows/api-key.row.ts';

export const postgresAgents = (run: PostgresRun): Agents => {
  const { em } = run;
  return {
    async get(organizationId, id) {
      const row = await em.findOne(AgentRow, { organizationId, id }, afresh);
      return row === null ? undefined : Agent.restore(agentFromRow(row));
    },
    isNamed: async (organizationId, name) =>
      (await em.findOne(AgentRow, { organizationId, name, status: { $ne: 'deleted' } }, afresh)) !== null,
    async save(agent) {
      const { state } = agent;
      const { id, organizationId } = state;
      await saveEntity(
        run,
        agent,
        (version) => em.insert(AgentRow, agentToRow(state, version)),
        (expected, version) =>
          em.nativeUpdate(AgentRow, { id, organizationId, version: expected }, agentToRow(state, version)),
      );
    },
  };
};

export const postgresApiKeys = (run: PostgresRun): ApiKeys => {
  const { em } = run;
  return {
    async get(organizationId, id) {
      const row = await em.findOne(ApiKeyRow, { organizationId, id }, afresh);
      return row === null ? undefined : ApiKey.restore(apiKeyFromRow(row));
    },
    async activeMadeBy(organizationId, userId) {
      const made = { organizationId, status: 'active', [raw('made_by')]: userId } as const;
      const rows = await em.find(ApiKeyRow, made, { ...afresh, orderBy: { id: 'asc' } });
      return rows.map((row) => ApiKey.restore(apiKeyFromRow(row)));
    },
    async overdue(now, limit) {
      const rows = await em.find(
        ApiKeyRow,
        { status: 'active', expiresAt: { $lte: now } },
        { ...afresh, orderBy: { id: 'asc' }, limit },
      );
      return rows.map((row) => ApiKey.restore(apiKeyFromRow(row)));
    },
    async save(key) {
      const { state } = key;
      const { id, organizationId } = state;
      await saveEntity(
        run,
        key,
        (version) => em.insert(ApiKeyRow, apiKeyToRow(state, version)),
        // A touch changes no version, so the key may have been used later than this state knows.
        (expected, version) =>
          em.nativeUpdate(
            ApiKeyRow,
            { id, organizationId, version: expected },
            {
              ...apiKeyToRow(state, version),
              lastUsedAt: raw<Date>('greatest(last_used_at, ?::timestamptz)', [
                state.lastUsedAt?.toISOString() ?? null,
              ]),
            },
          ),
      );
    },
    async touch(used) {
      if (used.size === 0) return;
      // Rows are locked in the order of their ids, so that two batches never wait for each other.
      await em.execute(
        `with used as (
          select api_keys.id, heard.at from api_keys
          join jsonb_to_recordset(?::jsonb) as heard(id text, at timestamptz) on heard.id = api_keys.id
          where api_keys.last_used_at is null or api_keys.last_used_at < heard.at
          order by api_keys.id for update of api_keys
        )
        update api_keys set last_used_at = greatest(api_keys.last_used_at, used.at) from used
        where api_keys.id = used.id`,
        [JSON.stringify([...used].map(([id, at]) => ({ id, at })))],
        'run',
      );
    },
  };
};
