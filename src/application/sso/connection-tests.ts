// Tests a connection by signing in through it: an admin starts, somebody comes back or nobody does, and what happened is written down.

import type { IdentityProvider, ProvenIdentity } from '#application/ports/identity-provider.ts';
import type { ReadModels } from '#application/ports/read-models.ts';
import type { Clock, Digest, Entropy, Seal } from '#application/ports/system.ts';
import {
  closeLoginBox,
  type LoginBox,
  loginSeconds,
  openLoginBox,
  spendState,
  type TestMarker,
} from '#application/sessions/login-box.ts';
import { safeReturnTo } from '#application/sessions/return-to.ts';
import { knownConnection } from '#application/sso/known-connection.ts';
import type { ConnectionTested, FailLogin, StartConnectionTest } from '#application/sso/sso-use-cases.ts';
import type { Act, Transaction, UnitOfWork } from '#application/unit-of-work.ts';
import { asPerson } from '#domain/access/caller.ts';
import type { Source } from '#domain/audit/audit-entry.ts';
import { scopesOf } from '#domain/memberships/role.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { type ConnectionTest, failedTest, judgeTest, recordTest } from '#domain/sso/connection.ts';

type Verdict = Omit<ConnectionTest, 'at' | 'by'>;

/** What is left to do when the browser comes back from a test. The state of the sign-in has been spent by then. */
export interface ConnectionTests {
  /** Redeems the code to see who it stands for. Starts no session, and ends the one that the provider started. */
  finish(
    login: Pick<LoginBox, 'codeVerifier' | 'returnTo'>,
    test: TestMarker,
    came: { readonly code: string; readonly source: Source },
  ): Promise<ConnectionTested>;
  /** Nobody came back. */
  fail(
    login: Pick<LoginBox, 'returnTo'>,
    test: TestMarker,
    came: { readonly error: string; readonly source: Source },
  ): Promise<ConnectionTested>;
}

export const startConnectionTest =
  (
    provider: IdentityProvider,
    readModels: ReadModels,
    uow: UnitOfWork,
    seal: Seal,
    clock: Clock,
    entropy: Entropy,
    digest: Digest,
    settings: { readonly callbackUrl: string },
  ): StartConnectionTest =>
  async (caller, { organizationId, connectionId, returnTo }, source) => {
    const person = asPerson(caller);
    if (!provider.sso) throw new Refusal('sso.not_supported');
    const connection = await knownConnection(provider, uow, clock, caller, organizationId, connectionId, source);

    const state = entropy.reference();
    const codeVerifier = entropy.reference();
    const url = await provider.login.urlFor({
      state,
      redirectUri: settings.callbackUrl,
      codeChallenge: digest.pkceChallenge(codeVerifier),
      connection: connection.id,
      loginHint: (await readModels.user(person.id))?.email,
    });
    const box = await closeLoginBox(seal, {
      state,
      codeVerifier,
      returnTo: safeReturnTo(returnTo),
      remember: false,
      organization: organizationId,
      invitationToken: null,
      test: { organization: organizationId, connection: connection.id, by: person.id },
    });
    return { url, state, box, seconds: loginSeconds };
  };

export const connectionTests = (
  provider: IdentityProvider,
  readModels: ReadModels,
  uow: UnitOfWork,
  clock: Clock,
): ConnectionTests => {
  return {
    async finish({ codeVerifier, returnTo }, test, { code, source }) {
      const link = (await readModels.organization(test.organization))?.provider;
      const ref = link?.provider === provider.name ? link.id : undefined;
      const back = await redeemed({
        code,
        codeVerifier,
        ip: source.ip,
        userAgent: source.userAgent,
        organization: ref,
      });
      if ('error' in back) {
        await record(test, failedTest(back.error), source);
      } else {
        await endSessionOfTest(back.providerSession, source);
        const elsewhere = back.organization !== null && back.organization !== ref;
        await record(test, judgeTest({ ...back, elsewhere }), source);
      }
      return { is: 'tested', returnTo };
    },
    async fail({ returnTo }, test, { error, source }) {
      await record(test, failedTest(error), source);
      return { is: 'tested', returnTo };
    },
  };

  /** A no is a result of the test; that the provider does not answer is none. */
  async function redeemed(
    proof: Parameters<IdentityProvider['login']['redeem']>[0],
  ): Promise<ProvenIdentity | { readonly error: string }> {
    try {
      return (await provider.login.redeem(proof)) ?? { error: 'code_not_good' };
    } catch (thrown) {
      if (!(thrown instanceof Refusal) || thrown.reason !== 'sign_in.denied') throw thrown;
      return { error: String(thrown.details['provider_error'] ?? 'access_denied') };
    }
  }

  /** A provider may keep one session over several sign-ins: one that a session of ours stands on is in use, and stays. */
  async function endSessionOfTest(providerSession: string, source: Source): Promise<void> {
    const act: Act = { actor: { kind: 'system', id: null }, source };
    await uow.run({ across: 'sign_in' }, act, async (tx) => {
      const ours = await tx.sessions.byProviderSession(provider.name, providerSession);
      if (ours?.state.status === 'active') return;
      tx.after({ do: 'end_provider_session', provider: provider.name, providerSession });
    });
  }

  /** Written down only for somebody who may still manage the organization: a test speaks for its admin. */
  async function record(test: TestMarker, verdict: Verdict, source: Source): Promise<void> {
    const act: Act = { actor: { kind: 'user', id: test.by }, source };
    await uow.run(test.organization, act, async (tx) => {
      if (!(await mayManage(tx, test))) return;
      const known = await tx.connections.get(test.organization, test.connection);
      if (!known) return;
      const result: ConnectionTest = { ...verdict, at: clock.now(), by: test.by };
      const connection = recordTest(known, result);
      if (connection === known) return;
      await tx.connections.save(connection);
      tx.tell({ type: 'connection.tested', connection, test: result });
    });
  }
};

const mayManage = async (tx: Transaction, { organization, by }: TestMarker): Promise<boolean> => {
  const membership = (await tx.memberships.ofUser(organization, by))?.state;
  return membership?.status === 'active' && scopesOf(membership.role).includes('orgs:manage');
};

/** For a callback that brings an error: if the sign-in was a test, the error is its result. */
export const failLogin =
  (tests: ConnectionTests, uow: UnitOfWork, seal: Seal, clock: Clock, digest: Digest): FailLogin =>
  async ({ error, state, box, source }) => {
    const started = await openLoginBox(seal, box, state);
    if (!started?.test) return undefined;
    const nobody: Act = { actor: { kind: 'anonymous', id: null }, source };
    const isFresh = await spendState(uow, digest, clock, nobody, state);
    return isFresh ? tests.fail(started, started.test, { error, source }) : undefined;
  };
