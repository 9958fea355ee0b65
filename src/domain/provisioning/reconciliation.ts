// One reconciliation of an organization's directories: it reads, shows what it would change, and is carried out or held. Pure.

import type { Actor } from '#domain/audit/audit-entry.ts';
import type { ListedDirectory } from '#domain/provisioning/drift.ts';
import type { Plan } from '#domain/provisioning/plan.ts';
import type { OrganizationId, ReconciliationId } from '#domain/shared/ids.ts';
import { Refusal } from '#domain/shared/refusal.ts';

/** How far the reading has come. Each place is taken up again by whoever goes on with it. */
export type Progress =
  | { readonly at: 'directories' }
  | { readonly at: 'groups' | 'users'; readonly directory: string; readonly from: string | null }
  /** `group` null: before the first group of the directory. */
  | {
      readonly at: 'members';
      readonly directory: string;
      readonly group: string | null;
      readonly from: string | null;
    }
  /** What is known and was not listed; `from` is the key of the last one looked at. */
  | { readonly at: 'unlisted'; readonly kind: 'links' | 'groups' | 'users'; readonly from: string | null }
  | { readonly at: 'sum' };

/**
 * `reading`, `applying`: under way. `planned`: read, and waiting for somebody's word. `done`: nothing is left to do. `failed`: given
 * up, with the reason in `note`; what was applied until then stays, and the next one finds the rest.
 */
export type ReconciliationState = 'reading' | 'planned' | 'applying' | 'done' | 'failed';

export interface Reconciliation {
  readonly id: ReconciliationId;
  readonly organizationId: OrganizationId;
  readonly state: ReconciliationState;
  /** Who asked for it, or for its being carried out. */
  readonly by: Actor;
  /** Whether it is carried out as soon as it is read, unless it removes most: so does the schedule. */
  readonly unasked: boolean;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  /** Null until the provider has answered for the first time. */
  readonly asOf: Date | null;
  readonly directories: readonly ListedDirectory[];
  readonly progress: Progress;
  readonly plan: Plan | null;
  /** How many changes were made, or had been overtaken by newer news when it was their turn. */
  readonly settled: number;
  /** Whoever has it in hands; nobody else touches it before `dueAt`. */
  readonly holder: string | null;
  readonly dueAt: Date;
  /** Faults of this reading, or of the changes that are being made. */
  readonly attempts: number;
  readonly note: string | null;
}

export const isUnderWay = ({ state }: Reconciliation): boolean => state === 'reading' || state === 'applying';

export const beginReconciliation = (
  facts: Pick<Reconciliation, 'id' | 'organizationId' | 'by' | 'unasked'>,
  now: Date,
): Reconciliation => ({
  ...facts,
  state: 'reading',
  startedAt: now,
  finishedAt: null,
  asOf: null,
  directories: [],
  progress: { at: 'directories' },
  plan: null,
  settled: 0,
  holder: null,
  dueAt: now,
  attempts: 0,
  note: null,
});

const isEmpty = ({ changes }: Plan): boolean => Object.values(changes).every((count) => count === 0);

/** What follows from the finished reading. */
export const planned = (run: Reconciliation, plan: Plan, now: Date): Reconciliation => {
  const read: Reconciliation = { ...run, plan, progress: { at: 'sum' }, holder: null, dueAt: now, attempts: 0 };
  if (isEmpty(plan)) return { ...read, state: 'done', finishedAt: now };
  return run.unasked && !plan.removesMost ? { ...read, state: 'applying' } : { ...read, state: 'planned' };
};

/**
 * Somebody has seen the plan and wants it.
 * @param removeMost they know that it removes most of the directory
 * @throws Refusal `reconciliation.not_planned`, `reconciliation.removes_most`
 */
export const approved = (run: Reconciliation, by: Actor, removeMost: boolean, now: Date): Reconciliation => {
  if (run.state !== 'planned' || !run.plan) throw new Refusal('reconciliation.not_planned');
  const { removesMost, headcount } = run.plan;
  if (removesMost && !removeMost) {
    throw new Refusal('reconciliation.removes_most', {
      people: headcount.people,
      people_leaving: headcount.peopleLeaving,
      group_places: headcount.places,
      group_places_leaving: headcount.placesLeaving,
    });
  }
  return { ...run, by, state: 'applying', dueAt: now };
};

/** Faults after which a reading begins anew, again and again: a directory may have gone, or a cursor have become useless. */
const beginAnewAfter = 3;
/** … and after which it is given up. With the growing distances, about an hour. */
const giveUpAfter = 12;

/** It could not go on; it is tried again at that time, or given up. */
export const setBack = (run: Reconciliation, note: string, dueAt: Date, now: Date): Reconciliation => {
  const attempts = run.attempts + 1;
  if (attempts >= giveUpAfter) return { ...run, attempts, note, state: 'failed', finishedAt: now, holder: null };
  const anew = run.state === 'reading' && attempts % beginAnewAfter === 0;
  return {
    ...run,
    attempts,
    note,
    dueAt,
    holder: null,
    ...(anew && { progress: { at: 'directories' }, directories: [], asOf: null }),
  };
};
