// Reconciliation converges: whatever was lost, heard twice or comes late, the picture ends as the provider lists it, and then there is nothing left to do.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DirectoryEvent } from '#domain/provisioning/directory-event.ts';
import {
  type DirectoryPicture,
  groupsOf,
  isActive,
  isConnected,
  isPresent,
  isSaid,
} from '#domain/provisioning/directory-picture.ts';
import {
  changes,
  type Drift,
  driftOf,
  driftOfDirectories,
  driftOfUnlisted,
  isOvertaken,
  type ListedDirectory,
  type ListedPart,
} from '#domain/provisioning/drift.ts';
import { type Act, acts, type Company, names, played } from '../support/company.ts';
import { aFollower, type Follower, hear, hearAll, standingOf } from '../support/directory-follower.ts';
import {
  changed,
  connected,
  directoryId,
  disconnected,
  groupId,
  groupMade,
  hired,
  joined,
  minute,
  monday,
  recordId,
  terminated,
} from '../support/words.ts';

/** What the provider answers when it is asked. */
interface Lists {
  readonly directories: readonly ListedDirectory[];
  readonly parts: readonly ListedPart[];
}

const listedDirectory: ListedDirectory = {
  id: directoryId,
  name: 'Acme Okta',
  type: 'okta scim v2.0',
  state: 'connected',
};

const listsOf = ({ employees, online, called }: Company): Lists => {
  const groups = [...called].map(([word, name]) => ({ id: groupId(word), name, updatedAt: monday }));
  const people = [...employees].map(([who, { facts, groups: theirs }]) => ({
    user: { name: who, idpId: `okta-${who}`, ...facts },
    groups: theirs,
  }));
  const members = people.flatMap(({ user, groups: theirs }) =>
    groups.filter(({ id }) => [...theirs].map(groupId).includes(id)).map((group) => ({ group, user })),
  );
  const users = people.map(({ user }) => user);
  return online
    ? { directories: [listedDirectory], parts: [{ directoryId, groups, users, members }] }
    : { directories: [], parts: [] };
};

let readings = 0;

const planned = (picture: DirectoryPicture, { directories, parts }: Lists, asOf: Date): Drift[] => {
  readings += 1;
  const listing = { id: `reading ${readings}`, asOf };
  const readable = new Set(directories.filter(({ state }) => state === 'connected').map(({ id }) => id));
  const users = new Set(
    parts.flatMap((part) => [...part.users, ...part.members.map(({ user }) => user)].map(({ id }) => id)),
  );
  const groups = new Set(parts.flatMap((part) => part.groups.map(({ id }) => id)));
  const members = new Set(parts.flatMap((part) => part.members.map(({ group, user }) => `${group.id} ${user.id}`)));
  const unlisted = {
    users: picture.users.filter((user) => readable.has(user.directoryId) && !users.has(user.id)),
    groups: picture.groups.filter((group) => readable.has(group.directoryId) && !groups.has(group.id)),
    links: picture.links.filter(
      (link) =>
        users.has(link.directoryUserId) &&
        groups.has(link.groupId) &&
        !members.has(`${link.groupId} ${link.directoryUserId}`),
    ),
  };
  return [
    ...driftOfDirectories(picture.directories, directories, listing),
    ...parts.flatMap((part) => driftOf(picture, part, listing)),
    ...driftOfUnlisted(picture, unlisted, listing),
  ].toSorted((a, b) => changes.indexOf(a.change) - changes.indexOf(b.change));
};

const carriedOut = (follower: Follower, drift: readonly Drift[]): Follower =>
  drift.reduce((now, { event }) => (isOvertaken(now.picture, event) ? now : hear(now, event)), follower);

