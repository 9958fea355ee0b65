// The mailbox of everybody in the fake world: the invitations that were sent, each with the link that its mail carries.

import { html, type Markup } from '#adapters/identity/fake/html.ts';
import { page } from '#adapters/identity/fake/page.ts';
import type { FakeWorld } from '#adapters/identity/fake/world.ts';
import type { FakeInvitation } from '#adapters/identity/fake/world-state.ts';

const states: Readonly<Record<ReturnType<FakeWorld['invitations']['stateOf']>, string>> = {
  pending: 'open',
  accepted: 'accepted',
  revoked: 'taken back',
  expired: 'expired',
};

/** Where the link in a mail leads: the service's own address for sign-ins that begin elsewhere. */
export const acceptUrl = (world: FakeWorld, { token }: FakeInvitation): string => {
  const url = new URL('/auth/start', world.publicUrl);
  url.searchParams.set('invitation_token', token);
  return url.href;
};

const minute = (moment: string): string => `${moment.slice(0, 10)} ${moment.slice(11, 16)} UTC`;

const mail = (world: FakeWorld, invitation: FakeInvitation): Markup => {
  const { email, organization, inviter, createdAt, expiresAt } = invitation;
  const state = world.invitations.stateOf(invitation);
  const name = world.organizations.byRef(organization)?.name ?? organization;
  const from = world.people.all().find(({ subject }) => subject === inviter);
  return html`<li class="sheet"><h2>You are invited to ${name}</h2>
<p>To <strong>${email}</strong> <span class="state${state === 'pending' ? '' : ' off'}">${states[state]}</span></p>
<p class="quiet">${from ? html`From ${from.name ?? from.email}. ` : ''}Sent ${minute(createdAt)}, good until ${minute(expiresAt)}.</p>
${state === 'pending' ? html`<p><a href="${acceptUrl(world, invitation)}">Accept the invitation<span class="quiet"> as ${email}</span></a></p>` : ''}
</li>`;
};

export const mailboxPage = (world: FakeWorld): Markup => {
  const mails = world.invitations.all().toReversed();
  return page(
    'Mailbox',
    html`<h1>Everybody’s mailbox</h1>
<p>What the provider would send by e-mail arrives here. Follow a link as whoever it is addressed to.</p>
${mails.length > 0 ? html`<ul class="people">${mails.map((one) => mail(world, one))}</ul>` : html`<p class="quiet">No mail yet. Invite somebody: <code>POST /v1/organizations/{org}/invitations</code>.</p>`}`,
  );
};
