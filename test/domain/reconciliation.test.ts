// When a reconciliation may be carried out by itself, when it waits for a word, and when it begins anew.

import { describe, expect, it } from 'vitest';
import { type Headcount, planOf } from '#domain/provisioning/plan.ts';
import {
  approved,
  beginReconciliation,
  isUnderWay,
  planned,
  type Reconciliation,
  setBack,
} from '#domain/provisioning/reconciliation.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { anId, minute, monday } from '../support/words.ts';

const begun = (facts: Partial<Reconciliation> = {}): Reconciliation => ({
  ...beginReconciliation(
    { id: anId('recon'), organizationId: anId('org'), by: { kind: 'system', id: null }, unasked: true },
    monday,
  ),
  ...facts,
});

const heads = (facts: Partial<Headcount> = {}): Headcount => ({
  people: 100,
  peopleLeaving: 0,
  places: 100,
  placesLeaving: 0,
  ...facts,
});

const person = { kind: 'user', id: anId('user') } as const;
const small = planOf({ 'person.deprovision': 1 }, heads({ peopleLeaving: 1 }));
const most = planOf({ 'person.deprovision': 60 }, heads({ peopleLeaving: 60 }));

describe('a plan removes most', () => {
  it.each([
    ['half of the people', heads({ peopleLeaving: 50 }), false],
    ['more than half of the people', heads({ peopleLeaving: 51 }), true],
    ['all of ten people', heads({ people: 10, peopleLeaving: 10 }), false],
    ['all of eleven people', heads({ people: 11, peopleLeaving: 11 }), true],
    ['half of the places in groups', heads({ placesLeaving: 50 }), false],
    ['more than half of the places in groups', heads({ placesLeaving: 51 }), true],
    ['nobody of nobody', heads({ people: 0, places: 0 }), false],
  ])('when it takes away %s: %j', (_, headcount, expected) => {
    expect(planOf({}, headcount).removesMost).toBe(expected);
  });
});

describe('what was read', () => {
  it('is done where nothing differs', () => {
    expect(planned(begun(), planOf({}, heads()), minute(1))).toMatchObject({ state: 'done', finishedAt: minute(1) });
  });

  it('is carried out by itself when nobody asked, unless it removes most', () => {
    expect(planned(begun(), small, minute(1)).state).toBe('applying');
    expect(planned(begun(), most, minute(1)).state).toBe('planned');
  });

  it('waits for a word when somebody asked', () => {
    expect(planned(begun({ unasked: false }), small, minute(1)).state).toBe('planned');
  });
});

describe('a word', () => {
  const waiting = (plan = small) => planned(begun({ unasked: false }), plan, minute(1));
  const refusalOf = (run: Reconciliation, removeMost = false): unknown => {
    try {
      return approved(run, person, removeMost, minute(2)).state;
    } catch (thrown) {
      return thrown instanceof Refusal ? thrown.reason : thrown;
    }
  };

  it('has the plan carried out, in the name of whoever gave it', () => {
    expect(approved(waiting(), person, false, minute(2))).toMatchObject({ state: 'applying', by: person });
  });

  it('must say that it knows, where most goes', () => {
    expect(refusalOf(waiting(most))).toBe('reconciliation.removes_most');
    expect(refusalOf(waiting(most), true)).toBe('applying');
  });

  it.each(['reading', 'applying', 'done', 'failed'] as const)('comes too late or too early while it is %s', (state) => {
    expect(refusalOf({ ...waiting(), state })).toBe('reconciliation.not_planned');
  });
});

describe('a fault', () => {
  const reading = begun({
    holder: 'somebody',
    asOf: monday,
    progress: { at: 'users', directory: 'directory_acme', from: 'there' },
  });
  const faulted = (faults: number, from = reading): Reconciliation => {
    let run = from;
    for (let count = 0; count < faults; count += 1) run = setBack(run, 'no answer', minute(9), minute(8));
    return run;
  };

  it('lets go of it until its time, where it stands', () => {
    expect(faulted(1)).toMatchObject({ state: 'reading', holder: null, dueAt: minute(9), progress: reading.progress });
    expect(isUnderWay(faulted(1))).toBe(true);
  });

  it('has a reading begin anew at the third, and give up at the twelfth', () => {
    expect(faulted(3)).toMatchObject({ progress: { at: 'directories' }, asOf: null, directories: [] });
    expect(faulted(11).state).toBe('reading');
    expect(faulted(12)).toMatchObject({ state: 'failed', finishedAt: minute(8), note: 'no answer' });
  });

  it('never has changes that are being made begin anew', () => {
    const applying = { ...reading, state: 'applying' as const, progress: { at: 'sum' as const } };
    expect(faulted(3, applying)).toMatchObject({ state: 'applying', asOf: monday, progress: { at: 'sum' } });
  });
});
