// What a browser carries from the start of a sign-in to its callback: sealed, bound to one state, good once.

import type { Clock, Digest, Seal } from '#application/ports/system.ts';
import type { Act, UnitOfWork } from '#application/unit-of-work.ts';
import type { OrganizationId, UserId } from '#domain/shared/ids.ts';
import { secondsAfter } from '#domain/shared/time.ts';

/** As long as a provider's code lives, and no longer. */
export const loginSeconds = 600;

/** The sign-in is a test of a connection: it is recorded, and lets nobody in. */
export interface TestMarker {
  readonly organization: OrganizationId;
  readonly connection: string;
  /** The admin who makes the test. */
  readonly by: UserId;
}

export interface LoginBox {
  readonly state: string;
  /** PKCE; the reason why the box is sealed. */
  readonly codeVerifier: string;
  readonly returnTo: string;
  readonly remember: boolean;
  readonly organization: OrganizationId | null;
  /** Here so that we need not keep it. */
  readonly invitationToken: string | null;
  readonly test: TestMarker | null;
}

export interface LoginStarted {
  /** The provider's page: send the browser there. */
  readonly url: string;
  readonly state: string;
  /** Sealed; keep it in a cookie of this browser and bring it to `completeLogin`. Holds the PKCE verifier. */
  readonly box: string;
  /** How long the box opens. */
  readonly seconds: number;
}

export const closeLoginBox = (seal: Seal, box: LoginBox): Promise<string> =>
  seal.close('login', { ...box }, loginSeconds);

/** Undefined when this browser started no such sign-in, or too long ago. */
export const openLoginBox = async (
  seal: Seal,
  box: string | undefined,
  state: string,
): Promise<LoginBox | undefined> => {
  const content = box === undefined ? undefined : await seal.open('login', box);
  // Sealed by us under this purpose, so it has the shape that it was closed with.
  return content?.['state'] === state ? (content as unknown as LoginBox) : undefined;
};

/** False when the state was used before. */
export const spendState = (
  uow: UnitOfWork,
  digest: Digest,
  clock: Clock,
  act: Act,
  state: string,
): Promise<boolean> => {
  const until = secondsAfter(clock.now(), loginSeconds);
  return uow.run({ across: 'sign_in' }, act, (tx) => tx.signIns.spend(digest.sha256(state), until));
};
