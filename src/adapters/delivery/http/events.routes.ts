// What identity providers told us about an organization, and what became of each event; one that stuck can be applied again.

import { z } from 'zod';
import type { HeardOf } from '#application/ports/read-models.ts';
import type { UseCases } from '#application/use-cases.ts';
import { listed, listShape } from './entities.ts';
import { event, idShape, listOf, org, pageOf } from './inputs.ts';
import { type Route, route } from './kit/route.ts';

const statuses = ['stored', 'waiting', 'applied', 'ignored', 'dead'] as const;
const time = z.iso.datetime().meta({ examples: ['2026-01-31T15:00:00.000Z'] });

const eventShape = z
  .object({
    id: idShape('evt'),
    provider: z.string(),
    provider_event_id: z.string().meta({ description: 'The identity provider’s own id of the event.' }),
    name: z.string().meta({ examples: ['dsync.user.updated'] }),
    status: z.enum(statuses).meta({
      description:
        '`stored`: to be applied. `waiting`: about something we have not heard of yet. `applied` and `ignored`: done. `dead`: given up after many tries.',
    }),
    attempts: z.int().min(0),
    occurred_at: time.meta({ description: 'When it happened, as the provider says.' }),
    received_at: time,
    settled_at: time.nullable().meta({ description: 'When it was applied, ignored or given up.' }),
    due_at: time.nullable().meta({ description: 'When it is tried next; null when it is done or given up.' }),
    note: z.string().nullable().meta({ description: 'Why it waits, was ignored or given up.' }),
  })
  .meta({ id: 'ProviderEvent' });

const shown = (heard: HeardOf) => ({
  id: heard.id,
  provider: heard.provider,
  provider_event_id: heard.externalId,
  name: heard.name,
  status: heard.status,
  attempts: heard.attempts,
  occurred_at: heard.occurredAt.toISOString(),
  received_at: heard.receivedAt.toISOString(),
  settled_at: heard.settledAt?.toISOString() ?? null,
  due_at: heard.status === 'stored' || heard.status === 'waiting' ? heard.dueAt.toISOString() : null,
  note: heard.note,
});

export const eventRoutes = (useCases: Pick<UseCases, 'listEvents' | 'replayEvent'>): readonly Route[] => [
  route({
    method: 'get',
    path: '/v1/organizations/{org}/events',
    operation: 'listEvents',
    summary: 'What identity providers told about the organization',
    description: 'Newest first. What an event said is not shown.',
    tags: ['directory'],
    allows: 'orgs:manage',
    params: { org },
    query: listOf({ status: z.enum(statuses).optional() }),
    answers: [200, listShape(eventShape)],
    refuses: [],
    handle: async ({ caller, params, query }) =>
      listed(await useCases.listEvents(caller, params.org, { status: query.status }, pageOf(query)), shown),
  }),

  route({
    method: 'post',
    path: '/v1/organizations/{org}/events/{event}/replay',
    operation: 'replayEvent',
    summary: 'Apply an event again that waits, was ignored or given up',
    description:
      'It is applied soon after, with all its tries anew. News that has been overtaken since changes nothing: the newest word wins.',
    tags: ['directory'],
    allows: 'orgs:manage',
    params: { org, event },
    answers: [202, eventShape],
    refuses: ['event.not_found', 'event.applied_already', 'event.forgotten'],
    handle: async ({ caller, params, source }) =>
      shown(await useCases.replayEvent(caller, params.org, params.event, source)),
  }),
];
