// The feed of WorkOS: read as it stands on the wire, past what cannot be read, and once more for what came late.

import { describe, expect, it } from 'vitest';
import type { EventFeed } from '#application/ports/identity-provider.ts';
import { directoryUser, user } from '../../support/workos-payloads.ts';
import { workosWorld } from './workos-world.ts';

const listening = async () => {
  const world = await workosWorld();
  const { feed } = world.provider;
  if (!feed) throw new Error('no feed');
  return { world, feed, events: world.stub.events };
};

/** What the use case does: reads until there is no more, and remembers where it was. */
const catchUp = async (feed: EventFeed, cursor: string | undefined, limit = 100) => {
  const ids: string[] = [];
  for (let rounds = 0; rounds < 50; rounds += 1) {
    const events = await feed.after(cursor, limit);
    ids.push(...events.map(({ id }) => id));
    const last = events.at(-1);
    if (!last) return { ids, cursor };
    cursor = last.id;
  }
  throw new Error('there was always more');
};

describe('the feed', () => {
  it('keeps every field of an event, also those that nobody knows yet', async () => {
    const { feed, events } = await listening();
    const entry = {
      ...events.record('dsync.user.created', directoryUser({ of_tomorrow: { a: [1] } })),
      context: { x: 1 },
    };
    events.entries.splice(0, 1, entry);
    const [heard] = await feed.after(undefined, 10);
    expect(heard?.payload).toEqual(entry);
  });

  it('leaves out what has no consequences, and goes on after an event of another kind', async () => {
    const { feed, events } = await listening();
    events.record('user.created', user());
    const other = events.record('authentication.password_succeeded', {});
    const next = events.record('user.updated', user());
    expect((await feed.after(undefined, 10)).map(({ name }) => name)).toEqual(['user.created', 'user.updated']);
    expect((await feed.after(other.id, 10)).map(({ id }) => id)).toEqual([next.id]);
  });

  it('gives a hundred at once at most, as WorkOS does', async () => {
    const { feed, events } = await listening();
    for (let i = 0; i < 120; i += 1) events.record('user.updated', user());
    expect(await feed.after(undefined, 1000)).toHaveLength(100);
    expect((await catchUp(feed, undefined)).ids).toHaveLength(120);
  });

  it('passes over an entry that is no event, and a whole page of them, and says so', async () => {
    const { world, feed, events } = await listening();
    world.stub.deviate(/created_at must match/);
    for (let i = 0; i < 3; i += 1) events.record('user.updated', user());
    const good = events.record('user.updated', user());
    for (let i = 0; i < 3; i += 1) events.entries.splice(i, 1, { ...events.entries[i], created_at: 'never' } as never);
    expect((await feed.after(undefined, 2)).map(({ id }) => id)).toEqual([good.id]);
    expect(world.lines.filter(({ level }) => level === 'warn')).toHaveLength(3);
  });

  it('begins again when WorkOS does not know the event any more after which it should go on', async () => {
    const { world, feed, events } = await listening();
    const only = events.record('user.updated', user());
    expect((await feed.after('event_forgotten', 10)).map(({ id }) => id)).toEqual([only.id]);
    expect(world.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { facts: { event: 'event_forgotten' } },
    ]);
  });
});

describe('an event that becomes visible behind the cursor', () => {
  const late = async () => {
    const { world, feed, events } = await listening();
    events.record('user.updated', user());
    world.clock.turn(1);
    const hidden = events.record('user.deleted', user());
    world.clock.turn(1);
    events.record('user.updated', user());
    events.entries.splice(1, 1);
    const { cursor } = await catchUp(feed, undefined);
    events.entries.splice(1, 0, hidden);
    return { world, feed, events, hidden, cursor };
  };

  it('is told by the second look within ten minutes, and the cursor comes back to where it was', async () => {
    const { world, feed, hidden, cursor } = await late();
    expect(await catchUp(feed, cursor)).toEqual({ ids: [], cursor });
    world.clock.turn(600);
    const again = await catchUp(feed, cursor);
    expect(again.ids).toContain(hidden.id);
    expect(again.cursor).toBe(cursor);
    expect(await catchUp(feed, cursor)).toEqual({ ids: [], cursor });
  });

  it('is told by the second look of a node that did not read the events before itself', async () => {
    const { world, hidden, cursor } = await late();
    const { feed: other } = await world.another({});
    if (!other) throw new Error('no feed');
    world.clock.turn(600);
    const again = await catchUp(other, cursor);
    expect(again.ids).toContain(hidden.id);
    expect(again.cursor).toBe(cursor);
  });

  it('is told in small pieces as well', async () => {
    const { world, feed, hidden, cursor } = await late();
    world.clock.turn(600);
    const again = await catchUp(feed, cursor, 1);
    expect(again.ids).toContain(hidden.id);
    expect(again.cursor).toBe(cursor);
  });

  it('costs nothing while there is news: then there is no second look', async () => {
    const { world, feed, events, cursor } = await late();
    world.clock.turn(600);
    const news = events.record('user.updated', user());
    const before = world.asked().length;
    expect((await feed.after(cursor, 10)).map(({ id }) => id)).toEqual([news.id]);
    expect(world.asked().length - before).toBe(1);
  });
});
