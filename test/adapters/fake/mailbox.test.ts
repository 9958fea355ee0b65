// The mailbox of the fake: every invitation as its mail would read, with a link as long as it leads anywhere.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeProviderRoutes } from '#adapters/identity/fake/routes.ts';
import type { FakeWorld } from '#adapters/identity/fake/world.ts';
import { type StagedWorld, stageWorld } from './fake-provider-world.ts';

let server: Server;
let base: string;
let staged: StagedWorld;
let world: FakeWorld;
let acme: string;

beforeEach(async () => {
  const app = new Koa();
  server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  staged = await stageWorld({ publicUrl: base });
  world = staged.world;
  app.use(fakeProviderRoutes(world).routes() as unknown as Koa.Middleware);
  server.on('request', app.callback());
  acme = (await world.organizations.ensure({ externalId: 'org_acme', name: '<b>Acme</b> & Co', domains: [] })).ref;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const send = (email = 'nina@elsewhere.test') =>
  world.invitations.send({ organization: acme, email, days: 7, inviter: null });
const page = async (path = '/mailbox') => (await fetch(`${base}/fake-idp${path}`)).text();
interface Listed {
  readonly state: string;
  readonly accept_url: string | null;
}
const list = async (): Promise<readonly Listed[]> => {
  const answer = await fetch(`${base}/fake-idp/invitations`);
  return ((await answer.json()) as { readonly data: readonly Listed[] }).data;
};
const hosted = (token: string) =>
  `/authorize?${new URLSearchParams({
    client_id: 'client_fake',
    redirect_uri: `${base}/auth/callback`,
    response_type: 'code',
    state: 'state-1',
    code_challenge: 'c'.repeat(43),
    invitation_token: token,
  })}`;

describe('the mailbox', () => {
  it('says so when there is no mail', async () => {
    expect(await page()).toContain('No mail yet');
    expect(await list()).toEqual([]);
  });

  it('shows to whom a mail went, and the link that it carries, and nothing as markup that is none', async () => {
    const { token, id } = await send();
    const shown = await page();
    expect(shown).toContain(`href="${base}/auth/start?invitation_token=${token}"`);
    expect(shown).toContain('nina@elsewhere.test');
    expect(shown).toContain('&lt;b&gt;Acme&lt;/b&gt; &amp; Co');
    expect(await list()).toEqual([
      {
        id,
        organization_id: 'org_acme',
        email: 'nina@elsewhere.test',
        state: 'pending',
        sent_at: '2026-09-01T15:00:00.000Z',
        expires_at: '2026-09-08T15:00:00.000Z',
        accept_url: `${base}/auth/start?invitation_token=${token}`,
      },
    ]);
  });

  it('has no link for a mail that was taken back, or whose time ran out', async () => {
    const [first, second] = [await send(), await send('noah@elsewhere.test')];
    await world.invitations.revoke(first);
    staged.clock.pass(7 * 24 * 3600);
    await world.invitations.revoke(second);
    const shown = await page();
    expect(shown).not.toContain('invitation_token');
    expect((await list()).map(({ state, accept_url }) => [state, accept_url])).toEqual([
      ['revoked', null],
      ['expired', null],
    ]);
  });
});

describe('the sign-in page behind the link', () => {
  it('names the organization and the address, and offers nobody else', async () => {
    const { token } = await send();
    const shown = await page(hosted(token));
    expect(shown).toContain('Accept the invitation to &lt;b&gt;Acme');
    expect(shown).toContain('value="nina@elsewhere.test"');
    expect(shown).toContain(`name="invitation_token" value="${token}"`);
    expect(shown).not.toContain('Or pick somebody');
  });

  it('says at once that a link leads nowhere any more, or never did', async () => {
    const invitation = await send();
    await world.invitations.revoke(invitation);
    for (const token of [invitation.token, 'never-sent']) {
      expect(await page(hosted(token))).toContain('This invitation was taken back, has expired');
    }
  });

  it('proves the address of somebody who has not proved it yet, and says so', async () => {
    const person = await world.people.add({ email: 'nina@elsewhere.test', name: 'Nina', emailVerified: false });
    const { token } = await send();
    const wish = { email: person.email, method: 'password', codeChallenge: 'c'.repeat(43) } as const;
    expect(await world.sessions.signIn({ ...wish, invitationToken: token })).toMatchObject({ is: 'signed_in' });
    expect(person.emailVerified).toBe(true);
    await world.settled();
    const names = world.log().map(({ event }) => event.event);
    expect(names).toEqual(
      expect.arrayContaining([
        'invitation.created',
        'user.updated',
        'invitation.accepted',
        'organization_membership.created',
      ]),
    );
    expect(JSON.stringify(world.log())).not.toContain(token);
  });
});