/** What the picture says, as the company would say it. */
const meaningOf = (picture: DirectoryPicture): unknown => {
  if (!picture.directories.some(isConnected)) return 'nothing is connected';
  const people = picture.users.filter((user) => isPresent(user) && isSaid(picture, user));
  return {
    people: people
      .map((user) => {
        const { id, email, name, state, idpId } = user;
        return { id, email, name, state, idpId, groups: [...groupsOf(picture, user)].toSorted() };
      })
      .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    groups: picture.groups
      .filter(isPresent)
      .map(({ id, name }) => `${id} ${name}`)
      .toSorted(),
  };
};

const truthOf = (company: Company): unknown => {
  const [part] = listsOf(company).parts;
  if (!part) return 'nothing is connected';
  const theirs = (id: string) => part.members.filter(({ user }) => user.id === id).map(({ group }) => group.id);
  return {
    people: part.users
      .map(({ id, email, name, state, idpId }) => ({ id, email, name, state, idpId, groups: theirs(id).toSorted() }))
      .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    groups: part.groups.map(({ id, name }) => `${id} ${name}`).toSorted(),
  };
};

/** The removal of a record that went with its directory and, now that the directory is back, is still not in it. */
const isGhost = ({ directories, users, groups }: DirectoryPicture, event: DirectoryEvent): boolean => {
  if (event.kind !== 'user.deleted' && event.kind !== 'group.deleted') return false;
  const about = 'user' in event ? event.user.id : event.group.id;
  const record = [...users, ...groups].find(({ id }) => id === about);
  const away = directories.find(({ id }) => id === event.directoryId)?.disconnectedAt;
  return record !== undefined && away != null && record.described.at <= away;
};

/**
 * Without the second and later times that the directory goes away: of one that is known to be away a reading says nothing,
 * so if it was back and away again without a word, its next return brings back whom it named in between. The next reading
 * finds them. (No directory of WorkOS' comes back at all; a new one has a new id.)
 */
const awayOnce = (all: readonly Act[]): Act[] => {
  const first = all.findIndex(({ act }) => act === 'disconnect');
  return all.filter(({ act }, index) => act !== 'disconnect' || index === first);
};

/** A reading in the middle of a history, of which some was heard before, some comes while it is carried out, some after. */
const someReading = acts(fc.integer({ min: 1, max: 3 }))
  .map(awayOnce)
  .chain((all) =>
    fc.record({ all: fc.constant(all), upTo: fc.nat({ max: all.length }) }).chain(({ upTo }) => {
      const then = played(all.slice(0, upTo));
      const end = played(all);
      const asOf = minute(then.clock + 0.5);
      const old = end.events.slice(0, then.events.length);
      const young = end.events.slice(then.events.length);
      return fc
        .tuple(fc.shuffledSubarray([...old]), fc.nat({ max: old.length }), fc.shuffledSubarray([...young]))
        .chain(([heard, since, meanwhile]) => {
          // What comes late comes with all that followed it.
          const late = old.filter((event) => !heard.includes(event)).slice(since);
          const rest = young.filter((event) => !meanwhile.includes(event));
          return fc
            .tuple(
              fc.shuffledSubarray(late),
              fc.shuffledSubarray([...late, ...rest], { minLength: late.length + rest.length }),
            )
            .map(([lateMeanwhile, after]) => ({
              then,
              end,
              asOf,
              heard,
              meanwhile: [...meanwhile, ...lateMeanwhile],
              after,
            }));
        });
    }),
  );

