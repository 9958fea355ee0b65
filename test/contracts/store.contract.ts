// What every store promises: all or nothing, no update lost, one of each, walls between organizations, and an audit chain that never forks.

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InboxEvent, Repositories, Scope, Store } from '#application/ports/store.ts';
import type { AuditEntry } from '#domain/audit/audit-entry.ts';
import { type ChainHead, emptyChain, follows } from '#domain/audit/hash-chain.ts';
import { Membership } from '#domain/memberships/membership.ts';
import { Organization } from '#domain/organizations/organization.ts';
import type { Session } from '#domain/sessions/session.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { anEmail, days, minute, monday } from '../support/words.ts';
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
  others,
  type StoreKind,
  type StoreUnderTest,
  sessionWith,
  sha256,
  twenty,
  userWith,
} from './store-words.ts';

const refused = (reason: string) => expect.objectContaining({ reason });

export const storeContract = (name: string, kind: StoreKind): void => {
  /** A clause that means nothing for some kinds is no part of their contract: it is left out, not skipped. */
  const itIf = (means: boolean) => (title: string, test: () => Promise<void>) => void (means && it(title, test));
  // With one connection nobody can come in between.
  const whenParallel = itIf(kind.parallel);
  // What is gone when it is closed cannot be reopened.
  const whenKept = itIf(kind.keeps);

  describe(`${name} keeps the store contract`, () => {
    let open: StoreUnderTest;
    let store: Store;
    const reopen = async (): Promise<void> => {
      open = await kind.open(countingIds);
      store = open.store;
    };
    beforeAll(reopen);
    afterAll(() => open.close());

    const across = <T>(work: (tx: Repositories) => Promise<T>): Promise<T> => store.transact(everywhere, work);
    const saved = async (): Promise<FilledOrganization> => {
      const filled = filledOrganization();
      await across((tx) => filled.saveIn(tx));
      return filled;
    };
    const trailOf = async (organizationId: OrganizationId): Promise<AuditEntry[]> => {
      const entries: AuditEntry[] = [];
      for await (const batch of open.readModels.auditTrail(organizationId)) entries.push(...batch);
      return entries;
    };
    const headOf = (entries: readonly AuditEntry[]): ChainHead | undefined =>
      entries.reduce<ChainHead | undefined>((head, entry) => head && follows(head, entry, sha256), emptyChain);

    /** What is there of a filled organization, each part under its name; `undefined`, `false` or empty when it is not there. */
    const partsOf = (filled: FilledOrganization) =>
      across(async (tx) => {
        const { organizationId, userId } = filled;
        return {
          organization: (await tx.organizations.get(organizationId))?.state,
          user: (await tx.users.get(userId))?.state,
          membership: (await tx.memberships.get(organizationId, filled.membership.state.id))?.state,
          invitation: (await tx.invitations.get(organizationId, filled.invitation.state.id))?.state,
          session: (await tx.sessions.get(filled.session.state.id))?.state,
          agent: (await tx.agents.get(organizationId, filled.agent.state.id))?.state,
          key: (await tx.apiKeys.get(organizationId, filled.key.state.id))?.state,
          directory: await tx.directory.directory(organizationId, filled.directory.id),
          directoryUser: await tx.directory.user(organizationId, filled.directoryUser.id),
          group: await tx.directory.group(organizationId, filled.group.id),
          links: (await tx.directory.pictureOf(organizationId, [filled.directoryUser])).links,
          mappings: await tx.roleMappings.of(organizationId),
          connection: await tx.connections.get(organizationId, filled.connection.id),
          event: await tx.inbox.claim(filled.event.id),
          items: (await tx.outbox.due(days(9), 1000)).filter(({ id }) => id === filled.item.id),
        };
      });
    const wholeOf = (filled: FilledOrganization): Awaited<ReturnType<typeof partsOf>> => ({
      organization: { ...filled.organization.state, version: 1 },
      user: { ...filled.user.state, version: 1 },
      membership: { ...filled.membership.state, version: 1 },
      invitation: { ...filled.invitation.state, version: 1 },
      session: { ...filled.session.state, version: 1 },
      agent: { ...filled.agent.state, version: 1 },
      key: { ...filled.key.state, version: 1 },
      directory: filled.directory,
      directoryUser: filled.directoryUser,
      group: filled.group,
      links: [filled.link],
      mappings: filled.mappings,
      connection: filled.connection,
      event: filled.event,
      items: [filled.item],
    });

    describe('a transaction', () => {
      it('keeps everything, exactly as it was, when its work returns', async () => {
        const filled = filledOrganization();
        const answer = await across(async (tx) => {
          await filled.saveIn(tx);
          return 'done';
        });
        expect(answer).toBe('done');
        expect(await partsOf(filled)).toEqual(wholeOf(filled));
        expect(await trailOf(filled.organizationId)).toHaveLength(1);
      });

      it('keeps nothing when its work throws, and passes on what was thrown', async () => {
        const filled = filledOrganization();
        const thrown = new Error('thought better of it');
        const before = await saved();
        const attempt = across(async (tx) => {
          await filled.saveIn(tx);
          await tx.sessions.touch(new Map([[before.session.state.id, days(1)]]));
          await tx.apiKeys.touch(new Map([[before.key.state.id, days(1)]]));
          await tx.outbox.done(before.item.id);
          await tx.inbox.settle(before.event.id, { ...before.event, status: 'dead' });
          await tx.inbox.moveCursor('fake-rolled-back', 'event-1');
          await tx.audit.append([auditDraft(before.organizationId)]);
          throw thrown;
        });
        await expect(attempt).rejects.toBe(thrown);
        expect(await partsOf(filled)).toEqual({
          ...Object.fromEntries(Object.keys(wholeOf(filled)).map((part) => [part, undefined])),
          links: [],
          mappings: [],
          items: [],
        });
        expect(await partsOf(before)).toEqual(wholeOf(before));
        expect(await trailOf(filled.organizationId)).toEqual([]);
        expect(await trailOf(before.organizationId)).toHaveLength(1);
        expect(await across((tx) => tx.inbox.cursor('fake-rolled-back'))).toBeUndefined();
        // The slug, the event and the sign-in state are free again.
        expect(await across((tx) => tx.inbox.add(filled.event))).toBe(true);
        expect(await across((tx) => tx.signIns.spend(filled.signInState, days(1)))).toBe(true);
        expect(await across((tx) => tx.organizations.isTaken(filled.organization.state.slug))).toBe(false);
      });

      it('sees what it wrote itself', async () => {
        const filled = filledOrganization();
        await across(async (tx) => {
          await filled.saveIn(tx);
          const { slug, domains } = filled.organization.state;
          expect(await tx.organizations.isTaken(slug)).toBe(true);
          expect((await tx.organizations.verifying(found(domains[0]).name))?.state.id).toBe(filled.organizationId);
          expect(await tx.agents.isNamed(filled.organizationId, filled.agent.state.name)).toBe(true);
          expect(await tx.inbox.add(filled.event)).toBe(false);
          expect(await tx.signIns.spend(filled.signInState, days(1))).toBe(false);
          await tx.sessions.touch(new Map([[filled.session.state.id, minute(50)]]));
          expect((await tx.sessions.get(filled.session.state.id))?.state.lastSeenAt).toEqual(minute(50));
        });
      });

      it('hands out copies: changing one through a reference changes nothing', async () => {
        const filled = await saved();
        const whole = structuredClone(wholeOf(filled));
        const parts = await partsOf(filled);
        found(parts.membership).asOf.setFullYear(1999);
        found(parts.items[0]).dueAt.setFullYear(1999);
        found(parts.session).lastSeenAt.setFullYear(1999);
        (found(parts.organization).domains as unknown[]).length = 0;
        (parts.mappings as unknown[]).length = 0;
        filled.item.dueAt.setFullYear(1999);
        filled.directoryUser.described.at.setFullYear(1999);
        expect(await partsOf(filled)).toEqual(whole);
      });

      it('saves an entity as often as its work likes, each time as a step of its version', async () => {
        const organization = organizationWith();
        const { id } = organization.state;
        await across(async (tx) => {
          await tx.organizations.save(organization);
          organization.rename('Second');
          await tx.organizations.save(organization);
        });
        await across(async (tx) => {
          const known = found(await tx.organizations.get(id));
          known.rename('Third');
          await tx.organizations.save(known);
          known.rename('Fourth');
          await tx.organizations.save(known);
        });
        expect((await across((tx) => tx.organizations.get(id)))?.state).toMatchObject({ name: 'Fourth', version: 4 });
      });

      it('calls it a fault when its work saves one entity through two objects', async () => {
        const { organizationId } = await saved();
        const attempt = across(async (tx) => {
          const one = found(await tx.organizations.get(organizationId));
          const two = found(await tx.organizations.get(organizationId));
          one.rename('One');
          two.rename('Two');
          await tx.organizations.save(one);
          await tx.organizations.save(two);
        });
        await expect(attempt).rejects.toThrow('read twice');
      });

      it('calls it a fault when its work starts another transaction or asks a read model', async () => {
        const { organizationId } = await saved();
        await expect(across(() => store.transact(organizationId, async () => {}))).rejects.toThrow(
          'from inside a transaction',
        );
        await expect(across(() => open.readModels.organization(organizationId))).rejects.toThrow(
          'from inside a transaction',
        );
        expect((await open.readModels.organization(organizationId))?.id).toBe(organizationId);
      });
    });

    describe('when writers meet', () => {
      const renamedByOne = async (tx: Repositories, id: OrganizationId): Promise<void> => {
        const organization = found(await tx.organizations.get(id));
        await others();
        organization.rename(String(Number(organization.state.name) + 1));
        await tx.organizations.save(organization);
        await others();
      };
      const counter = async (): Promise<OrganizationId> => {
        const organization = organizationWith({ name: '0' });
        await across((tx) => tx.organizations.save(organization));
        return organization.state.id;
      };
      const count = async (id: OrganizationId) => (await open.readModels.organization(id))?.name;

      it('loses no update of 20 writers in one organization, who take turns', async () => {
        const id = await counter();
        let runs = 0;
        await twenty(() =>
          store.transact(id, async (tx) => {
            runs += 1;
            await renamedByOne(tx, id);
          }),
        );
        expect(await count(id)).toBe('20');
        expect(runs).toBe(20);
      });

      it('keeps what was read in an organization true until the commit, also where no version guards it', async () => {
        const id = await counter();
        await twenty((number) =>
          store.transact(id, async (tx) => {
            const mappings = await tx.roleMappings.of(id);
            await others();
            await tx.roleMappings.replace(id, [...mappings, { groupId: `group-${number}`, role: 'analyst' }]);
          }),
        );
        expect(await across((tx) => tx.roleMappings.of(id))).toHaveLength(20);
      });

      it('loses no update of 20 writers who do not take turns', async () => {
        const id = await counter();
        const outcomes = await twenty(() => across((tx) => renamedByOne(tx, id)));
        expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([]);
        expect(await count(id)).toBe('20');
      });

      it('loses no update between writers of the organization and writers across', async () => {
        const id = await counter();
        const outcomes = await twenty((number) =>
          store.transact(number % 2 === 0 ? id : everywhere, (tx) => renamedByOne(tx, id)),
        );
        expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([]);
        expect(await count(id)).toBe('20');
      });

      it('runs work again with fresh reads when what it read was changed', async () => {
        const id = await counter();
        const stale = found(await across((tx) => tx.organizations.get(id)));
        await across((tx) => renamedByOne(tx, id));
        const read: string[] = [];
        await across(async (tx) => {
          const organization = read.length === 0 ? stale : found(await tx.organizations.get(id));
          read.push(organization.state.name);
          organization.rename(`${organization.state.name} and mine`);
          await tx.organizations.save(organization);
        });
        expect(read).toEqual(['0', '1']);
        expect(await count(id)).toBe('1 and mine');
      });

      it('gives up with request.conflict when work keeps meeting others, and leaves nothing of it', async () => {
        const id = await counter();
        const { state } = found(await across((tx) => tx.organizations.get(id)));
        await across((tx) => renamedByOne(tx, id));
        const item = { ...filledOrganization().item };
        let runs = 0;
        const attempt = across(async (tx) => {
          runs += 1;
          await tx.outbox.add([item]);
          const stale = Organization.restore(state);
          stale.rename('never');
          await tx.organizations.save(stale);
        });
        await expect(attempt).rejects.toEqual(refused('request.conflict'));
        expect(runs).toBe(10);
        expect(await count(id)).toBe('1');
        expect((await across((tx) => tx.outbox.due(days(99), 1000))).filter(({ id }) => id === item.id)).toEqual([]);
      });

      it('does not run work again that was refused', async () => {
        let runs = 0;
        const attempt = across(async () => {
          runs += 1;
          throw new Refusal('organization.slug_taken');
        });
        await expect(attempt).rejects.toEqual(refused('organization.slug_taken'));
        expect(runs).toBe(1);
      });

      whenParallel('notices a change made while the work was under way', async () => {
        const id = await counter();
        const { promise: changed, resolve: change } = Promise.withResolvers<void>();
        const { promise: hasRead, resolve: read } = Promise.withResolvers<void>();
        let runs = 0;
        const slow = across(async (tx) => {
          runs += 1;
          const organization = found(await tx.organizations.get(id));
          read();
          await changed;
          organization.rename(`${organization.state.name} slow`);
          await tx.organizations.save(organization);
        });
        await hasRead;
        await across((tx) => renamedByOne(tx, id));
        change();
        await slow;
        expect(await count(id)).toBe('1 slow');
        expect(runs).toBe(2);
      });

      whenParallel('lets writers of different organizations work at the same time', async () => {
        const [one, two] = [await counter(), await counter()];
        const { promise: twoIsDone, resolve: done } = Promise.withResolvers<void>();
        const waiting = store.transact(one, async (tx) => {
          await renamedByOne(tx, one);
          await twoIsDone;
        });
        await store.transact(two, (tx) => renamedByOne(tx, two));
        done();
        await waiting;
        expect([await count(one), await count(two)]).toEqual(['1', '1']);
      });
    });

    describe('of some things there is only one', () => {
      it('lets one of 20 people found an organization with the same slug', async () => {
        const slug = `contested-${fresh()}`;
        const outcomes = await twenty(() =>
          across(async (tx) => {
            if (await tx.organizations.isTaken(slug)) throw new Refusal('organization.slug_taken');
            await others();
            await tx.organizations.save(organizationWith({ slug }));
          }),
        );
        const reasons = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'won' : outcome.reason.reason));
        expect(reasons.toSorted()).toEqual([...Array(19).fill('organization.slug_taken'), 'won']);
      });

      it('registers one user for 20 first sign-ins of the same subject', async () => {
        const identity = { provider: 'fake', subject: `contested-${fresh()}` };
        const outcomes = await twenty(() =>
          across(async (tx) => {
            const known = await tx.users.byIdentity(identity.provider, identity.subject);
            if (known) return known.state.id;
            await others();
            const user = userWith({ identities: [identity] });
            await tx.users.save(user);
            return user.state.id;
          }),
        );
        const ids = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason));
        expect(new Set(ids).size).toBe(1);
        expect((await across((tx) => tx.users.byIdentity('fake', identity.subject)))?.state.id).toBe(ids[0]);
      });

      it('grants one membership to a person who is let in 20 times at once', async () => {
        const { organizationId } = await saved();
        const userId = newId('user');
        const outcomes = await twenty((number) =>
          store.transact(number % 2 === 0 ? organizationId : everywhere, async (tx) => {
            const known = await tx.memberships.ofUser(organizationId, userId);
            if (known?.state.status === 'active') return known.state.id;
            await others();
            const membership = membershipWith({ organizationId, userId });
            await tx.memberships.save(membership);
            return membership.state.id;
          }),
        );
        const ids = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason));
        expect(new Set(ids).size).toBe(1);
      });

      it('keeps one of 20 pending invitations to the same address, and makes room when it is closed', async () => {
        const { organizationId } = await saved();
        const email = anEmail(`asked-${newId('inv')}@elsewhere.test`);
        const outcomes = await twenty(() =>
          across(async (tx) => {
            if (await tx.invitations.pendingTo(organizationId, email)) throw new Error('there is one');
            await tx.invitations.save(invitationWith({ organizationId, email }));
          }),
        );
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        await across(async (tx) => {
          const pending = found(await tx.invitations.pendingTo(organizationId, email));
          pending.revoke('revoked_by_member');
          await tx.invitations.save(pending);
          await tx.invitations.save(invitationWith({ organizationId, email }));
        });
        await expect(across((tx) => tx.invitations.save(invitationWith({ organizationId, email })))).rejects.toThrow();
      });

      it('takes in one of 20 deliveries of the same event', async () => {
        const event = inboxEvent();
        const outcomes = await twenty(() => across((tx) => tx.inbox.add({ ...event, id: newId('evt') })));
        const answers = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason));
        expect(answers.filter((answer) => answer === true)).toHaveLength(1);
        expect(answers.filter((answer) => answer === false)).toHaveLength(19);
      });

      it('lets one of 20 tries spend a sign-in state', async () => {
        const state = sha256(`contested ${fresh()}`);
        const outcomes = await twenty(() => across((tx) => tx.signIns.spend(state, days(1))));
        const answers = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason));
        expect(answers.filter((answer) => answer === true)).toHaveLength(1);
        expect(answers.filter((answer) => answer === false)).toHaveLength(19);
      });

      const twice: Record<string, (known: FilledOrganization) => (tx: Repositories) => Promise<void>> = {
        'a slug': (known) => (tx) => tx.organizations.save(organizationWith({ slug: known.organization.state.slug })),
        'a verified domain':
          ({ organization }) =>
          (tx) =>
            tx.organizations.save(organizationWith({ domains: organization.state.domains })),
        "the provider's name of an organization":
          ({ organization }) =>
          (tx) =>
            tx.organizations.save(organizationWith({ provider: organization.state.provider })),
        'an identity':
          ({ user }) =>
          (tx) =>
            tx.users.save(userWith({ identities: user.state.identities })),
        'an active membership':
          ({ organizationId, userId }) =>
          (tx) =>
            tx.memberships.save(membershipWith({ organizationId, userId })),
        "a session's reference":
          ({ session }) =>
          (tx) =>
            tx.sessions.save(sessionWith({ referenceDigest: session.state.referenceDigest })),
        "an active session over one of the provider's":
          ({ session }) =>
          (tx) =>
            tx.sessions.save(sessionWith({ providerSession: session.state.providerSession })),
        "an agent's name":
          ({ organizationId, agent }) =>
          (tx) =>
            tx.agents.save(agentWith({ organizationId, name: agent.state.name })),
        "an API key's digest":
          ({ organizationId, agent, key }) =>
          (tx) =>
            tx.apiKeys.save(keyWith({ organizationId, agentId: agent.state.id, digest: key.state.digest })),
        "an entity's id":
          ({ membership }) =>
          (tx) =>
            tx.memberships.save(Membership.restore({ ...membership.state, userId: newId('user') })),
      };
      it.each(Object.entries(twice))('never stores %s twice', async (_, again) => {
        const known = await saved();
        await expect(across(again(known))).rejects.toEqual(refused('request.conflict'));
        expect(await partsOf(known)).toEqual(wholeOf(known));
      });

      it('frees what belongs to somebody who is gone', async () => {
        const gone = await saved();
        const { organizationId, userId } = gone;
        await across(async (tx) => {
          const membership = found(await tx.memberships.get(organizationId, gone.membership.state.id));
          membership.revoke('removed_by_member', minute(9));
          await tx.memberships.save(membership);
          const session = found(await tx.sessions.get(gone.session.state.id));
          session.end('signed_out', minute(9));
          await tx.sessions.save(session);
          await tx.memberships.save(membershipWith({ organizationId, userId }));
          await tx.sessions.save(sessionWith({ providerSession: gone.session.state.providerSession }));
        });
        await across(async (tx) => {
          const organization = found(await tx.organizations.get(organizationId));
          organization.delete();
          await tx.organizations.save(organization);
          const { name } = found(gone.organization.state.domains[0]);
          expect(await tx.organizations.verifying(name)).toBeUndefined();
          const next = organizationWith({ domains: gone.organization.state.domains });
          await tx.organizations.save(next);
          expect((await tx.organizations.verifying(name))?.state.id).toBe(next.state.id);
        });
        // But a slug stays taken, and the provider's name still leads to the organization that was deleted.
        await across(async (tx) => {
          expect(await tx.organizations.isTaken(gone.organization.state.slug)).toBe(true);
          const known = await tx.organizations.byProvider(found(gone.organization.state.provider));
          expect(known?.state).toMatchObject({ id: organizationId, status: 'deleted' });
        });
      });

      it('gives a domain up when it is no longer verified', async () => {
        const known = await saved();
        const { name } = found(known.organization.state.domains[0]);
        const next = organizationWith({ domains: [{ name, state: 'verified', asOf: minute(10) }] });
        await across(async (tx) => {
          const organization = found(await tx.organizations.get(known.organizationId));
          organization.loseDomain(name, minute(9));
          await tx.organizations.save(organization);
          await tx.organizations.save(next);
        });
        expect((await across((tx) => tx.organizations.verifying(name)))?.state.id).toBe(next.state.id);
      });
    });

    describe('finds', () => {
      it('organizations by provider and verified domain, and nothing by a pending domain', async () => {
        const known = await saved();
        await across(async (tx) => {
          const byProvider = await tx.organizations.byProvider(found(known.organization.state.provider));
          expect(byProvider?.state.id).toBe(known.organizationId);
          expect(await tx.organizations.byProvider({ provider: 'other', id: 'x' })).toBeUndefined();
          expect(await tx.organizations.verifying('pending.test')).toBeUndefined();
        });
      });

      it('users by identity and by address, deleted ones not by address', async () => {
        const known = await saved();
        const { email, identities } = known.user.state;
        const older = userWith({ email, createdAt: minute(-5) });
        const deleted = userWith({ email, status: 'deleted' });
        await across(async (tx) => {
          await tx.users.save(older);
          await tx.users.save(deleted);
        });
        await across(async (tx) => {
          for (const { provider, subject } of identities) {
            expect((await tx.users.byIdentity(provider, subject))?.state.id).toBe(known.userId);
          }
          expect(await tx.users.byIdentity('other', found(identities[0]).subject)).toBeUndefined();
          expect((await tx.users.byEmail(email)).map(({ state }) => state.id)).toEqual([older.state.id, known.userId]);
          expect((await tx.users.get(deleted.state.id))?.state.status).toBe('deleted');
        });
      });

      it('nobody registered twice by those who look for the same address at the same moment', async () => {
        const { organizationId } = await saved();
        const email = anEmail(`at-once-${fresh()}@acme.test`);
        const scopes: Scope[] = [organizationId, everywhere, (await saved()).organizationId, everywhere];
        let asked = 0;
        const { promise: allHaveAsked, resolve } = Promise.withResolvers<void>();
        const registering = scopes.map((scope) =>
          store.transact(scope, async (tx) => {
            const [known] = await tx.users.byEmail(email);
            asked += 1;
            if (asked === scopes.length) resolve();
            // Where askers take turns, the others are still waiting.
            await Promise.race([allHaveAsked, sleep(150)]);
            if (!known) await tx.users.save(userWith({ email }));
          }),
        );
        await Promise.all(registering);
        await across(async (tx) => expect(await tx.users.byEmail(email)).toHaveLength(1));
      });

      it('a user by an identity that was linked later', async () => {
        const known = await saved();
        const subject = `linked-later-${fresh()}`;
        await across(async (tx) => {
          const user = found(await tx.users.get(known.userId));
          user.linkIdentity({ provider: 'fake', subject });
          await tx.users.save(user);
        });
        expect((await across((tx) => tx.users.byIdentity('fake', subject)))?.state.identities).toHaveLength(3);
      });

      it('the membership that stands for a person: the active one, else the one granted last', async () => {
        const known = await saved();
        const { organizationId, userId } = known;
        const revoked = { status: 'revoked', organizationId } as const;
        const left = newId('user');
        // Granted later, but with the earlier time of late news.
        const [first, second] = [
          membershipWith({ ...revoked, userId: left }),
          membershipWith({ ...revoked, userId: left }),
        ];
        await across(async (tx) => {
          await tx.memberships.save(first);
          await tx.memberships.save(second);
          await tx.memberships.save(membershipWith({ ...revoked, userId, createdAt: days(1) }));
        });
        await across(async (tx) => {
          const idOf = async (user: typeof left) => (await tx.memberships.ofUser(organizationId, user))?.state.id;
          expect(await idOf(userId)).toBe(known.membership.state.id);
          expect(await idOf(left)).toBe(second.state.id);
          expect(await idOf(newId('user'))).toBeUndefined();
          const ofUsers = await tx.memberships.ofUsers(organizationId, [left, userId, newId('user')]);
          expect(ofUsers.map(({ state }) => state.id)).toEqual([known.membership.state.id, second.state.id]);
          expect(await tx.memberships.ofUsers(organizationId, [])).toEqual([]);
        });
      });

      it('invitations by address and by sender: the pending one, whether or not its time ran out, and the newest', async () => {
        const { organizationId, userId, invitation } = await saved();
        const email = anEmail(`asked-${newId('inv')}@elsewhere.test`);
        const [first, second] = [
          invitationWith({ organizationId, email, status: 'revoked', invitedBy: userId }),
          invitationWith({ organizationId, email, invitedBy: userId, expiresAt: monday }),
        ];
        await across(async (tx) => {
          await tx.invitations.save(second);
          await tx.invitations.save(first);
        });
        await across(async ({ invitations }) => {
          const stateOf = async (found: ReturnType<typeof invitations.get>) => (await found)?.state;
          expect(await stateOf(invitations.pendingTo(organizationId, email))).toEqual({ ...second.state, version: 1 });
          expect((await stateOf(invitations.newestTo(organizationId, email)))?.id).toBe(second.state.id);
          const theirs = await invitations.pendingBy(organizationId, userId);
          expect(theirs.map(({ state }) => state.id)).toEqual([invitation.state.id, second.state.id]);
          expect(await invitations.pendingBy(organizationId, newId('user'))).toEqual([]);
          expect(await stateOf(invitations.newestTo(organizationId, anEmail('nobody@elsewhere.test')))).toBeUndefined();
        });
        await across(async (tx) => {
          const pending = found(await tx.invitations.pendingTo(organizationId, email));
          pending.resend(userId, monday);
          pending.accept(userId, minute(1));
          await tx.invitations.save(pending);
          expect(await tx.invitations.pendingTo(organizationId, email)).toBeUndefined();
        });
        const newest = await across((tx) => tx.invitations.newestTo(organizationId, email));
        expect(newest?.state).toMatchObject({ status: 'accepted', acceptedBy: userId, version: 2 });
      });

      it('active memberships by role, and those of a person across organizations', async () => {
        const [one, two] = [await saved(), await saved()];
        const second = membershipWith({ organizationId: two.organizationId, userId: one.userId, role: 'auditor' });
        const over = membershipWith({ organizationId: two.organizationId, role: 'auditor', status: 'revoked' });
        await across(async (tx) => {
          await tx.memberships.save(second);
          await tx.memberships.save(over);
        });
        await across(async (tx) => {
          const auditors = await tx.memberships.withRole(two.organizationId, 'auditor');
          expect(auditors.map(({ state }) => state.id)).toEqual([second.state.id]);
          const everywhere = await tx.memberships.acrossOrganizations(one.userId);
          expect(everywhere.map(({ state }) => state.id)).toEqual([one.membership.state.id, second.state.id]);
        });
      });

      it('the active keys that a person made, here', async () => {
        const { organizationId, userId, agent } = await saved();
        const createdBy = { kind: 'user', id: userId } as const;
        const here = { organizationId, agentId: agent.state.id };
        const made = keyWith({ ...here, createdBy });
        const byAgent = keyWith({ ...here, createdBy: { kind: 'agent', id: agent.state.id } });
        const revoked = keyWith({ ...here, createdBy, status: 'revoked', revokedAt: minute(1) });
        const elsewhere = keyWith({ organizationId: newId('org'), agentId: newId('agent'), createdBy });
        await across(async (tx) => {
          for (const key of [made, byAgent, revoked, elsewhere]) await tx.apiKeys.save(key);
        });
        const keys = await store.transact(organizationId, (tx) => tx.apiKeys.activeMadeBy(organizationId, userId));
        expect(keys.map(({ state }) => state.id)).toEqual([made.state.id]);
      });

      it('sessions by id, by the provider, by person and by organization, only the active ones in lists', async () => {
        const known = await saved();
        const { organizationId, userId } = known;
        const ended = sessionWith({
          userId,
          organizationId,
          status: 'ended',
          endedAt: minute(9),
          endReason: 'signed_out',
          providerSession: known.session.state.providerSession,
        });
        const nowhere = sessionWith({ userId, organizationId: null });
        const colleague = sessionWith({ organizationId, userId: newId('user') });
        await across(async (tx) => {
          for (const session of [ended, nowhere, colleague]) await tx.sessions.save(session);
        });
        await across(async (tx) => {
          const idsOf = (sessions: readonly Session[]) => sessions.map(({ state }) => state.id);
          const id = known.session.state.id;
          expect((await tx.sessions.get(ended.state.id))?.state).toEqual({ ...ended.state, version: 1 });
          expect((await tx.sessions.byProviderSession('fake', ended.state.providerSession))?.state.id).toBe(id);
          expect(idsOf(await tx.sessions.activeOfUser(userId))).toEqual([id, nowhere.state.id]);
          expect(idsOf(await tx.sessions.activeOfUserIn(organizationId, userId))).toEqual([id]);
          expect(idsOf(await tx.sessions.activeIn(organizationId))).toEqual([id, colleague.state.id]);
        });
      });

      it("the provider's newest session when all have ended", async () => {
        const ended = {
          status: 'ended',
          endedAt: minute(9),
          endReason: 'replaced',
          providerSession: `p-${fresh()}`,
        } as const;
        const [first, second] = [sessionWith(ended), sessionWith(ended)];
        await across(async (tx) => {
          await tx.sessions.save(second);
          await tx.sessions.save(first);
        });
        const newest = await across((tx) => tx.sessions.byProviderSession('fake', ended.providerSession));
        expect(newest?.state.id).toBe(second.state.id);
      });
    });

    describe('touching', () => {
      it('moves sessions and keys forward, never back, and makes nobody stale', async () => {
        const known = await saved();
        const sessionId = known.session.state.id;
        const keyId = known.key.state.id;
        const read = await across(async (tx) => ({
          session: found(await tx.sessions.get(sessionId)),
          key: found(await tx.apiKeys.get(known.organizationId, keyId)),
        }));
        const touch = (at: Date) =>
          across(async (tx) => {
            await tx.sessions.touch(
              new Map([
                [sessionId, at],
                [newId('sess'), at],
              ]),
            );
            await tx.apiKeys.touch(
              new Map([
                [keyId, at],
                [newId('key'), at],
              ]),
            );
          });
        const seen = async () => {
          const { session, key } = await partsOf(known);
          return [session?.lastSeenAt, key?.lastUsedAt, session?.version, key?.version];
        };
        await touch(minute(30));
        expect(await seen()).toEqual([minute(30), minute(30), 1, 1]);
        await touch(minute(20));
        expect(await seen()).toEqual([minute(30), minute(30), 1, 1]);
        await across((tx) => tx.sessions.touch(new Map()));

        // Saving what was read before the touch is no conflict and takes nothing back.
        let runs = 0;
        await across(async (tx) => {
          runs += 1;
          read.session.switchTo(newId('org'), known.organization.state.sessionPolicy);
          await tx.sessions.save(read.session);
          read.key.revoke(minute(31));
          await tx.apiKeys.save(read.key);
        });
        expect(runs).toBe(1);
        expect(await seen()).toEqual([minute(30), minute(30), 2, 2]);
      });

      it('leaves ended sessions as they are', async () => {
        const ended = sessionWith({ status: 'ended', endedAt: minute(9), endReason: 'signed_out' });
        await across((tx) => tx.sessions.save(ended));
        await across((tx) => tx.sessions.touch(new Map([[ended.state.id, days(1)]])));
        expect((await across((tx) => tx.sessions.get(ended.state.id)))?.state.lastSeenAt).toEqual(monday);
      });

      it('ends with the latest moment when 20 batches over the same sessions meet', async () => {
        const sessions = [sessionWith(), sessionWith(), sessionWith()];
        await across(async (tx) => {
          for (const session of sessions) await tx.sessions.save(session);
        });
        const ids = sessions.map(({ state }) => state.id);
        await twenty((number) => {
          const order = number % 2 === 0 ? ids : ids.toReversed();
          return across((tx) => tx.sessions.touch(new Map(order.map((id) => [id, minute(number + 1)]))));
        });
        const seen = await across((tx) =>
          Promise.all(ids.map(async (id) => (await tx.sessions.get(id))?.state.lastSeenAt)),
        );
        expect(seen).toEqual([minute(20), minute(20), minute(20)]);
      });
    });

    describe('directory records', () => {
      it('are found around a person, a group and a directory', async () => {
        const known = await saved();
        const { organizationId, directory, group } = known;
        const twin = directoryUserOf(directory, { idpId: known.directoryUser.idpId, deletedAt: minute(9) });
        const stranger = directoryUserOf(directory, { email: ' ADA@Acme.test' });
        const removed = linkOf(twin, group, { present: false });
        await store.transact(organizationId, (tx) =>
          tx.directory.save({ directories: [], users: [twin, stranger], groups: [], links: [removed] }),
        );
        await store.transact(organizationId, async (tx) => {
          const records = tx.directory;
          expect(await records.usersOfDirectory(organizationId, directory.id)).toEqual([
            known.directoryUser,
            twin,
            stranger,
          ]);
          expect(await records.usersOfOrganization(organizationId)).toEqual([known.directoryUser, twin, stranger]);
          expect(await records.usersOfGroup(organizationId, group.id)).toEqual([known.directoryUser, twin]);
          expect(await records.recordsOf(organizationId, [known.userId, newId('user')])).toEqual([known.directoryUser]);
          expect(await records.recordsOf(organizationId, [])).toEqual([]);
          expect(await records.withEmail(organizationId, anEmail('ada@acme.test'))).toEqual([
            known.directoryUser,
            twin,
            stranger,
          ]);
          expect(await records.withEmail(organizationId, anEmail('bo@acme.test'))).toEqual([]);
          expect(await records.withIdpId(organizationId, directory.id, found(twin.idpId))).toEqual([
            known.directoryUser,
            twin,
          ]);
          expect(await records.groups(organizationId)).toEqual([group]);
          expect(await records.anyConnected(organizationId)).toBe(true);
          expect(await records.pictureOf(organizationId, [known.directoryUser, twin])).toEqual({
            directories: [directory],
            users: [known.directoryUser, twin],
            groups: [group],
            links: expect.toSatisfy((links) => links.length === 2),
          });
          expect(await records.pictureOf(organizationId, [])).toEqual({
            directories: [],
            users: [],
            groups: [],
            links: [],
          });
        });
      });

      it('are replaced by what was learned later', async () => {
        const known = await saved();
        const { organizationId } = known;
        const later = {
          directories: [{ ...known.directory, name: 'Entra', disconnectedAt: minute(9) }],
          users: [{ ...known.directoryUser, name: null, email: null, described: { at: minute(9), event: 'e9' } }],
          groups: [{ ...known.group, name: 'Platform', deletedAt: minute(9) }],
          links: [{ ...known.link, present: false, said: { at: minute(9), event: 'e9' } }],
        };
        await store.transact(organizationId, (tx) => tx.directory.save(later));
        const parts = await partsOf(known);
        expect(parts.directory).toEqual(later.directories[0]);
        expect(parts.directoryUser).toEqual(later.users[0]);
        expect(parts.group).toEqual(later.groups[0]);
        expect(parts.links).toEqual(later.links);
        expect(await across((tx) => tx.directory.anyConnected(organizationId))).toBe(false);
        await across((tx) => tx.roleMappings.replace(organizationId, []));
        expect(await across((tx) => tx.roleMappings.of(organizationId))).toEqual([]);
        const connection = { ...known.connection, state: 'inactive' as const, asOf: minute(9) };
        await across((tx) => tx.connections.save(connection));
        expect(await across((tx) => tx.connections.get(organizationId, connection.id))).toEqual(connection);
      });

      it('belong to the organization in which the directory was heard of first', async () => {
        const [first, second] = [await saved(), await saved()];
        const directory = directoryOf(first.organizationId);
        const claimed = { ...directory, organizationId: second.organizationId, name: 'claimed' };
        for (const learned of [directory, claimed, { ...directory, name: 'again' }]) {
          await across((tx) => tx.directory.save({ directories: [learned], users: [], groups: [], links: [] }));
        }
        await across(async (tx) => {
          expect(await tx.directory.organizationOf(directory.id)).toBe(first.organizationId);
          expect(await tx.directory.organizationOf('nobody-heard-of-it')).toBeUndefined();
          expect((await tx.directory.directory(first.organizationId, directory.id))?.name).toBe('again');
        });
      });
    });

    describe('walls between organizations', () => {
      const questionsAbout = (filled: FilledOrganization, as: OrganizationId) => (tx: Repositories) => ({
        'memberships.get': tx.memberships.get(as, filled.membership.state.id),
        'memberships.ofUser': tx.memberships.ofUser(as, filled.userId),
        'memberships.ofUsers': tx.memberships.ofUsers(as, [filled.userId]),
        'memberships.withRole': tx.memberships.withRole(as, filled.membership.state.role),
        'invitations.get': tx.invitations.get(as, filled.invitation.state.id),
        'invitations.pendingTo': tx.invitations.pendingTo(as, filled.invitation.state.email),
        'invitations.newestTo': tx.invitations.newestTo(as, filled.invitation.state.email),
        'invitations.pendingBy': tx.invitations.pendingBy(as, filled.userId),
        'sessions.activeOfUserIn': tx.sessions.activeOfUserIn(as, filled.userId),
        'sessions.activeIn': tx.sessions.activeIn(as),
        'agents.get': tx.agents.get(as, filled.agent.state.id),
        'agents.isNamed': tx.agents.isNamed(as, filled.agent.state.name),
        'apiKeys.get': tx.apiKeys.get(as, filled.key.state.id),
        'directory.directory': tx.directory.directory(as, filled.directory.id),
        'directory.anyConnected': tx.directory.anyConnected(as),
        'directory.user': tx.directory.user(as, filled.directoryUser.id),
        'directory.group': tx.directory.group(as, filled.group.id),
        'directory.groups': tx.directory.groups(as),
        'directory.usersOfDirectory': tx.directory.usersOfDirectory(as, filled.directory.id),
        'directory.usersOfGroup': tx.directory.usersOfGroup(as, filled.group.id),
        'directory.usersOfOrganization': tx.directory.usersOfOrganization(as),
        'directory.recordsOf': tx.directory.recordsOf(as, [filled.userId]),
        'directory.withEmail': tx.directory.withEmail(as, anEmail('ada@acme.test')),
        'directory.withIdpId': tx.directory.withIdpId(as, filled.directory.id, found(filled.directoryUser.idpId)),
        'directory.pictureOf': tx.directory.pictureOf(as, [filled.directoryUser]).then(({ links }) => links),
        'roleMappings.of': tx.roleMappings.of(as),
        'connections.get': tx.connections.get(as, filled.connection.id),
      });
      const names = Object.keys(
        questionsAbout(
          filledOrganization(),
          newId('org'),
        )({
          ...(new Proxy({}, { get: () => new Proxy({}, { get: () => async () => ({}) }) }) as Repositories),
          memberships: stub(),
          invitations: stub(),
          sessions: stub(),
          agents: stub(),
          apiKeys: stub(),
          directory: stub(),
          roleMappings: stub(),
          connections: stub(),
        }),
      );
      function stub<T extends object>(): T {
        return new Proxy({} as T, { get: () => async () => ({}) });
      }
      const isNothing = (answer: unknown): boolean =>
        answer === undefined || answer === false || (Array.isArray(answer) && answer.length === 0);
      const answersTo = async (scope: Scope, filled: FilledOrganization, as: OrganizationId) =>
        store.transact(scope, async (tx) => {
          const answers: Record<string, unknown> = {};
          for (const [name, question] of Object.entries(questionsAbout(filled, as)(tx))) answers[name] = await question;
          return answers;
        });

      it('gives an organization its own rows, and nothing of them to another', async () => {
        const ours = await saved();
        const theirs = organizationWith();
        await across((tx) => tx.organizations.save(theirs));
        const whoGets = async (scope: Scope, as: OrganizationId) =>
          Object.entries(await answersTo(scope, ours, as))
            .filter(([, answer]) => !isNothing(answer))
            .map(([question]) => question);
        expect(await whoGets(everywhere, ours.organizationId)).toEqual(names);
        expect(await whoGets(ours.organizationId, ours.organizationId)).toEqual(names);
        expect(await whoGets(everywhere, theirs.state.id)).toEqual([]);
        expect(await whoGets(theirs.state.id, theirs.state.id)).toEqual([]);
        // And a transaction of theirs sees nothing of ours even when it is told our name.
        expect(await whoGets(theirs.state.id, ours.organizationId)).toEqual([]);
      });

      it('never changes a row of another organization that has the same id', async () => {
        const ours = await saved();
        const theirs = await saved();
        const moved = { organizationId: theirs.organizationId };
        const learned = {
          directories: [{ ...ours.directory, ...moved, name: 'theirs' }],
          users: [{ ...ours.directoryUser, ...moved, name: 'theirs' }],
          groups: [{ ...ours.group, ...moved, name: 'theirs' }],
          links: [{ ...ours.link, ...moved, present: false }],
        };
        await store.transact(theirs.organizationId, async (tx) => {
          await tx.directory.save(learned);
          await tx.connections.save({ ...ours.connection, ...moved, name: 'theirs' });
        });
        expect(await partsOf(ours)).toEqual(wholeOf(ours));
      });

      it('calls it a fault when a transaction of one organization writes to another', async () => {
        const [ours, theirs] = [await saved(), await saved()];
        const { organizationId } = ours;
        const nothing = { directories: [], users: [], groups: [], links: [] };
        const writes: ((tx: Repositories) => Promise<void>)[] = [
          (tx) => tx.memberships.save(membershipWith({ organizationId })),
          (tx) => tx.invitations.save(invitationWith({ organizationId })),
          (tx) => tx.agents.save(agentWith({ organizationId })),
          (tx) => tx.apiKeys.save(keyWith({ organizationId, agentId: ours.agent.state.id })),
          (tx) => tx.directory.save({ ...nothing, directories: [directoryOf(organizationId)] }),
          (tx) => tx.directory.save({ ...nothing, users: [directoryUserOf(ours.directory)] }),
          (tx) => tx.directory.save({ ...nothing, groups: [directoryGroupOf(ours.directory)] }),
          (tx) => tx.directory.save({ ...nothing, links: [ours.link] }),
          (tx) => tx.roleMappings.replace(organizationId, []),
          (tx) => tx.connections.save(ours.connection),
          (tx) => tx.organizations.save(ours.organization),
          (tx) => tx.sessions.save(sessionWith({ organizationId })),
          (tx) => tx.sessions.save(sessionWith({ organizationId: null })),
          async (tx) => void (await tx.audit.append([auditDraft(organizationId)])),
        ];
        for (const write of writes) {
          await expect(store.transact(theirs.organizationId, write)).rejects.toThrow('may not write rows of');
        }
        expect(await partsOf(ours)).toEqual(wholeOf(ours));
      });

      it('lets a transaction see its own organization and the sessions that stand in it, and no other', async () => {
        const [ours, theirs] = [await saved(), await saved()];
        const nowhere = sessionWith({ organizationId: null, userId: ours.userId });
        await across((tx) => tx.sessions.save(nowhere));
        const seen = ({ organization: { state: organization }, session: { state: session } }: FilledOrganization) =>
          store.transact(ours.organizationId, async (tx) => [
            await tx.organizations.get(organization.id),
            await tx.organizations.byProvider(found(organization.provider)),
            await tx.organizations.verifying(found(organization.domains[0]).name),
            await tx.sessions.get(session.id),
            await tx.sessions.byProviderSession('fake', session.providerSession),
          ]);
        const ids = (await seen(ours)).map((entity) => entity?.state.id);
        const [here, session] = [ours.organizationId, ours.session.state.id];
        expect(ids).toEqual([here, here, here, session, session]);
        expect(await seen(theirs)).toEqual(Array.from({ length: 5 }, () => undefined));
        expect(await store.transact(here, (tx) => tx.sessions.get(nowhere.state.id))).toBeUndefined();
      });

      it('lets a transaction across see all organizations, also while it takes turns with one', async () => {
        const [ours, theirs] = [await saved(), await saved()];
        const scope: Scope = { across: 'sign_in', inTurnWith: ours.organizationId };
        const seen = await store.transact(scope, (tx) => tx.sessions.get(theirs.session.state.id));
        expect(seen?.state.organizationId).toBe(theirs.organizationId);
        let running = 0;
        const alone = async (): Promise<void> => {
          running += 1;
          await others();
          expect(running).toBe(1);
          running -= 1;
        };
        const scopes = [scope, ours.organizationId, scope, ours.organizationId];
        await Promise.all(scopes.map((each) => store.transact(each, alone)));
      });

      it('answers questions across organizations only across', async () => {
        const { organizationId, userId, directory, organization, session, key, item } = await saved();
        const questions: Record<string, (tx: Repositories) => Promise<unknown>> = {
          'memberships.acrossOrganizations': (tx) => tx.memberships.acrossOrganizations(userId),
          'directory.organizationOf': (tx) => tx.directory.organizationOf(directory.id),
          'organizations.isTaken': (tx) => tx.organizations.isTaken(organization.state.slug),
          'sessions.activeOfUser': (tx) => tx.sessions.activeOfUser(userId),
          'sessions.touch': (tx) => tx.sessions.touch(new Map([[session.state.id, days(1)]])),
          'apiKeys.touch': (tx) => tx.apiKeys.touch(new Map([[key.state.id, days(1)]])),
          'outbox.done': (tx) => tx.outbox.done(item.id),
          'outbox.postpone': (tx) => tx.outbox.postpone(item.id, days(1), 'later'),
          'inbox.cursor': (tx) => tx.inbox.cursor('fake'),
          'inbox.moveCursor': (tx) => tx.inbox.moveCursor('fake-inside', 'event-1'),
          'signIns.spend': (tx) => tx.signIns.spend(sha256('inside'), days(1)),
        };
        for (const [question, ask] of Object.entries(questions)) {
          const asked = store.transact(organizationId, ask);
          await expect(asked, question).rejects.toThrow(`${question} needs a scope across`);
        }
      });
    });

    describe('the audit trail', () => {
      it('adds entries in order and reads them back exactly as they were hashed', async () => {
        const { organizationId } = await saved();
        const other = newId('org');
        const added = await across((tx) =>
          tx.audit.append([
            auditDraft(organizationId, { before: null }),
            auditDraft(other),
            auditDraft(organizationId, { after: null, target: { kind: 'session', id: null }, outcome: 'refused' }),
          ]),
        );
        expect(added.map(({ organizationId: of, sequence }) => [of, sequence])).toEqual([
          [organizationId, 2],
          [other, 1],
          [organizationId, 3],
        ]);
        const trail = await trailOf(organizationId);
        expect(trail.slice(1)).toEqual([added[0], added[2]]);
        expect(headOf(trail)).toEqual({ sequence: 3, hash: added[2]?.hash });
        expect(await across((tx) => tx.audit.append([]))).toEqual([]);
      });

      it('never forks under 20 writers, in the organization and across, some of whom fail', async () => {
        const organization = organizationWith();
        const { id } = organization.state;
        await across((tx) => tx.organizations.save(organization));
        const outcomes = await twenty((number) =>
          store.transact(number % 2 === 0 ? id : everywhere, async (tx) => {
            const first = await tx.audit.append([auditDraft(id), auditDraft(null)]);
            await others();
            const second = await tx.audit.append([auditDraft(id)]);
            if (number % 5 === 4) throw new Error('changed its mind');
            return [...first, ...second];
          }),
        );
        const answered = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : []));
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(16);
        const trail = await trailOf(id);
        expect(trail).toHaveLength(32);
        expect(headOf(trail)).toEqual({ sequence: 32, hash: trail.at(-1)?.hash });
        const bySequence = (a: AuditEntry, b: AuditEntry) => a.sequence - b.sequence;
        expect(answered.filter(({ organizationId }) => organizationId === id).toSorted(bySequence)).toEqual(trail);
        // The trail of what belongs to no organization is one chain too: each entry builds on the one before.
        const ownerless = answered.filter(({ organizationId }) => organizationId === null).toSorted(bySequence);
        const [before, ...rest] = ownerless;
        const head: ChainHead = { sequence: found(before).sequence, hash: found(before).hash };
        const end = rest.reduce<ChainHead | undefined>((at, entry) => at && follows(at, entry, sha256), head);
        expect(end?.sequence).toBe(head.sequence + 15);
      });
    });

    describe('the inbox', () => {
      /** A name that comes right before this one. */
      const rightBefore = (lane: string): string =>
        `${lane.slice(0, -1)}${String.fromCharCode(lane.charCodeAt(lane.length - 1) - 1)}\u{ffff}`;
      const settle = (event: InboxEvent, facts: Partial<InboxEvent>) =>
        across((tx) => tx.inbox.settle(event.id, { ...event, ...facts }));
      const dueOf = async (events: readonly InboxEvent[], now: Date): Promise<string[]> => {
        const ids = new Set<string>(events.map(({ id }) => id));
        const lanes = await across((tx) => tx.inbox.lanes(now, { after: null, lanes: 10_000, each: 10_000 }));
        return lanes.flatMap((lane) => lane.events.map(({ id }) => id)).filter((id) => ids.has(id));
      };

      it('hears an event once per provider', async () => {
        const event = inboxEvent();
        expect(await across((tx) => tx.inbox.add(event))).toBe(true);
        expect(await across((tx) => tx.inbox.add({ ...event, id: newId('evt'), name: 'another' }))).toBe(false);
        expect(await across((tx) => tx.inbox.add({ ...event, id: newId('evt'), provider: 'other' }))).toBe(true);
        expect(await across((tx) => tx.inbox.claim(event.id))).toEqual(event);
      });

      it('hears several at once, and says which of them are new', async () => {
        const [known, first, second] = [inboxEvent(), inboxEvent(), inboxEvent({ settledAt: minute(3), note: 'kept' })];
        await across((tx) => tx.inbox.add(known));
        const repeated = { ...first, id: newId('evt') };
        const again = { ...known, id: newId('evt') };
        const added = await across((tx) => tx.inbox.addAll([again, first, repeated, second]));
        expect([...added].toSorted()).toEqual([first.id, second.id].toSorted());
        expect(await across((tx) => tx.inbox.addAll([]))).toEqual(new Set());
        expect(await across((tx) => tx.inbox.claimInOrder([second.id, first.id]))).toEqual([second, first]);
      });

      it('gives several in the order asked for, up to the first that is not to be had, and settles several', async () => {
        const events = [inboxEvent(), inboxEvent(), inboxEvent({ status: 'applied' }), inboxEvent()] as const;
        const [first, second, done, last] = events;
        await across((tx) => tx.inbox.addAll(events));
        const ids = [second.id, first.id, done.id, last.id];
        expect(await across((tx) => tx.inbox.claimInOrder(ids))).toEqual([second, first]);
        expect(await across((tx) => tx.inbox.claimInOrder([done.id, last.id]))).toEqual([]);
        const organizationId = newId('org');
        const outcomes = [
          { ...first, status: 'ignored', attempts: 3, settledAt: minute(7), note: 'of no use', organizationId },
          { ...last, status: 'waiting', dueAt: minute(90), settledAt: null, note: null },
        ] as const;
        await across((tx) => tx.inbox.settleAll(new Map(outcomes.map((event) => [event.id, event]))));
        await across((tx) => tx.inbox.settleAll(new Map()));
        const kept = await store.transact(organizationId, (tx) => tx.inbox.get(organizationId, first.id));
        expect(kept).toEqual(outcomes[0]);
        expect(await across((tx) => tx.inbox.claimInOrder([last.id, second.id]))).toEqual([outcomes[1], second]);
      });

      it('offers what is due of each lane, the oldest happening first, as many as asked for', async () => {
        const organizationRef = `ref-${fresh()}`;
        const events = [
          inboxEvent({ organizationRef, occurredAt: minute(3) }),
          inboxEvent({ organizationRef, occurredAt: minute(1), status: 'waiting' }),
          inboxEvent({ organizationRef, occurredAt: minute(2), dueAt: minute(60) }),
          inboxEvent({ organizationRef, occurredAt: minute(1) }),
          ...(['applied', 'ignored', 'dead'] as const).map((status) => inboxEvent({ organizationRef, status })),
        ];
        await across(async (tx) => {
          for (const event of events) await tx.inbox.add(event);
        });
        const named = (ids: string[]) => ids.map((id) => events.findIndex((event) => event.id === id));
        expect(named(await dueOf(events, minute(10)))).toEqual([1, 3, 0]);
        expect(named(await dueOf(events, minute(60)))).toEqual([1, 3, 2, 0]);
        const lane = `${found(events[0]).provider} ${organizationRef}`;
        const [first] = await across((tx) =>
          tx.inbox.lanes(minute(60), { after: rightBefore(lane), lanes: 1, each: 2 }),
        );
        expect(first).toEqual({ name: lane, events: [events[1], events[3]] });
      });

      it('shows every lane with open events, however much another holds, and none without', async () => {
        const provider = `lanes-${fresh()}`;
        const of = (organizationRef: string | null, facts: Partial<InboxEvent> = {}) =>
          inboxEvent({ provider, organizationRef, ...facts });
        const flood = Array.from({ length: 30 }, (_, number) => of('b', { occurredAt: minute(number) }));
        const others = [of(null), of('a', { dueAt: minute(60) }), of('c', { status: 'applied' }), of('d'), of('ä')];
        await across(async (tx) => {
          for (const event of [...flood, ...others]) await tx.inbox.add(event);
        });
        const lanesAfter = async (after: string, lanes: number) => {
          const page = await across((tx) => tx.inbox.lanes(minute(50), { after, lanes, each: 3 }));
          return page.map(({ name, events }) => [name.replace(provider, ''), events.length] as const);
        };
        const start = rightBefore(`${provider} `);
        expect(await lanesAfter(start, 3)).toEqual([
          [' ', 1],
          [' a', 0],
          [' b', 3],
        ]);
        expect((await lanesAfter(`${provider} b`, 9)).slice(0, 2)).toEqual([
          [' d', 1],
          [' ä', 1],
        ]);
      });

      it('knows at once whose event it is, where the organization is known', async () => {
        const organization = organizationWith({ provider: { provider: 'fake', id: `ref-${fresh()}` } });
        await across((tx) => tx.organizations.save(organization));
        const ref = found(organization.state.provider).id;
        const known = inboxEvent({ provider: 'fake', organizationRef: ref });
        const unknown = inboxEvent({ provider: 'other', organizationRef: ref });
        await across(async (tx) => {
          await tx.inbox.add(known);
          await tx.inbox.add(unknown);
        });
        expect((await across((tx) => tx.inbox.claim(known.id)))?.organizationId).toBe(organization.state.id);
        expect((await across((tx) => tx.inbox.claim(unknown.id)))?.organizationId).toBe(null);
      });

      it('shows an organization its own events, done ones too, and no other', async () => {
        const organizationId = newId('org');
        const event = inboxEvent({ organizationId, status: 'dead', note: 'gave up' });
        const others = inboxEvent({ organizationId: newId('org') });
        const nobodys = inboxEvent();
        await across(async (tx) => {
          for (const one of [event, others, nobodys]) await tx.inbox.add(one);
        });
        const seen = (id: InboxEvent['id']) => store.transact(organizationId, (tx) => tx.inbox.get(organizationId, id));
        expect(await seen(event.id)).toEqual(event);
        expect(await seen(others.id)).toBeUndefined();
        expect(await seen(nobodys.id)).toBeUndefined();
      });

      it('forgets what old events said, once they are applied or ignored', async () => {
        const old = days(-3000);
        const statuses = ['applied', 'ignored', 'dead', 'stored', 'waiting'] as const;
        const events = statuses.map((status) => inboxEvent({ status, receivedAt: old }));
        const young = inboxEvent({ status: 'applied', receivedAt: days(-2998) });
        await across(async (tx) => {
          for (const event of [...events, young]) await tx.inbox.add(event);
        });
        expect(await across((tx) => tx.inbox.forgetPayloads(days(-2999), 1))).toBe(1);
        expect(await across((tx) => tx.inbox.forgetPayloads(days(-2999), 10))).toBe(1);
        expect(await across((tx) => tx.inbox.forgetPayloads(days(-2999), 10))).toBe(0);
        for (const event of [...events, young]) await settle(event, { status: 'stored' });
        const kept = await across(async (tx) => {
          const found = [];
          for (const { id } of [...events, young]) found.push((await tx.inbox.claim(id))?.payload !== null);
          return found;
        });
        expect(kept).toEqual([false, false, true, true, true, true]);
      });

      it('gives no event that is gone or done, and remembers what became of one', async () => {
        const event = inboxEvent();
        const organizationId = newId('org');
        await across((tx) => tx.inbox.add(event));
        await settle(event, { status: 'waiting', attempts: 1, dueAt: minute(90), note: 'unheard of' });
        expect(await across((tx) => tx.inbox.claim(event.id))).toEqual({
          ...event,
          status: 'waiting',
          attempts: 1,
          dueAt: minute(90),
          note: 'unheard of',
        });
        await settle(event, { status: 'applied', attempts: 2, organizationId });
        expect(await across((tx) => tx.inbox.claim(event.id))).toBeUndefined();
        expect(await across((tx) => tx.inbox.claim(newId('evt')))).toBeUndefined();
        await settle(event, { status: 'stored' });
        expect((await across((tx) => tx.inbox.claim(event.id)))?.status).toBe('stored');
      });

      it('wakes everything that waits, and says how many', async () => {
        await across((tx) => tx.inbox.wake(minute(0)));
        const before = await across((tx) => tx.inbox.wake(minute(0)));
        const events = [
          inboxEvent({ status: 'waiting', dueAt: days(2) }),
          inboxEvent({ status: 'waiting', dueAt: minute(1) }),
          inboxEvent({ status: 'stored', dueAt: days(2) }),
          inboxEvent({ status: 'dead', dueAt: days(2) }),
        ];
        await across(async (tx) => {
          for (const event of events) await tx.inbox.add(event);
        });
        expect((await across((tx) => tx.inbox.wake(minute(5)))) - before).toBe(2);
        expect(await dueOf(events, minute(5))).toEqual([events[0]?.id, events[1]?.id]);
        expect(found(await across((tx) => tx.inbox.claim(found(events[1]).id))).dueAt).toEqual(minute(1));
      });

      it('lets one of 20 takers apply an event', async () => {
        const event = inboxEvent();
        await across((tx) => tx.inbox.add(event));
        let applied = 0;
        const outcomes = await twenty(() =>
          across(async (tx) => {
            const claimed = await tx.inbox.claim(event.id);
            if (!claimed) return 'left it';
            await others();
            await tx.inbox.settle(event.id, { ...claimed, status: 'applied' });
            return 'applied';
          }),
        );
        for (const outcome of outcomes)
          applied += outcome.status === 'fulfilled' && outcome.value === 'applied' ? 1 : 0;
        expect(applied).toBe(1);
        expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([]);
      });

      whenParallel('keeps an event from others until its transaction ends, and frees it after a failure', async () => {
        const event = inboxEvent();
        await across((tx) => tx.inbox.add(event));
        const { promise: over, reject: fail } = Promise.withResolvers<void>();
        const { promise: taken, resolve: take } = Promise.withResolvers<void>();
        const holder = across(async (tx) => {
          expect(await tx.inbox.claim(event.id)).toEqual(event);
          take();
          await over;
        });
        await taken;
        expect(await across((tx) => tx.inbox.claim(event.id))).toBeUndefined();
        fail(new Error('crashed'));
        await expect(holder).rejects.toThrow('crashed');
        expect(await across((tx) => tx.inbox.claim(event.id))).toEqual(event);
      });

      whenParallel('loses no waking that crosses with an event being set to wait', async () => {
        const event = inboxEvent({ status: 'waiting' });
        await across((tx) => tx.inbox.add(event));
        const news = organizationWith();
        const { promise: looked, resolve: look } = Promise.withResolvers<void>();
        const { promise: goOn, resolve: proceed } = Promise.withResolvers<void>();
        const applying = across(async (tx) => {
          const claimed = found(await tx.inbox.claim(event.id));
          const known = await tx.organizations.get(news.state.id);
          look();
          await goOn;
          await tx.inbox.settle(event.id, { ...claimed, status: known ? 'applied' : 'waiting', dueAt: days(2) });
        });
        await looked;
        const waking = across(async (tx) => {
          await tx.organizations.save(news);
          await tx.inbox.wake(minute(5));
        });
        // A database makes the waking wait for the event; memory lets it through and runs the applying again.
        await Promise.race([waking, sleep(50)]);
        proceed();
        await Promise.all([applying, waking]);
        const now = await across((tx) => tx.inbox.claim(event.id));
        const isLost = now !== undefined && now.dueAt > minute(5);
        expect(isLost).toBe(false);
      });

      it('remembers how the feed of each provider stands', async () => {
        const provider = `provider-${fresh()}`;
        expect(await across((tx) => tx.inbox.cursor(provider))).toBeUndefined();
        await across((tx) => tx.inbox.moveCursor(provider, 'event-1'));
        await across((tx) => tx.inbox.moveCursor(provider, 'event-2'));
        expect(await across((tx) => tx.inbox.cursor(provider))).toBe('event-2');
        expect(await across((tx) => tx.inbox.cursor(`not-${provider}`))).toBeUndefined();
      });
    });

    describe('the outbox', () => {
      it('offers what is due, the longest overdue first, until it is done or postponed', async () => {
        const items = [30, 10, 20, 600].map((at) => ({ ...filledOrganization().item, dueAt: minute(at) }));
        const [late, first, second, notYet] = items.map(({ id }) => id);
        await across((tx) => tx.outbox.add(items));
        const due = async (now: Date) => {
          const ids = new Set(items.map(({ id }) => id));
          return (await across((tx) => tx.outbox.due(now, 10_000))).filter(({ id }) => ids.has(id));
        };
        expect((await due(minute(30))).map(({ id }) => id)).toEqual([first, second, late]);
        expect(await across((tx) => tx.outbox.due(minute(30), 1))).toHaveLength(1);
        await across(async (tx) => {
          await tx.outbox.done(found(first));
          await tx.outbox.done(found(first));
          await tx.outbox.postpone(found(second), minute(500), 'the provider does not answer');
        });
        expect((await due(minute(499))).map(({ id }) => id)).toEqual([late]);
        expect((await due(minute(500))).map(({ id, attempts }) => [id, attempts])).toEqual([
          [late, 0],
          [second, 1],
        ]);
        expect((await due(minute(600))).map(({ id }) => id)).toContain(notYet);
        await across((tx) => tx.outbox.add([]));
      });

      it('leaves what is taken to its taker for a while', async () => {
        const item = { ...filledOrganization().item, dueAt: minute(10) };
        await across((tx) => tx.outbox.add([item]));
        const take = (now: Date) => across((tx) => tx.outbox.claim(item.id, now, minute(20)));
        expect(await take(minute(9))).toBe(false);
        const takers = await twenty(() => take(minute(10)));
        expect(takers.filter((outcome) => outcome.status === 'fulfilled' && outcome.value)).toHaveLength(1);
        expect(await take(minute(19))).toBe(false);
        expect(await take(minute(20))).toBe(true);
        await across((tx) => tx.outbox.done(item.id));
        expect(await take(minute(30))).toBe(false);
      });
    });

    describe('sign-in states', () => {
      it('are spent once, also long after others were forgotten', async () => {
        const [old, recent] = [sha256(`old ${fresh()}`), sha256(`recent ${fresh()}`)];
        expect(await across((tx) => tx.signIns.spend(old, days(10)))).toBe(true);
        expect(await across((tx) => tx.signIns.spend(recent, days(11)))).toBe(true);
        expect(await across((tx) => tx.signIns.spend(old, days(10)))).toBe(false);
        expect(await across((tx) => tx.signIns.spend(recent, days(11)))).toBe(false);
      });
    });

    whenKept('finds everything again after closing and opening', async () => {
      const known = await saved();
      const trail = await trailOf(known.organizationId);
      await open.close();
      await reopen();
      expect(await partsOf(known)).toEqual(wholeOf(known));
      expect(await trailOf(known.organizationId)).toEqual(trail);
      expect(await across((tx) => tx.signIns.spend(known.signInState, days(1)))).toBe(false);
      expect(await across((tx) => tx.inbox.add(known.event))).toBe(false);
      await across((tx) => tx.audit.append([auditDraft(known.organizationId)]));
      expect(headOf(await trailOf(known.organizationId))?.sequence).toBe(2);
    });
  });
};
