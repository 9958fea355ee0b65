// What the environment may say, and what it gets told when it is wrong.

import { describe, expect, it } from 'vitest';
import { type Config, ConfigurationFaults, readConfig } from '#bootstrap/config.ts';

const faultsOf = (env: Record<string, string>): readonly string[] => {
  try {
    readConfig(env);
  } catch (fault) {
    if (fault instanceof ConfigurationFaults) return fault.faults;
    throw fault;
  }
  return [];
};

const production = {
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://id.hatidata.example',
  DATABASE_URL: 'postgres://identity@db/identity',
  SESSION_SECRETS: 'x'.repeat(32),
  API_KEY_PEPPERS: 'y'.repeat(32),
};

describe('the configuration', () => {
  it('has a default for everything at a desk', () => {
    expect(readConfig({})).toEqual({
      production: false,
      host: '127.0.0.1',
      port: 3000,
      publicUrl: 'http://localhost:3000',
      dataDir: './.data',
      database: { kind: 'embedded', folder: './.data/postgres' },
      redisUrl: undefined,
      provider: { kind: 'fake', url: undefined },
      sessionSecrets: [],
      apiKeyPeppers: [],
      workosWebhookSecrets: [],
      sessionTrustSeconds: 300,
      trustedProxies: [],
      logLevel: 'info',
      role: 'both',
      stopDelaySeconds: 0,
    } satisfies Config);
  });
  it('takes an empty variable for an unset one', () => {
    expect(readConfig({ PORT: '', DATABASE_URL: '' })).toMatchObject({ port: 3000, database: { kind: 'embedded' } });
  });
  it('splits lists at commas and drops blanks', () => {
    const config = readConfig({ WORKOS_WEBHOOK_SECRETS: ' one, two ,,', TRUSTED_PROXIES: '10.0.0.0/8,::1' });
    expect(config.workosWebhookSecrets).toEqual(['one', 'two']);
    expect(config.trustedProxies).toEqual(['10.0.0.0/8', '::1']);
  });
  it('tells every fault at once, each with the name of its variable', () => {
    const faults = faultsOf({
      PORT: 'http',
      PUBLIC_URL: 'id.example',
      DATABASE_URL: 'mysql://x',
      REDIS_URL: 'http://cache',
      SESSION_SECRETS: 'short',
      SESSION_TRUST_SECONDS: '301',
      TRUSTED_PROXIES: '10.0.0.0/99',
      IDENTITY_PROVIDER: 'clerk',
      LOG_LEVEL: 'loud',
      ROLE: 'play',
    });
    const named = faults.map((fault) => fault.split(' ')[0]).toSorted();
    expect(named).toEqual([
      'DATABASE_URL',
      'IDENTITY_PROVIDER',
      'LOG_LEVEL',
      'PORT',
      'PUBLIC_URL',
      'REDIS_URL',
      'ROLE',
      'SESSION_SECRETS',
      'SESSION_TRUST_SECONDS',
      'TRUSTED_PROXIES',
    ]);
  });
  it.each(['redis://cache:6379', 'rediss://user:password@cache.example:6380/2'])('takes %s for a Redis', (url) => {
    expect(readConfig({ DATABASE_URL: 'postgres://db/identity', REDIS_URL: url }).redisUrl).toBe(url);
  });
  it.each(['cache:6379', 'redis:', 'https://cache'])('does not take %s for a Redis', (url) => {
    const [fault] = faultsOf({ DATABASE_URL: 'postgres://db/identity', REDIS_URL: url });
    expect(fault).toMatch(/^REDIS_URL must be a redis:\/\/ or rediss:\/\/ address/);
  });
  it.each([{}, { DATABASE_URL: 'memory:' }])('sees no use in a Redis beside a database of one process', (env) => {
    expect(faultsOf({ ...env, REDIS_URL: 'redis://cache' })).toEqual([
      expect.stringMatching(/^REDIS_URL .* DATABASE_URL/),
    ]);
  });
  it('takes a login of its own for migrations, beside a server only; and in production wants the other to be nothing more', () => {
    const env = { DATABASE_URL: 'postgres://app@db/identity', MIGRATION_DATABASE_URL: 'postgres://owner@db/identity' };
    expect(readConfig(env).database).toEqual({
      kind: 'postgres',
      url: env.DATABASE_URL,
      migrationUrl: env.MIGRATION_DATABASE_URL,
      onlyApart: false,
    });
    const inProduction = {
      ...production,
      IDENTITY_PROVIDER: 'workos',
      WORKOS_API_KEY: 'sk',
      WORKOS_CLIENT_ID: 'client',
    };
    const workos = { WORKOS_ISSUERS: 'https://api.workos.com', WORKOS_WEBHOOK_SECRETS: 'secret' };
    expect(readConfig({ ...inProduction, ...workos }).database).toMatchObject({ onlyApart: true });
    expect(faultsOf({ MIGRATION_DATABASE_URL: 'postgres://owner@db/identity' })).toEqual([
      expect.stringMatching(/^MIGRATION_DATABASE_URL .* DATABASE_URL/),
    ]);
    expect(faultsOf({ ...env, MIGRATION_DATABASE_URL: 'memory:' })).toEqual([
      'MIGRATION_DATABASE_URL must be a postgres:// address',
    ]);
  });
  it('sees that the two words of WorkOS are swapped, and takes a delay before stopping', () => {
    const swapped = { IDENTITY_PROVIDER: 'workos', WORKOS_API_KEY: 'client_01', WORKOS_CLIENT_ID: 'sk_test_1' };
    expect(faultsOf(swapped)).toEqual([expect.stringContaining('look swapped')]);
    expect(faultsOf(swapped).join()).not.toContain('sk_test_1');
    expect(
      readConfig({ ...swapped, WORKOS_API_KEY: 'sk_test_1', WORKOS_CLIENT_ID: 'client_01' }).stopDelaySeconds,
    ).toBe(0);
    expect(readConfig({ STOP_DELAY_SECONDS: '7' }).stopDelaySeconds).toBe(7);
    expect(faultsOf({ STOP_DELAY_SECONDS: '61' })).toEqual([expect.stringMatching(/^STOP_DELAY_SECONDS/)]);
  });
  it('never repeats a secret in a fault', () => {
    expect(
      faultsOf({ SESSION_SECRETS: 'hunter2', API_KEY_PEPPERS: 'hunter3', REDIS_URL: 'tcp://u:hunter4@r' }).join(),
    ).not.toMatch(/hunter/);
  });
});

describe('production refuses what is convenient at a desk', () => {
  it.each([
    ['the fake provider', {}, 'IDENTITY_PROVIDER'],
    ['generated session secrets', { SESSION_SECRETS: '' }, 'SESSION_SECRETS'],
    ['generated peppers', { API_KEY_PEPPERS: '' }, 'API_KEY_PEPPERS'],
    ['a database in memory', { DATABASE_URL: 'memory:' }, 'DATABASE_URL'],
    ['the embedded database', { DATABASE_URL: '' }, 'DATABASE_URL'],
    ['a public address without https', { PUBLIC_URL: 'http://id.example' }, 'PUBLIC_URL'],
    ['no public address', { PUBLIC_URL: '' }, 'PUBLIC_URL'],
  ])('%s', (_what, change, variable) => {
    const faults = faultsOf({ ...production, ...change });
    expect(faults.some((fault) => fault.startsWith(variable))).toBe(true);
  });
});
