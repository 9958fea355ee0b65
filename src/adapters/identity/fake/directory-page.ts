// The page that plays the customers' IT departments: who works there, in which groups, and what the fake said about it.

import type { Connected } from '#adapters/identity/fake/connections.ts';
import { html, type Markup } from '#adapters/identity/fake/html.ts';
import { hidden, page } from '#adapters/identity/fake/page.ts';
import { certificate, state } from '#adapters/identity/fake/setup-page.ts';
import type { FakeWorld } from '#adapters/identity/fake/world.ts';
import type {
  FakeDirectory,
  FakeDirectoryGroup,
  FakeDirectoryUser,
  Fate,
  LoggedEvent,
  Manner,
  OutageMode,
} from '#adapters/identity/fake/world-state.ts';

const fates: Readonly<Record<Fate, string>> = {
  waiting: 'waiting to be delivered',
  delivered: 'delivered',
  delivered_twice: 'delivered twice',
  held: 'held back for now',
  lost: 'lost on the way, only in the feed',
  failed: 'not taken after several attempts, only in the feed',
  nobody_listens: 'nobody listens, only in the feed',
};

const mannerNames: Readonly<Record<Manner, string>> = {
  none: 'Good manners',
  twice: 'Twice: every event is sent two times',
  out_of_order: 'Out of order: an event is sent after the next one',
  late: 'Late: events are held for a while',
  lost: 'Lost: events are not sent, only the feed has them',
  forged: 'Forged: a second delivery with a bad signature',
};

const outageNames: Readonly<Record<OutageMode, string>> = {
  none: 'Up',
  down: 'Down: every call fails',
  slow: 'Slow: every call takes two seconds',
  '429': 'Throttled: every call is told to slow down',
};

/** Everything that is done on the page is one of these posts. */
const post = (action: string, fields: Readonly<Record<string, string>>, content: Markup): Markup =>
  html`<form method="post" action="/fake-idp/directory/${action}">${hidden(fields)}${content}</form>`;

const choices = <T extends string>(names: Readonly<Record<T, string>>, chosen: T): Markup =>
  html`${Object.entries<string>(names).map(
    ([value, label]) => html`<option value="${value}"${value === chosen ? html` selected` : ''}>${label}</option>`,
  )}`;

const groupChoices = (directory: FakeDirectory, chosen: (group: FakeDirectoryGroup) => boolean): Markup =>
  html`<fieldset><legend>Groups</legend>${directory.groups.map(
    (group) =>
      html`<label class="beside"><input type="checkbox" name="group" value="${group.id}"${chosen(group) ? html` checked` : ''}> ${group.name}</label>`,
  )}${directory.groups.length === 0 ? html`<p class="quiet">There are no groups yet.</p>` : ''}</fieldset>`;

const userRow = (directory: FakeDirectory, user: FakeDirectoryUser): Markup => {
  const fields = { directory: directory.id, user: user.id };
  const active = user.state === 'active';
  const groups = directory.groups.filter(({ members }) => members.includes(user.id));
  return html`<tr>
<th scope="row">${user.name}<br><span class="quiet">${user.email}</span></th>
<td><span class="state${active ? '' : ' off'}">${user.state}</span></td>
<td>${groups.map(({ name }) => name).join(', ') || html`<span class="quiet">none</span>`}</td>
<td>
<details><summary>Change<span class="quiet"> ${user.name}</span></summary>
${post(
  'change',
  fields,
  html`<label for="name-${user.id}">Name</label><input type="text" id="name-${user.id}" name="name" value="${user.name}" required maxlength="200">
<label for="email-${user.id}">E-mail address</label><input type="email" id="email-${user.id}" name="email" value="${user.email}" required>
<div class="row"><button>Save</button></div>`,
)}
${post('regroup', fields, html`${groupChoices(directory, (group) => groups.includes(group))}<button class="plain">Move to these groups</button>`)}
</details>
${post(active ? 'deactivate' : 'activate', fields, html`<button class="plain" aria-label="${active ? 'Deactivate' : 'Activate'} ${user.name}">${active ? 'Deactivate' : 'Activate'}</button>`)}
${post('terminate', fields, html`<button class="stop" aria-label="Terminate ${user.name}">Terminate</button>`)}
</td>
</tr>`;
};

