// How WorkOS is asked: two lanes, one for people who wait and one for work that can wait, each behind a circuit breaker of its own.

import type { WorkOS } from '@workos-inc/node';
import {
  BrokenCircuitError,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
  type IBackoff,
} from 'cockatiel';
import {
  type FailureFacts,
  type FaultKind,
  failureOf,
  pendingSelectionOf,
  WorkosNo,
} from '#adapters/identity/workos/failures.ts';
import type { Clock, Log } from '#application/ports/system.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { secondsAfter } from '#domain/shared/time.ts';

export interface LaneLimits {
  /** For one attempt, its whole answer included. */
  readonly timeoutMs: number;
  /** How often a call is tried again when nobody answered. */
  readonly retries: number;
  /** The longest pause between two attempts, whatever WorkOS asks for: who needs longer hears `retry_after_seconds`. */
  readonly longestPauseMs: number;
}

export interface Limits {
  readonly interactive: LaneLimits;
  readonly background: LaneLimits;
}

export const defaultLimits: Limits = {
  interactive: { timeoutMs: 4_000, retries: 1, longestPauseMs: 500 },
  background: { timeoutMs: 15_000, retries: 3, longestPauseMs: 8_000 },
};

/** So many calls in a row that nobody answered open the circuit. */
const patience = 5;
/** For so long nobody is asked then; the next call is the probe. */
const breakSeconds = 15;

/** One way of asking. */
export interface Lane {
  /**
   * @param what goes on with "could not …" in logs: `list the sessions`
   * @throws WorkosNo for a no that WorkOS meant; Refusal `identity.unavailable` or `identity.throttled` for no answer
   */
  ask<T>(what: string, call: (workos: WorkOS) => Promise<T>): Promise<T>;
}

export interface Transport {
  /** Somebody waits: one retry. */
  readonly interactive: Lane;
  /** Nobody waits: three. */
  readonly background: Lane;
  /** Builds addresses; no request is made. */
  readonly addresses: Pick<WorkOS['userManagement'], 'getAuthorizationUrl' | 'getLogoutUrl' | 'getJwksUrl'>;
}

export interface TransportOptions {
  readonly apiKey: string;
  readonly clientId: string;
  /** Origin of the API; http is for machines that stand beside us, such as an emulator. */
  readonly apiUrl: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: Limits;
  readonly pause: (milliseconds: number) => Promise<void>;
}

/** Nobody answered in a way that could be used. Inside this file only: outside it is a Refusal. */
class WorkosFault extends Error {
  readonly kind: FaultKind;
  readonly facts: FailureFacts;

  constructor(kind: FaultKind, facts: FailureFacts) {
    super(kind);
    this.kind = kind;
    this.facts = facts;
  }
}

type Answered<T> = { readonly value: T } | { readonly instead: WorkosNo | WorkosFault };

const refusalFor = ({ kind, facts: { retryAfterSeconds } }: WorkosFault): Refusal =>
  new Refusal(
    kind === 'throttled' ? 'identity.throttled' : 'identity.unavailable',
    retryAfterSeconds === null ? {} : { retry_after_seconds: retryAfterSeconds },
  );

/**
 * No redirect is followed, since the body of a sign-in carries our key; and a page in place of an answer, as a proxy in
 * between may serve with status 200, counts as a broken connection, where the SDK would stumble over it.
 */
const guardedFetch: typeof fetch = async (input, init) => {
  const response = await fetch(input, { ...init, redirect: 'error' });
  if (!response.ok || !/text\/html/i.test(response.headers.get('content-type') ?? '')) return response;
  await response.body?.cancel();
  throw new TypeError('a page came in place of an answer');
};

const clientFor = (Sdk: typeof WorkOS, options: TransportOptions, limits: LaneLimits): WorkOS => {
  const { protocol, hostname, port } = new URL(options.apiUrl);
  const workos = new Sdk({
    apiKey: options.apiKey,
    clientId: options.clientId,
    apiHostname: hostname,
    https: protocol === 'https:',
    ...(port !== '' && { port: Number(port) }),
    timeout: limits.timeoutMs,
    maxRetries: limits.retries,
    fetchFn: guardedFetch,
  });
  const { client } = workos;
  // Left alone, the SDK sleeps for as long as a 429 says, a minute at most, while somebody waits. We pass the answer on.
  const tooMany = client.RETRY_STATUS_CODES.indexOf(429);
  if (tooMany !== -1) client.RETRY_STATUS_CODES.splice(tooMany, 1);
  client.sleep = (attempt, retryAfterMs) => {
    const usual = 250 * 2 ** (attempt - 2) * (0.5 + Math.random());
    return options.pause(Math.min(retryAfterMs ?? usual, limits.longestPauseMs));
  };
  return workos;
};

