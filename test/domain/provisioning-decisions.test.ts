// Directory sync, told as the customer's IT admin would tell it: who may come in after which news, and as what.

import { describe, expect, it } from 'vitest';
import type { MembershipState } from '#domain/memberships/membership.ts';
import { accessOf } from '#domain/provisioning/decide.ts';
import type { DirectoryEvent } from '#domain/provisioning/directory-event.ts';
import { learn, withLearned } from '#domain/provisioning/directory-picture.ts';
import type { ProvisioningPolicy } from '#domain/provisioning/provisioning-policy.ts';
import type { RoleMapping } from '#domain/provisioning/role-mapping.ts';
import {
  aFollower,
  decisionOn,
  emptyPicture,
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
  days,
  disconnected,
  groupDropped,
  groupId,
  groupMade,
  groupRenamed,
  hired,
  joined,
  left,
  minute,
  recordId,
  terminated,
} from '../support/words.ts';

const engineersDevelop: RoleMapping = { groupId: groupId('Engineering'), role: 'developer' };
const bossesAdminister: RoleMapping = { groupId: groupId('Bosses'), role: 'admin' };
const onlyMapped: ProvisioningPolicy = { defaultRole: null, gateGroupId: null, justInTime: false };
const onlyStaff: ProvisioningPolicy = { defaultRole: 'analyst', gateGroupId: groupId('Staff'), justInTime: false };

/** A member of Ada's kind who was there already, by somebody's hand unless told. */
const adaIsMember = (facts: Partial<MembershipState> = {}): Pick<Follower, 'memberships'> => ({
  memberships: new Map([['okta-ada', aMembership({ createdAt: minute(-60), ...facts })]]),
});

interface Story {
  readonly when: string;
  readonly happens: readonly DirectoryEvent[];
  readonly with?: Partial<Follower>;
  readonly ends: string;
}