const groupRow = (directory: FakeDirectory, group: FakeDirectoryGroup): Markup => {
  const fields = { directory: directory.id, group: group.id };
  return html`<tr><th scope="row">${group.name}</th><td>${group.members.length}</td><td>
<details><summary>Change<span class="quiet"> ${group.name}</span></summary>
${post('rename-group', fields, html`<label for="group-${group.id}">Name</label><input type="text" id="group-${group.id}" name="name" value="${group.name}" required maxlength="200"><div class="row"><button>Rename</button></div>`)}
${post('delete-group', fields, html`<button class="stop" aria-label="Delete the group ${group.name}">Delete</button>`)}
</details></td></tr>`;
};

const directorySection = (world: FakeWorld, directory: FakeDirectory): Markup => {
  const organization = world.organizations.byRef(directory.organization);
  const users = directory.users.filter(({ state }) => state !== 'deleted');
  const { id } = directory;
  return html`<section class="sheet" aria-labelledby="${id}">
<h2 id="${id}">${organization?.name ?? directory.organization}: ${directory.name}</h2>
<p class="quiet">${directory.type}, <code>${id}</code></p>
<div class="scroll"><table><caption>People</caption>
<thead><tr><th scope="col">Who</th><th scope="col">State</th><th scope="col">Groups</th><th scope="col">What to do</th></tr></thead>
<tbody>${users.map((user) => userRow(directory, user))}</tbody></table></div>
<details><summary>Hire somebody</summary>
${post(
  'hire',
  { directory: id },
  html`<div class="row"><div><label for="hire-name-${id}">Name</label><input type="text" id="hire-name-${id}" name="name" required maxlength="200"></div>
<div><label for="hire-email-${id}">E-mail address</label><input type="email" id="hire-email-${id}" name="email" required></div></div>
${groupChoices(directory, () => false)}<button>Hire</button>`,
)}</details>
<div class="scroll"><table><caption>Groups</caption>
<thead><tr><th scope="col">Group</th><th scope="col">People</th><th scope="col">What to do</th></tr></thead>
<tbody>${directory.groups.map((group) => groupRow(directory, group))}</tbody></table></div>
<details><summary>Add a group</summary>
${post('add-group', { directory: id }, html`<label for="add-group-${id}">Name</label><input type="text" id="add-group-${id}" name="name" required maxlength="200"><div class="row"><button>Add</button></div>`)}
</details>
<details><summary>This directory</summary>
${post(
  'inactive-users',
  { directory: id },
  html`<label for="inactive-${id}">What is said of people who become inactive</label>
<select id="inactive-${id}" name="inactive_users">${choices({ kept: 'Updated: they stay, as inactive', deleted: 'Deleted: they are gone until they return (secure flow)' }, directory.inactiveUsers)}</select>
<div class="row"><button class="plain">Save</button></div>`,
)}
${post('remove', { directory: id }, html`<p>Removing a directory says only that it is gone, not a word about its people.</p><button class="stop">Remove this directory</button>`)}
</details>
</section>`;
};

const connectionEntry = ({ organization, connection }: Connected): Markup => {
  const fields = { connection: connection.id };
  const active = connection.state === 'active';
  const button = (act: string, label: string, look: 'plain' | 'stop' = 'plain'): Markup =>
    post(act, fields, html`<button class="${look}" aria-label="${label}, ${connection.name}">${label}</button>`);
  return html`<li><p><strong>${organization.name}: ${connection.name}</strong> ${state(connection)} <span class="quiet">${connection.type}, <code>${connection.id}</code></span></p>
${certificate(connection)}
<div class="row">${active ? button('deactivate-connection', 'Deactivate') : button('activate-connection', 'Activate')}
${button('warn-of-certificate', 'Warn that the certificate runs out in 30 days')}${button('renew-certificate', 'Renew the certificate')}
${button('remove-connection', 'Remove', 'stop')}</div></li>`;
};

