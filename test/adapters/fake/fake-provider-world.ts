// A world for the provider contract, made of the fake: one person, four organizations, a directory, and a clock to turn.

import { FakeIdentityProvider } from '#adapters/identity/fake/fake-identity-provider.ts';
import { newSigningKey, type SignInRequest } from '#adapters/identity/fake/sessions.ts';
import { FakeWorld, type FakeWorldOptions } from '#adapters/identity/fake/world.ts';
import type { OutageMode } from '#adapters/identity/fake/world-state.ts';
import { signatureHeader } from '#adapters/identity/wire/signature.ts';
import type { Delivery } from '#application/ports/identity-provider.ts';
import type { Clock } from '#application/ports/system.ts';
import type { ProviderWorld } from '../../contracts/identity-provider.contract.ts';

export const publicUrl = 'http://localhost:3000';

export class TurnedClock implements Clock {
  #now = Date.parse('2026-09-01T15:00:00.000Z');
  now(): Date {
    return new Date(this.#now);
  }
  pass(seconds: number): void {
    this.#now += seconds * 1000;
  }
}

/** One key for all worlds of a test file: making one takes longer than most tests. */
const signingKey = newSigningKey();

export interface StagedWorld {
  readonly world: FakeWorld;
  readonly clock: TurnedClock;
  /** Every delivery that was taken, in order. */
  readonly taken: Delivery[];
  /** Milliseconds that somebody waited for; nobody really did. */
  readonly waits: number[];
}

export const stageWorld = async (options: Partial<FakeWorldOptions> = {}): Promise<StagedWorld> => {
  const clock = new TurnedClock();
  const taken: Delivery[] = [];
  const waits: number[] = [];
  const world = await FakeWorld.open({
    publicUrl,
    clock,
    signingKey: await signingKey,
    sleep: async (milliseconds) => {
      waits.push(milliseconds);
    },
    send: async (delivery) => {
      taken.push(delivery);
    },
    ...options,
  });
  return { world, clock, taken, waits };
};

const outageModes: Readonly<Record<'down' | 'throttled' | 'none', OutageMode>> = {
  down: 'down',
  throttled: '429',
  none: 'none',
};

export const fakeProviderWorld = async (): Promise<ProviderWorld> => {
  const { world, clock, taken } = await stageWorld();
  const person = { email: 'carla@consult.test', name: 'Carla Consultant' };
  const { subject } = await world.people.add(person);
  const place = async (name: string, member: boolean): Promise<string> => {
    const domains = [`${name}.test`];
    const { ref } = await world.organizations.ensure({ externalId: `org_${name}`, name, domains });
    if (member) await world.organizations.admit(subject, ref);
    return ref;
  };
  const home = await place('home', true);
  const second = await place('second', true);
  const closed = await place('closed', false);
  const strict = await place('strict', true);
  const { id: connection } = await world.connections.setUp(strict);
  const { now: directory } = await world.directories.connect(home);
  await world.directories.createGroup(directory.id, { name: 'Engineering' });

  const signIn = async (how: Omit<SignInRequest, 'email'> & Partial<Pick<SignInRequest, 'email'>>): Promise<string> => {
    const outcome = await world.sessions.signIn({ email: person.email, ...how });
    if (outcome.is === 'refused') throw new Error(`the hosted login refused: ${outcome.because}`);
    return outcome.code;
  };

  return {
    provider: new FakeIdentityProvider(world, { makesConnections: true }),
    now: () => clock.now(),
    passTime: (seconds) => clock.pass(seconds),
    person,
    places: { home, second, closed, strict },
    connection: {
      id: connection,
      signIn: (codeChallenge) => signIn({ method: 'sso', codeChallenge, organization: strict }),
    },
    signIn: (codeChallenge) => signIn({ method: 'password', codeChallenge }),
    signToken: (claims) => world.sessions.sign(claims),
    signDelivery: (body) => ({ body, signature: signatureHeader(body, world.webhookSecret, clock.now()) }),
    hire: async (email) => {
      await world.settled();
      const before = taken.length;
      await world.directories.hire(directory.id, { email, name: 'Nora Newcomer', groups: ['Engineering'] });
      return taken.slice(before);
    },
    mailTo: (email) => world.invitations.all().findLast((one) => one.email === email)?.token ?? '',
    takeUp: (email, invitationToken, codeChallenge) =>
      signIn({ email, method: 'password', codeChallenge, invitationToken }),
    outage: (mode) => world.setOutage(outageModes[mode], 3600),
  };
};
