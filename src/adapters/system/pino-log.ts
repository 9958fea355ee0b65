// Structured log lines by pino: one JSON object each, secrets censored by name should one ever slip in.

import { pino, type SerializedError } from 'pino';
import type { Log } from '#application/ports/system.ts';

const secretNames = [
  'secret',
  'token',
  'refreshToken',
  'accessToken',
  'password',
  'authorization',
  'cookie',
  'codeVerifier',
  'reference',
];

/** An authorization code travels in these; anywhere else `code` is the code of an error, which an operator needs. */
const secretPlaces = ['query.code', 'body.code'];

/** A stack as one reads it at night: what was thrown, and our own lines; how many lines of libraries lie between is all one needs of them. */
const ownStack = (stack: string): string => {
  const lines: string[] = [];
  let skipped = 0;
  for (const line of stack.split('\n')) {
    if (/^\s*at .*(node_modules|node:)/.test(line)) {
      skipped += 1;
      continue;
    }
    if (skipped > 0) lines.push(`    … ${skipped} of libraries`);
    skipped = 0;
    lines.push(line);
  }
  if (skipped > 0) lines.push(`    … ${skipped} of libraries`);
  return lines.join('\n');
};

/** What is thrown need not be an error. */
const fault = (thrown: unknown): unknown => {
  if (!(thrown instanceof Error)) return thrown;
  const facts: SerializedError = pino.stdSerializers.err(thrown);
  return { ...facts, stack: ownStack(facts.stack) };
};

export const pinoLog = (level: string, destination?: NodeJS.WritableStream): Log => {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { fault },
      redact: {
        paths: [...secretNames.flatMap((name) => [name, `*.${name}`]), ...secretPlaces],
        censor: '[hidden]',
      },
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