const connectionSection = (world: FakeWorld): Markup => {
  const connections = world.connections.all();
  const without = world.organizations.all().filter(({ connection }) => connection === null);
  return html`<section class="sheet" aria-labelledby="connections"><h2 id="connections">Single sign-on</h2>
${connections.length > 0 ? html`<ul class="people">${connections.map(connectionEntry)}</ul>` : html`<p class="quiet">Nobody has it.</p>`}
${
  without.length > 0
    ? post(
        'set-up-connection',
        {},
        html`<div class="row"><div><label for="sso-organization">Organization</label><select id="sso-organization" name="organization" required>${without.map(
          ({ ref, name }) => html`<option value="${ref}">${name}</option>`,
        )}</select></div><button>Set up single sign-on</button></div>`,
      )
    : ''
}</section>`;
};

const eventList = (events: readonly LoggedEvent[]): Markup =>
  html`<ul>${events.map(({ event, fate }) => html`<li><code>${event.event}</code> ${fates[fate]} <span class="quiet">${event.id}</span></li>`)}</ul>`;

/** What the last act on the page led to. */
export type Outcome =
  | { readonly is: 'done'; readonly events: readonly string[] }
  | { readonly is: 'refused'; readonly why: string }
  | undefined;

const outcomeNote = (world: FakeWorld, outcome: Outcome): Markup | undefined => {
  if (!outcome) return undefined;
  if (outcome.is === 'refused') return html`<div class="note stop" role="alert">${outcome.why}</div>`;
  const events = world.log().filter(({ event }) => outcome.events.includes(event.id));
  return html`<div class="note" role="status">Done. ${
    events.length > 0 ? html`What the provider said of it:${eventList(events)}` : 'There was nothing to say.'
  }</div>`;
};

export const directoryPage = (world: FakeWorld, outcome: Outcome): Markup => {
  const { manner, lateSeconds } = world.manner();
  const outage = world.outage();
  const recent = world.log().slice(-15).toReversed();
  return page(
    'Directory',
    html`<h1>The customers’ directories</h1>
<p>You are the IT department. What you do here reaches the service the way a real directory does: as signed events.</p>
${outcomeNote(world, outcome)}
${world.directories.all().map((directory) => directorySection(world, directory))}
<section class="sheet" aria-labelledby="connect"><h2 id="connect">Connect a directory</h2>
${post(
  'connect',
  {},
  html`<div class="row"><div><label for="organization">Organization</label><select id="organization" name="organization" required>${world.organizations
    .all()
    .map(
      ({ ref, name }) => html`<option value="${ref}">${name}</option>`,
    )}</select></div><button>Connect</button></div>`,
)}</section>
${connectionSection(world)}
<section class="sheet" aria-labelledby="behaviour"><h2 id="behaviour">Misbehaviour</h2>
${post(
  'manners',
  {},
  html`<div class="row"><div><label for="manner">How events are delivered from now on</label><select id="manner" name="manner">${choices(mannerNames, manner)}</select></div>
<div><label for="late">Late by (seconds)</label><input type="number" id="late" name="late_seconds" value="${lateSeconds}" min="0" max="3600" step="any"></div><button>Set</button></div>`,
)}
${post(
  'outage',
  {},
  html`<div class="row"><div><label for="mode">The provider itself</label><select id="mode" name="mode">${choices(outageNames, outage.mode)}</select></div>
<div><label for="seconds">For (seconds)</label><input type="number" id="seconds" name="seconds" value="60" min="1" max="86400"></div><button>Set</button></div>
${outage.until ? html`<p class="quiet">Until ${outage.until.toISOString()}</p>` : ''}`,
)}</section>
<section class="sheet" aria-labelledby="recent"><h2 id="recent">Said lately</h2>${eventList(recent)}</section>`,
    'wide',
  );
};