/** Half open when our clock says so, and not the machine's: cockatiel compares the time that has passed with this. */
const untilByClock = (clock: Clock): IBackoff<unknown> & { next(): IBackoff<unknown> } => {
  const since = (): IBackoff<unknown> => {
    const reopensAt = secondsAfter(clock.now(), breakSeconds);
    return {
      get duration() {
        return clock.now() >= reopensAt ? 0 : Number.POSITIVE_INFINITY;
      },
      next: since,
    };
  };
  return { duration: 0, next: since };
};

/**
 * A gateway's page that turns away this one request, as firewalls do with what looks like an attack. It says nothing about the
 * next: or else a stranger, who may put anything into a callback, could have us leave WorkOS alone.
 */
const isAboutThisRequest = ({ status }: FailureFacts): boolean =>
  status !== null && status >= 400 && status < 500 && status !== 408;

const misconfigured =
  'WorkOS does not accept us. Check WORKOS_API_KEY (revoked? of another environment?) and WORKOS_CLIENT_ID (does it ' +
  'belong to the same environment?). Until then nobody signs in.';

const laneOn = (name: string, workos: WorkOS, { clock, log }: TransportOptions): Lane => {
  const circuit = circuitBreaker(
    handleWhen((thrown) => thrown instanceof WorkosFault),
    { halfOpenAfter: untilByClock(clock), breaker: new ConsecutiveBreaker(patience) },
  );
  circuit.onBreak(() =>
    log.error('WorkOS does not answer; it is left alone for a while', { lane: name, breakSeconds }),
  );
  circuit.onReset(() => log.info('WorkOS answers again', { lane: name }));
  let saidMisconfigured = false;

  /** Throws only when nobody answered. Every answer, also a no, is a success to the circuit and forgives what was before. */
  const attempt = async <T>(what: string, call: (workos: WorkOS) => Promise<T>): Promise<Answered<T>> => {
    try {
      const value = await call(workos);
      saidMisconfigured = false;
      return { value };
    } catch (thrown) {
      const { kind, ...facts } = failureOf(thrown);
      if (kind !== 'throttled' && kind !== 'unavailable' && kind !== 'misconfigured') {
        const line = { lane: name, what, status: facts.status, code: facts.code, workos_request_id: facts.requestId };
        // Expected by somebody, mostly; but these two may also be a mistake of ours, or a right that the key lacks.
        if (kind === 'invalid' || kind === 'forbidden') log.warn('WorkOS refused', line);
        else log.debug('WorkOS refused', line);
        return { instead: new WorkosNo(what, kind, facts, pendingSelectionOf(thrown)) };
      }
      report(what, kind, facts, thrown);
      const fault = new WorkosFault(kind, facts);
      if (kind === 'unavailable' && !isAboutThisRequest(facts)) throw fault;
      return { instead: fault };
    }
  };

  const report = (what: string, kind: FaultKind, facts: FailureFacts, thrown: unknown): void => {
    const { status, code, requestId, retryAfterSeconds } = facts;
    const line = { lane: name, what, status, code, workos_request_id: requestId };
    if (kind === 'misconfigured') {
      if (!saidMisconfigured) log.error(misconfigured, line);
      saidMisconfigured = true;
    } else if (kind === 'throttled') {
      log.warn('WorkOS asks us to slow down', { ...line, retry_after_seconds: retryAfterSeconds });
    } else {
      log.warn('WorkOS could not be asked', { ...line, why: whyOf(thrown) });
    }
  };

  return {
    async ask(what, call) {
      try {
        // Somebody else is already probing; cockatiel would have us wait for them, for as long as a background call takes.
        if (circuit.state === CircuitState.HalfOpen) throw new BrokenCircuitError();
        const answered = await circuit.execute(() => attempt(what, call));
        if ('value' in answered) return answered.value;
        throw answered.instead;
      } catch (thrown) {
        if (thrown instanceof BrokenCircuitError) {
          throw new Refusal('identity.unavailable', { retry_after_seconds: breakSeconds });
        }
        throw thrown instanceof WorkosFault ? refusalFor(thrown) : thrown;
      }
    },
  };
};

/** Names of errors, outermost first, and their system codes: enough to tell a refused connection from a name that is unknown. */
const whyOf = (thrown: unknown): string => {
  const names: string[] = [];
  for (let error = thrown; error instanceof Error && names.length < 4; error = error.cause) {
    names.push('code' in error && typeof error.code === 'string' ? `${error.name} ${error.code}` : error.name);
  }
  return names.join(' < ');
};

/** The SDK is loaded here: who runs another provider never pays for it. */
export const openTransport = async (options: TransportOptions): Promise<Transport> => {
  const { WorkOS: Sdk } = await import('@workos-inc/node');
  const interactive = clientFor(Sdk, options, options.limits.interactive);
  const background = clientFor(Sdk, options, options.limits.background);
  return {
    interactive: laneOn('interactive', interactive, options),
    background: laneOn('background', background, options),
    addresses: interactive.userManagement,
  };
};
