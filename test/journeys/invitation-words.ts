// Words for inviting people on the fake provider: asking them in, finding the mail, following its link.

import type { Answer, Client, Person, World } from '#bootstrap/testing.ts';
import { type Browser, location, type Proof } from './browser.ts';
import { gus, olivia } from './words.ts';

/** A mail as the fake's mailbox tells it. */
export interface Mail {
  readonly id: string;
  readonly organization_id: string;
  readonly email: string;
  readonly state: string;
  readonly accept_url: string | null;
}

/** Asks somebody in; answers the invitation's id. */
export const invite = async (
  by: Pick<Client, 'post'>,
  organization: string,
  email: string,
  role: string,
): Promise<string> => {
  const answer = await by.post(`/v1/organizations/${organization}/invitations`, { email, role });
  if (answer.status !== 201) throw new Error(`no invitation: ${answer.status} ${answer.text}`);
  return answer.body.id;
};

/** The owner of Acme or Globex has asked somebody in, and the mail has arrived. */
export const invited = async (
  world: World,
  organization: string,
  email: string,
  role: string,
): Promise<{ readonly owner: Person; readonly id: string }> => {
  const owner = await world.signIn(organization === world.acme ? olivia : gus);
  const id = await invite(owner, organization, email, role);
  await world.settle();
  return { owner, id };
};

/** The newest mail to that address. */
export const mailTo = async (world: World, email: string): Promise<Mail> => {
  const { data } = (await world.anonymous.get('/fake-idp/invitations')).body;
  const mail = data.findLast((one: Mail) => one.email === email);
  if (!mail) throw new Error(`${email} has no mail`);
  return mail;
};

/** Where the hosted page of the mail's link is. */
export const hostedPageOf = async (browser: Browser, { accept_url }: Mail): Promise<string> => {
  const { pathname, search } = new URL(accept_url ?? '');
  return location(await browser.get(location(await browser.get(pathname + search))));
};

/** From the link in the mail to the answer of our callback. */
export const followLink = async (browser: Browser, mail: Mail, proof: Proof): Promise<Answer> =>
  browser.get(location(await browser.prove(await hostedPageOf(browser, mail), proof)));