const stories: Readonly<Record<string, readonly Story[]>> = {
  'user provisioned': [
    { when: 'a new employee is added in the identity provider', happens: [hired('ada')], ends: 'analyst' },
    {
      when: 'a new employee is added to a group that confers a role',
      happens: [hired('ada'), groupMade('Engineering'), joined('ada', 'Engineering', 1)],
      with: { mappings: [engineersDevelop] },
      ends: 'developer',
    },
    {
      when: 'there is no default role and no mapping matches',
      happens: [hired('ada'), groupMade('Finance'), joined('ada', 'Finance', 1)],
      with: { mappings: [engineersDevelop], policy: onlyMapped },
      ends: 'no access',
    },
    {
      when: 'access hangs on a gate group and the person is not in it',
      happens: [hired('ada'), groupMade('Engineering'), joined('ada', 'Engineering', 1)],
      with: { mappings: [engineersDevelop], policy: onlyStaff },
      ends: 'no access',
    },
    {
      when: 'the person enters the gate group',
      happens: [hired('ada'), groupMade('Staff'), joined('ada', 'Staff', 1)],
      with: { policy: onlyStaff },
      ends: 'analyst',
    },
    { when: 'the record arrives inactive', happens: [hired('ada', 0, { state: 'inactive' })], ends: 'no access' },
  ],

  'user deprovisioned': [
    { when: 'an employee is deleted', happens: [hired('ada'), terminated('ada', 1)], ends: 'no access' },
    ...['inactive', 'suspended', 'ACTIVE', 'on_sabbatical', ''].map((state) => ({
      when: `an employee's state becomes "${state}"`,
      happens: [hired('ada'), changed('ada', 1, { state })],
      ends: 'no access',
    })),
    {
      when: 'an employee leaves the group that alone conferred a role',
      happens: [hired('ada'), joined('ada', 'Engineering', 1), left('ada', 'Engineering', 2)],
      with: { mappings: [engineersDevelop], policy: onlyMapped },
      ends: 'no access',
    },
    {
      when: 'an employee leaves the gate group',
      happens: [hired('ada'), joined('ada', 'Staff', 1), left('ada', 'Staff', 2)],
      with: { policy: onlyStaff },
      ends: 'no access',
    },
    {
      when: 'the gate group is deleted, without a word about its members',
      happens: [hired('ada'), joined('ada', 'Staff', 1), groupDropped('Staff', 2)],
      with: { policy: onlyStaff },
      ends: 'no access',
    },
    {
      when: 'the directory is disconnected, without a word about its people',
      happens: [connected(), hired('ada', 1), disconnected(2)],
      ends: 'no access',
    },
    {
      when: 'a suspended employee is reactivated',
      happens: [hired('ada'), changed('ada', 1, { state: 'suspended' }), changed('ada', 2)],
      ends: 'analyst',
    },
    {
      when: 'a deactivated employee is in a group that confers a role',
      happens: [hired('ada'), joined('ada', 'Engineering', 1), changed('ada', 2, { state: 'inactive' })],
      with: { mappings: [engineersDevelop] },
      ends: 'no access',
    },
  ],

  'group sync': [
    {
      when: 'somebody moves from one mapped group to another',
      happens: [
        hired('ada'),
        joined('ada', 'Engineering', 1),
        joined('ada', 'Bosses', 2),
        left('ada', 'Engineering', 3),
      ],
      with: { mappings: [engineersDevelop, bossesAdminister] },
      ends: 'admin',
    },
    {
      when: 'two mappings match, the first in the list wins (developer first)',
      happens: [hired('ada'), joined('ada', 'Bosses', 1), joined('ada', 'Engineering', 2)],
      with: { mappings: [engineersDevelop, bossesAdminister] },
      ends: 'developer',
    },
    {
      when: 'two mappings match, the first in the list wins (admin first)',
      happens: [hired('ada'), joined('ada', 'Bosses', 1), joined('ada', 'Engineering', 2)],
      with: { mappings: [bossesAdminister, engineersDevelop] },
      ends: 'admin',
    },
    {
      when: 'the last mapped group is left and there is a default role',
      happens: [hired('ada'), joined('ada', 'Bosses', 1), left('ada', 'Bosses', 2)],
      with: { mappings: [bossesAdminister] },
      ends: 'analyst',
    },
    {
      when: 'a mapped group is renamed, it confers what it did',
      happens: [hired('ada'), joined('ada', 'Engineering', 1), groupRenamed('Engineering', 'R&D', 2)],
      with: { mappings: [engineersDevelop] },
      ends: 'developer',
    },
    {
      when: 'a mapped group is deleted, its role goes with it',
      happens: [hired('ada'), joined('ada', 'Bosses', 1), groupDropped('Bosses', 2)],
      with: { mappings: [bossesAdminister] },
      ends: 'analyst',
    },
    {
      when: 'a group is deleted and made again under its id, nobody is in it',
      happens: [hired('ada'), joined('ada', 'Bosses', 1), groupDropped('Bosses', 2), groupMade('Bosses', 3)],
      with: { mappings: [bossesAdminister] },
      ends: 'analyst',
    },
    {
      when: 'a group is deleted, made again, and the person put in again',
      happens: [
        hired('ada'),
        joined('ada', 'Bosses', 1),
        groupDropped('Bosses', 2),
        groupMade('Bosses', 3),
        joined('ada', 'Bosses', 4),
      ],
      with: { mappings: [bossesAdminister] },
      ends: 'admin',
    },
  ],

  'manners of real directories': [
    {
      when: 'Entra ID maps no e-mail address yet',
      happens: [hired('ada', 0, { email: null })],
      ends: 'no access',
    },
    {
      when: 'Entra ID sends the address later',
      happens: [hired('ada', 0, { email: null }), changed('ada', 1)],
      ends: 'analyst',
    },
    {
      when: 'the address of a member vanishes',
      happens: [hired('ada'), changed('ada', 1, { email: null })],
      ends: 'no access',
    },
    {
      when: 'the group membership comes before the person and the group',
      happens: [joined('ada', 'Engineering', 1)],
      with: { mappings: [engineersDevelop] },
      ends: 'developer',
    },
    {
      when: 'the group membership quotes somebody whom it calls inactive',
      happens: [joined('ada', 'Engineering', 1, { state: 'inactive' })],
      with: { mappings: [engineersDevelop] },
      ends: 'no access',
    },
    {
      when: 'a group membership quotes an old state of somebody deactivated since',
      happens: [hired('ada'), changed('ada', 5, { state: 'inactive' }), joined('ada', 'Engineering', 6)],
      with: { mappings: [engineersDevelop] },
      ends: 'no access',
    },
    {
      when: 'Okta deletes a leaver and re-creates the returner under a new id',
      happens: [hired('ada'), terminated('ada', 1), hired('ada', 2, { id: 'directory_user_ada_again' })],
      ends: 'analyst',
    },
    {
      when: 'a returner under a new id does not inherit the groups of the old record',
      happens: [
        hired('ada'),
        joined('ada', 'Bosses', 1),
        terminated('ada', 2),
        hired('ada', 3, { id: 'directory_user_ada_again' }),
      ],
      with: { mappings: [bossesAdminister] },
      ends: 'analyst',
    },
    {
      when: 'the new record comes first and the deletion of the old one late',
      happens: [hired('ada'), hired('ada', 2, { id: 'directory_user_ada_again' }), terminated('ada', 1)],
      ends: 'analyst',
    },
    {
      when: 'the same id is created again after its deletion',
      happens: [hired('ada'), terminated('ada', 1), hired('ada', 2)],
      ends: 'analyst',
    },
    {
      when: 'the same id is created again, its old groups do not come back',
      happens: [hired('ada'), joined('ada', 'Bosses', 1), terminated('ada', 2), hired('ada', 3)],
      with: { mappings: [bossesAdminister] },
      ends: 'analyst',
    },
    {
      when: 'the creation of an id that was deleted later comes late',
      happens: [terminated('ada', 1), hired('ada', 0)],
      ends: 'no access',
    },
    {
      when: 'an update of somebody deleted comes late',
      happens: [hired('ada'), terminated('ada', 2), changed('ada', 1)],
      ends: 'no access',
    },
    {
      when: 'even an update said after the deletion resurrects nobody',
      happens: [hired('ada'), terminated('ada', 2), changed('ada', 3)],
      ends: 'no access',
    },
    {
      when: 'a deletion is heard of somebody never mentioned',
      happens: [terminated('ada', 1)],
      ends: 'no access',
    },
    {
      when: 'a removal from a group is heard of somebody never mentioned',
      happens: [left('ada', 'Engineering', 1)],
      ends: 'no access',
    },
    {
      when: 'a reactivation overtakes the deactivation before it',
      happens: [hired('ada'), changed('ada', 2), changed('ada', 1, { state: 'inactive' })],
      ends: 'analyst',
    },
    {
      when: 'a late group membership is older than the removal',
      happens: [hired('ada'), left('ada', 'Bosses', 2), joined('ada', 'Bosses', 1)],
      with: { mappings: [bossesAdminister] },
      ends: 'analyst',
    },
    {
      when: 'the disconnection comes first and the people late',
      happens: [disconnected(5), connected(0), hired('ada', 1)],
      ends: 'no access',
    },
    {
      when: 'a directory comes back under its id, but does not mention the person again',
      happens: [connected(), hired('ada', 1), disconnected(2), connected(3)],
      ends: 'no access',
    },
    {
      when: 'a directory comes back under its id and mentions the person, but not their group',
      happens: [
        connected(),
        hired('ada', 1),
        joined('ada', 'Bosses', 1),
        disconnected(2),
        connected(3),
        hired('ada', 4),
      ],
      with: { mappings: [bossesAdminister] },
      ends: 'analyst',
    },
    {
      when: 'the word of the reconnection comes last',
      happens: [connected(), hired('ada', 1), disconnected(2), hired('ada', 4), connected(3)],
      ends: 'analyst',
    },
    {
      when: 'one of two directories that know the person is disconnected',
      happens: [
        hired('ada'),
        hired('ada', 1, { id: 'directory_user_ada_hr', directoryId: 'directory_hr' }),
        disconnected(2),
      ],
      ends: 'analyst',
    },
  ],

  'members who were there before': [
    {
      when: 'the directory names a member made by hand, it governs their role',
      happens: [hired('ada'), joined('ada', 'Engineering', 1)],
      with: { ...adaIsMember({ role: 'admin' }), mappings: [engineersDevelop] },
      ends: 'developer',
    },
    {
      when: 'the directory names a member made by hand as inactive',
      happens: [hired('ada', 0, { state: 'inactive' })],
      with: adaIsMember({ role: 'admin' }),
      ends: 'no access',
    },
    {
      when: 'a member made by hand after the last word of the directory',
      happens: [hired('ada'), terminated('ada', 1)],
      with: adaIsMember({ role: 'developer', createdAt: minute(2) }),
      ends: 'developer',
    },
    {
      when: 'a member made by hand after the last word, whose older news come late and disordered',
      happens: [terminated('ada', 1), hired('ada'), left('ada', 'Staff', 1), terminated('ada', 1)],
      with: { ...adaIsMember({ role: 'developer', createdAt: minute(2) }), policy: onlyStaff },
      ends: 'developer',
    },
    {
      when: 'a member made by hand after the last word, when the directory speaks again',
      happens: [hired('ada'), terminated('ada', 1), hired('ada', 3), terminated('ada', 4)],
      with: adaIsMember({ role: 'developer', createdAt: minute(2) }),
      ends: 'no access',
    },
    {
      when: 'a member made by hand, whom the directory takes out of the gate group afterwards',
      happens: [hired('ada'), joined('ada', 'Staff', 1), left('ada', 'Staff', 3)],
      with: { ...adaIsMember({ role: 'developer', createdAt: minute(2) }), policy: onlyStaff },
      ends: 'no access',
    },
    {
      when: 'a member made by hand at the very instant of the removal',
      happens: [hired('ada'), terminated('ada', 2)],
      with: adaIsMember({ createdAt: minute(2) }),
      ends: 'no access',
    },
    {
      when: 'the owner is mapped to a lesser role, they stay owner',
      happens: [hired('ada'), joined('ada', 'Engineering', 1)],
      with: { ...adaIsMember({ role: 'owner' }), mappings: [engineersDevelop] },
      ends: 'owner',
    },
    {
      when: 'no group gives the owner a role, they stay owner',
      happens: [hired('ada'), joined('ada', 'Engineering', 1), left('ada', 'Engineering', 2)],
      with: { ...adaIsMember({ role: 'owner' }), mappings: [engineersDevelop], policy: onlyMapped },
      ends: 'owner',
    },
    {
      when: 'the owner leaves the gate group, they stay owner',
      happens: [hired('ada'), joined('ada', 'Staff', 1), left('ada', 'Staff', 2)],
      with: { ...adaIsMember({ role: 'owner' }), policy: onlyStaff },
      ends: 'owner',
    },
    {
      when: 'the owner is terminated, they leave like anybody',
      happens: [hired('ada'), terminated('ada', 1)],
      with: adaIsMember({ role: 'owner' }),
      ends: 'no access',
    },
    {
      when: 'the owner is suspended, they leave like anybody',
      happens: [hired('ada'), changed('ada', 1, { state: 'suspended' })],
      with: adaIsMember({ role: 'owner' }),
      ends: 'no access',
    },
    {
      when: 'a former member is hired again',
      happens: [hired('ada')],
      with: adaIsMember({ status: 'revoked', role: 'admin' }),
      ends: 'analyst',
    },
  ],
};

