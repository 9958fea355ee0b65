// What every store's read models promise: the right rows, in pages that stay stable while rows are added, and nothing of anybody else's.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Page, PageRequest, ReadModels, Standings } from '#application/ports/read-models.ts';
import type { InboxStatus, Repositories } from '#application/ports/store.ts';
import type { AuditEntry } from '#domain/audit/audit-entry.ts';
import { groupsOf, isPresent } from '#domain/provisioning/directory-picture.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';
import { anEmail, days, minute, monday, second } from '../support/words.ts';
import {
  agentWith,
  auditDraft,
  countingIds,
  directoryGroupOf,
  directoryOf,
  directoryUserOf,
  everywhere,
  type FilledOrganization,
  filledOrganization,
  found,
  fresh,
  inboxEvent,
  invitationWith,
  keyWith,
  linkOf,
  membershipWith,
  newId,
  organizationWith,
  type StoreKind,
  type StoreUnderTest,
  sessionWith,
  sha256,
  userWith,
} from './store-words.ts';

type List<T> = (page: PageRequest) => Promise<Page<T>>;

/** Every page of a list, one after the other; something may happen between two pages. */
const pagesOf = async <T>(list: List<T>, limit: number, between = async () => {}): Promise<(readonly T[])[]> => {
  const pages: (readonly T[])[] = [];
  for (let cursor: string | null = null; pages.length < 100; ) {
    const page: Page<T> = await list({ limit, cursor });
    pages.push(page.items);
    if (page.next === null) return pages;
    cursor = page.next;
    await between();
  }
  throw new Error('This list does not end');
};
const allOf = async <T>(list: List<T>): Promise<readonly T[]> => (await pagesOf(list, 100)).flat();

