// Signs somebody in as a browser would, without one: the same use cases, the fake provider in between.

import type { FakeWorld } from '#adapters/identity/fake/world.ts';
import type { SignedIn, UseCases } from '#application/use-cases.ts';
import type { Source } from '#domain/audit/audit-entry.ts';

export interface SignInWish {
  readonly email: string;
  readonly method?: 'sso' | 'password' | undefined;
  readonly remember?: boolean | undefined;
  readonly organizationId?: Parameters<UseCases['beginLogin']>[0]['organizationId'];
}

/** @throws Error when the fake provider refuses the person, and whatever `completeLogin` refuses */
export const signInAs = async (
  useCases: UseCases,
  world: FakeWorld,
  wish: SignInWish,
  source: Source,
): Promise<SignedIn> => {
  const { email, remember = false, organizationId } = wish;
  const started = await useCases.beginLogin({ email, organizationId, returnTo: '/', remember });
  const asked = new URL(started.url).searchParams;
  const organization = asked.get('organization') ?? undefined;
  const hasSso = organization !== undefined && world.organizations.byRef(organization)?.connection?.state === 'active';
  const outcome = await world.sessions.signIn({
    email,
    method: wish.method ?? (hasSso ? 'sso' : 'password'),
    codeChallenge: asked.get('code_challenge') ?? '',
    organization,
  });
  if (outcome.is !== 'signed_in') throw new Error(`the fake provider refused ${email}: ${outcome.because}`);
  const completed = await useCases.completeLogin({
    code: outcome.code,
    state: started.state,
    box: started.box,
    replaces: undefined,
    source,
  });
  if (completed.is !== 'signed_in') throw new Error('a sign-in ended as the test of a connection');
  return completed;
};
