// What one can ask about an organization's own single sign-on; a part of the table of contents (`UseCases`), with its conventions.

import type { Origin } from '#application/idempotency/once.ts';
import type { ConnectionDetails, SetupIntent } from '#application/ports/identity-provider.ts';
import type { LoginStarted } from '#application/sessions/login-box.ts';
import type { Caller } from '#domain/access/caller.ts';
import type { Source } from '#domain/audit/audit-entry.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';
import type { Connection } from '#domain/sso/connection.ts';

export interface SsoUseCases {
  /** What is known of the organization's connections, and what can be done about them from here. */
  readonly getSso: (caller: Caller, organizationId: OrganizationId) => Promise<SsoOverview>;
  readonly createSetupLink: CreateSetupLink;
  /** @throws Refusal `sso.not_supported` where the provider makes none from here, `sso.not_ready`, `connection.refused` */
  readonly createConnection: (
    caller: Caller,
    request: { readonly organizationId: OrganizationId; readonly name: string } & ConnectionDetails,
    source: Origin,
  ) => Promise<Connection>;
  readonly startConnectionTest: StartConnectionTest;
  /**
   * Nobody signs in through it from now on; it disappears from the list when the provider says so.
   * @throws Refusal `connection.not_found`, `sso.not_supported`
   */
  readonly removeConnection: (
    caller: Caller,
    organizationId: OrganizationId,
    connectionId: string,
    source: Source,
  ) => Promise<void>;
  readonly failLogin: FailLogin;
}

/** The test of a connection has come to its end; nobody is signed in by it. */
export interface ConnectionTested {
  readonly is: 'tested';
  readonly returnTo: string;
}

/**
 * Hears that the provider sent the browser back without a code. Undefined: it was no test, and whoever waits is to be told.
 */
export type FailLogin = (request: {
  /** The provider's word for why, one lower-case word. */
  readonly error: string;
  readonly state: string;
  readonly box: string | undefined;
  readonly source: Source;
}) => Promise<ConnectionTested | undefined>;

export interface SsoOverview {
  /** By id; those that were removed are not among them. */
  readonly connections: readonly Connection[];
  readonly can: {
    readonly setupLink: boolean;
    readonly testConnection: boolean;
    readonly removeConnection: boolean;
    readonly createConnection: boolean;
  };
}

/**
 * The way to the provider's own set-up pages. Whoever has the link is let in, for about five minutes and for this one purpose.
 * @throws Refusal `sso.not_supported`, `sso.not_ready`
 */
export type CreateSetupLink = (
  caller: Caller,
  request: {
    readonly organizationId: OrganizationId;
    readonly intent: SetupIntent;
    /** A path of ours to come back to. */
    readonly returnTo: string | undefined;
  },
  source: Source,
) => Promise<{ readonly url: string; readonly seconds: number }>;

/**
 * Starts a sign-in through that one connection, to see whether it works. It ends in `completeLogin` or `failLogin`; the result
 * shows in `getSso`, and nobody gains anything by it.
 * @throws Refusal `connection.not_found`, `caller.person_required`, `sso.not_supported`
 */
export type StartConnectionTest = (
  caller: Caller,
  request: {
    readonly organizationId: OrganizationId;
    readonly connectionId: string;
    readonly returnTo: string | undefined;
  },
  source: Source,
) => Promise<LoginStarted>;
