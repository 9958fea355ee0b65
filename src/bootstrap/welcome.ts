// What one reads after the start: with the demo, where to click and one command for each kind of caller.

import type { Config } from '#bootstrap/config.ts';
import type { Demo } from '#bootstrap/demo.ts';

const databases: Readonly<Record<Config['database']['kind'], string>> = {
  memory: 'in memory, gone when the process ends',
  embedded: 'embedded PostgreSQL, kept in',
  postgres: 'PostgreSQL server',
};

/** Without a demo there is nothing to show but that it runs. */
export const ready = ({ publicUrl }: Config, cache: string): string =>
  `HatiData Identity is ready at ${publicUrl} (sign in at ${publicUrl}/auth/login, API at ${publicUrl}/docs)\nCallers are remembered ${cache}\n`;

export const welcome = (config: Config, demo: Demo, cache: string): string => {
  const { publicUrl, database } = config;
  const kept = database.kind === 'embedded' ? `${databases.embedded} ${database.folder}` : databases[database.kind];
  const cookie = publicUrl.startsWith('https:') ? '__Host-hd_session' : 'hd_session';
  return `
HatiData Identity is ready at ${publicUrl}   (development: anybody can sign in as anybody)

  Sign in          ${publicUrl}/auth/login?email=dora.developer@acme.test
  IT department    ${publicUrl}/fake-idp/directory      hire, move, terminate, misbehave
  API              ${publicUrl}/docs

  As the owner     curl -s -H 'Cookie: ${cookie}=${demo.sessionReference}' ${publicUrl}/v1/whoami
  As an agent      curl -s -H 'Authorization: ApiKey ${demo.apiKey}' ${publicUrl}/v1/whoami

  (The key is new at each start; the one of the start before is revoked.)

  Organizations    Acme ${demo.acme} (single sign-on, directory), Globex ${demo.globex} (passwords)
  Database         ${kept}
  Callers          remembered ${cache}
  Stop             Ctrl+C

`;
};
