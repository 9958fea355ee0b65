// The provider's set-up page: the customer's IT admin comes by a link, does the one thing that it is for, and goes back.

import { html, type Markup } from '#adapters/identity/fake/html.ts';
import { hidden, page } from '#adapters/identity/fake/page.ts';
import type { Setup } from '#adapters/identity/fake/setup-links.ts';
import type { FakeWorld } from '#adapters/identity/fake/world.ts';
import type { FakeConnection, FakeOrganization } from '#adapters/identity/fake/world-state.ts';
import type { SetupIntent } from '#application/ports/identity-provider.ts';

export const titles: Readonly<Record<SetupIntent, string>> = {
  sso: 'Set up single sign-on',
  domain_verification: 'Verify domains',
  dsync: 'Connect the directory',
  certificate_renewal: 'Renew the certificate',
};

export const state = (connection: FakeConnection): Markup =>
  html`<span class="state${connection.state === 'active' ? '' : ' off'}">${connection.state}</span>`;

export const certificate = ({ certificateUntil }: FakeConnection): Markup =>
  html`<p class="quiet">Its certificate is good until ${certificateUntil ?? 'nobody knows when'}.</p>`;

type Form = (act: string, label: string, look?: 'plain' | 'stop') => Markup;

const ssoForms = (connection: FakeConnection | null, form: Form): Markup => {
  if (!connection) return html`<p>There is no connection yet.</p>${form('activate', 'Connect and activate')}`;
  return html`<p><strong>${connection.name}</strong> ${state(connection)}</p>${certificate(connection)}
<div class="row">${
    connection.state === 'active' ? form('deactivate', 'Deactivate', 'plain') : form('activate', 'Activate')
  }${form('renew-certificate', 'Renew the certificate', 'plain')}${form('remove', 'Remove', 'stop')}</div>`;
};

const renewalForms = (connection: FakeConnection | null, form: Form): Markup =>
  connection
    ? html`<p><strong>${connection.name}</strong></p>${certificate(connection)}${form('renew-certificate', 'Renew')}`
    : html`<p>There is no connection, and so no certificate.</p>`;

const directoryForms = (world: FakeWorld, organization: FakeOrganization, form: Form): Markup => {
  const connected = world.directories.all().filter((directory) => directory.organization === organization.ref);
  const list = connected.map(({ name, type }) => html`<li>${name} <span class="quiet">${type}</span></li>`);
  return html`${list.length > 0 ? html`<p>Connected already:</p><ul>${list}</ul>` : html`<p>There is no directory yet.</p>`}
${form('connect-directory', 'Connect a directory')}`;
};

const domainList = ({ domains }: FakeOrganization): Markup =>
  html`<ul>${domains.map(({ name, state }) => html`<li>${name} <span class="quiet">${state}</span></li>`)}</ul>
<p class="quiet">The fake provider verifies a domain as soon as it is claimed, unless another organization has it.</p>`;

export const setupPage = (world: FakeWorld, setup: Setup, organization: FakeOrganization, ticket: string): Markup => {
  const form: Form = (act, label, look) =>
    html`<form method="post" action="/fake-idp/setup/${act}">${hidden({ ticket })}<button${look ? html` class="${look}"` : ''}>${label}</button></form>`;
  const forms = (): Markup => {
    switch (setup.intent) {
      case 'sso':
        return ssoForms(organization.connection, form);
      case 'certificate_renewal':
        return renewalForms(organization.connection, form);
      case 'dsync':
        return directoryForms(world, organization, form);
      case 'domain_verification':
        return domainList(organization);
    }
  };
  return page(
    titles[setup.intent],
    html`<h1>${titles[setup.intent]}</h1>
<section class="sheet" aria-label="${organization.name}"><h2>${organization.name}</h2>${forms()}</section>
<p><a href="${setup.returnTo}">Done, go back</a></p>`,
  );
};
