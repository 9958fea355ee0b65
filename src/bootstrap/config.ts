// The configuration of a service, read from the environment once. Every fault is found before anything starts, and all are told together.

import { z } from 'zod';
import { nodeNetworks } from '#adapters/system/node-networks.ts';

export type DatabaseConfig =
  | { readonly kind: 'memory' }
  | { readonly kind: 'embedded'; readonly folder: string }
  | {
      readonly kind: 'postgres';
      readonly url: string;
      /** The login that owns the tables, where the service has one of its own. */
      readonly migrationUrl: string | undefined;
      /** Whether the login of the service must not be able to lift the isolation of organizations. */
      readonly onlyApart: boolean;
    };

export type ProviderConfig =
  | {
      readonly kind: 'fake';
      /** Origin of the node that plays it, where that is another one; undefined: we play it ourselves. */
      readonly url: string | undefined;
    }
  | {
      readonly kind: 'workos';
      readonly apiKey: string;
      readonly clientId: string;
      /** Origin, without a trailing slash. */
      readonly apiUrl: string;
      readonly issuers: readonly string[];
      /** Whether connections are made from here too, by an endpoint that not every environment of WorkOS has. */
      readonly connectionCreation: boolean;
    };

/** `serve` answers requests, `work` does what follows from them (it answers, too, but nobody need ask it), `both` does both. */
export const roles = ['serve', 'work', 'both'] as const;
export type Role = (typeof roles)[number];

export interface Config {
  readonly production: boolean;
  readonly host: string;
  readonly port: number;
  /** Origin under which browsers reach the service, without a trailing slash. */
  readonly publicUrl: string;
  /** Where the embedded database, the fake provider and generated secrets are kept. */
  readonly dataDir: string;
  readonly database: DatabaseConfig;
  /** Where nodes share what they have proven of callers; undefined where each proves for itself. */
  readonly redisUrl: string | undefined;
  readonly provider: ProviderConfig;
  /** Newest first; empty means: generate and keep them in `dataDir`. */
  readonly sessionSecrets: readonly string[];
  readonly apiKeyPeppers: readonly string[];
  readonly workosWebhookSecrets: readonly string[];
  /** For how long a proven session or key is trusted without asking again, in seconds. 0 asks every time. */
  readonly sessionTrustSeconds: number;
  /** CIDR blocks whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  readonly logLevel: string;
  /** How long requests are still served after `/readyz` went down, so that whoever balances the load notices first. */
  readonly stopDelaySeconds: number;
  /** What this process does. */
  readonly role: Role;
}