for (const [chapter, told] of Object.entries(stories)) {
  describe(chapter, () => {
    it.each(told)('$when: $ends', ({ happens, with: before, ends }) => {
      expect(standingOf(hearAll(aFollower(before), happens), 'ada')).toBe(ends);
    });
  });
}

describe('user updated', () => {
  it('follows name and address, and leaves the standing alone', () => {
    const follower = hear(aFollower(), hired('ada'));
    const after = hear(follower, changed('ada', 1, { name: 'Ada Lovelace', email: 'ada.lovelace@acme.test' }));
    expect(after.picture.users).toMatchObject([{ name: 'Ada Lovelace', email: 'ada.lovelace@acme.test' }]);
    expect(after.memberships).toEqual(follower.memberships);
  });

  it('ignores an older name that comes late', () => {
    const after = hearAll(aFollower(), [
      hired('ada'),
      changed('ada', 2, { name: 'new' }),
      changed('ada', 1, { name: 'old' }),
    ]);
    expect(after.picture.users).toMatchObject([{ name: 'new' }]);
  });

  it('believes an event about the person before a quotation of the same instant', () => {
    const quoting = joined('ada', 'Engineering', 3, { updatedAt: minute(2), name: 'quoted' });
    const own = changed('ada', 2, { name: 'own' });
    for (const order of [
      [quoting, own],
      [own, quoting],
    ]) {
      expect(hearAll(aFollower(), order).picture.users).toMatchObject([{ name: 'own' }]);
    }
  });
});

