// The test of a connection where the provider answers oddly, or the admin is none any more: what is recorded, and whose session ends.

import { describe, expect, it } from 'vitest';
import { MemoryCallerCache } from '#adapters/cache/memory/memory-caller-cache.ts';
import { FakeIdentityProvider } from '#adapters/identity/fake/fake-identity-provider.ts';
import { typeIds } from '#adapters/system/type-ids.ts';
import type { ProvenIdentity } from '#application/ports/identity-provider.ts';
import { connectionTests } from '#application/sso/connection-tests.ts';
import { unitOfWork } from '#application/unit-of-work.ts';
import { openPersistence } from '#bootstrap/open-persistence.ts';
import { createWorld, type World } from '#bootstrap/testing.ts';
import type { UserId } from '#domain/shared/ids.ts';
import { Refusal } from '#domain/shared/refusal.ts';

const source = { via: 'http', ip: null, userAgent: null, requestId: null } as const;
const admin = 'adam.admin@acme.test';
const login = { codeVerifier: 'v', returnTo: '/settings' };

interface Stage {
  readonly world: World;
  /** Finishes a test of Acme's connection in which the provider answers this. */
  finish(answer: Partial<ProvenIdentity> | Refusal | undefined): Promise<void>;
  lastTest(): Promise<unknown>;
  /** Whether the provider's session lives. */
  lives(providerSession: string): boolean;
  /** A session of the provider on which Adam's session here stands. */
  readonly inUse: string;
}

const onStage = async (story: (stage: Stage) => Promise<void>): Promise<void> => {
  const persistence = await openPersistence({ kind: 'memory' });
  await using world = await createWorld({ persistence });
  const { clock, provider: fake, service } = world;
  const adams = await world.signIn(admin);
  const by: UserId = (await adams.get('/v1/whoami')).body.user.id;
  const [connected] = fake.connections.all();
  const [session] = fake.sessions.all().slice(-1);
  if (!connected || !session) throw new Error('the demo has a connection, and Adam a session');

  const ref = connected.organization.ref;
  const back: ProvenIdentity = {
    subject: session.subject,
    email: 'dora.developer@acme.test',
    emailVerified: true,
    name: 'Dora',
    organization: ref,
    providerSession: 'session_of_the_test',
    method: 'sso',
    authenticatedAt: clock.now(),
    impersonator: null,
    tokens: { accessToken: 'a', refreshToken: 'r', expiresAt: clock.now() },
  };
  const { store, readModels } = persistence;
  const cache = new MemoryCallerCache(clock);
  const uow = unitOfWork(store, cache, () => service.outbox.wake(), clock, typeIds);
  const asks: unknown[] = [];
  const marker = { organization: world.acme, connection: connected.connection.id, by };

  await story({
    world,
    inUse: session.id,
    async finish(answer) {
      const whole = new FakeIdentityProvider(fake);
      const redeem: typeof whole.login.redeem = async (proof) => {
        asks.push(proof.organization);
        if (answer instanceof Refusal) throw answer;
        return answer && { ...back, ...answer };
      };
      const { name, login: hosted, tokens, sessions, organizations, invitations, deliveries } = whole;
      const odd = { name, login: { ...hosted, redeem }, tokens, sessions, organizations, invitations, deliveries };
      const tests = connectionTests(odd, readModels, uow, clock);
      expect(await tests.finish(login, marker, { code: 'c', source })).toEqual({ is: 'tested', returnTo: '/settings' });
      expect(asks.at(-1)).toBe(ref);
      await world.settle();
    },
    lastTest: async () => (await readModels.connections(world.acme))[0]?.lastTest ?? null,
    lives: (id) => {
      const found = fake.sessions.find(id);
      return found !== undefined && fake.sessions.isAlive(found);
    },
  });
};

describe('the test of a connection', () => {
  it('leaves a session of the provider alone on which somebody’s session here stands', () =>
    onStage(async ({ finish, lastTest, lives, inUse }) => {
      await finish({ providerSession: inUse });
      expect(await lastTest()).toMatchObject({ outcome: 'ok' });
      expect(lives(inUse)).toBe(true);
    }));

  it('ends the session that it made', () =>
    onStage(async ({ world, finish, lives }) => {
      const outcome = await world.provider.sessions.signIn({
        email: 'dora.developer@acme.test',
        method: 'sso',
        codeChallenge: 'iMnq5o6zALKXGivsnlom_0F5_WYda32GHkxlV7mq7hQ', // S256 of "verifier"
      });
      const code = outcome.is === 'signed_in' ? outcome.code : '';
      const made = await world.provider.sessions.redeem({ code, codeVerifier: 'verifier', ip: null, userAgent: null });
      const providerSession = made?.session.id ?? '';
      expect(lives(providerSession)).toBe(true);
      await finish({ providerSession });
      expect(lives(providerSession)).toBe(false);
    }));

  it('takes the word of the provider for why it failed, and a code that is not good for a failure', () =>
    onStage(async ({ world, finish, lastTest }) => {
      await finish(new Refusal('sign_in.denied', { provider_error: 'profile_not_allowed' }));
      expect(await lastTest()).toMatchObject({ outcome: 'failed', error: 'profile_not_allowed', email: null });
      world.clock.turn(1);
      await finish(undefined);
      expect(await lastTest()).toMatchObject({ outcome: 'failed', error: 'code_not_good', email: null });
    }));

  it('shows nothing of somebody who came to another organization, or by another way', () =>
    onStage(async ({ world, finish, lastTest }) => {
      await finish({ organization: 'org_of_somebody_else', email: 'eve@elsewhere.test' });
      expect(await lastTest()).toMatchObject({ outcome: 'failed', error: 'another_organization', email: null });
      world.clock.turn(1);
      await finish({ organization: null, method: 'password', email: 'eve@elsewhere.test' });
      expect(await lastTest()).toMatchObject({ outcome: 'failed', error: 'not_single_sign_on', email: null });
      world.clock.turn(1);
      await finish({ organization: null });
      expect(await lastTest()).toMatchObject({ outcome: 'ok' });
    }));

  it('is not recorded for somebody who does not manage the organization any more', () =>
    onStage(async ({ world, finish, lastTest }) => {
      await world.directory.leave(admin, 'Admins');
      await finish({});
      expect(await lastTest()).toBeNull();
      world.clock.turn(1);
      await world.directory.terminate(admin);
      await finish({});
      expect(await lastTest()).toBeNull();
    }));

  it('of a connection that went away meanwhile is forgotten', () =>
    onStage(async ({ world, finish, lastTest }) => {
      const [connected] = world.provider.connections.all();
      await world.provider.connections.remove(connected?.connection.id ?? '');
      await world.settle();
      await finish({});
      expect(await lastTest()).toBeNull();
    }));
});