export class ConfigurationFaults extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(
      `The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
    );
    this.name = 'ConfigurationFaults';
    this.faults = faults;
  }
}

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);
const longSecrets = list.refine(
  (secrets) => secrets.every((secret) => secret.length >= 32),
  'each must have at least 32 characters',
);
const whole = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `must be a whole number from ${least} to ${most}`)
    .transform(Number)
    .refine((value) => value >= least && value <= most, `must be a whole number from ${least} to ${most}`);

const databaseUrl = z
  .string()
  .refine(
    (text) => text === 'memory:' || /^postgres(ql)?:\/\/./.test(text),
    'must be memory: or a postgres:// address; unset it for the embedded database',
  );

const redisUrl = z.url({
  protocol: /^rediss?$/,
  hostname: /./,
  error: 'must be a redis:// or rediss:// address; unset it to do without',
});

const environment = z.object({
  NODE_ENV: z
    .enum(['development', 'test', 'production'], { error: 'must be development, test or production' })
    .default('development'),
  HOST: z.string().default('127.0.0.1'),
  PORT: whole(0, 65_535).default(3000),
  PUBLIC_URL: z.url({ protocol: /^https?$/, error: 'must be an http or https address' }).optional(),
  DATA_DIR: z.string().default('./.data'),
  DATABASE_URL: databaseUrl.optional(),
  MIGRATION_DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\/./, 'must be a postgres:// address')
    .optional(),
  REDIS_URL: redisUrl.optional(),
  IDENTITY_PROVIDER: z.enum(['fake', 'workos'], { error: 'must be fake or workos' }).default('fake'),
  FAKE_IDENTITY_URL: z.url({ protocol: /^https?$/, error: 'must be an http or https address' }).optional(),
  WORKOS_API_KEY: z.string().optional(),
  WORKOS_CLIENT_ID: z.string().optional(),
  WORKOS_API_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http or https address' })
    .default('https://api.workos.com'),
  WORKOS_ISSUERS: list.default([]),
  WORKOS_CONNECTION_CREATION: z.enum(['on', 'off'], { error: 'must be on or off' }).default('off'),
  SESSION_SECRETS: longSecrets.default([]),
  API_KEY_PEPPERS: longSecrets.default([]),
  WORKOS_WEBHOOK_SECRETS: list.default([]),
  SESSION_TRUST_SECONDS: whole(0, 300).default(300),
  TRUSTED_PROXIES: list
    .refine((blocks) => blocks.every(nodeNetworks.isBlock), 'must be addresses or CIDR blocks, separated by commas')
    .default([]),
  STOP_DELAY_SECONDS: whole(0, 60).optional(),
  ROLE: z.enum(roles, { error: 'must be serve, work or both' }).default('both'),
  LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'], { error: 'must be debug, info, warn, error or silent' })
    .default('info'),
});

/**
 * @param env variables by name; an empty one counts as unset
 * @throws ConfigurationFaults with one line for each fault
 */
export const readConfig = (env: Readonly<Record<string, string | undefined>>): Config => {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = environment.safeParse(set);
  if (!parsed.success) {
    throw new ConfigurationFaults(parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`));
  }
  const vars = parsed.data;
  const production = vars.NODE_ENV === 'production';
  const faults = [
    ...faultsOfWorkos(vars),
    ...faultsOfRedis(vars),
    ...faultsOfMigrations(vars),
    ...(production ? faultsInProduction(vars) : []),
  ];
  if (faults.length > 0) throw new ConfigurationFaults(faults);
  return {
    production,
    host: vars.HOST,
    port: vars.PORT,
    publicUrl: new URL(vars.PUBLIC_URL ?? `http://localhost:${vars.PORT}`).origin,
    dataDir: vars.DATA_DIR,
    database: databaseOf(vars, production),
    redisUrl: vars.REDIS_URL,
    provider: providerOf(vars),
    sessionSecrets: vars.SESSION_SECRETS,
    apiKeyPeppers: vars.API_KEY_PEPPERS,
    workosWebhookSecrets: vars.WORKOS_WEBHOOK_SECRETS,
    sessionTrustSeconds: vars.SESSION_TRUST_SECONDS,
    trustedProxies: vars.TRUSTED_PROXIES,
    logLevel: vars.LOG_LEVEL,
    role: vars.ROLE,
    stopDelaySeconds: vars.STOP_DELAY_SECONDS ?? (production ? 5 : 0),
  };
};

const databaseOf = (vars: Vars, production: boolean): DatabaseConfig => {
  const { DATABASE_URL: url, MIGRATION_DATABASE_URL: migrationUrl } = vars;
  if (url === undefined) return { kind: 'embedded', folder: `${vars.DATA_DIR}/postgres` };
  return url === 'memory:' ? { kind: 'memory' } : { kind: 'postgres', url, migrationUrl, onlyApart: production };
};

type Vars = z.infer<typeof environment>;

const providerOf = (vars: Vars): ProviderConfig => {
  if (vars.IDENTITY_PROVIDER === 'fake') {
    return { kind: 'fake', url: vars.FAKE_IDENTITY_URL && new URL(vars.FAKE_IDENTITY_URL).origin };
  }
  const apiUrl = new URL(vars.WORKOS_API_URL).origin;
  const clientId = vars.WORKOS_CLIENT_ID ?? '';
  const issuers = vars.WORKOS_ISSUERS.length > 0 ? vars.WORKOS_ISSUERS : usualIssuers(apiUrl, clientId);
  const connectionCreation = vars.WORKOS_CONNECTION_CREATION === 'on';
  return { kind: 'workos', apiKey: vars.WORKOS_API_KEY ?? '', clientId, apiUrl, issuers, connectionCreation };
};