describe('what a decision carries', () => {
  it('says through which group the access comes, and null for the default role', () => {
    const mapped = decisionOn(aFollower({ mappings: [engineersDevelop] }), joined('ada', 'Engineering', 1));
    expect(mapped.standings).toMatchObject([{ do: 'grant', role: 'developer', throughGroup: groupId('Engineering') }]);
    const byDefault = decisionOn(aFollower(), hired('ada'));
    expect(byDefault.standings).toMatchObject([{ do: 'grant', role: 'analyst', throughGroup: null }]);
  });

  it.each([
    ['not_active_in_directory', terminated('ada', 9), {}],
    ['outside_gate_group', left('ada', 'Staff', 9), { policy: onlyStaff }],
    ['no_role', left('ada', 'Engineering', 9), { policy: onlyMapped, mappings: [engineersDevelop] }],
    ['no_email', changed('ada', 9, { email: null }), {}],
  ] as const)('says why access ends: %s', (because, event, before) => {
    const member = hearAll(aFollower(before), [
      hired('ada'),
      joined('ada', 'Staff', 1),
      joined('ada', 'Engineering', 1),
    ]);
    expect(decisionOn(member, event).standings).toMatchObject([{ do: 'revoke', because }]);
  });

  it('lets the record with an address speak for the person, so that access never lands on one without', () => {
    const bare = { id: 'directory_user_ada_again', email: null };
    const follower = hearAll(aFollower({ policy: onlyMapped }), [hired('ada'), hired('ada', 5, bare)]);
    const opened = { ...follower, policy: { ...onlyMapped, defaultRole: 'analyst' as const } };
    const decision = decisionOn(opened, changed('ada', 6, { ...bare, name: 'Ada L.' }));
    expect(decision.standings).toMatchObject([{ do: 'grant', person: { email: 'ada@acme.test' } }]);
  });

  it('takes a member over without changing their role when the role is right already', () => {
    const follower = aFollower(adaIsMember({ role: 'analyst' }));
    const after = hear(follower, hired('ada'));
    expect(after.memberships.get('okta-ada')).toMatchObject({
      role: 'analyst',
      managedBy: 'directory',
      id: anId('mem'),
    });
  });

  it('decides about everybody in a group when the group goes, and about nobody else', () => {
    const people = [hired('ada'), hired('bob'), hired('eve'), joined('ada', 'Bosses', 1), joined('bob', 'Bosses', 1)];
    const follower = hearAll(aFollower({ mappings: [bossesAdminister] }), people);
    const after = hear(follower, groupDropped('Bosses', 2));
    expect(['ada', 'bob', 'eve'].map((who) => standingOf(after, who))).toEqual(['analyst', 'analyst', 'analyst']);
    const touched = decisionOn(follower, groupDropped('Bosses', 2)).standings.map(({ person }) => person.id);
    expect(touched.toSorted()).toEqual([recordId('ada'), recordId('bob')]);
  });
});