export const readModelsContract = (name: string, kind: StoreKind): void => {
  describe(`${name} keeps the read models contract`, () => {
    let open: StoreUnderTest;
    let ask: ReadModels & Standings;
    beforeAll(async () => {
      open = await kind.open(countingIds);
      ask = open.readModels;
    });
    afterAll(() => open.close());

    const across = <T>(work: (tx: Repositories) => Promise<T>): Promise<T> => open.store.transact(everywhere, work);
    const saved = async (): Promise<FilledOrganization> => {
      const filled = filledOrganization();
      await across((tx) => filled.saveIn(tx));
      return filled;
    };
    const stateOf = <S extends { readonly version: number }>({ state }: { readonly state: S }): S => ({
      ...state,
      version: 1,
    });

    describe('the standing behind a credential', () => {
      it('of a session: the session, its person, their membership and the organization', async () => {
        const known = await saved();
        const standing = {
          session: stateOf(known.session),
          user: stateOf(known.user),
          membership: stateOf(known.membership),
          organization: stateOf(known.organization),
        };
        const { referenceDigest, provider, providerSession } = known.session.state;
        expect(await ask.ofSessionReference(referenceDigest)).toEqual(standing);
        expect(await ask.ofProviderSession(provider, providerSession)).toEqual(standing);
        expect(await ask.ofSessionReference(sha256('nobody'))).toBeUndefined();
        expect(await ask.ofProviderSession('other', providerSession)).toBeUndefined();
      });

      it('of a session without an organization, and of one whose person is no longer a member', async () => {
        const known = await saved();
        const nowhere = sessionWith({ userId: known.userId, organizationId: null });
        await across(async (tx) => {
          await tx.sessions.save(nowhere);
          const membership = found(await tx.memberships.get(known.organizationId, known.membership.state.id));
          membership.revoke('removed_by_member', minute(9));
          await tx.memberships.save(membership);
        });
        expect(await ask.ofSessionReference(nowhere.state.referenceDigest)).toEqual({
          session: stateOf(nowhere),
          user: stateOf(known.user),
          membership: null,
          organization: null,
        });
        const revoked = await ask.ofSessionReference(known.session.state.referenceDigest);
        expect([revoked?.membership, revoked?.organization?.id]).toEqual([null, known.organizationId]);
      });

      it('does not lend a session the membership of another person or another organization', async () => {
        const [one, two] = [await saved(), await saved()];
        const guest = sessionWith({ userId: one.userId, organizationId: two.organizationId });
        await across((tx) => tx.sessions.save(guest));
        const standing = await ask.ofSessionReference(guest.state.referenceDigest);
        expect([standing?.user.id, standing?.membership]).toEqual([one.userId, null]);
      });

      it('of a session that has ended, as it ended; of several over one of the provider, the one that stands', async () => {
        const { userId } = await saved();
        const providerSession = `several-${fresh()}`;
        const ended = { status: 'ended', endedAt: minute(9), endReason: 'replaced', userId, providerSession } as const;
        const [first, second, active, later] = [
          sessionWith(ended),
          sessionWith(ended),
          sessionWith({ userId, providerSession }),
          sessionWith(ended),
        ];
        const newest = async () => (await ask.ofProviderSession('fake', providerSession))?.session.id;
        await across((tx) => tx.sessions.save(second));
        await across((tx) => tx.sessions.save(first));
        expect(await newest()).toBe(second.state.id);
        await across((tx) => tx.sessions.save(active));
        await across((tx) => tx.sessions.save(later));
        expect(await newest()).toBe(active.state.id);
        expect((await ask.ofSessionReference(first.state.referenceDigest))?.session).toEqual(stateOf(first));
      });

      it('of an API key: the key, its agent and the organization, by the first digest that is known', async () => {
        const known = await saved();
        const older = keyWith({
          organizationId: known.organizationId,
          agentId: known.agent.state.id,
          status: 'revoked',
          revokedAt: minute(9),
        });
        await across((tx) => tx.apiKeys.save(older));
        const of = { agent: stateOf(known.agent), organization: stateOf(known.organization) };
        const [newDigest, oldDigest] = [known.key.state.digest, older.state.digest];
        expect(await ask.ofApiKey([sha256('nobody'), newDigest])).toEqual({ key: stateOf(known.key), ...of });
        expect(await ask.ofApiKey([oldDigest, newDigest])).toEqual({ key: stateOf(older), ...of });
        expect(await ask.ofApiKey([sha256('nobody')])).toBeUndefined();
        expect(await ask.ofApiKey([])).toBeUndefined();
      });
    });

    describe('single answers', () => {
      it('are the state as it was saved', async () => {
        const known = await saved();
        const { organizationId, userId } = known;
        expect(await ask.organization(organizationId)).toEqual(stateOf(known.organization));
        expect(await ask.user(userId)).toEqual(stateOf(known.user));
        expect(await ask.agent(organizationId, known.agent.state.id)).toEqual(stateOf(known.agent));
        expect(await ask.apiKey(organizationId, known.key.state.id)).toEqual(stateOf(known.key));
        expect(await ask.session(known.session.state.id)).toEqual(stateOf(known.session));
        const { email, name } = known.user.state;
        expect(await ask.member(organizationId, known.membership.state.id)).toEqual({
          membership: stateOf(known.membership),
          user: { id: userId, email, name },
        });
      });

      it('are copies: changing one changes nothing', async () => {
        const known = await saved();
        const organization = found(await ask.organization(known.organizationId));
        organization.createdAt.setFullYear(1999);
        (organization.domains as unknown[]).length = 0;
        expect(await ask.organization(known.organizationId)).toEqual(stateOf(known.organization));
      });

      it('are nothing for what is unknown', async () => {
        const { organizationId } = await saved();
        expect(await ask.organization(newId('org'))).toBeUndefined();
        expect(await ask.user(newId('user'))).toBeUndefined();
        expect(await ask.agent(organizationId, newId('agent'))).toBeUndefined();
        expect(await ask.apiKey(organizationId, newId('key'))).toBeUndefined();
        expect(await ask.member(organizationId, newId('mem'))).toBeUndefined();
        expect(await ask.session(newId('sess'))).toBeUndefined();
      });

      it('lead a domain to the active organization that verified it', async () => {
        const [known, suspended] = [await saved(), organizationWith({ status: 'suspended' })];
        const away = organizationWith({
          status: 'suspended',
          domains: [{ name: `suspended-${fresh()}.test`, state: 'verified', asOf: minute(1) }],
        });
        await across(async (tx) => {
          await tx.organizations.save(suspended);
          await tx.organizations.save(away);
        });
        const { name } = found(known.organization.state.domains[0]);
        expect((await ask.organizationVerifying(name))?.id).toBe(known.organizationId);
        expect(await ask.organizationVerifying('pending.test')).toBeUndefined();
        expect(await ask.organizationVerifying(found(away.state.domains[0]).name)).toBeUndefined();
      });

      it('list the active organizations of a person by name, with their role there', async () => {
        const user = userWith();
        const userId = user.state.id;
        const organizations = {
          zeta: organizationWith({ name: 'zeta' }),
          alpha: organizationWith({ name: 'Alpha' }),
          beta: organizationWith({ name: 'beta' }),
          suspended: organizationWith({ status: 'suspended' }),
          left: organizationWith(),
        };
        await across(async (tx) => {
          await tx.users.save(user);
          for (const [which, organization] of Object.entries(organizations)) {
            await tx.organizations.save(organization);
            const status = which === 'left' ? 'revoked' : 'active';
            const organizationId = organization.state.id;
            await tx.memberships.save(membershipWith({ organizationId, userId, status, role: 'auditor' }));
          }
        });
        const { alpha, beta, zeta } = organizations;
        expect(await ask.organizationsOf(userId)).toEqual(
          [alpha, beta, zeta].map(({ state: { id, name, slug } }) => ({ id, name, slug, role: 'auditor' })),
        );
        expect(await ask.organizationsOf(newId('user'))).toEqual([]);
      });
    });

    /** Organizations with five of everything that is listed, and the five in the order of their list. */
    const fiveOfEach = async () => {
      const known = await saved();
      const { organizationId } = known;
      const add = async () => {
        const user = userWith({ name: `Person ${fresh()}` });
        const agent = agentWith({ organizationId });
        await across(async (tx) => {
          await tx.users.save(user);
          await tx.memberships.save(membershipWith({ organizationId, userId: user.state.id, role: 'developer' }));
          await tx.sessions.save(sessionWith({ organizationId, userId: user.state.id }));
          await tx.agents.save(agent);
          await tx.apiKeys.save(keyWith({ organizationId, agentId: agent.state.id, prefix: 'hd_live_Same' }));
          await tx.inbox.add(inboxEvent({ organizationId }));
          const group = directoryGroupOf(known.directory, { name: `Group ${String(fresh()).padStart(6, '0')}` });
          await tx.directory.save({ directories: [], users: [], groups: [group], links: [] });
          await tx.audit.append([auditDraft(organizationId)]);
        });
      };
      for (let count = 1; count < 5; count += 1) await add();
      return { organizationId, known, add };
    };
    const listsOf = (organizationId: OrganizationId) => {
      const idsOf =
        <T>(list: List<T>, idOf: (item: T) => string): List<string> =>
        async (page) => {
          const { items, next } = await list(page);
          return { items: items.map(idOf), next };
        };
      return {
        members: idsOf(
          (page) => ask.members(organizationId, {}, page),
          ({ membership }) => membership.id,
        ),
        sessionsIn: idsOf(
          (page) => ask.sessionsIn(organizationId, {}, page),
          ({ session }) => session.id,
        ),
        events: idsOf(
          (page) => ask.events(organizationId, {}, page),
          ({ id }) => id,
        ),
        agents: idsOf(
          (page) => ask.agents(organizationId, page),
          ({ id }) => id,
        ),
        apiKeys: idsOf(
          (page) => ask.apiKeys(organizationId, {}, page),
          ({ id }) => id,
        ),
        groups: idsOf(
          (page) => ask.groups(organizationId, page),
          ({ id }) => id,
        ),
        audit: idsOf(
          (page) => ask.audit(organizationId, {}, page),
          ({ id }) => id,
        ),
      };
    };
    const listNames = Object.keys(listsOf(newId('org'))) as (keyof ReturnType<typeof listsOf>)[];

    describe.each(listNames)('the list of %s', (which) => {
      it('comes in pages, every row once, the last page without a next', async () => {
        const { organizationId } = await fiveOfEach();
        const list = listsOf(organizationId)[which];
        const whole = await allOf(list);
        expect(new Set(whole).size).toBe(5);
        expect((await pagesOf(list, 2)).map((page) => page.length)).toEqual([2, 2, 1]);
        expect((await pagesOf(list, 2)).flat()).toEqual(whole);
        expect((await pagesOf(list, 5)).map((page) => page.length)).toEqual([5]);
      });

      it('stays stable while rows are added: none of the first rows is repeated or left out', async () => {
        const { organizationId, add } = await fiveOfEach();
        const list = listsOf(organizationId)[which];
        const before = await allOf(list);
        let added = 0;
        const seen = (
          await pagesOf(list, 2, async () => {
            added += 1;
            if (added <= 2) await add();
          })
        ).flat();
        expect(new Set(seen).size).toBe(seen.length);
        expect(seen.filter((id) => before.includes(id))).toEqual(before);
      });

      it('shows one organization nothing of another', async () => {
        const [ours, theirs] = [await fiveOfEach(), await fiveOfEach()];
        const [our, their] = [listsOf(ours.organizationId)[which], listsOf(theirs.organizationId)[which]];
        const theirIds = new Set(await allOf(their));
        expect((await allOf(our)).filter((id) => theirIds.has(id))).toEqual([]);
        // Not even with a cursor from the other list.
        const { next } = await our({ limit: 1, cursor: null });
        expect((await their({ limit: 100, cursor: next })).items.every((id) => theirIds.has(id))).toBe(true);
        expect(await allOf(listsOf(newId('org'))[which])).toEqual([]);
      });

      it('refuses a cursor that it did not make', async () => {
        const { organizationId } = await fiveOfEach();
        const list = listsOf(organizationId)[which];
        const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
        const garbage = [
          '',
          'x',
          '%%%',
          'null',
          encoded(null),
          encoded('mem_1'),
          encoded([]),
          encoded([1]),
          encoded([{}]),
          encoded(['a', 'b', 'c']),
          encoded(['a\0b']),
          encoded(['a\0b', 'c']),
          `${encoded(['1'])}=`,
          `${encoded(['1', '1'])} `,
          which === 'audit' ? encoded(['-1']) : encoded([1, 2]),
          which === 'audit' ? encoded(['99999999999999999999']) : encoded({ 0: 'a' }),
        ];
        for (const cursor of garbage) {
          await expect(list({ limit: 2, cursor }), `cursor ${cursor}`).rejects.toMatchObject({
            reason: 'request.invalid',
          });
        }
        // Hostile but well-formed: an ordinary, if useless, position.
        const odd =
          which === 'groups' ? encoded(["'; drop table users; --", '?']) : encoded(["'; drop table users; --"]);
        if (which !== 'audit') expect((await list({ limit: 2, cursor: odd })).items.length).toBeLessThanOrEqual(2);
      });
    });

    describe('members', () => {
      it('are found by status, role and part of a name or address, in any case', async () => {
        const organization = organizationWith();
        const organizationId = organization.state.id;
        const people = {
          zoe: userWith({ name: 'ZOË Ångström', email: anEmail(`z-${fresh()}@acme.test`) }),
          percent: userWith({ name: '100% Bob_O\\Neil', email: anEmail(`bob-${fresh()}@acme.test`) }),
          nameless: userWith({ name: null, email: anEmail(`Nobody.Special-${fresh()}@acme.test`) }),
          gone: userWith({ name: 'Zoë Gone', email: anEmail(`gone-${fresh()}@acme.test`) }),
        };
        await across(async (tx) => {
          await tx.organizations.save(organization);
          for (const [who, user] of Object.entries(people)) {
            await tx.users.save(user);
            await tx.memberships.save(
              membershipWith({
                organizationId,
                userId: user.state.id,
                status: who === 'gone' ? 'revoked' : 'active',
                role: who === 'zoe' ? 'admin' : 'analyst',
              }),
            );
          }
        });
        const names = async (filter: Parameters<ReadModels['members']>[1]) => {
          const members = await allOf((page) => ask.members(organizationId, filter, page));
          return members.map(({ user }) => Object.entries(people).find(([, { state }]) => state.id === user.id)?.[0]);
        };
        expect(await names({})).toEqual(['zoe', 'percent', 'nameless', 'gone']);
        expect(await names({ status: 'active' })).toEqual(['zoe', 'percent', 'nameless']);
        expect(await names({ status: 'revoked' })).toEqual(['gone']);
        expect(await names({ role: 'analyst' })).toEqual(['percent', 'nameless', 'gone']);
        expect(await names({ role: 'analyst', status: 'active', text: 'special' })).toEqual(['nameless']);
        expect(await names({ text: 'zoë' })).toEqual(['zoe', 'gone']);
        expect(await names({ text: 'ÅNGSTRÖM' })).toEqual(['zoe']);
        expect(await names({ text: '0% b' })).toEqual(['percent']);
        expect(await names({ text: '_o\\n' })).toEqual(['percent']);
        expect(await names({ text: '%' })).toEqual(['percent']);
        expect(await names({ text: '' })).toEqual(['zoe', 'percent', 'nameless', 'gone']);
        expect(await names({ text: "'; --" })).toEqual([]);
        // No search finds a text that spans the end of a name and the beginning of an address.
        expect(await names({ text: 'ströMZ' })).toEqual([]);
      });

      it('are one person each, of this organization only', async () => {
        const [ours, theirs] = [await saved(), await saved()];
        expect(await ask.member(theirs.organizationId, ours.membership.state.id)).toBeUndefined();
        expect(await ask.agent(theirs.organizationId, ours.agent.state.id)).toBeUndefined();
        expect(await ask.apiKey(theirs.organizationId, ours.key.state.id)).toBeUndefined();
      });
    });

    describe('sessions', () => {
      it('are the active ones, newest first, of a person everywhere and of an organization', async () => {
        const known = await saved();
        const { organizationId, userId } = known;
        const colleague = userWith();
        const sessions = {
          elsewhere: sessionWith({ userId, organizationId: newId('org') }),
          ended: sessionWith({ userId, organizationId, status: 'ended', endedAt: minute(9), endReason: 'signed_out' }),
          second: sessionWith({ userId, organizationId }),
          colleagues: sessionWith({ userId: colleague.state.id, organizationId }),
        };
        await across(async (tx) => {
          await tx.users.save(colleague);
          for (const session of Object.values(sessions)) await tx.sessions.save(session);
        });
        const first = known.session.state.id;
        const { elsewhere, ended, second, colleagues } = sessions;
        const ofUser = await ask.sessionsOfUser(userId);
        expect(ofUser.map(({ id }) => id)).toEqual([second.state.id, elsewhere.state.id, first]);
        const here = await allOf((page) => ask.sessionsIn(organizationId, {}, page));
        expect(here.map(({ session, user }) => [session.id, user.id])).toEqual([
          [colleagues.state.id, colleague.state.id],
          [second.state.id, userId],
          [first, userId],
        ]);
        const of = await allOf((page) => ask.sessionsIn(organizationId, { userId }, page));
        expect(of.map(({ session }) => session.id)).toEqual([second.state.id, first]);
        expect(await ask.session(ended.state.id)).toBeUndefined();
        expect((await ask.session(elsewhere.state.id))?.id).toBe(elsewhere.state.id);
      });
    });

    describe('events that were heard', () => {
      it('are listed the last received first, by what became of them, without what they said', async () => {
        const organizationId = newId('org');
        const statuses = ['applied', 'dead', 'applied', 'waiting'] as const;
        const events = statuses.map((status) => inboxEvent({ organizationId, status, note: status }));
        await across(async (tx) => {
          for (const event of [...events, inboxEvent()]) await tx.inbox.add(event);
        });
        const found = async (status?: InboxStatus) =>
          (await ask.events(organizationId, { status }, { limit: 10, cursor: null })).items;
        const [first, second, third, fourth] = events.map(({ payload: _, ...heard }) => heard);
        expect(await found()).toEqual([fourth, third, second, first]);
        expect(await found('applied')).toEqual([third, first]);
        expect(await found('ignored')).toEqual([]);
      });
    });

    describe('agents and keys', () => {
      it('leave deleted agents out and filter keys by agent and prefix', async () => {
        const known = await saved();
        const { organizationId } = known;
        const deleted = agentWith({ organizationId, status: 'deleted' });
        const other = agentWith({ organizationId });
        const keys = [
          keyWith({ organizationId, agentId: other.state.id, prefix: 'hd_live_Aaaa' }),
          keyWith({ organizationId, agentId: other.state.id, prefix: 'hd_test_Bbbb', status: 'revoked' }),
        ];
        await across(async (tx) => {
          await tx.agents.save(deleted);
          await tx.agents.save(other);
          for (const key of keys) await tx.apiKeys.save(key);
        });
        const agents = await allOf((page) => ask.agents(organizationId, page));
        expect(agents.map(({ id }) => id)).toEqual([known.agent.state.id, other.state.id]);
        expect(await ask.agent(organizationId, deleted.state.id)).toEqual(stateOf(deleted));
        const ids = async (filter: Parameters<ReadModels['apiKeys']>[1]) =>
          (await allOf((page) => ask.apiKeys(organizationId, filter, page))).map(({ id }) => id);
        const [live, test] = keys.map(({ state }) => state.id);
        expect(await ids({})).toEqual([known.key.state.id, live, test]);
        expect(await ids({ agentId: other.state.id })).toEqual([live, test]);
        expect(await ids({ prefix: 'hd_test_Bbbb' })).toEqual([test]);
        expect(await ids({ agentId: known.agent.state.id, prefix: 'hd_test_Bbbb' })).toEqual([]);
      });
    });

    it('shows invitations as they stand at a moment, newest first, and nobody else’s', async () => {
      const { organizationId, invitation } = await saved();
      const made = {
        accepted: invitationWith({ organizationId, status: 'accepted', acceptedBy: newId('user') }),
        revoked: invitationWith({ organizationId, status: 'revoked' }),
        lapsed: invitationWith({ organizationId, status: 'expired' }),
        late: invitationWith({ organizationId, expiresAt: days(1) }),
      };
      await across(async (tx) => {
        for (const one of Object.values(made)) await tx.invitations.save(one);
      });
      const ids = async (status: Parameters<ReadModels['invitations']>[1]['status'], at = monday) =>
        (await allOf((page) => ask.invitations(organizationId, { status, at }, page))).map(({ id }) => id);
      const { accepted, revoked, lapsed, late } = made;
      const [first, ...others] = [invitation, accepted, revoked, lapsed, late].map(({ state }) => state.id);
      expect(await ids(undefined)).toEqual([first, ...others].toReversed());
      expect(await ids('pending')).toEqual([late.state.id, first]);
      expect(await ids('expired')).toEqual([lapsed.state.id]);
      expect(await ids('pending', days(1))).toEqual([first]);
      expect(await ids('expired', days(1))).toEqual([late.state.id, lapsed.state.id]);
      expect(await ids('accepted')).toEqual([accepted.state.id]);
      expect(await ids('revoked')).toEqual([revoked.state.id]);
      expect(await ask.invitation(organizationId, accepted.state.id)).toEqual({ ...accepted.state, version: 1 });
      expect(await ask.invitation(newId('org'), accepted.state.id)).toBeUndefined();
    });

    it("shows an organization's connections, whole and by id, but none that has gone and none of anybody else's", async () => {
      const ours = await saved();
      const { organizationId, connection } = ours;
      const another = { ...connection, id: `a-${connection.id}`, certificates: [], lastTest: null };
      const gone = { ...another, id: `b-${connection.id}`, state: 'deleted' as const };
      const theirs = await saved();
      await across(async (tx) => {
        await tx.connections.save(another);
        await tx.connections.save(gone);
        await tx.connections.save({ ...another, organizationId: theirs.organizationId, name: 'theirs' });
      });
      expect(await ask.connections(organizationId)).toEqual([another, connection]);
      expect(await ask.connections(newId('org'))).toEqual([]);
    });

    describe('the directory', () => {
      it('is told in numbers, with the moment of the newest news', async () => {
        const organizationId = newId('org');
        expect(await ask.directory(organizationId)).toEqual({ directories: [], lastEventAt: null });
        const [okta, entra] = [
          directoryOf(organizationId, { id: 'a-okta' }),
          directoryOf(organizationId, {
            id: 'b-entra',
            name: 'Entra',
            type: 'azure scim v2.0',
            disconnectedAt: minute(40),
          }),
        ];
        const user = directoryUserOf(okta);
        const users = [
          user,
          directoryUserOf(okta, { deletedAt: minute(9) }),
          directoryUserOf(okta, { deletedAt: minute(9), createdAt: minute(10) }),
          directoryUserOf(okta, { deletedAt: minute(9), createdAt: null }),
          directoryUserOf(entra),
        ];
        const groups = [directoryGroupOf(okta), directoryGroupOf(okta, { deletedAt: minute(9) })];
        const links = [linkOf(user, found(groups[0]), { said: { at: minute(41), event: 'e' } })];
        await across((tx) => tx.directory.save({ directories: [okta, entra], users, groups, links }));
        expect(await ask.directory(organizationId)).toEqual({
          directories: [
            { id: 'a-okta', name: 'Okta', type: 'okta scim v2.0', state: 'connected', users: 2, groups: 1 },
            { id: 'b-entra', name: 'Entra', type: 'azure scim v2.0', state: 'disconnected', users: 1, groups: 0 },
          ],
          lastEventAt: minute(41),
        });
        const reconnected = { ...entra, connectedAt: minute(50) };
        await across((tx) => tx.directory.save({ directories: [reconnected], users: [], groups: [], links: [] }));
        const { directories, lastEventAt } = await ask.directory(organizationId);
        expect([directories[1]?.state, lastEventAt]).toEqual(['connected', minute(50)]);
      });

      it('lists the groups that exist by name, and counts who stands in them by the very rule of the domain', async () => {
        const organizationId = newId('org');
        // Every combination of moments that the rule can tell apart, around the moment of a link.
        const moments = [null, minute(10), minute(20), minute(30)];
        const some = <T>(list: readonly T[], number: number): T => list[number % list.length] as T;
        const directories = moments.map((disconnectedAt) =>
          directoryOf(organizationId, { disconnectedAt, connectedAt: minute(25) }),
        );
        const groups = [0, 1, 2, 3, 4, 5, 6].map((number) =>
          directoryGroupOf(some(directories, number), {
            name: some(['beta', 'Alpha', 'Émile', 'zeta', 'alpha', '', 'ÉMILE'], number),
            deletedAt: some(moments, number),
            createdAt: some([minute(1), minute(35), null], number),
          }),
        );
        const users = Array.from({ length: 48 }, (_, number) =>
          directoryUserOf(some(directories, number), {
            deletedAt: some(moments, Math.floor(number / 4)),
            createdAt: some([minute(1), minute(35), null], Math.floor(number / 16)),
          }),
        );
        const links = users.flatMap((user, number) =>
          groups.map((group, of) =>
            linkOf(user, group, {
              present: (number + of) % 5 !== 0,
              said: { at: some([minute(5), minute(20), minute(30), second(1801)], number + 3 * of), event: 'e' },
            }),
          ),
        );
        const picture = { directories, users, groups, links };
        await across((tx) => tx.directory.save(picture));

        const standing = users.filter(isPresent).flatMap((user) => [...groupsOf(picture, user)]);
        const listed = await allOf((page) => ask.groups(organizationId, page));
        const expected = groups.filter(isPresent).map(({ id, directoryId, name }) => ({
          id,
          directoryId,
          name,
          members: standing.filter((group) => group === id).length,
        }));
        expect(listed).toHaveLength(expected.length);
        expect(listed).toEqual(expect.arrayContaining(expected));
        expect(new Set(expected.map(({ members }) => members)).size).toBeGreaterThan(2);
        const lower = listed.map(({ name }) => name.toLowerCase());
        expect(lower).toEqual(lower.toSorted((a, b) => (a < b ? -1 : 1)));
        expect((await pagesOf((page) => ask.groups(organizationId, page), 1)).flat()).toEqual(listed);
      });
    });

    describe('the audit trail', () => {
      const isDescending = (entries: readonly AuditEntry[]) =>
        entries.every((entry, index) => index === 0 || entry.sequence === found(entries[index - 1]).sequence - 1);

      it('is listed newest first, by actor, action, target and time', async () => {
        const organizationId = newId('org');
        const drafts = [
          auditDraft(organizationId, { at: minute(1), actor: { kind: 'user', id: 'user_a' } }),
          auditDraft(organizationId, {
            at: minute(2),
            action: 'agent.created',
            target: { kind: 'agent', id: 'agent_x' },
          }),
          auditDraft(organizationId, { at: minute(3), actor: { kind: 'agent', id: 'agent_x' } }),
          auditDraft(organizationId, { at: minute(4), actor: { kind: 'system', id: null } }),
        ];
        await across((tx) => tx.audit.append([...drafts, auditDraft(newId('org')), auditDraft(null)]));
        const minutes = async (filter: Parameters<ReadModels['audit']>[1]) =>
          (await allOf((page) => ask.audit(organizationId, filter, page))).map(
            ({ at }) => (at.getTime() - minute(0).getTime()) / 60_000,
          );
        expect(await minutes({})).toEqual([4, 3, 2, 1]);
        expect(await minutes({ actor: 'user_a' })).toEqual([1]);
        expect(await minutes({ actor: 'agent_x' })).toEqual([3]);
        expect(await minutes({ action: 'agent.created' })).toEqual([2]);
        expect(await minutes({ action: 'no.such_action' })).toEqual([]);
        expect(await minutes({ target: 'agent_x' })).toEqual([2]);
        expect(await minutes({ from: minute(2) })).toEqual([4, 3, 2]);
        expect(await minutes({ to: minute(3) })).toEqual([2, 1]);
        expect(await minutes({ from: minute(2), to: minute(3) })).toEqual([2]);
        expect(await minutes({ actor: 'user_1', from: minute(2) })).toEqual([2]);
      });

      it('is read whole and in order, in batches, also where it is long', async () => {
        const organizationId = newId('org');
        await across((tx) => tx.audit.append(Array.from({ length: 1203 }, () => auditDraft(organizationId))));
        const batches: (readonly AuditEntry[])[] = [];
        for await (const batch of ask.auditTrail(organizationId)) batches.push(batch);
        expect(batches.length).toBeGreaterThan(1);
        expect(batches.flat().map(({ sequence }) => sequence)).toEqual(Array.from({ length: 1203 }, (_, i) => i + 1));
        const { items } = await ask.audit(
          organizationId,
          { from: minute(0), to: days(1) },
          { limit: 200, cursor: null },
        );
        expect(isDescending(items)).toBe(true);
        expect(items[0]?.sequence).toBe(1203);
        const none: unknown[] = [];
        for await (const batch of ask.auditTrail(newId('org'))) none.push(batch);
        expect(none).toEqual([]);
      });
    });
  });
};
