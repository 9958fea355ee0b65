// Starts a sign-in: finds the organization by e-mail domain, and prepares a state that only this browser can finish.

import type { IdentityProvider } from '#application/ports/identity-provider.ts';
import type { ReadModels } from '#application/ports/read-models.ts';
import type { Digest, Entropy, Seal } from '#application/ports/system.ts';
import { closeLoginBox, loginSeconds } from '#application/sessions/login-box.ts';
import { safeReturnTo } from '#application/sessions/return-to.ts';
import type { BeginLogin } from '#application/use-cases.ts';
import { domainOf, parseEmail } from '#domain/users/email.ts';

export const beginLogin =
  (
    provider: IdentityProvider,
    readModels: ReadModels,
    seal: Seal,
    entropy: Entropy,
    digest: Digest,
    settings: { readonly callbackUrl: string },
  ): BeginLogin =>
  async (request) => {
    const email = request.email === undefined ? undefined : parseEmail(request.email);
    const organization = request.organizationId
      ? await readModels.organization(request.organizationId)
      : email && (await readModels.organizationVerifying(domainOf(email)));
    const ref =
      organization?.status === 'active' && organization.provider?.provider === provider.name
        ? organization.provider.id
        : undefined;

    const state = entropy.reference();
    const codeVerifier = entropy.reference();
    const url = await provider.login.urlFor({
      state,
      redirectUri: settings.callbackUrl,
      codeChallenge: digest.pkceChallenge(codeVerifier),
      organization: ref,
      loginHint: email,
      invitationToken: request.invitationToken,
    });
    const box = await closeLoginBox(seal, {
      state,
      codeVerifier,
      returnTo: safeReturnTo(request.returnTo),
      remember: request.remember,
      organization: organization?.id ?? null,
      invitationToken: request.invitationToken ?? null,
      test: null,
    });
    return { url, state, box, seconds: loginSeconds };
  };
