// How long a session lives: 24 hours unused, 7 days when remembered, never past the cap; and that ended is ended.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultSessionPolicy } from '#domain/organizations/session-policy.ts';
import { expiryOf, isExpired, Session } from '#domain/sessions/session.ts';
import { reasonOf } from '../support/refused.ts';
import { anId, aSession, days, hours, minute, monday, second } from '../support/words.ts';

const start = (facts: Partial<Parameters<typeof Session.start>[0]> = {}) =>
  Session.start({
    id: anId('sess'),
    userId: anId('user'),
    organizationId: anId('org'),
    provider: 'fake',
    providerSession: 'session_1',
    referenceDigest: 'd1'.repeat(32),
    method: 'sso',
    remembered: false,
    policy: defaultSessionPolicy,
    authenticatedAt: monday,
    ip: null,
    userAgent: null,
    impersonator: null,
    at: monday,
    ...facts,
  });

const justBefore = (time: Date): Date => new Date(time.getTime() - 1);

describe('a session that is not used', () => {
  it.each([
    ['after 24 hours', false, hours(24)],
    ['after 7 days when the person asked to be remembered', true, days(7)],
  ])('ends %s, at that very moment', (_, remembered, end) => {
    const { state } = start({ remembered });
    expect(expiryOf(state)).toEqual(end);
    expect(isExpired(state, justBefore(end))).toBe(false);
    expect(isExpired(state, end)).toBe(true);
  });
});

describe('a session in use', () => {
  it('slides with every use', () => {
    const used = { ...start().state, lastSeenAt: hours(23) };
    expect(isExpired(used, hours(24))).toBe(false);
    expect(expiryOf(used)).toEqual(hours(47));
  });

  it('ends at the cap of 30 days, however busy', () => {
    const busy = { ...start({ remembered: true }).state, lastSeenAt: justBefore(days(30)) };
    expect(isExpired(busy, justBefore(days(30)))).toBe(false);
    expect(isExpired(busy, days(30))).toBe(true);
  });

  it('is never alive past its cap nor past its window, whatever the policy and the uses', () => {
    const seconds = fc.integer({ min: 1, max: 90 * 86_400 });
    const policy = fc.record({ idleSeconds: seconds, rememberedSeconds: seconds, absoluteSeconds: seconds });
    const uses = fc.array(fc.integer({ min: 0, max: 100 * 86_400 }), { minLength: 1, maxLength: 12 });
    const switches = fc.array(policy, { maxLength: 3 });
    const check = fc.property(policy, fc.boolean(), uses, switches, (first, remembered, moments, others) => {
      const session = start({ policy: first, remembered });
      for (const [number, other] of others.entries()) session.switchTo(anId('org', number + 2), other);
      const caps = [first, ...others].map(({ absoluteSeconds }) => absoluteSeconds);
      const window = (others.at(-1) ?? first)[remembered ? 'rememberedSeconds' : 'idleSeconds'];
      let seen = 0;
      for (const moment of moments.toSorted((a, b) => a - b)) {
        const alive = !isExpired({ ...session.state, lastSeenAt: second(seen) }, second(moment));
        expect(alive).toBe(moment < Math.min(seen + window, ...caps));
        if (alive) seen = moment;
      }
    });
    fc.assert(check, { numRuns: 1000 });
  });
});

describe('switching organization', () => {
  const strict = { idleSeconds: 600, rememberedSeconds: 1200, absoluteSeconds: 3600 };

  it('takes on the window and the cap of the new organization, counted from the start', () => {
    const session = start();
    session.switchTo(anId('org', 2), strict);
    expect(session.state).toMatchObject({
      organizationId: anId('org', 2),
      idleSeconds: 600,
      absoluteExpiresAt: hours(1),
    });
    expect(session.pullEvents().at(-1)).toMatchObject({
      type: 'session.switched',
      before: { organizationId: anId('org') },
    });
  });

  it('and back never wins time: the strictest cap stays', () => {
    const session = start();
    session.switchTo(anId('org', 2), strict);
    session.switchTo(anId('org'), defaultSessionPolicy);
    expect(session.state.absoluteExpiresAt).toEqual(hours(1));
  });

  it('to where it is changes nothing', () => {
    const session = Session.restore(aSession());
    session.switchTo(anId('org'), strict);
    expect(session.state).toEqual(aSession());
    expect(session.pullEvents()).toEqual([]);
  });

  it('does not make somebody proven anew', () => {
    const session = start({ authenticatedAt: minute(-5) });
    session.switchTo(anId('org', 2), strict);
    expect(session.state.authenticatedAt).toEqual(minute(-5));
  });
});

describe('a session that has ended', () => {
  it('keeps its first reason and moment', () => {
    const session = start();
    session.end('revoked_by_admin', minute(1));
    session.end('signed_out', minute(2));
    expect(session.state).toMatchObject({ status: 'ended', endReason: 'revoked_by_admin', endedAt: minute(1) });
    expect(session.pullEvents().map(({ type }) => type)).toEqual(['session.started', 'session.ended']);
  });

  it('goes nowhere', () => {
    const session = Session.restore(aSession({ status: 'ended', endReason: 'signed_out', endedAt: monday }));
    expect(reasonOf(() => session.switchTo(anId('org', 2), defaultSessionPolicy))).toBe('session.ended');
  });
});
