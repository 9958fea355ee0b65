// What the stub of WorkOS answers with, and how a handler says so.

/** A request as a handler sees it. */
export interface StubRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface StubAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown by a handler to answer with an error. */
export class StubError extends Error {
  readonly answer: StubAnswer;

  constructor(status: number, body: Readonly<Record<string, unknown>>) {
    super(JSON.stringify(body));
    this.answer = { status, body };
  }
}

export const ok = (body: unknown, status = 200): StubAnswer => ({ status, body });

export const notFound = (what: string): StubError =>
  new StubError(404, { message: `${what} not found.`, code: 'entity_not_found' });

export const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** A page of a list that is in order, as WorkOS cuts it: `after` names the last entry that was seen. */
export const pageOf = <T extends { readonly id: string }>(
  entries: readonly T[],
  query: URLSearchParams,
  render: (entry: T) => unknown = (entry) => entry,
): StubAnswer => {
  const limit = Math.min(Number(query.get('limit') ?? 10), 100);
  const after = query.get('after');
  const from = after === null ? 0 : entries.findIndex(({ id }) => id === after) + 1;
  const page = entries.slice(from, from + limit);
  const isLast = from + limit >= entries.length;
  return ok({
    object: 'list',
    data: page.map(render),
    list_metadata: { before: null, after: isLast ? null : (page.at(-1)?.id ?? null) },
  });
};

let made = 0;

/** An id in WorkOS' shape: later ones sort later. */
export const newId = (prefix: string): string => {
  made += 1;
  return `${prefix}_${made.toString(32).toUpperCase().padStart(26, '0')}`;
};
