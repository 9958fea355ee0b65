// The hosted sign-in page: pick somebody or type an address, and say how they prove who they are.

import { html, type Markup } from '#adapters/identity/fake/html.ts';
import { hidden, page } from '#adapters/identity/fake/page.ts';
import { hasSso, type SignInRefusal } from '#adapters/identity/fake/sign-in-rules.ts';
import type { Fields } from '#adapters/identity/fake/web.ts';
import type { FakeWorld } from '#adapters/identity/fake/world.ts';
import type { FakeMethod, FakeOrganization } from '#adapters/identity/fake/world-state.ts';

/** What a person reads when they cannot enter. */
export const explain: Readonly<Record<SignInRefusal, string>> = {
  not_an_address: 'That is not an e-mail address. Check it for typing errors.',
  unknown_person: 'Nobody with this address is known here. Pick somebody from the list, or sign up with a password.',
  unknown_organization: 'The organization that you want to sign in to does not exist here.',
  terminated: 'This person no longer has access. Their organization has removed or deactivated them.',
  not_a_member: 'This person does not belong to that organization. Pick somebody from the list.',
  sso_required: 'This organization takes single sign-on only. Choose “Single sign-on” and try again.',
  no_sso: 'This organization has no single sign-on. Choose “Password” and try again.',
  no_password: 'This person has no password. Choose “Single sign-on” and try again.',
  invitation_not_good:
    'This invitation was taken back, has expired, or was replaced by a newer mail. Ask for another one.',
  invitation_for_somebody_else: 'This invitation is for another address. Sign in with the address that it was sent to.',
};

export interface SignInView {
  /** The authorization request, carried along in every form. */
  readonly request: Fields;
  readonly email: string;
  readonly method: FakeMethod | undefined;
  readonly refused: SignInRefusal | undefined;
  /** Where it leads: as the request says, or as its connection does. */
  readonly organization: string | undefined;
  /** Who came by the link of an invitation picks nobody else. */
  readonly invited: boolean;
}

const people = (world: FakeWorld, organization: FakeOrganization, request: Fields): Markup => {
  const method: FakeMethod = hasSso(organization) ? 'sso' : 'password';
  const members = world.organizations.membersOf(organization.ref);
  const rows = members.map(
    ({ email, name }) => html`<li><form method="post" action="/fake-idp/authorize">
${hidden({ ...request, organization: organization.ref, email, method })}
<button><strong>${name ?? email}</strong> <span class="quiet">${email}, ${method === 'sso' ? 'single sign-on' : 'password'}</span></button>
</form></li>`,
  );
  return html`<h3>${organization.name}</h3>${
    members.length > 0 ? html`<ul class="people">${rows}</ul>` : html`<p class="quiet">Nobody yet.</p>`
  }`;
};

const methodChoice = (value: FakeMethod, label: string, chosen: boolean): Markup =>
  html`<label class="beside"><input type="radio" name="method" value="${value}" required${chosen ? html` checked` : ''}> ${label}</label>`;

/** What to suggest: what the organization takes, or a password for an address that no organization governs. */
const likelyMethod = (organization: FakeOrganization | undefined, email: string): FakeMethod => {
  if (!organization) return email === '' ? 'sso' : 'password';
  return hasSso(organization) ? 'sso' : 'password';
};

export const signInPage = (world: FakeWorld, view: SignInView): Markup => {
  const { request, email, method, refused, invited } = view;
  const named = world.organizations.byRef(view.organization ?? '');
  const organizations = named ? [named] : world.organizations.all();
  const preset = method ?? likelyMethod(named ?? world.organizations.vouchingFor(email), email);
  return page(
    'Sign in',
    html`
<h1>${invited ? 'Accept the invitation' : 'Sign in'}${named ? html` to ${named.name}` : ''}</h1>
${refused ? html`<p class="note stop" role="alert" id="refused">${explain[refused]}</p>` : ''}
<div class="sheet">
<form method="post" action="/fake-idp/authorize">
${hidden(request)}
<label for="email">E-mail address</label>
<input type="email" id="email" name="email" value="${email}" autocomplete="username" required${refused ? html` aria-describedby="refused" aria-invalid="true"` : ''}>
<fieldset>
<legend>How they prove who they are</legend>
${methodChoice('sso', 'Single sign-on', preset === 'sso')}
${methodChoice('password', 'Password', preset === 'password')}
</fieldset>
<p class="quiet">A new address signs up by choosing “Password”.</p>
<div class="row"><button>Continue</button><button class="plain" name="act" value="cancel" formnovalidate>Cancel</button></div>
</form>
</div>
${
  invited
    ? ''
    : html`<section class="sheet" aria-labelledby="pick">
<h2 id="pick">Or pick somebody</h2>
${organizations.map((organization) => people(world, organization, request))}
${organizations.length === 0 ? html`<p class="quiet">There are no organizations yet.</p>` : ''}
</section>`
}`,
  );
};
