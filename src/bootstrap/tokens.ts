// The names under which the parts of the service are wired. Each remembers, for the compiler only, what it stands for.

import type { ServiceIdentifier } from 'inversify';
import type { Activity } from '#application/access/activity.ts';
import type { CallerCache } from '#application/ports/caller-cache.ts';
import type { IdentityProvider } from '#application/ports/identity-provider.ts';
import type { Job, Jobs } from '#application/ports/jobs.ts';
import type { ReadModels, Standings } from '#application/ports/read-models.ts';
import type { Store } from '#application/ports/store.ts';
import type { Clock, Digest, Entropy, Ids, Log, Networks, Seal } from '#application/ports/system.ts';
import type { DeliveriesByProvider } from '#application/provisioning/receive-delivery.ts';
import type { Worker } from '#application/reactions/worker.ts';
import type { UnitOfWork } from '#application/unit-of-work.ts';
import type { UseCases } from '#application/use-cases.ts';

const token = <T>(name: string): ServiceIdentifier<T> =>
  Symbol.for(`hatidata.identity.${name}`) as ServiceIdentifier<T>;

export interface Settings {
  readonly publicUrl: string;
  readonly callbackUrl: string;
  readonly loginUrl: string;
  readonly trustSeconds: number;
  /** How many organizations' events are applied at the same time. */
  readonly lanesAtOnce: number;
}

export const T = {
  settings: token<Settings>('Settings'),

  clock: token<Clock>('Clock'),
  ids: token<Ids>('Ids'),
  entropy: token<Entropy>('Entropy'),
  digest: token<Digest>('Digest'),
  seal: token<Seal>('Seal'),
  networks: token<Networks>('Networks'),
  log: token<Log>('Log'),

  store: token<Store>('Store'),
  readModels: token<ReadModels>('ReadModels'),
  standings: token<Standings>('Standings'),
  callerCache: token<CallerCache>('CallerCache'),

  identityProvider: token<IdentityProvider>('IdentityProvider'),
  deliveries: token<DeliveriesByProvider>('DeliveriesByProvider'),

  activity: token<Activity>('Activity'),
  unitOfWork: token<UnitOfWork>('UnitOfWork'),
  inboxWorker: token<Worker>('InboxWorker'),
  outboxWorker: token<Worker>('OutboxWorker'),
  catchUp: token<() => Promise<number>>('CatchUp'),
  jobs: token<Jobs>('Jobs'),
  jobList: token<readonly Job[]>('JobList'),
  useCases: token<UseCases>('UseCases'),
};
