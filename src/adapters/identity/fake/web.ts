// How the fake speaks HTTP: bounded bodies, forms and JSON, where a write comes from, and the service's own error envelope.

import type { ParameterizedContext } from 'koa';
import getRawBody from 'raw-body';
import { typeidUnboxed } from 'typeid-js';
import { z } from 'zod';
import { html, type Markup } from '#adapters/identity/fake/html.ts';
import { page, pagePolicy } from '#adapters/identity/fake/page.ts';
import { WorldComplaint } from '#adapters/identity/fake/world-complaint.ts';

export type Exchange = ParameterizedContext;
type Step = (ctx: Exchange, next: () => Promise<unknown>) => Promise<void>;

/** Bytes of a body. Everything that the fake takes is far smaller. */
const bodyLimit = 16 * 1024;

const codes = {
  400: 'VALIDATION_ERROR',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  413: 'PAYLOAD_TOO_LARGE',
  429: 'RATE_LIMITED',
  503: 'UNAVAILABLE',
} as const;

type Status = keyof typeof codes;

/** A request that gets an error instead of what it asked for. */
export class Trouble extends Error {
  readonly status: Status;
  readonly reason: string;

  constructor(status: Status, reason: string, message: string) {
    super(message);
    this.name = 'Trouble';
    this.status = status;
    this.reason = reason;
  }
}

const troubleOf = (thrown: unknown): Trouble | undefined => {
  if (thrown instanceof Trouble) return thrown;
  if (thrown instanceof z.ZodError) {
    const issues = thrown.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
    return new Trouble(400, 'request.invalid', issues.join('; '));
  }
  if (!(thrown instanceof WorldComplaint)) return undefined;
  const invalid = thrown.reason === 'email_invalid';
  if (invalid) return new Trouble(400, 'request.invalid', thrown.message);
  return new Trouble(thrown.reason.endsWith('_not_found') ? 404 : 409, `fake_idp.${thrown.reason}`, thrown.message);
};

const requestIdOf = (ctx: Exchange): string => ctx.response.get('X-Request-Id') || typeidUnboxed('req');

/** Answers trouble in the form that the reader can use. A fault is not trouble, and goes on to whoever reports faults. */
const answeringTrouble =
  (answer: (ctx: Exchange, trouble: Trouble) => void): Step =>
  async (ctx, next) => {
    try {
      await next();
    } catch (thrown) {
      const trouble = troubleOf(thrown);
      if (!trouble) throw thrown;
      ctx.status = trouble.status;
      if (trouble.status === 429 || trouble.status === 503) ctx.set('Retry-After', '5');
      answer(ctx, trouble);
    }
  };

export const jsonTrouble: Step = answeringTrouble((ctx, { status, reason, message }) => {
  ctx.body = { error: { code: codes[status], reason, message, request_id: requestIdOf(ctx) } };
});

export const showPage = (ctx: Exchange, publicUrl: string, markup: Markup): void => {
  ctx.type = 'html';
  ctx.set('Content-Security-Policy', pagePolicy(publicUrl));
  ctx.set('Cache-Control', 'no-store');
  ctx.set('Referrer-Policy', 'same-origin');
  ctx.set('X-Content-Type-Options', 'nosniff');
  ctx.body = markup.toString();
};

export const pageTrouble = (publicUrl: string): Step =>
  answeringTrouble((ctx, { message }) => {
    const content = html`<h1>That did not work</h1><p class="note stop" role="alert">${message}</p>`;
    showPage(ctx, publicUrl, page('That did not work', content));
  });

/**
 * Whether a write may come from there. A page of another site could otherwise hire and fire in a developer's browser.
 * Programs send neither header and may; a browser always sends one of them.
 */
const loopback: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether a host (or the host of an origin) is where the service lives; at a desk, localhost and 127.0.0.1 are one. */
const isOurHost = (url: string, publicUrl: string): boolean => {
  if (!URL.canParse(url)) return false;
  const [asked, ours] = [new URL(url), new URL(publicUrl)];
  const isSame = asked.hostname === ours.hostname || (loopback.has(asked.hostname) && loopback.has(ours.hostname));
  return isSame && asked.port === ours.port;
};

/** Another name for our address is a page of somebody else's that had its name pointed at us (DNS rebinding): it sees nothing. */
export const ownHostOnly =
  (publicUrl: string): Step =>
  async (ctx, next) => {
    if (isOurHost(`http://${ctx.get('Host')}`, publicUrl)) {
      await next();
      return;
    }
    const open = `open it as ${publicUrl}, or set PUBLIC_URL to how you reach it`;
    throw new Trouble(403, 'request.cross_origin', `The fake provider answers under its own address only: ${open}.`);
  };

export const ownPagesOnly =
  (publicUrl: string): Step =>
  async (ctx, next) => {
    const site = ctx.get('Sec-Fetch-Site');
    const origin = ctx.get('Origin');
    const vouched =
      site === '' ? origin === '' || isOurHost(origin, publicUrl) : site === 'same-origin' || site === 'none';
    if (!['GET', 'HEAD'].includes(ctx.method) && !vouched) {
      throw new Trouble(403, 'request.cross_origin', 'This request came from another site.');
    }
    await next();
  };

const readBody = async (ctx: Exchange): Promise<string> => {
  try {
    return await getRawBody(ctx.req, { limit: bodyLimit, encoding: 'utf-8' });
  } catch (thrown) {
    ctx.req.resume(); // let the client finish sending, so that it reads the answer
    const type = thrown instanceof Error && 'type' in thrown ? thrown.type : undefined;
    if (type === 'entity.too.large') throw new Trouble(413, 'request.too_large', 'The request body is too large.');
    throw new Trouble(400, 'request.invalid', 'The request body could not be read.');
  }
};

export const readJson = async <T>(ctx: Exchange, shape: z.ZodType<T>): Promise<T> => {
  const body = await readBody(ctx);
  if (body !== '' && ctx.is('json') === false) {
    throw new Trouble(400, 'request.invalid', 'content-type: send application/json');
  }
  let json: unknown;
  try {
    json = body === '' ? {} : JSON.parse(body);
  } catch {
    throw new Trouble(400, 'request.invalid', 'The body is not JSON.');
  }
  return shape.parse(json);
};

export type Fields = Readonly<Record<string, string>>;

export interface SentForm {
  /** The last value of each field. */
  readonly fields: Fields;
  /** All values of a field that may be sent several times. */
  all(name: string): readonly string[];
}

export const readForm = async (ctx: Exchange): Promise<SentForm> => {
  const body = await readBody(ctx);
  if (body !== '' && ctx.is('urlencoded') === false) {
    throw new Trouble(400, 'request.invalid', 'content-type: send application/x-www-form-urlencoded');
  }
  const sent = new URLSearchParams(body);
  return { fields: Object.fromEntries(sent), all: (name) => sent.getAll(name) };
};

export const queryOf = (ctx: Exchange): Fields => Object.fromEntries(new URLSearchParams(ctx.querystring));
