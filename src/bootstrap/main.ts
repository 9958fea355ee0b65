// Starts the service: reads the configuration, opens what it needs, serves, says where to click, and closes in reverse.

import { existsSync } from 'node:fs';
import { loadEnvFile } from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { pinoLog } from '#adapters/system/pino-log.ts';
import { systemClock } from '#adapters/system/system-clock.ts';
import { type Config, readConfig } from '#bootstrap/config.ts';
import { makeDemo } from '#bootstrap/demo.ts';
import { deliverOverHttp } from '#bootstrap/fake-identity.ts';
import { secretsFor } from '#bootstrap/generated-secrets.ts';
import { openCallerCache } from '#bootstrap/open-caller-cache.ts';
import { openIdentity } from '#bootstrap/open-identity.ts';
import { openJobs } from '#bootstrap/open-jobs.ts';
import { openPersistence } from '#bootstrap/open-persistence.ts';
import { openDoor, serve } from '#bootstrap/serve.ts';
import { assemble } from '#bootstrap/service.ts';
import { explained } from '#bootstrap/start-faults.ts';
import { ready, welcome } from '#bootstrap/welcome.ts';

const say = (text: string): void => void process.stdout.write(text);

const start = async (config: Config): Promise<void> => {
  const log = pinoLog(config.logLevel);
  const { database, publicUrl } = config;
  const door = await openDoor(config);
  const secrets = await secretsFor(config, database.kind === 'memory' ? undefined : config.dataDir);
  if (database.kind === 'embedded') say('Starting; the first start makes a database and takes a few seconds.\n');
  const persistence = await openPersistence(database);
  const identity = await openIdentity(config, secrets, log);
  const jobs = openJobs(database, persistence, systemClock, log);
  const callers = await openCallerCache({
    channel: persistence.channel,
    redisUrl: config.redisUrl,
    sessionSecrets: secrets.session,
    clock: systemClock,
    log,
  });

  let isAccepting = true;
  const service = assemble({
    publicUrl,
    trustSeconds: config.sessionTrustSeconds,
    trustedProxies: config.trustedProxies,
    workosWebhookSecrets: config.workosWebhookSecrets,
    secrets,
    clock: systemClock,
    log,
    persistence,
    callerCache: callers.cache,
    jobs,
    provider: identity.provider,
    pages: identity.pages,
    strict: false,
    checks: {
      database: persistence.check,
      accepting: async () => {
        if (!isAccepting) throw new Error('shutting down');
      },
    },
  });
  const demo = identity.world && (await makeDemo(service, identity.world));
  const serving = await serve(service, { role: config.role, jobs, log });
  door.admit(service.listener);
  if (identity.world) deliverOverHttp(identity.world, door.url);
  say(demo ? welcome(config, demo, callers.description) : ready(config, callers.description));

  const stop = async (signal: string): Promise<void> => {
    if (!isAccepting) return;
    isAccepting = false;
    log.info('shutting down: finishing what is under way', { signal });
    identity.world?.deliverTo(undefined);
    await identity.world?.settled();
    await wait(config.stopDelaySeconds * 1000);
    await door.close();
    await serving.close();
    await callers.close();
    await persistence.close();
    log.info('closed');
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void stop(signal).then(() => process.exit(0), fail));
  }
};

const usage = `Usage: npm start [-- --role serve|work|both]

Everything else is configured by environment variables: PORT, DATABASE_URL, IDENTITY_PROVIDER, … (README.md, "Configuration").
Without any it runs on an embedded database and a fake identity provider, at http://localhost:3000.
`;

const fail = (fault: unknown): never => {
  process.stderr.write(`${explained(fault)}\n`);
  process.exit(1);
};

try {
  if (process.env['NODE_ENV'] !== 'production' && existsSync('.env')) loadEnvFile('.env');
  const { role, help } = parseArgs({
    options: { role: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  }).values;
  if (help) say(usage);
  else await start(readConfig(role === undefined ? process.env : { ...process.env, ROLE: role }));
} catch (fault) {
  fail(fault);
}
