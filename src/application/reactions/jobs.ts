// The jobs of the service, and how often each runs. What must follow at once (inbox, outbox) has workers of its own.

import type { Job } from '#application/ports/jobs.ts';

export interface JobParts {
  readonly catchUpEvents: () => Promise<unknown>;
  readonly endOverdueSessions: (signal: AbortSignal) => Promise<unknown>;
  readonly expireApiKeys: (signal: AbortSignal) => Promise<unknown>;
  readonly forgetOldEvents: (signal: AbortSignal) => Promise<unknown>;
  readonly forgetIdempotencyKeys: () => Promise<unknown>;
}

const minute = 60;

/** A scheduled run that failed is not tried again: the next one is not far. */
const every = (everySeconds: number, name: string, task: (signal: AbortSignal) => Promise<unknown>): Job => ({
  name,
  everySeconds,
  timeoutSeconds: 10 * minute,
  retries: 0,
  run: async ({ signal }) => void (await task(signal)),
});

export const serviceJobs = (parts: JobParts): readonly Job[] => [
  every(10, 'catch-up-events', parts.catchUpEvents),
  every(5 * minute, 'end-overdue-sessions', parts.endOverdueSessions),
  every(5 * minute, 'expire-api-keys', parts.expireApiKeys),
  every(60 * minute, 'forget-old-events', parts.forgetOldEvents),
  every(60 * minute, 'forget-idempotency-keys', parts.forgetIdempotencyKeys),
];
