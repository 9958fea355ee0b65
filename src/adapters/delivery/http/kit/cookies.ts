// The cookies of a browser: one for the session, one for its sealed refresh token, and a short-lived one per sign-in under way.

import { createHash } from 'node:crypto';
import { Refusal } from '#domain/shared/refusal.ts';

/** At most this many sign-ins may be under way in one browser; the oldest gives way. Keeps the header far below 8 kB. */
const loginsAtOnce = 5;
const againSeconds = 60;

export interface Cookies {
  /** @throws Refusal `credential.ambiguous` when the header names two different sessions */
  session(): string | undefined;
  refreshBox(): string | undefined;
  keepSession(reference: string, refreshBox: string, seconds: number): void;
  keepRefreshBox(refreshBox: string, seconds: number): void;
  forgetSession(): void;
  loginBox(state: string): string | undefined;
  keepLogin(state: string, box: string, seconds: number): void;
  forgetLogin(state: string): void;
  /** Whether a callback of this browser has just been sent back to start afresh: a second time means that it would go on for ever. */
  startedAgain(): boolean;
  noteStartedAgain(): void;
  forgetStartedAgain(): void;
}

/** The names, by whether the browser reaches us over https. `__Host-` binds a cookie to this very host (RFC 6265bis §4.1.3.2). */
export const cookieNames = (secure: boolean) => {
  const prefix = secure ? '__Host-' : '';
  return {
    session: `${prefix}hd_session`,
    refresh: `${prefix}hd_refresh`,
    login: `${prefix}hd_login_`,
    again: `${prefix}hd_again`,
  };
};

const parse = (header: string | undefined): (readonly [name: string, value: string])[] =>
  (header ?? '').split(';').flatMap((pair) => {
    const at = pair.indexOf('=');
    return at < 0 ? [] : [[pair.slice(0, at).trim(), pair.slice(at + 1).trim()] as const];
  });

/** What we put into cookies is base64url, JWE or a digit; anything else would be a fault of ours. */
const harmless = /^[A-Za-z0-9._~-]*$/;

export const cookiesOf = (publicUrl: URL, header: string | undefined, setCookie: (line: string) => void): Cookies => {
  const secure = publicUrl.protocol === 'https:';
  const names = cookieNames(secure);
  const sent = parse(header);
  const first = (name: string): string | undefined => sent.find(([sentName]) => sentName === name)?.[1];

  const set = (name: string, value: string, seconds: number): void => {
    if (!harmless.test(value)) throw new Error(`The value for cookie ${name} cannot stand in a cookie`);
    const attributes = ['Path=/', `Max-Age=${Math.max(0, Math.floor(seconds))}`, 'HttpOnly', 'SameSite=Lax'];
    setCookie([`${name}=${value}`, ...attributes, ...(secure ? ['Secure'] : [])].join('; '));
  };
  const forget = (name: string): void => set(name, '', 0);
  const forgetIfSent = (name: string): void => {
    if (first(name) !== undefined) forget(name);
  };
  /** A state may be longer than a name should be, and the name must not reveal it. */
  const loginName = (state: string): string =>
    names.login + createHash('sha256').update(state).digest('base64url').slice(0, 16);

  return {
    session() {
      const values = new Set(sent.filter(([name]) => name === names.session).map(([, value]) => value));
      if (values.size > 1) throw new Refusal('credential.ambiguous');
      return [...values][0];
    },
    refreshBox: () => first(names.refresh),
    keepSession(reference, refreshBox, seconds) {
      set(names.session, reference, seconds);
      set(names.refresh, refreshBox, seconds);
    },
    keepRefreshBox: (refreshBox, seconds) => set(names.refresh, refreshBox, seconds),
    forgetSession() {
      forget(names.session);
      forget(names.refresh);
    },
    loginBox: (state) => first(loginName(state)),
    keepLogin(state, box, seconds) {
      // Browsers send the cookie that was made first first (RFC 6265 §5.4).
      const underWay = [...new Set(sent.map(([name]) => name).filter((name) => name.startsWith(names.login)))];
      for (const oldest of underWay.slice(0, Math.max(0, underWay.length - (loginsAtOnce - 1)))) {
        if (/^[\w-]+$/.test(oldest)) forget(oldest);
      }
      set(loginName(state), box, seconds);
    },
    forgetLogin: (state) => forgetIfSent(loginName(state)),
    startedAgain: () => first(names.again) !== undefined,
    noteStartedAgain: () => set(names.again, '1', againSeconds),
    forgetStartedAgain: () => forgetIfSent(names.again),
  };
};
