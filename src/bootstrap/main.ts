// Starts the service: reads the configuration, opens what it needs, serves, says where to click, and closes in reverse.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadEnvFile } from 'node:process';
import { FakeWorld } from '#adapters/identity/fake/world.ts';
import { pinoLog } from '#adapters/system/pino-log.ts';
import { systemClock } from '#adapters/system/system-clock.ts';
import { type Config, ConfigurationFaults, readConfig } from '#bootstrap/config.ts';
import { makeDemo } from '#bootstrap/demo.ts';
import { fakeIdentity } from '#bootstrap/fake-identity.ts';
import { secretsFor } from '#bootstrap/generated-secrets.ts';
import { openPersistence } from '#bootstrap/open-persistence.ts';
import { serve } from '#bootstrap/serve.ts';
import { assemble } from '#bootstrap/service.ts';
import { welcome } from '#bootstrap/welcome.ts';

const fail = (message: string): never => {
  process.stderr.write(`${message}\n`);
  process.exit(1);
};

const configured = (): Config => {
  if (process.env['NODE_ENV'] !== 'production' && existsSync('.env')) loadEnvFile('.env');
  try {
    return readConfig(process.env);
  } catch (fault) {
    if (fault instanceof ConfigurationFaults) return fail(fault.message);
    throw fault;
  }
};

const start = async (): Promise<void> => {
  const config = configured();
  const log = pinoLog(config.logLevel);
  const keepsNothing = config.database.kind === 'memory';
  const secrets = await secretsFor(config, keepsNothing ? undefined : config.dataDir);
  process.stdout.write('Starting: opening the database and the demo world; the first start takes a few seconds.\n');
  const persistence = await openPersistence(config.database);
  const world = await FakeWorld.open({
    publicUrl: config.publicUrl,
    clock: systemClock,
    file: keepsNothing ? undefined : join(config.dataDir, 'fake-idp.json'),
  });

  let isAccepting = true;
  const service = assemble({
    publicUrl: config.publicUrl,
    trustSeconds: config.sessionTrustSeconds,
    trustedProxies: config.trustedProxies,
    workosWebhookSecrets: config.workosWebhookSecrets,
    secrets,
    clock: systemClock,
    log,
    persistence,
    ...fakeIdentity(world),
    strict: false,
    checks: {
      database: persistence.check,
      accepting: async () => {
        if (!isAccepting) throw new Error('shutting down');
      },
    },
  });
  const demo = await makeDemo(service, world);
  const serving = await serve(service, world, config, log);
  process.stdout.write(welcome(config, demo));

  const stop = async (signal: string): Promise<void> => {
    if (!isAccepting) return;
    isAccepting = false;
    log.info('shutting down: finishing what is under way', { signal });
    await serving.close();
    await persistence.close();
    log.info('closed');
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      stop(signal).then(
        () => process.exit(0),
        (fault) => fail(`could not close cleanly: ${String(fault)}`),
      );
    });
  }
};

start().catch((fault) =>
  fail(`could not start: ${fault instanceof Error ? (fault.stack ?? fault.message) : String(fault)}`),
);
