// Signs a person out: the session ends here at once, and at the provider soon after.

import { actorOf } from '#application/access/permitted.ts';
import type { IdentityProvider } from '#application/ports/identity-provider.ts';
import type { Clock } from '#application/ports/system.ts';
import type { UnitOfWork } from '#application/unit-of-work.ts';
import type { SignOut } from '#application/use-cases.ts';
import { asPerson } from '#domain/access/caller.ts';

export const signOut =
  (provider: IdentityProvider, uow: UnitOfWork, clock: Clock, settings: { readonly publicUrl: string }): SignOut =>
  async (caller, source) => {
    const person = asPerson(caller);
    const providerSession = await uow.run({ across: 'own_session' }, { actor: actorOf(person), source }, async (tx) => {
      const session = await tx.sessions.get(person.sessionId);
      if (!session) return undefined;
      session.end('signed_out', clock.now());
      await tx.save(session);
      return session.state.providerSession;
    });
    return { logoutUrl: providerSession && provider.sessions.logoutUrl(providerSession, settings.publicUrl) };
  };