describe('hearing something twice', () => {
  const history = [connected(), hired('ada', 1), groupMade('Bosses', 1), joined('ada', 'Bosses', 2), changed('ada', 3)];

  it.each(history.map((event) => [event.kind, event] as const))(
    '%s: learns nothing and decides nothing',
    (_, event) => {
      const follower = hearAll(aFollower({ mappings: [bossesAdminister] }), history);
      expect(decisionOn(follower, event)).toEqual({ learned: emptyPicture, standings: [] });
    },
  );

  it('does not take over somebody let in by hand in between', () => {
    const gone = hearAll(aFollower(), [hired('ada'), terminated('ada', 1)]);
    const letInByHand = { ...gone, ...adaIsMember({ role: 'developer', createdAt: minute(30) }) };
    const repeated = hearAll(letInByHand, [hired('ada'), terminated('ada', 1), hired('ada')]);
    expect(repeated.memberships).toEqual(letInByHand.memberships);
  });

  it('does not re-admit somebody whose membership the provider ended since', () => {
    const follower = hear(aFollower(), hired('ada'));
    const ended = { ...follower, ...adaIsMember({ status: 'revoked', managedBy: 'provider' }) };
    expect(standingOf(hear(ended, hired('ada')), 'ada')).toBe('no access');
  });
});

