// Structured log lines by pino: one JSON object each, secrets censored by name should one ever slip in.

import { pino } from 'pino';
import type { Log } from '#application/ports/system.ts';

const secretNames = [
  'secret',
  'token',
  'refreshToken',
  'accessToken',
  'password',
  'authorization',
  'cookie',
  'code',
  'codeVerifier',
  'reference',
];

export const pinoLog = (level: string, destination?: NodeJS.WritableStream): Log => {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { fault: pino.stdSerializers.err },
      redact: { paths: secretNames.flatMap((name) => [name, `*.${name}`]), censor: '[hidden]' },
    },
    destination ?? pino.destination(1),
  );
  return {
    debug: (message, facts = {}) => logger.debug(facts, message),
    info: (message, facts = {}) => logger.info(facts, message),
    warn: (message, facts = {}) => logger.warn(facts, message),
    error: (message, facts = {}) => logger.error(facts, message),
  };
};

export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
