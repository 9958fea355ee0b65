// Directory sync converges: whatever the order, the repetition and the delay of the same history, everybody ends with the same access.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AssignableRole, assignableRoles } from '#domain/memberships/role.ts';
import { learn, withLearned } from '#domain/provisioning/directory-picture.ts';
import { firstMatch, type RoleMapping } from '#domain/provisioning/role-mapping.ts';
import { acts, type Company, groups, names, played, retold } from '../support/company.ts';
import {
  aFollower,
  decisionOn,
  emptyPicture,
  endState,
  type Follower,
  hear,
  hearAll,
  lookAnew,
  standingOf,
} from '../support/directory-follower.ts';
import {
  aMembership,
  anId,
  changed,
  connected,
  groupId,
  groupMade,
  hired,
  joined,
  left,
  minute,
  recordId,
  terminated,
} from '../support/words.ts';

describe('a history of twelve events', () => {
  const history = [
    connected(0),
    groupMade('Bosses', 1),
    groupMade('Staff', 1),
    hired('ada', 2),
    joined('ada', 'Staff', 3, { updatedAt: minute(2) }),
    hired('bob', 4),
    joined('bob', 'Bosses', 5, { updatedAt: minute(4) }),
    changed('ada', 6, { state: 'suspended' }),
    terminated('bob', 7),
    changed('ada', 8, { email: 'ada.lovelace@acme.test' }),
    hired('bob', 9, { id: 'directory_user_bob_again' }),
    left('ada', 'Staff', 10, { updatedAt: minute(8), email: 'ada.lovelace@acme.test' }),
  ];
  const mappings: readonly RoleMapping[] = [
    { groupId: groupId('Bosses'), role: 'admin' },
    { groupId: groupId('Staff'), role: 'developer' },
  ];
  const told = hearAll(aFollower({ mappings }), history);

  it('ends, told in order, as the directory stands', () => {
    expect(history).toHaveLength(12);
    expect([standingOf(told, 'ada'), standingOf(told, 'bob')]).toEqual(['analyst', 'analyst']);
  });

  it('ends alike in a thousand shuffles with repetitions', () => {
    const check = fc.property(retold(history), (events) => {
      expect(endState(hearAll(aFollower({ mappings }), events))).toEqual(endState(told));
    });
    fc.assert(check, { numRuns: 1000 });
  });
});

const rules: fc.Arbitrary<Pick<Follower, 'mappings' | 'policy'>> = fc.record({
  mappings: fc.uniqueArray(
    fc.record({ groupId: fc.constantFrom(...groups).map(groupId), role: fc.constantFrom(...assignableRoles) }),
    { selector: (mapping) => mapping.groupId },
  ),
  policy: fc.record({
    defaultRole: fc.constantFrom<AssignableRole | null>('analyst', null),
    gateGroupId: fc.constantFrom(null, null, groupId('Staff')),
    justInTime: fc.constant(false),
  }),
});

/** What a person who knows the company and the rules would say, without looking at any event. */
const expected = (
  { employees }: Company,
  who: string,
  { mappings, policy }: Pick<Follower, 'mappings' | 'policy'>,
): string => {
  const employee = employees.get(who);
  if (employee?.facts.state !== 'active' || employee.facts.email === null) return 'no access';
  const theirs = new Set([...employee.groups].map(groupId));
  if (policy.gateGroupId && !theirs.has(policy.gateGroupId)) return 'no access';
  for (const { groupId: mapped, role } of mappings) if (theirs.has(mapped)) return role;
  return policy.defaultRole ?? 'no access';
};

/** Nobody, or somebody in each kind of standing that is not the directory's, who became a member at that minute. */
const membersBefore: fc.Arbitrary<Follower['memberships']> = fc
  .array(
    fc.record({
      who: fc.constantFrom(...names),
      managedBy: fc.constantFrom('hand' as const, 'provider' as const),
      status: fc.constantFrom('active' as const, 'active' as const, 'revoked' as const),
      role: fc.constantFrom(...assignableRoles),
      since: fc.integer({ min: -5, max: 40 }),
    }),
    { maxLength: 2 },
  )
  .map(
    (members) =>
      new Map(
        members.map(({ who, since, ...rest }) => [`okta-${who}`, aMembership({ ...rest, createdAt: minute(since) })]),
      ),
  );

