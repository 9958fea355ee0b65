// What an error of the database means to us: somebody else was faster, the database is away, or a text that it cannot hold.

import { Refusal } from '#domain/shared/refusal.ts';
import { Conflict } from '../conflict.ts';

interface DatabaseError {
  readonly message: string;
  /** SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html), or the system's name for a socket error. */
  readonly code?: unknown;
  readonly constraint?: unknown;
}

const isError = (thrown: unknown): thrown is DatabaseError => thrown instanceof Error;

const socketErrors = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
]);

/** Class 08, no room left (connections, memory, disk), a disk that fails, a statement or lock that took too long, a server that goes down or comes up. */
const awayStates = /^(08...|53[0-3]00|58030|57014|55P03|57P0[1-5]|25P03)$/;

/** What `pg` says without a code when its pool or a connection gave up. */
const awayWords = /timeout exceeded when trying to connect|Connection terminated|connection error and is not queryable/;

/** A character that PostgreSQL text or jsonb cannot hold: U+0000, half a surrogate pair. */
const unstorableStates = new Set(['22021', '22P05']);

/** The conflict that an error stands for: a unique key, a deadlock, a serialization failure. */
export const conflictIn = (thrown: unknown): Conflict | undefined => {
  if (thrown instanceof Conflict) return thrown;
  if (!isError(thrown)) return undefined;
  if (thrown.code === '23505') return new Conflict(String(thrown.constraint));
  return thrown.code === '40001' || thrown.code === '40P01' ? new Conflict('locks') : undefined;
};

/** The refusal that an error of the database stands for, or the error itself when it is a fault. */
export const refusalFor = (thrown: unknown): unknown => {
  if (!isError(thrown) || thrown instanceof Refusal) return thrown;
  const code = typeof thrown.code === 'string' ? thrown.code : '';
  if (socketErrors.has(code) || awayStates.test(code) || awayWords.test(thrown.message)) {
    return new Refusal('storage.unavailable', {}, thrown);
  }
  const isHalfPair = code === '22P02' && thrown.message.includes('type json');
  if (unstorableStates.has(code) || isHalfPair) return new Refusal('request.invalid', { text: 'unstorable character' });
  return thrown;
};

/** For `promise.catch`. */
export const rethrow = (thrown: unknown): never => {
  throw refusalFor(thrown);
};

const holdsZero = (value: unknown): boolean =>
  typeof value === 'string' ? value.includes('\0') : Array.isArray(value) && value.some(holdsZero);

/**
 * Passes a statement on, unless one of its values has the character U+0000 in it. No text of PostgreSQL can hold that, and since
 * MikroORM writes values into the statement, it would cut the message in two and leave the connection out of step.
 * @throws Refusal `request.invalid`
 */
export const refuseUnstorable = (statement: string, values: readonly unknown[]): string => {
  if (values.some(holdsZero)) throw new Refusal('request.invalid', { text: 'unstorable character' });
  return statement;
};

/** The same questions; an error of the database comes out as the refusal that it stands for. */
export const answeringOrRefusing = <Q extends object>(questions: Q): Q =>
  new Proxy(questions, {
    get(target, name, receiver) {
      const question: unknown = Reflect.get(target, name, receiver);
      if (typeof question !== 'function') return question;
      return (...asked: readonly unknown[]) => {
        const answer: unknown = question.apply(target, asked);
        return answer instanceof Promise ? answer.catch(rethrow) : answer;
      };
    },
  });
