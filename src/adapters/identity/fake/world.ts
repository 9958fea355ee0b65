// The world in which the fake provider lives: people, organizations, sessions, directories, and everything it ever said about them.

import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { type CryptoKey, importJWK, type JWK } from 'jose';
import { FakeConnections } from '#adapters/identity/fake/connections.ts';
import type { Send, Sleep } from '#adapters/identity/fake/courier.ts';
import { FakeDirectories } from '#adapters/identity/fake/directories.ts';
import { FakeInvitations } from '#adapters/identity/fake/invitations.ts';
import { Journal } from '#adapters/identity/fake/journal.ts';
import { FakeOrganizations } from '#adapters/identity/fake/organizations.ts';
import { FakePeople } from '#adapters/identity/fake/people.ts';
import { FakeSessions, newSigningKey } from '#adapters/identity/fake/sessions.ts';
import { FakeSetupLinks } from '#adapters/identity/fake/setup-links.ts';
import { readStateFile, StateFile } from '#adapters/identity/fake/state-file.ts';
import { firstUlid } from '#adapters/identity/fake/ulid.ts';
import type { LoggedEvent, Manner, OutageMode, WorldState } from '#adapters/identity/fake/world-state.ts';
import type { Clock } from '#application/ports/system.ts';

export interface FakeWorldOptions {
  /** Where the service is reached; the fake's pages live under it and codes are sent nowhere else. */
  readonly publicUrl: string;
  readonly clock: Clock;
  /** Where the world is kept between runs. Without it, it ends with the process. */
  readonly file?: string | undefined;
  /** Where events go. May be named later with `deliverTo`; until then they are only in the feed. */
  readonly send?: Send | undefined;
  /** How to wait (retries, slowness, lateness). Real time unless a test brings its own. */
  readonly sleep?: Sleep | undefined;
  readonly clientId?: string | undefined;
  /** An RSA private key to begin with, so that many short-lived worlds need not each make one. */
  readonly signingKey?: JWK | undefined;
}

const defaultLateSeconds = 10;

const emptyState = async (at: Date, signingKey: JWK | undefined): Promise<WorldState> => ({
  version: 1,
  people: [],
  organizations: [],
  memberships: [],
  invitations: [],
  sessions: [],
  codes: [],
  directories: [],
  log: [],
  manner: { kind: 'none', lateSeconds: defaultLateSeconds },
  outage: { mode: 'none', until: at.toISOString() },
  lastUlid: firstUlid,
  signingKey: { ...(signingKey ?? (await newSigningKey())) },
  webhookSecret: `whsec_${randomBytes(24).toString('hex')}`,
});

/**
 * Changes of a directory settle after the delivery of their events was attempted, as the person at the keyboard wants to see
 * what happened. All other changes settle at once and are delivered afterwards, as a provider answers its API first: a
 * listener may call the provider while it is being told something.
 */
export class FakeWorld {
  readonly publicUrl: string;
  /** `iss` of the access tokens. */
  readonly issuer: string;
  /** `client_id` of the access tokens. */
  readonly clientId: string;
  readonly clock: Clock;
  readonly people: FakePeople;
  readonly organizations: FakeOrganizations;
  readonly invitations: FakeInvitations;
  readonly connections: FakeConnections;
  readonly sessions: FakeSessions;
  readonly directories: FakeDirectories;
  readonly setupLinks: FakeSetupLinks;
  readonly #journal: Journal;
  readonly #sleep: Sleep;

  private constructor(state: WorldState, key: CryptoKey | Uint8Array, options: FakeWorldOptions) {
    this.publicUrl = new URL(options.publicUrl).origin;
    this.issuer = `${this.publicUrl}/fake-idp`;
    this.clientId = options.clientId ?? 'client_fake';
    this.clock = options.clock;
    this.#sleep = options.sleep ?? ((milliseconds) => setTimeout(milliseconds, undefined, { ref: false }));
    const file = options.file === undefined ? undefined : new StateFile(options.file);
    this.#journal = new Journal(state, options.clock, this.#sleep, file);
    this.people = new FakePeople(this.#journal);
    this.organizations = new FakeOrganizations(this.#journal);
    this.invitations = new FakeInvitations(this.#journal);
    this.connections = new FakeConnections(this.#journal, this.organizations);
    this.sessions = new FakeSessions(this.#journal, this.people, { issuer: this.issuer, clientId: this.clientId, key });
    this.directories = new FakeDirectories(this.#journal);
    this.setupLinks = new FakeSetupLinks(this.sessions, this.clock, this.publicUrl, this.issuer);
    if (options.send) this.deliverTo(options.send);
  }

  /** Finds the world in its file, or makes an empty one. Throws when the file holds something else. */
  static async open(options: FakeWorldOptions): Promise<FakeWorld> {
    const known = options.file === undefined ? undefined : await readStateFile(options.file);
    const state = known ?? (await emptyState(options.clock.now(), options.signingKey));
    const world = new FakeWorld(state, await importJWK(state.signingKey, 'RS256'), options);
    await world.#journal.saved();
    return world;
  }

  /** Every event in the order in which it was said, after that one; from the beginning when it is unknown or missing. */
  log(after?: string, limit: number = Number.POSITIVE_INFINITY): readonly LoggedEvent[] {
    const at = this.#journal.state.log.findIndex(({ event }) => event.id === after);
    return this.#journal.state.log.slice(at + 1, at + 1 + limit);
  }

  /** What deliveries are signed with. */
  get webhookSecret(): string {
    return this.#journal.state.webhookSecret;
  }

  /** From now on events go there; with `undefined`, nowhere. What was held when the last run ended is taken up again. */
  deliverTo(send: Send | undefined): void {
    this.#journal.courier.deliverTo(send);
    for (const { fate, heldUntil } of this.#journal.state.log) {
      if (send && fate === 'held' && heldUntil !== null) {
        this.#journal.courier.scheduleRelease(Math.max(0, -this.#journal.secondsSince(heldUntil) * 1000));
      }
    }
  }

  /** Settles when nothing is being delivered any more. What is held stays held. */
  async settled(): Promise<void> {
    await this.#journal.courier.settled();
    await this.#journal.saved();
  }

  /** Sends what was held until a moment that has passed. Whoever turns the clock by hand calls this afterwards. */
  async releaseDue(): Promise<void> {
    await this.#journal.courier.release('due');
    await this.#journal.saved();
  }

  manner(): { readonly manner: Manner; readonly lateSeconds: number } {
    const { kind, lateSeconds } = this.#journal.state.manner;
    return { manner: kind, lateSeconds };
  }

  /** How everything is delivered from now on. Back to `none` lets go of whatever is held. */
  async setManner(kind: Manner, lateSeconds: number = this.manner().lateSeconds): Promise<void> {
    this.#journal.state.manner = { kind, lateSeconds };
    if (kind === 'none') await this.#journal.courier.release('all');
    await this.#journal.saved();
  }

  outage(): { readonly mode: OutageMode; readonly until: Date | null } {
    const { mode, until } = this.#journal.state.outage;
    return mode === 'none' || until <= this.#journal.now()
      ? { mode: 'none', until: null }
      : { mode, until: new Date(until) };
  }

  async setOutage(mode: OutageMode, seconds: number): Promise<void> {
    this.#journal.state.outage = { mode, until: this.#journal.secondsFromNow(seconds) };
    await this.#journal.saved();
  }

  pause(milliseconds: number): Promise<void> {
    return this.#sleep(milliseconds);
  }
}
