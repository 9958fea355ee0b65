// Agents and their keys: made by people (or by agents that may), never wider than their maker.

import { acting, actingOnce, permitted } from '#application/access/permitted.ts';
import type { ReadModels } from '#application/ports/read-models.ts';
import type { Clock, Digest, Entropy, Ids, Networks } from '#application/ports/system.ts';
import type { UnitOfWork } from '#application/unit-of-work.ts';
import type { IssueApiKey, UseCases } from '#application/use-cases.ts';
import { Agent } from '#domain/access/agent.ts';
import { ApiKey, narrowedTo } from '#domain/access/api-key.ts';
import { ApiKeySecret, randomDigits } from '#domain/access/api-key-secret.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { secondsAfter } from '#domain/shared/time.ts';

const day = 24 * 3600;

export const createAgent =
  (uow: UnitOfWork, clock: Clock, ids: Ids): UseCases['createAgent'] =>
  async (caller, { organizationId, name, description }, source) =>
    actingOnce(uow, caller, organizationId, 'keys:manage', source, async (tx, maker) => {
      if (await tx.agents.isNamed(organizationId, name)) throw new Refusal('agent.name_taken', { name });
      const responsible = maker.kind === 'user' ? maker.id : null;
      const agent = Agent.create({
        id: ids.next('agent'),
        organizationId,
        name,
        description,
        responsible,
        at: clock.now(),
      });
      await tx.save(agent);
      return agent.state;
    });

export const listAgents =
  (readModels: ReadModels): UseCases['listAgents'] =>
  async (caller, organizationId, page) => {
    permitted(caller, organizationId, 'keys:manage');
    return readModels.agents(organizationId, page);
  };

export const getAgent =
  (readModels: ReadModels): UseCases['getAgent'] =>
  async (caller, organizationId, agentId) => {
    permitted(caller, organizationId, 'keys:manage');
    const agent = await readModels.agent(organizationId, agentId);
    if (!agent) throw new Refusal('agent.not_found');
    return agent;
  };

export const issueApiKey =
  (uow: UnitOfWork, clock: Clock, ids: Ids, entropy: Entropy, digest: Digest, networks: Networks): IssueApiKey =>
  async (caller, request, source) => {
    permitted(caller, request.organizationId, 'keys:manage');
    const unreadable = request.ipAllowlist.filter((block) => !networks.isBlock(block));
    if (unreadable.length > 0)
      throw new Refusal('request.invalid', { issues: ['ip_allowlist: not an address or CIDR block'] });

    const secret = ApiKeySecret.mint(request.mode, entropy.base62(randomDigits), digest.crc32);
    return actingOnce(uow, caller, request.organizationId, 'keys:manage', source, async (tx, maker) => {
      const at = clock.now();
      const makersKey =
        maker.kind === 'agent' ? await tx.apiKeys.get(request.organizationId, maker.apiKeyId) : undefined;
      const wish = {
        ...request,
        expiresAt: request.expiresInDays === null ? null : secondsAfter(at, request.expiresInDays * day),
      };
      const { scopes, ipAllowlist, expiresAt } = narrowedTo(wish, { scopes: maker.scopes, key: makersKey?.state });
      const agent = await tx.agents.get(request.organizationId, request.agentId);
      if (!agent) throw new Refusal('agent.not_found');
      if (agent.state.status !== 'active') throw new Refusal('agent.not_active');
      const issued = ApiKey.issue({
        id: ids.next('key'),
        organizationId: request.organizationId,
        agentId: request.agentId,
        name: request.name,
        mode: request.mode,
        scopes,
        digest: digest.peppered(secret.reveal())[0],
        prefix: secret.prefix,
        lastFour: secret.lastFour,
        ipAllowlist,
        expiresAt,
        createdBy: { kind: maker.kind, id: maker.id },
        at,
      });
      await tx.save(issued);
      return { key: issued.state, secret };
    });
  };

export const listApiKeys =
  (readModels: ReadModels): UseCases['listApiKeys'] =>
  async (caller, organizationId, filter, page) => {
    permitted(caller, organizationId, 'keys:manage');
    return readModels.apiKeys(organizationId, filter, page);
  };

/** Revoking a revoked key changes nothing. */
export const revokeApiKey =
  (uow: UnitOfWork, clock: Clock): UseCases['revokeApiKey'] =>
  async (caller, organizationId, keyId, source) => {
    await acting(uow, caller, organizationId, 'keys:manage', source, async (tx) => {
      const key = await tx.apiKeys.get(organizationId, keyId);
      if (!key) throw new Refusal('api_key.not_found');
      key.revoke(clock.now());
      await tx.save(key);
    });
  };
