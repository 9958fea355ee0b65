// The audit trail: searched, and checked link by link.

import { z } from 'zod';
import type { UseCases } from '#application/use-cases.ts';
import { auditEntry, auditEntryShape, listed, listShape } from './entities.ts';
import { line, listOf, moment, org, pageOf } from './inputs.ts';
import { type Route, route } from './kit/route.ts';

export const auditRoutes = (useCases: Pick<UseCases, 'searchAudit' | 'verifyAudit'>): readonly Route[] => [
  route({
    method: 'get',
    path: '/v1/organizations/{org}/audit',
    operation: 'searchAudit',
    summary: 'Search the audit trail',
    description: 'Newest first.',
    tags: ['audit'],
    allows: 'audit:read',
    params: { org },
    query: listOf({
      actor: line(128).optional().meta({ description: 'The id of who acted.' }),
      action: line(64).optional().meta({ description: 'Such as `membership.role_changed`.' }),
      target: line(255).optional().meta({ description: 'The id of what was acted upon.' }),
      from: moment.optional().meta({ description: 'Inclusive.' }),
      to: moment.optional().meta({ description: 'Exclusive.' }),
    }),
    answers: [200, listShape(auditEntryShape)],
    refuses: [],
    async handle({ caller, params, query }) {
      const filter = {
        actor: query.actor || undefined,
        action: query.action || undefined,
        target: query.target || undefined,
        from: query.from,
        to: query.to,
      };
      return listed(await useCases.searchAudit(caller, params.org, filter, pageOf(query)), auditEntry);
    },
  }),

  route({
    method: 'get',
    path: '/v1/organizations/{org}/audit/verify',
    operation: 'verifyAudit',
    summary: 'Check the chain of the audit trail',
    tags: ['audit'],
    allows: 'audit:read',
    params: { org },
    answers: [
      200,
      z
        .object({
          entries: z.int().min(0),
          whole: z.boolean(),
          last_hash: z.string(),
          first_broken: z
            .object({ sequence: z.int().min(0), id: z.string() })
            .nullable()
            .meta({ description: 'Where the chain first fails to follow.' }),
        })
        .meta({ id: 'AuditVerdict' }),
    ],
    refuses: [],
    async handle({ caller, params }) {
      const verdict = await useCases.verifyAudit(caller, params.org);
      return {
        entries: verdict.entries,
        whole: verdict.whole,
        last_hash: verdict.lastHash,
        first_broken: verdict.firstBroken,
      };
    },
  }),
];
