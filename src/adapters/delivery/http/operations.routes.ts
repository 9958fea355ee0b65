// For operators, proxies and tools: is it alive, is it ready, and what can it do.

import { z } from 'zod';
import { docsPage } from './docs-page.ts';
import type { OpenApi } from './kit/openapi.ts';
import { type Route, route } from './kit/route.ts';

/** Resolves when the dependency answers; throws otherwise. */
export type Check = () => Promise<unknown>;

/** How long a dependency may take to answer before it counts as down. */
const checkMilliseconds = 2000;

const isUp = async (check: Check): Promise<boolean> => {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), checkMilliseconds);
  });
  const answered = (async () => check())().then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([answered, tooLate]);
  } finally {
    clearTimeout(timer);
  }
};

export const operationRoutes = (checks: Readonly<Record<string, Check>>, document: () => OpenApi): readonly Route[] => [
  route({
    method: 'get',
    path: '/healthz',
    operation: 'isAlive',
    summary: 'Whether the process answers',
    tags: ['operations'],
    allows: 'anyone',
    answers: [200, z.object({ status: z.literal('ok') })],
    refuses: [],
    handle: () => ({ status: 'ok' }) as const,
  }),

  route({
    method: 'get',
    path: '/readyz',
    operation: 'isReady',
    summary: 'Whether requests can be served, and what is missing if not',
    tags: ['operations'],
    allows: 'anyone',
    answers: [
      200,
      z.object({ status: z.enum(['ready', 'not_ready']), checks: z.record(z.string(), z.enum(['up', 'down'])) }),
    ],
    also: { 503: 'A dependency is down.' },
    refuses: [],
    async handle({ reply }) {
      const asked = Object.entries(checks).map(async ([name, check]) => [name, await isUp(check)] as const);
      const answers = await Promise.all(asked);
      const isReady = answers.every(([, up]) => up);
      if (!isReady) reply.status(503);
      return {
        status: isReady ? ('ready' as const) : ('not_ready' as const),
        checks: Object.fromEntries(answers.map(([name, up]) => [name, up ? 'up' : 'down'] as const)),
      };
    },
  }),

  route({
    method: 'get',
    path: '/openapi.json',
    operation: 'getOpenApi',
    summary: 'This API as an OpenAPI 3.1 document',
    tags: ['operations'],
    allows: 'anyone',
    answers: [200, 'document'],
    refuses: [],
    handle: () => ({ ...document() }),
  }),

  route({
    method: 'get',
    path: '/docs',
    operation: 'readDocs',
    summary: 'This API as a page to read',
    tags: ['operations'],
    allows: 'anyone',
    answers: [200, 'page'],
    refuses: [],
    handle: () => docsPage(document()),
  }),
];