describe('a removal never creates', () => {
  it('says so when all else would have let the person in', () => {
    const decision = decisionOn(aFollower(), left('ada', 'Engineering', 1));
    expect(decision.standings).toMatchObject([{ do: 'nothing', because: 'only_a_removal' }]);
  });

  it('still remembers the removal, so the late addition means nothing', () => {
    const after = hearAll(aFollower({ mappings: [bossesAdminister] }), [
      left('ada', 'Bosses', 2),
      joined('ada', 'Bosses', 1),
    ]);
    expect(standingOf(hear(after, hired('ada', 3)), 'ada')).toBe('analyst');
  });

  it('may move a member to the next mapping that matches', () => {
    const both = [hired('ada'), joined('ada', 'Engineering', 1), joined('ada', 'Bosses', 1)];
    const follower = hearAll(aFollower({ mappings: [engineersDevelop, bossesAdminister] }), both);
    expect(standingOf(hear(follower, left('ada', 'Engineering', 2)), 'ada')).toBe('admin');
  });
});

describe('at one and the same instant', () => {
  const suspension = changed('ada', 5, { state: 'suspended' });
  const everybody = { policy: aFollower().policy };
  const staffOnly = { policy: onlyStaff };

  it.each<[string, Pick<Follower, 'policy'>, DirectoryEvent, DirectoryEvent, DirectoryEvent[]]>([
    ['creation and deletion', everybody, hired('ada', 5), terminated('ada', 5), []],
    ['an active and a suspended state', everybody, changed('ada', 5), { ...suspension, id: 'event_a' }, []],
    ['the same with ids the other way round', everybody, changed('ada', 5), { ...suspension, id: 'event_z' }, []],
    ['mention and disconnection', everybody, changed('ada', 5), disconnected(5), []],
    ['mention and disconnection, reconnected since', everybody, changed('ada', 5), disconnected(5), [connected(6)]],
    ['joining and leaving the gate group', staffOnly, joined('ada', 'Staff', 5), left('ada', 'Staff', 5), []],
    ['joining the gate group and its deletion', staffOnly, joined('ada', 'Staff', 5), groupDropped('Staff', 5), []],
    [
      'the same, the group made anew',
      staffOnly,
      joined('ada', 'Staff', 5),
      groupDropped('Staff', 5),
      [groupMade('Staff', 6)],
    ],
    ['joining and deletion, hired anew', staffOnly, joined('ada', 'Staff', 5), terminated('ada', 5), [hired('ada', 6)]],
  ])('%s: the removal wins in both orders', (_, rules, grant, removal, since) => {
    const before = hearAll(aFollower(rules), [connected(), hired('ada', 1), joined('ada', 'Staff', 1)]);
    expect(standingOf(before, 'ada')).toBe('analyst');
    expect(standingOf(hearAll(before, [grant, removal, ...since]), 'ada')).toBe('no access');
    expect(standingOf(hearAll(before, [removal, grant, ...since]), 'ada')).toBe('no access');
  });

  it('of two quotations that differ, the same one is believed in both orders, and the one that gives no access first', () => {
    const active = joined('ada', 'Staff', 2, { updatedAt: minute(1), name: 'b' });
    const another = joined('ada', 'Engineering', 3, { updatedAt: minute(1), name: 'a' });
    const inactive = joined('ada', 'Bosses', 4, { updatedAt: minute(1), state: 'inactive' });
    const nameAfter = (...events: DirectoryEvent[]) => hearAll(aFollower(), events).picture.users[0]?.name;
    expect(nameAfter(active, another)).toBe(nameAfter(another, active));
    expect(standingOf(hearAll(aFollower(), [active, inactive]), 'ada')).toBe('no access');
    expect(standingOf(hearAll(aFollower(), [inactive, active]), 'ada')).toBe('no access');
  });
});

