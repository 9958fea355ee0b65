// An agent: a program that acts for an organization. Its keys are its credentials; a member is responsible for it.

import type { AgentId, OrganizationId, UserId } from '#domain/shared/ids.ts';

export interface AgentState {
  readonly id: AgentId;
  readonly organizationId: OrganizationId;
  readonly name: string;
  readonly description: string | null;
  readonly status: 'active' | 'suspended' | 'deleted';
  /** The member who answers for it; null when it was made by another agent's key. */
  readonly responsible: UserId | null;
  readonly createdAt: Date;
  readonly version: number;
}

export type AgentEvent = { readonly type: 'agent.created'; readonly agent: AgentState };

export class Agent {
  readonly kind = 'agent';
  #state: AgentState;
  #events: AgentEvent[] = [];

  private constructor(state: AgentState) {
    this.#state = state;
  }

  static create(facts: Omit<AgentState, 'status' | 'createdAt' | 'version'> & { at: Date }): Agent {
    const { at, ...rest } = facts;
    const agent = new Agent({ ...rest, status: 'active', createdAt: at, version: 0 });
    agent.#events.push({ type: 'agent.created', agent: agent.#state });
    return agent;
  }

  static restore(state: AgentState): Agent {
    return new Agent(state);
  }

  get state(): AgentState {
    return this.#state;
  }
  pullEvents(): AgentEvent[] {
    return this.#events.splice(0);
  }
}