describe('any valid history', () => {
  it('ends as the company really stands, in any order and however often each event comes', () => {
    const history = acts(fc.integer({ min: 1, max: 3 })).map(played);
    const check = fc.property(
      history.chain((company) => fc.tuple(fc.constant(company), retold(company.events), rules)),
      ([company, events, given]) => {
        const end = hearAll(aFollower(given), events);
        for (const who of names) expect(standingOf(end, who)).toBe(expected(company, who, given));
      },
    );
    fc.assert(check, { numRuns: 1500 });
  });

  it('ends alike in two orders, also when much happens at the same instant', () => {
    const history = acts(fc.integer({ min: 0, max: 1 })).map(played);
    const check = fc.property(
      history.chain(({ events }) => fc.tuple(retold(events), retold(events))),
      rules,
      ([once, again], given) => {
        expect(endState(hearAll(aFollower(given), once))).toEqual(endState(hearAll(aFollower(given), again)));
      },
    );
    fc.assert(check, { numRuns: 1500 });
  });

  it('ends alike also for people who were let in by hand or by the provider, before or meanwhile', () => {
    const history = acts(fc.integer({ min: 0, max: 3 })).map(played);
    const check = fc.property(
      history.chain(({ events }) => fc.tuple(retold(events), retold(events))),
      rules,
      membersBefore,
      ([once, again], given, memberships) => {
        const start = aFollower({ ...given, memberships });
        expect(endState(hearAll(start, once))).toEqual(endState(hearAll(start, again)));
      },
    );
    fc.assert(check, { numRuns: 1500 });
  });

  it('needs no second look: nothing is left to decide when everything was heard', () => {
    const history = acts(fc.integer({ min: 0, max: 3 })).map(played);
    const check = fc.property(
      history.chain(({ events }) => retold(events)),
      rules,
      membersBefore,
      (events, given, memberships) => {
        const end = hearAll(aFollower({ ...given, memberships }), events);
        const mentioned = (who: string) => end.picture.users.some(({ id }) => id.startsWith(recordId(who)));
        const again = lookAnew(end);
        for (const who of names.filter(mentioned)) expect(standingOf(again, who)).toBe(standingOf(end, who));
      },
    );
    fc.assert(check, { numRuns: 1000 });
  });
});

describe('on the way', () => {
  const someStory = acts(fc.integer({ min: 0, max: 3 }))
    .map(played)
    .chain(({ events }) => retold(events));
  const removals = ['user.deleted', 'group.member_removed', 'group.deleted', 'directory.disconnected'];

  it('a removal never grants', () => {
    const check = fc.property(someStory, rules, membersBefore, (events, given, memberships) => {
      let follower = aFollower({ ...given, memberships });
      for (const event of events) {
        const grants = decisionOn(follower, event).standings.filter((standing) => standing.do === 'grant');
        if (removals.includes(event.kind)) expect(grants).toEqual([]);
        follower = hear(follower, event);
      }
    });
    fc.assert(check, { numRuns: 500 });
  });

  it('a removal as the very first word grants nothing', () => {
    const check = fc.property(someStory, rules, (events, given) => {
      for (const event of events.filter(({ kind }) => removals.includes(kind))) {
        expect(hear(aFollower(given), event).memberships.size).toBe(0);
      }
    });
    fc.assert(check, { numRuns: 300 });
  });

  it('an event heard twice in a row teaches nothing the second time', () => {
    const check = fc.property(someStory, (events) => {
      let picture = emptyPicture;
      for (const event of events) {
        picture = withLearned(picture, learn(picture, event, anId('org')));
        expect(learn(picture, event, anId('org'))).toEqual(emptyPicture);
      }
    });
    fc.assert(check, { numRuns: 500 });
  });

  it('nobody has access whom the directory calls anything but active, once it spoke of them', () => {
    const check = fc.property(someStory, rules, (events, given) => {
      let follower = aFollower(given);
      for (const event of events) {
        follower = hear(follower, event);
        for (const who of names) {
          const records = follower.picture.users.filter(({ id }) => id.startsWith(recordId(who)));
          if (records.every(({ state }) => state !== 'active')) expect(standingOf(follower, who)).toBe('no access');
        }
      }
    });
    fc.assert(check, { numRuns: 500 });
  });
});

describe('the role from mappings', () => {
  it('depends on the order of the list and on nothing else', () => {
    const list = fc.uniqueArray(
      fc.record({ groupId: fc.constantFrom('a', 'b', 'c', 'd', 'e'), role: fc.constantFrom(...assignableRoles) }),
      { selector: (mapping) => mapping.groupId },
    );
    const memberOf = fc.subarray(['a', 'b', 'c', 'd', 'e', 'unmapped']);
    const check = fc.property(list, memberOf, (mappings, groupIds) => {
      const match = firstMatch(mappings, new Set(groupIds));
      expect(firstMatch(mappings, new Set(groupIds.toReversed()))).toEqual(match);
      const place = mappings.findIndex(({ groupId: mapped }) => mapped === match?.groupId);
      const before = match ? mappings.slice(0, place) : mappings;
      expect(before.some((mapping) => groupIds.includes(mapping.groupId))).toBe(false);
      if (match) expect(groupIds).toContain(match.groupId);
    });
    fc.assert(check);
  });
});