describe('after mappings or policy changed', () => {
  const staffed = hearAll(aFollower({ mappings: [bossesAdminister] }), [hired('ada'), joined('ada', 'Bosses', 1)]);

  it('gives everybody what the new mappings say, without an event', () => {
    expect(standingOf(lookAnew({ ...staffed, mappings: [] }), 'ada')).toBe('analyst');
    expect(standingOf(lookAnew({ ...staffed, mappings: [{ ...bossesAdminister, role: 'auditor' }] }), 'ada')).toBe(
      'auditor',
    );
  });

  it('ends the access that no rule gives any more, and gives it back with the rule', () => {
    const shut = lookAnew({ ...staffed, mappings: [], policy: onlyMapped });
    expect(standingOf(shut, 'ada')).toBe('no access');
    expect(standingOf(lookAnew({ ...shut, mappings: [bossesAdminister] }), 'ada')).toBe('admin');
  });

  it('leaves somebody let in by hand after the last word alone', () => {
    const byHand = { ...staffed, ...adaIsMember({ role: 'developer', createdAt: days(2) }) };
    expect(standingOf(lookAnew(byHand), 'ada')).toBe('developer');
  });

  it('asks the picture, the mappings and the policy, and nothing else', () => {
    const [ada] = staffed.picture.users;
    if (!ada) throw new Error('Ada is missing from the picture');
    expect(accessOf(staffed.picture, [ada], staffed.mappings, staffed.policy)).toEqual({
      to: 'role',
      role: 'admin',
      throughGroup: groupId('Bosses'),
    });
    expect(accessOf(staffed.picture, [], staffed.mappings, staffed.policy)).toMatchObject({ to: 'nothing' });
  });
});

describe('what the picture remembers', () => {
  it('keeps the user of ours whom a record was linked to, whatever is said later', () => {
    const { picture } = hear(aFollower(), hired('ada'));
    const linked = { ...picture, users: picture.users.map((record) => ({ ...record, userId: anId('user', 7) })) };
    const learned = learn(linked, changed('ada', 1, { name: 'Ada L.' }), anId('org'));
    expect(withLearned(linked, learned).users).toMatchObject([{ userId: anId('user', 7), name: 'Ada L.' }]);
  });
});
