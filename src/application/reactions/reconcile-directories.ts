// Brings what we know of directories into line with what the provider lists: reads, plans, and carries out, a small commit at a time.
//
// Whoever is killed in the middle leaves everything where the next one takes it up: the last page that was read, the first
// change that was not made. Changes go the way of events, so ends of access, trail and outbox are the same.

import type { IdentityProvider } from '#application/ports/identity-provider.ts';
import type { Store } from '#application/ports/store.ts';
import type { Clock, Ids, Log } from '#application/ports/system.ts';
import { applyDirectoryEvent } from '#application/provisioning/apply-directory-event.ts';
import { readStep } from '#application/provisioning/read-listing.ts';
import { tellBegun } from '#application/provisioning/reconciliation.ts';
import { backoffSeconds } from '#application/reactions/worker.ts';
import type { Act, Transaction, UnitOfWork } from '#application/unit-of-work.ts';
import type { Organization } from '#domain/organizations/organization.ts';
import { isOvertaken } from '#domain/provisioning/drift.ts';
import {
  beginReconciliation,
  isUnderWay,
  planned,
  type Reconciliation,
  setBack,
} from '#domain/provisioning/reconciliation.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { secondsAfter } from '#domain/shared/time.ts';

export interface Reconciler {
  /** Begins one for each connected directory that had none for a day, and answers everybody whose one has something to do. */
  readonly due: () => Promise<readonly OrganizationId[]>;
  /** Goes on with one until it rests. Somebody else has it: nothing happens. The signal asks to stop after the step in hand. */
  readonly goOn: (organizationId: OrganizationId, signal: AbortSignal) => Promise<void>;
}

/** Whoever has a reconciliation in hands keeps it for so long after each step. */
const leaseSeconds = 120;
/** Changes in one commit; after a fault one at a time, so that the one at fault stands alone. */
const batch = 25;
/** Faults of one change before it is left out: else it would keep everybody after it from leaving. */
const patience = 5;
/** How many organizations are looked at in one go. */
const most = 50;
/** How often each directory is reconciled by itself. */
const everySeconds = 24 * 3600;

