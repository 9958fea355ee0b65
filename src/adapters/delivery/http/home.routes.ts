// The front door for people: what this is, who they are, and where to go from here.

import type { Profile, UseCases } from '#application/use-cases.ts';
import type { Refusal } from '#domain/shared/refusal.ts';
import { type Html, html } from './kit/html.ts';
import { page } from './kit/page.ts';
import { type Route, route } from './kit/route.ts';

export interface HomeLink {
  readonly label: string;
  readonly href: string;
}

const signedOut = (refusal: Refusal | undefined): Html => html`${refusal ? html`<p>${refusal.message}</p>` : undefined}
<p class="actions"><a class="button" href="/auth/login?return_to=/">Sign in</a></p>`;

const signedIn = ({ caller, user, agent, organization, organizations }: Profile): Html => {
  const role = caller.kind === 'user' ? caller.role : null;
  const elsewhere = organizations.filter(({ id }) => id !== organization?.id);
  return html`<dl>
<dt>Signed in as</dt><dd>${user ? html`${user.name ?? user.email} <span class="soft">${user.email}</span>` : agent?.name}</dd>
<dt>Organization</dt><dd>${organization?.name ?? 'none yet'}</dd>
${role ? html`<dt>Role</dt><dd>${role}</dd>` : undefined}
</dl>
<form class="actions" method="post" action="/auth/logout"><button class="quiet" type="submit">Sign out</button></form>
${
  elsewhere.length > 0
    ? html`<h2>Go to another organization</h2><ul>
${elsewhere.map(
  ({ id, name, role: there }) =>
    html`<li><a href="/auth/login?organization_id=${id}&amp;return_to=/">${name}</a>${there ? html` <span class="soft">${there}</span>` : undefined}</li>
`,
)}</ul>`
    : undefined
}`;
};

export const homeRoutes = (useCases: Pick<UseCases, 'whoAmI'>, links: readonly HomeLink[]): readonly Route[] => [
  route({
    method: 'get',
    path: '/',
    operation: 'goHome',
    summary: 'The front door for people',
    tags: ['operations'],
    allows: 'anyone',
    answers: [200, 'page'],
    refuses: ['storage.unavailable', 'identity.unavailable', 'identity.throttled'],
    async handle({ identify }) {
      let refusal: Refusal | undefined;
      const caller = await identify((why) => {
        refusal = why;
      });
      const profile = caller && (await useCases.whoAmI(caller));
      return page(
        'HatiData Identity',
        html`<h1>HatiData Identity</h1>
<p>Who is calling, for which organization, and what may they do: for the people and the agents that share HatiData.</p>
${profile ? signedIn(profile) : signedOut(refusal)}
<h2>From here</h2>
<ul>
<li><a href="/docs">The API, to read</a></li>
<li><a href="/openapi.json">The API, for tools</a></li>
${profile ? html`<li><a href="/v1/whoami">Who am I, as JSON</a></li>` : undefined}
${links.map(
  ({ label, href }) => html`<li><a href="${href}">${label}</a></li>
`,
)}</ul>`,
      );
    },
  }),
];