/**
 * What WorkOS is known to write as `iss`, for a desk; at the desk an emulator may call itself localhost or 127.0.0.1.
 * Production names the one of its environment (see docs/workos.md).
 */
const usualIssuers = (apiUrl: string, clientId: string): string[] => {
  const names = [apiUrl, apiUrl.replace('//127.0.0.1', '//localhost'), apiUrl.replace('//localhost', '//127.0.0.1')];
  return [...new Set(names)].flatMap((name) => [name, `${name}/`, `${name}/user_management/${clientId}`]);
};

const faultsOfWorkos = (vars: Vars): string[] => {
  if (vars.IDENTITY_PROVIDER !== 'workos') return [];
  const faults: string[] = [];
  const { pathname, search } = new URL(vars.WORKOS_API_URL);
  if (!vars.WORKOS_API_KEY) faults.push('WORKOS_API_KEY must be set where IDENTITY_PROVIDER is workos');
  if (!vars.WORKOS_CLIENT_ID) faults.push('WORKOS_CLIENT_ID must be set where IDENTITY_PROVIDER is workos');
  if (vars.WORKOS_API_KEY?.startsWith('client_') || vars.WORKOS_CLIENT_ID?.startsWith('sk_'))
    faults.push(
      'WORKOS_API_KEY and WORKOS_CLIENT_ID look swapped: the key begins with sk_, the client id with client_',
    );
  if (pathname !== '/' || search !== '') faults.push('WORKOS_API_URL must be an address without a path');
  return faults;
};

const hasNoServer = ({ DATABASE_URL: url }: Vars): boolean => url === undefined || url === 'memory:';

const faultsOfMigrations = (vars: Vars): string[] =>
  vars.MIGRATION_DATABASE_URL !== undefined && hasNoServer(vars)
    ? ['MIGRATION_DATABASE_URL is of use only with a PostgreSQL server in DATABASE_URL']
    : [];

const faultsOfRedis = (vars: Vars): string[] => {
  if (vars.REDIS_URL === undefined || !hasNoServer(vars)) return [];
  return [
    'REDIS_URL is of use only with a PostgreSQL server in DATABASE_URL: any other database serves one process, which shares its cache with nobody',
  ];
};

/** What is convenient at a desk and wrong before customers. */
const faultsInProduction = (vars: Vars): string[] => {
  const faults: string[] = [];
  if (vars.IDENTITY_PROVIDER === 'workos' && vars.WORKOS_ISSUERS.length === 0)
    faults.push('WORKOS_ISSUERS must name the issuer of your environment in production; see docs/workos.md');
  if (vars.IDENTITY_PROVIDER === 'workos' && !vars.WORKOS_API_URL.startsWith('https://'))
    faults.push('WORKOS_API_URL must be an https address in production');
  if (vars.IDENTITY_PROVIDER === 'workos' && vars.WORKOS_WEBHOOK_SECRETS.length === 0)
    faults.push('WORKOS_WEBHOOK_SECRETS must be set in production; without it no webhook is accepted');
  if (vars.IDENTITY_PROVIDER === 'fake')
    faults.push('IDENTITY_PROVIDER must not be fake in production: anybody could sign in as anybody');
  if (vars.SESSION_SECRETS.length === 0)
    faults.push('SESSION_SECRETS must be set in production; generated ones would differ on every node');
  if (vars.API_KEY_PEPPERS.length === 0)
    faults.push('API_KEY_PEPPERS must be set in production; keys could not be checked on another node');
  if (vars.DATABASE_URL === 'memory:')
    faults.push('DATABASE_URL must not be memory: in production: everything would be gone with the process');
  if (vars.DATABASE_URL === undefined)
    faults.push('DATABASE_URL must name a PostgreSQL server in production; the embedded database serves one process');
  if (!vars.PUBLIC_URL?.startsWith('https://')) faults.push('PUBLIC_URL must be an https address in production');
  return faults;
};