describe('a reconciliation', () => {
  it('makes the picture what the provider lists, whichever events were lost', () => {
    const check = fc.property(
      acts(fc.integer({ min: 0, max: 3 }))
        .map(played)
        .chain((company) => fc.tuple(fc.constant(company), fc.shuffledSubarray([...company.events]))),
      ([company, heard]) => {
        const before = hearAll(aFollower(), heard);
        const asOf = minute(company.clock + 1);
        const after = carriedOut(before, planned(before.picture, listsOf(company), asOf));
        expect(meaningOf(after.picture)).toEqual(truthOf(company));
        expect(planned(after.picture, listsOf(company), minute(company.clock + 2))).toEqual([]);
      },
    );
    fc.assert(check, { numRuns: 1500 });
  });

  it('ends as the company stands with news that comes meanwhile and afterwards, young or late, in any order', () => {
    const check = fc.property(someReading, ({ then, end, asOf, heard, meanwhile, after }) => {
      const before = hearAll(aFollower(), heard);
      const plan = planned(before.picture, listsOf(then), asOf);
      const reconciled = carriedOut(hearAll(before, meanwhile), plan);
      const last = hearAll(reconciled, after);
      const left = planned(last.picture, listsOf(end), minute(end.clock + 60));
      expect(left.filter(({ event }) => !isGhost(last.picture, event))).toEqual([]);
      expect(meaningOf(carriedOut(last, left).picture)).toEqual(truthOf(end));
    });
    fc.assert(check, { numRuns: 2000 });
  });

  it('gives everybody the access that they would have, had nothing been lost', () => {
    const mappings = [{ groupId: groupId('Bosses'), role: 'admin' as const }];
    const check = fc.property(someReading, ({ end, heard }) => {
      const told = hearAll(aFollower({ mappings }), end.events);
      const before = hearAll(aFollower({ mappings }), heard);
      const after = carriedOut(before, planned(before.picture, listsOf(end), minute(end.clock + 1)));
      for (const who of names) expect(standingOf(after, who)).toBe(standingOf(told, who));
    });
    fc.assert(check, { numRuns: 1000 });
  });

  it('finds nothing where nothing was lost', () => {
    const check = fc.property(acts(fc.integer({ min: 1, max: 3 })), (all) => {
      const company = played(all.filter(({ act }) => act !== 'disconnect'));
      const follower = hearAll(aFollower(), company.events);
      expect(planned(follower.picture, listsOf(company), minute(company.clock + 1))).toEqual([]);
    });
    fc.assert(check, { numRuns: 500 });
  });
});

