// Ory Polis beside us: a user is created in one of its directories by its own API, on the same server, the callback left empty.

import { controllers } from '@boxyhq/saml-jackson';
import { type ApplyAsked, answering, atOnce } from './answering.ts';

const hands = Number(process.env['HANDS']);
const { directorySyncController: polis } = await controllers({
  externalUrl: 'http://127.0.0.1:1',
  samlPath: '/saml',
  scimPath: '/scim',
  db: { engine: 'sql', type: 'postgres', url: `${process.env['URL']}?max_conns=10` },
  // It would tell its maker that it runs; a bench speaks to loopback only.
  noAnalytics: true,
  logger: { info: () => {}, warn: () => {}, error: (text) => process.stderr.write(`${text}\n`) },
});

const directories = new Map<string, { id: string; secret: string }>();
const directoryOf = async (tenant: string): Promise<void> => {
  if (directories.has(tenant)) return;
  const { data, error } = await polis.directories.create({
    tenant,
    product: 'bench',
    name: tenant,
    type: 'okta-scim-v2',
    webhook_url: '',
    webhook_secret: '',
  });
  if (!data) throw new Error(`no directory: ${error?.message}`);
  directories.set(tenant, { id: data.id, secret: data.scim.secret ?? '' });
};

let people = 0;
let prepared: { tenant: string; email: string; person: string }[] = [];

const create = async ({ tenant, email, person }: { tenant: string; email: string; person: string }): Promise<void> => {
  const directory = directories.get(tenant);
  const { status, data } = await polis.requests.handle(
    {
      method: 'POST',
      directoryId: directory?.id ?? '',
      apiSecret: directory?.secret ?? '',
      resourceType: 'users',
      resourceId: undefined,
      query: {},
      body: {
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
        userName: email,
        name: { givenName: 'Pat', familyName: `Person ${person}` },
        emails: [{ primary: true, value: email, type: 'work' }],
        displayName: `Pat Person ${person}`,
        active: true,
      },
    },
    async () => {},
  );
  if (status !== 201) throw new Error(`Polis answered ${status}: ${JSON.stringify(data)}`);
};

answering<ApplyAsked>(async ({ do: what, events, organizations }) => {
  if (what === 'prepare') {
    prepared = [];
    for (let index = 0; index < events; index += 1) {
      people += 1;
      const tenant = `x${organizations}y${index % organizations}`;
      await directoryOf(tenant);
      prepared.push({ tenant, person: `p${people}`, email: `p${people}@${tenant}.bench.test` });
    }
    return { seconds: 0 };
  }
  const started = performance.now();
  await atOnce(prepared, hands, create);
  return { seconds: (performance.now() - started) / 1000 };
});
