// A small HTTP client for tests: JSON in, JSON out, redirects not followed, no status is an error.

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body; undefined when there is none or it is no JSON. Tests read it as they expect it. */
  // biome-ignore lint/suspicious/noExplicitAny: a test names the shape it expects by reading it
  readonly body: any;
}

export interface Client {
  get(path: string): Promise<Answer>;
  post(path: string, body?: unknown): Promise<Answer>;
  put(path: string, body: unknown): Promise<Answer>;
  patch(path: string, body: unknown): Promise<Answer>;
  delete(path: string): Promise<Answer>;
  /** Anything else: other methods, raw bodies, further headers. */
  send(
    method: string,
    path: string,
    how?: {
      readonly body?: string | Uint8Array<ArrayBuffer> | URLSearchParams;
      readonly headers?: Readonly<Record<string, string>>;
    },
  ): Promise<Answer>;
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

export const httpClient = (url: string, common: Readonly<Record<string, string>>): Client => {
  const send: Client['send'] = async (method, path, how = {}) => {
    const headers = { ...common, ...how.headers };
    const answer = await fetch(new URL(path, url), { method, headers, redirect: 'manual', body: how.body ?? null });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text, body: parsed(text) };
  };
  const json = (method: string, path: string, body: unknown): Promise<Answer> =>
    body === undefined
      ? send(method, path)
      : send(method, path, { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
  return {
    send,
    get: (path) => send('GET', path),
    post: (path, body) => json('POST', path, body),
    put: (path, body) => json('PUT', path, body),
    patch: (path, body) => json('PATCH', path, body),
    delete: (path) => send('DELETE', path),
  };
};