describe('what follows from a listing', () => {
  const staff = [connected(0), groupMade('Staff', 1), hired('ada', 2), joined('ada', 'Staff', 3), hired('bob', 4)];
  const follower = hearAll(aFollower(), staff);
  const facts = (who: string) => ({
    id: recordId(who),
    idpId: `okta-${who}`,
    email: `${who}@acme.test`,
    name: who,
    state: 'active',
    updatedAt: minute(4),
  });
  const group = { id: groupId('Staff'), name: 'Staff', updatedAt: minute(1) };
  const listing = (part: Partial<ListedPart> = {}, directory: Partial<ListedDirectory> = {}): Lists => ({
    directories: [{ ...listedDirectory, ...directory }],
    parts: [
      {
        directoryId,
        groups: [group],
        users: [facts('ada'), facts('bob')],
        members: [{ group, user: facts('ada') }],
        ...part,
      },
    ],
  });
  const changesOf = (lists: Lists, from: Follower = follower, at = minute(10)) =>
    planned(from.picture, lists, at).map(({ change, event }) =>
      [change, 'user' in event ? event.user.id : 'group' in event ? event.group.id : event.directoryId].join(' '),
    );

  it.each([
    [
      'somebody who is missing here',
      { users: [facts('ada'), facts('bob'), facts('eve')] },
      ['person.provision directory_user_eve'],
    ],
    ['somebody who is missing there', { users: [facts('ada')] }, ['person.deprovision directory_user_bob']],
    [
      'somebody with a new name',
      { users: [facts('ada'), { ...facts('bob'), name: 'Robert' }] },
      ['person.update directory_user_bob'],
    ],
    [
      'somebody who is suspended',
      { users: [facts('ada'), { ...facts('bob'), state: 'suspended' }] },
      ['person.deprovision directory_user_bob'],
    ],
    ['a group with a new name', { groups: [{ ...group, name: 'Crew' }] }, ['group.rename directory_group_Staff']],
    ['a group that is gone, with everybody in it', { groups: [], members: [] }, ['group.delete directory_group_Staff']],
    ['a member who is missing there', { members: [] }, ['member.remove directory_user_ada']],
    [
      'a member who is missing here',
      {
        members: [
          { group, user: facts('ada') },
          { group, user: facts('bob') },
        ],
      },
      ['member.add directory_user_bob'],
    ],
    ['nothing', {}, []],
  ])('names %s', (_, part, expected) => {
    expect(changesOf(listing(part))).toEqual(expected);
  });

  it('never overrules the directory’s own younger word', () => {
    const gone = listing({ users: [facts('ada')] });
    expect(changesOf(gone, hear(follower, changed('bob', 11)))).toEqual([]);
    expect(changesOf(gone, hear(follower, changed('bob', 9)))).toEqual(['person.deprovision directory_user_bob']);
    const back = listing();
    expect(changesOf(back, hear(follower, terminated('bob', 11)))).toEqual([]);
    expect(changesOf(back, hear(follower, terminated('bob', 9)))).toEqual(['person.provision directory_user_bob']);
  });

  it('brings back who was deleted by a word older than the listing, though younger words describe them', () => {
    const described = hear(hear(follower, terminated('bob', 9)), changed('bob', 11));
    expect(changesOf(listing(), described)).toEqual(['person.provision directory_user_bob']);
  });

  it('does not take a directory for deleted that was connected after the listing', () => {
    const anew = hear(hear(follower, disconnected(5)), connected(11));
    expect(changesOf({ directories: [], parts: [] }, anew)).toEqual([]);
  });

  it('tells a directory that was deleted from one that was made anew under another id', () => {
    const deleted: Lists = { directories: [], parts: [] };
    expect(changesOf(deleted)).toEqual([`directory.disconnect ${directoryId}`]);
    const again = { ...listedDirectory, id: 'directory_acme_again' };
    const user = { ...facts('ada'), id: 'directory_user_ada_again' };
    const anew: Lists = {
      directories: [again],
      parts: [{ directoryId: again.id, groups: [], users: [user], members: [] }],
    };
    expect(changesOf(anew)).toEqual([
      'directory.connect directory_acme_again',
      'person.provision directory_user_ada_again',
      `directory.disconnect ${directoryId}`,
    ]);
  });

  it('lets somebody who is in both directories stay in all along', () => {
    const user = { ...facts('ada'), id: 'directory_user_ada_again' };
    const lists: Lists = {
      directories: [{ ...listedDirectory, id: 'directory_acme_again' }],
      parts: [{ directoryId: 'directory_acme_again', groups: [], users: [user], members: [] }],
    };
    let now = follower;
    for (const step of planned(follower.picture, lists, minute(10))) {
      now = carriedOut(now, [step]);
      expect(standingOf(now, 'ada')).toBe('analyst');
    }
    expect(standingOf(now, 'bob')).toBe('no access');
  });

  it('concludes nothing from a directory that is being set up or taken down', () => {
    const lists = { ...listing({}, { state: 'unsettled' }), parts: [] };
    expect(changesOf(lists)).toEqual([]);
    expect(changesOf(lists, hear(follower, disconnected(5)))).toEqual([]);
  });

  it('brings a directory back of which only the end was heard, and everybody in it', () => {
    const away = hear(follower, disconnected(5));
    const back = carriedOut(away, planned(away.picture, listing(), minute(10)));
    expect(back.picture.users.every((user) => isActive(back.picture, user))).toBe(true);
    expect([standingOf(back, 'ada'), standingOf(back, 'bob')]).toEqual(['analyst', 'analyst']);
  });

  it('makes a record no younger than the listing when it only quotes it', () => {
    const young = { ...facts('bob'), updatedAt: minute(30), state: 'suspended' };
    const [step] = planned(
      follower.picture,
      listing({
        users: [facts('ada'), facts('bob')],
        members: [
          { group, user: facts('ada') },
          { group, user: young },
        ],
      }),
      minute(10),
    );
    expect(step?.event).toMatchObject({ kind: 'group.member_added', user: { updatedAt: minute(10) } });
  });
});
