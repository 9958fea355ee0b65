// The sessions that stand in an organization: seen and ended by those who manage its people.

import { z } from 'zod';
import type { UseCases } from '#application/use-cases.ts';
import { listed, listShape, session as sessionOf, sessionShape } from './entities.ts';
import { listOf, org, pageOf, session } from './inputs.ts';
import { type Route, route } from './kit/route.ts';

export const organizationSessionRoutes = (
  useCases: Pick<UseCases, 'listSessions' | 'endSession' | 'endAllSessions'>,
): readonly Route[] => [
  route({
    method: 'get',
    path: '/v1/organizations/{org}/sessions',
    operation: 'listSessions',
    summary: 'Everybody’s sessions',
    tags: ['sessions'],
    allows: 'users:manage',
    params: { org },
    query: listOf({}),
    answers: [200, listShape(sessionShape)],
    refuses: [],
    async handle({ caller, params, query }) {
      const current = caller.kind === 'user' ? caller.sessionId : null;
      return listed(await useCases.listSessions(caller, params.org, {}, pageOf(query)), ({ session: state, user }) => ({
        ...sessionOf(state),
        current: state.id === current,
        user,
      }));
    },
  }),

  route({
    method: 'delete',
    path: '/v1/organizations/{org}/sessions/{session}',
    operation: 'endSession',
    summary: 'End one session',
    description: 'Takes effect on its next request. Ending an ended one changes nothing.',
    tags: ['sessions'],
    allows: 'users:manage',
    params: { org, session },
    answers: [204, 'nothing'],
    refuses: ['caller.person_required'],
    async handle({ caller, params, source }) {
      await useCases.endSession(caller, params.org, params.session, source);
      return undefined;
    },
  }),

  route({
    method: 'delete',
    path: '/v1/organizations/{org}/sessions',
    operation: 'endAllSessions',
    summary: 'End everybody’s sessions',
    description: 'The caller’s own included.',
    tags: ['sessions'],
    allows: 'users:manage',
    params: { org },
    answers: [200, z.object({ ended: z.int().min(0).meta({ description: 'How many sessions ended.' }) })],
    refuses: ['caller.person_required'],
    handle: async ({ caller, params, source }) => ({
      ended: await useCases.endAllSessions(caller, params.org, source),
    }),
  }),
];
