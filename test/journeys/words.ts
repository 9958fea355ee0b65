// Words that the journeys share.

import {
  type Answer,
  type Client,
  createWorld,
  type Person,
  type World,
  type WorldOptions,
} from '#bootstrap/testing.ts';

/** Status and reason, which is what a refusal is. Without one, the status and undefined. */
export const refusal = (answer: Answer): [number, string | undefined] => [answer.status, answer.body?.error?.reason];

export const olivia = 'olivia.owner@acme.test';
export const adam = 'adam.admin@acme.test';
export const dora = 'dora.developer@acme.test';
export const anna = 'anna.analyst@acme.test';
export const carla = 'carla@consult.test';
export const gus = 'gus.owner@globex.test';

export const minutes = (count: number): number => count * 60;
export const hours = (count: number): number => count * 3600;
export const days = (count: number): number => count * 24 * 3600;

export const ofAcme = (world: World, path = ''): string => `/v1/organizations/${world.acme}${path}`;
export const ofGlobex = (world: World, path = ''): string => `/v1/organizations/${world.globex}${path}`;

/** A client that sends this access token. */
export const bearing = (world: World, token: string): Client => world.withHeaders({ authorization: `Bearer ${token}` });

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

/** What an API client gets for a refresh token. */
export const tokensFor = async (world: World, refreshToken: string, organization?: string): Promise<Tokens> => {
  const asked = { refresh_token: refreshToken, ...(organization && { organization_id: organization }) };
  const answer = await world.anonymous.post('/v1/session/refresh', asked);
  if (answer.status !== 200) throw new Error(`no tokens: ${answer.status} ${answer.text}`);
  return answer.body;
};

/** The one member with this address. */
export const memberNamed = async (
  by: Pick<Client, 'get'>,
  organization: string,
  email: string,
): Promise<MemberOnWire> => {
  const found = await by.get(`/v1/organizations/${organization}/members?limit=200&q=${encodeURIComponent(email)}`);
  const members: MemberOnWire[] = found.body.data.filter((one: MemberOnWire) => one.email === email);
  const [member] = members.toSorted((a, b) => a.status.localeCompare(b.status));
  if (!member) throw new Error(`${email} is no member`);
  return member;
};
export interface MemberOnWire {
  readonly id: string;
  readonly user_id: string;
  readonly email: string;
  readonly name: string | null;
  readonly role: string;
  readonly status: 'active' | 'revoked';
  readonly managed_by: string;
}

export interface Line {
  readonly action: string;
  readonly actor: { readonly kind: string; readonly id: string | null };
  readonly target: { readonly kind: string; readonly id: string | null };
  readonly source: { readonly via: string; readonly ip: string | null; readonly request_id: string | null };
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
  readonly outcome: string;
  readonly at: string;
  readonly sequence: number;
}

/** The whole trail of an organization, newest first. */
export const trailOf = async (by: Pick<Client, 'get'>, organization: string): Promise<readonly Line[]> => {
  const lines: Line[] = [];
  let cursor = '';
  do {
    const page = await by.get(`/v1/organizations/${organization}/audit?limit=200${cursor}`);
    lines.push(...page.body.data);
    cursor = page.body.pagination.has_more ? `&cursor=${encodeURIComponent(page.body.pagination.cursor)}` : '';
  } while (cursor !== '');
  return lines;
};

/** Runs a story in a world of its own. */
export const inWorld = async (story: (world: World) => Promise<void>, options: WorldOptions = {}): Promise<void> => {
  await using world = await createWorld(options);
  await story(world);
};

/** An agent of Acme with a key of these wishes, as the owner makes them. */
export const issueKey = async (
  owner: Client,
  organization: string,
  wish: Readonly<Record<string, unknown>> = {},
): Promise<{ readonly id: string; readonly secret: string; readonly agent_id: string }> => {
  const path = `/v1/organizations/${organization}`;
  const name = `agent ${Math.random().toString(36).slice(2)}`;
  const agent = await owner.post(`${path}/agents`, { name });
  const scopes = 'bundle' in wish ? {} : { scopes: ['query:read', 'tables:list'] };
  const key = await owner.post(`${path}/api-keys`, { agent_id: agent.body.id, name: 'key', ...scopes, ...wish });
  if (key.status !== 201) throw new Error(`no key: ${key.status} ${key.text}`);
  return key.body;
};

/** Somebody of the world as a client that carries other cookies than they got. */
export const withBox = (world: World, person: Pick<Person, 'reference'>, refreshBox: string): Client =>
  world.withHeaders({ cookie: `hd_session=${person.reference}; hd_refresh=${refreshBox}`, origin: world.url });
