// The jobs of the service, and how often each runs. What must follow at once (inbox, outbox) has workers of its own.

import type { Job } from '#application/ports/jobs.ts';
import type { Reconciler } from '#application/reactions/reconcile-directories.ts';
import { isId, type OrganizationId } from '#domain/shared/ids.ts';

export interface JobParts {
  readonly catchUpEvents: () => Promise<unknown>;
  readonly endOverdueSessions: (signal: AbortSignal) => Promise<unknown>;
  readonly expireApiKeys: (signal: AbortSignal) => Promise<unknown>;
  readonly forgetOldEvents: (signal: AbortSignal) => Promise<unknown>;
  readonly forgetIdempotencyKeys: () => Promise<unknown>;
  readonly reconciler: Reconciler;
  /** Keeps a run of `reconcileDirectory` for whoever is free. */
  readonly wakeReconciliation: (organizationId: OrganizationId) => Promise<unknown>;
}

const minute = 60;

/** The job that goes on with one organization's reconciliation. */
export const reconcileDirectory = 'reconcile-directory';

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
  every(minute, 'reconcile-directories', async () => {
    for (const organizationId of await parts.reconciler.due()) await parts.wakeReconciliation(organizationId);
  }),
  {
    name: reconcileDirectory,
    // A large directory is read for minutes; what is left when the time is up, the next round takes up where it stands.
    timeoutSeconds: 60 * minute,
    retries: 0,
    async run({ data, signal }) {
      const { organization } = data;
      if (typeof organization === 'string' && isId('org', organization)) {
        await parts.reconciler.goOn(organization, signal);
      }
    },
  },
];
