// A company of the other side's making: what its directory really holds, kept by the plainest possible means, and what it says meanwhile.

import fc from 'fast-check';
import type { DirectoryEvent } from '#domain/provisioning/directory-event.ts';
import {
  changed,
  connected,
  disconnected,
  groupDropped,
  groupMade,
  groupRenamed,
  hired,
  joined,
  left,
  minute,
  recordId,
  terminated,
} from './words.ts';

/** The events in some order, each heard at least once, some again later. */
export const retold = (events: readonly DirectoryEvent[]): fc.Arbitrary<DirectoryEvent[]> =>
  fc
    .tuple(fc.shuffledSubarray([...events], { minLength: events.length }), fc.shuffledSubarray([...events]))
    .map(([once, again]) => [...once, ...again]);

export const names = ['ada', 'bob'] as const;
export const groups = ['Bosses', 'Staff', 'Engineering'] as const;

export type Act = { readonly who: string; readonly group: string; readonly minutes: number } & {
  readonly act:
    | 'hire'
    | 'change'
    | 'suspend'
    | 'terminate'
    | 'make'
    | 'drop'
    | 'rename'
    | 'join'
    | 'leave'
    | 'connect'
    | 'disconnect';
  readonly newId: boolean;
  readonly noEmail: boolean;
};

export interface Employee {
  readonly facts: {
    readonly id: string;
    readonly email: string | null;
    readonly state: string;
    readonly updatedAt: Date;
  };
  readonly groups: Set<string>;
}

export interface Company {
  readonly events: readonly DirectoryEvent[];
  readonly employees: ReadonlyMap<string, Employee>;
  /** The minute of the last act. */
  readonly clock: number;
  readonly online: boolean;
  /** The groups that there are now, by the word of the test for them, with what they are called. */
  readonly called: ReadonlyMap<string, string>;
}

/** Plays the acts that are possible; what is not (dropping a group that is not there) does not happen. */
export const played = (acts: readonly Act[]): Company => {
  const events: DirectoryEvent[] = [connected(0)];
  let online = true;
  let clock = 0;
  const employees = new Map<string, Employee>();
  const called = new Map<string, string>();
  const ids = new Map<string, string>();

  const describeEmployee = (who: string, { act, noEmail }: Act): Employee['facts'] => ({
    id: ids.get(who) ?? recordId(who),
    email: noEmail ? null : `${who}@acme.test`,
    state: act === 'suspend' ? 'suspended' : 'active',
    updatedAt: minute(clock),
  });

  for (const act of acts) {
    clock += act.minutes;
    const { who, group } = act;
    const employee = employees.get(who);
    if (act.act === 'connect' || act.act === 'disconnect') {
      if (online === (act.act === 'connect')) continue;
      online = !online;
      events.push(online ? connected(clock) : disconnected(clock));
      employees.clear();
      called.clear();
    }
    if (!online) continue;
    if (act.act === 'hire' && !employee) {
      if (act.newId) ids.set(who, `${recordId(who)}_${clock}_${events.length}`);
      const facts = describeEmployee(who, act);
      employees.set(who, { facts, groups: new Set() });
      events.push(hired(who, clock, facts));
    }
    if ((act.act === 'change' || act.act === 'suspend') && employee) {
      const facts = describeEmployee(who, act);
      employees.set(who, { ...employee, facts });
      events.push({ ...changed(who, clock, facts), id: `event_${act.act}_${who}_${events.length}` });
    }
    if (act.act === 'terminate' && employee) {
      employees.delete(who);
      events.push(terminated(who, clock, { ...employee.facts, updatedAt: minute(clock) }));
    }
    if (act.act === 'make' && !called.has(group)) {
      called.set(group, group);
      events.push(groupMade(group, clock));
    }
    if (act.act === 'rename' && called.has(group)) {
      const name = `${group} ${events.length}`;
      called.set(group, name);
      events.push({ ...groupRenamed(group, name, clock), id: `event_rename_${events.length}` });
    }
    if (act.act === 'drop' && called.has(group)) {
      called.delete(group);
      for (const { groups: theirs } of employees.values()) theirs.delete(group);
      events.push(groupDropped(group, clock));
    }
    if (act.act === 'join' && employee && called.has(group) && !employee.groups.has(group)) {
      employee.groups.add(group);
      events.push(joined(who, group, clock, employee.facts));
    }
    if (act.act === 'leave' && employee?.groups.has(group)) {
      employee.groups.delete(group);
      events.push(left(who, group, clock, employee.facts));
    }
  }
  return { events, employees, clock, online, called };
};

export const acts = (minutes: fc.Arbitrary<number>): fc.Arbitrary<Act[]> =>
  fc.array(
    fc.record({
      act: fc.constantFrom(
        ...(['hire', 'hire', 'hire', 'change', 'suspend', 'terminate', 'make', 'make', 'drop', 'rename'] as const),
        ...(['join', 'join', 'join', 'leave', 'leave', 'connect', 'connect', 'disconnect'] as const),
      ),
      who: fc.constantFrom(...names),
      group: fc.constantFrom(...groups),
      minutes,
      newId: fc.boolean(),
      noEmail: fc.integer({ min: 0, max: 9 }).map((die) => die === 0),
    }),
    { minLength: 6, maxLength: 24 },
  );