export const reconcileDirectories = (
  store: Store,
  uow: UnitOfWork,
  provider: IdentityProvider,
  clock: Clock,
  ids: Ids,
  log: Log,
): Reconciler => {
  return { due, goOn };

  async function due(): Promise<readonly OrganizationId[]> {
    const now = clock.now();
    if (provider.directory) {
      const neglected = await store.transact({ across: 'reconciliation' }, (tx) =>
        tx.reconciliations.neglected(secondsAfter(now, -everySeconds), most),
      );
      for (const id of neglected) await store.transact(id, ({ reconciliations }) => begin(reconciliations, id));
    }
    return store.transact({ across: 'reconciliation' }, (tx) => tx.reconciliations.due(clock.now(), most));
  }

  async function begin(reconciliations: Transaction['reconciliations'], organizationId: OrganizationId): Promise<void> {
    const before = await reconciliations.of(organizationId);
    if (before && isUnderWay(before)) return;
    const by = { kind: 'system', id: null } as const;
    const facts = { id: ids.next('recon'), organizationId, by, unasked: true };
    await reconciliations.save(beginReconciliation(facts, clock.now()));
  }

  async function goOn(organizationId: OrganizationId, signal: AbortSignal): Promise<void> {
    const holder = ids.next('req');
    let run: Reconciliation | undefined = await store.transact(organizationId, async ({ reconciliations }) => {
      const found = await reconciliations.of(organizationId);
      if (!found || !isUnderWay(found) || found.dueAt > clock.now()) return undefined;
      const mine = { ...found, holder, dueAt: secondsAfter(clock.now(), leaseSeconds) };
      await reconciliations.save(mine);
      return mine;
    });
    while (run && isUnderWay(run)) {
      if (signal.aborted) {
        await change(run, (now) => ({ ...now, holder: null, dueAt: clock.now() }));
        break;
      }
      run = await stepOf(run);
    }
  }

  /** The run after the step; undefined when it is out of our hands. */
  async function stepOf(run: Reconciliation): Promise<Reconciliation | undefined> {
    try {
      return run.state === 'reading' ? await read(run) : await apply(run);
    } catch (fault) {
      const isStuck = run.state === 'applying' && run.attempts + 1 >= patience;
      // A refusal speaks of the database or the provider; anything else of the change itself.
      if (isStuck && !(fault instanceof Refusal)) return leaveOut(run, fault);
      const asked = fault instanceof Refusal ? fault.details['retry_after_seconds'] : undefined;
      const wait = Math.max(backoffSeconds(run.attempts), typeof asked === 'number' ? asked : 0);
      const note = fault instanceof Error ? `${fault.name}: ${fault.message}`.slice(0, 500) : 'unknown fault';
      const facts = { reconciliation: run.id, at: run.state, attempts: run.attempts + 1, wait, fault };
      const now = clock.now();
      const after = await change(run, (current) => setBack(current, note, secondsAfter(now, wait), now));
      if (after?.state === 'failed')
        log.error('reconciliation of a directory given up; the next one finds the rest', facts);
      else log.warn('reconciliation of a directory interrupted, will be tried again', facts);
      return undefined;
    }
  }

  /** The change at fault stays unmade; the next reconciliation meets it again. */
  async function leaveOut(run: Reconciliation, fault: unknown): Promise<Reconciliation | undefined> {
    const { organizationId } = run;
    return store.transact(organizationId, async ({ reconciliations }) => {
      const current = await reconciliations.of(organizationId);
      if (current?.id !== run.id || current.holder !== run.holder) return undefined;
      const [step] = await reconciliations.steps(organizationId, 1);
      if (step) await reconciliations.settle(organizationId, [step]);
      const facts = { reconciliation: run.id, change: step?.drift.change, about: step?.key, fault };
      log.error('a change of a directory could not be made and is left out', facts);
      const after = { ...current, attempts: 0, note: 'a change was left out', settled: current.settled + 1 };
      await reconciliations.save(after);
      return after;
    });
  }

  /** Changes the run while it is ours. */
  function change(
    { organizationId, id, holder }: Reconciliation,
    to: (now: Reconciliation) => Reconciliation,
  ): Promise<Reconciliation | undefined> {
    return store.transact(organizationId, async ({ reconciliations }) => {
      const now = await reconciliations.of(organizationId);
      if (now?.id !== id || now.holder !== holder) return undefined;
      const changed = to(now);
      await reconciliations.save(changed);
      return changed;
    });
  }

  async function read(run: Reconciliation): Promise<Reconciliation | undefined> {
    const { organizationId } = run;
    const organization = await store.transact(organizationId, (tx) => tx.organizations.get(organizationId));
    const ref = organization?.state.status === 'active' ? organization.state.provider : null;
    if (!provider.directory || ref?.provider !== provider.name) {
      const note = 'the identity provider does not know this organization, or does not list its directories';
      await change(run, (now) => ({ ...now, state: 'failed', note, finishedAt: clock.now(), holder: null }));
      return undefined;
    }
    const conclude = await readStep(store, provider.directory, ref.id, run);
    const after = await uow.run(organizationId, actOf(run, run.by), async (tx) => {
      const current = await tx.reconciliations.of(organizationId);
      if (current?.id !== run.id || current.holder !== run.holder) return undefined;
      const { progress, began, plan } = await conclude(tx);
      const dueAt = secondsAfter(clock.now(), leaseSeconds);
      // Faults are counted over the whole reading: one that begins anew and fails again is given up one day.
      const further: Reconciliation = { ...current, ...began, progress, dueAt, note: null };
      const next = plan ? { ...planned(further, plan, clock.now()), holder: run.holder } : further;
      await tx.reconciliations.save(next);
      if (next.state === 'applying') tellBegun(tx, next);
      if (next.state === 'done') await tx.reconciliations.clear(organizationId);
      return next;
    });
    if (after?.unasked && after.plan?.removesMost && after.state === 'planned') {
      const facts = { organization: organizationId, reconciliation: run.id, ...after.plan.headcount };
      log.warn(
        'the provider lists so little that most of a directory would be removed; an admin has to confirm',
        facts,
      );
    }
    return after;
  }

  async function apply(run: Reconciliation): Promise<Reconciliation | undefined> {
    const { organizationId } = run;
    const atOnce = run.attempts > 0 ? 1 : batch;
    const [first] = await store.transact(organizationId, (tx) => tx.reconciliations.steps(organizationId, 1));
    const actor = first ? ({ kind: 'directory', id: first.directoryId } as const) : run.by;
    return uow.run(organizationId, actOf(run, actor), async (tx) => {
      const current = await tx.reconciliations.of(organizationId);
      const organization = await tx.organizations.get(organizationId);
      if (current?.id !== run.id || current.holder !== run.holder || !organization) return undefined;
      const waiting = await tx.reconciliations.steps(organizationId, atOnce);
      // In the trail each directory speaks for itself.
      const steps = waiting.filter((step) => step.directoryId === first?.directoryId);
      await applyAll(tx, organization, steps);
      await tx.reconciliations.settle(organizationId, steps);
      const now = clock.now();
      const settled = current.settled + steps.length;
      // One at a time for as many as a batch has: the one at fault is among them.
      const attempts = settled % batch === 0 ? 0 : current.attempts;
      // What went wrong once and then right is past; what was left out stays said.
      const note = current.attempts > 0 ? null : current.note;
      const further = { ...current, settled, attempts, note };
      const next: Reconciliation =
        steps.length > 0
          ? { ...further, dueAt: secondsAfter(now, leaseSeconds) }
          : { ...further, state: 'done', finishedAt: now, holder: null };
      await tx.reconciliations.save(next);
      if (next.state === 'done') await tx.reconciliations.clear(organizationId);
      return next;
    });
  }

  async function applyAll(
    tx: Transaction,
    organization: Organization,
    steps: Awaited<ReturnType<Transaction['reconciliations']['steps']>>,
  ): Promise<void> {
    for (const { drift } of steps) {
      await applyDirectoryEvent(tx, organization, drift.event, ids, clock, (picture) =>
        isOvertaken(picture, drift.event),
      );
    }
  }

  function actOf(run: Reconciliation, actor: Act['actor']): Act {
    return { actor, source: { via: 'job', ip: null, userAgent: null, requestId: run.id } };
  }
};
