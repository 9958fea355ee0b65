// Events as WorkOS sends them (https://workos.com/docs/events), signed as it signs them; everybody in them is made up.

import { createHmac } from 'node:crypto';

export const webhookSecret = 'whsec_of_the_bench_long_enough_for_anybody';

export type Event = Readonly<Record<string, unknown>> & { readonly id: string };

export interface Signed {
  readonly body: string;
  readonly signature: string;
}

/** `t=<unix ms>, v1=<HMAC-SHA256 of "t.body">`; good for three minutes. */
export const signed = (event: Event): Signed => {
  const body = JSON.stringify(event);
  const time = String(Date.now());
  const digest = createHmac('sha256', webhookSecret).update(`${time}.${body}`).digest('hex');
  return { body, signature: `t=${time}, v1=${digest}` };
};

let heard = 0;
const said = (event: string, data: object): Event => {
  heard += 1;
  const id = `event_${process.pid.toString(36)}${heard.toString(36).padStart(8, '0')}`;
  return { object: 'event', id, event, data, created_at: new Date().toISOString() };
};
const times = () => ({ created_at: new Date().toISOString(), updated_at: new Date().toISOString() });

/** Names of the provider for organization `o` and what belongs to it. */
const organizationRef = (o: string): string => `org_bench_${o}`;
export const directoryRef = (o: string): string => `directory_bench_${o}`;
const domainOf = (o: string): string => `${o}.bench.test`;

export const organizationCreated = (o: string): Event =>
  said('organization.created', {
    object: 'organization',
    id: organizationRef(o),
    name: `Bench ${o}`,
    external_id: null,
    metadata: {},
    domains: [{ object: 'organization_domain', id: `domain_${o}`, domain: domainOf(o), state: 'verified' }],
    ...times(),
  });

export const directoryActivated = (o: string): Event =>
  said('dsync.activated', {
    object: 'directory',
    id: directoryRef(o),
    organization_id: organizationRef(o),
    name: `Directory of ${o}`,
    type: 'okta scim v2.0',
    state: 'active',
    external_key: `key_${o}`,
    domains: [{ object: 'organization_domain', id: `domain_${o}`, domain: domainOf(o) }],
    ...times(),
  });

export const personOf = (o: string, person: string): object => ({
  object: 'directory_user',
  id: `directory_user_${o}_${person}`,
  directory_id: directoryRef(o),
  organization_id: organizationRef(o),
  idp_id: `00u${person}`,
  email: `${person}@${domainOf(o)}`,
  username: `${person}@${domainOf(o)}`,
  first_name: 'Pat',
  last_name: `Person ${person}`,
  job_title: 'Analyst',
  emails: [{ type: 'work', value: `${person}@${domainOf(o)}`, primary: true }],
  state: 'active',
  role: { slug: 'member' },
  custom_attributes: { department_name: 'Engineering', cost_center_name: 'CC-4711', division_name: 'Data' },
  raw_attributes: {
    userName: `${person}@${domainOf(o)}`,
    active: true,
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
  },
  ...times(),
});

export const userCreated = (o: string, person: string): Event => said('dsync.user.created', personOf(o, person));

export const groupOf = (o: string, group: string): object => ({
  object: 'directory_group',
  id: `directory_group_${o}_${group}`,
  idp_id: `00g${group}`,
  directory_id: directoryRef(o),
  organization_id: organizationRef(o),
  name: `Group ${group}`,
  raw_attributes: {},
  ...times(),
});

export const groupCreated = (o: string, group: string): Event => said('dsync.group.created', groupOf(o, group));

export const groupUserAdded = (o: string, group: string, person: string): Event =>
  said('dsync.group.user_added', {
    directory_id: directoryRef(o),
    user: personOf(o, person),
    group: groupOf(o, group),
  });
