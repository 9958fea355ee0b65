// A browser as far as signing in needs one: a cookie jar, redirects followed by hand, and forms sent as they stand on the page.

import type { Answer, World } from '#bootstrap/testing.ts';

const unescaped = (text: string): string =>
  text.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&amp;', '&');

/** The hidden fields of the page's first form. */
const hiddenFields = (page: string): Record<string, string> => {
  const form = page.slice(page.indexOf('<form'), page.indexOf('</form>'));
  const inputs = form.match(/<input type="hidden"[^>]*>/g) ?? [];
  return Object.fromEntries(
    inputs.map((input) => {
      const value = (attribute: string): string =>
        unescaped(new RegExp(`${attribute}="([^"]*)"`).exec(input)?.[1] ?? '');
      return [value('name'), value('value')];
    }),
  );
};

export interface Proof {
  readonly email: string;
  readonly method: 'sso' | 'password';
}

export class Browser {
  readonly #world: Pick<World, 'url' | 'anonymous'>;
  readonly #jar = new Map<string, string>();

  constructor(world: Pick<World, 'url' | 'anonymous'>) {
    this.#world = world;
  }

  cookie(name: string): string | undefined {
    return this.#jar.get(name);
  }
  cookies(): ReadonlyMap<string, string> {
    return new Map(this.#jar);
  }
  setCookie(name: string, value: string): void {
    this.#jar.set(name, value);
  }

  /** One request, with the cookies of this browser; redirects are for the test to follow. */
  async send(method: string, path: string, body?: URLSearchParams | object): Promise<Answer> {
    const cookie = [...this.#jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { origin: this.#world.url, ...(cookie !== '' && { cookie }) };
    const isForm = body instanceof URLSearchParams;
    const answer = await this.#world.anonymous.send(method, path, {
      ...(body && { body: isForm ? body : JSON.stringify(body) }),
      headers: { ...headers, ...(body && !isForm && { 'content-type': 'application/json' }) },
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/; Max-Age=0(;|$)/.test(line)) this.#jar.delete(name);
      else this.#jar.set(name, value);
    }
    return answer;
  }
  get(path: string): Promise<Answer> {
    return this.send('GET', path);
  }

  /** Starts a sign-in and answers the address of the hosted page. */
  async begin(query = ''): Promise<string> {
    return location(await this.get(`/auth/login${query}`));
  }

  /** Opens the hosted page, fills in its form, and answers what the provider answers: a way back to the callback, or a no. */
  async prove(hostedPage: string, proof: Proof): Promise<Answer> {
    const page = await this.get(hostedPage);
    return this.send('POST', '/fake-idp/authorize', new URLSearchParams({ ...hiddenFields(page.text), ...proof }));
  }

  /** The whole way in; answers what the callback answered. */
  async signIn(proof: Proof, query = `?email=${encodeURIComponent(proof.email)}`): Promise<Answer> {
    return this.get(location(await this.prove(await this.begin(query), proof)));
  }
}

/** Where an answer sends the browser, which it must. */
export const location = (answer: Answer): string => {
  const to = answer.headers.get('location');
  if (to === null) throw new Error(`expected a redirect, got ${answer.status}: ${answer.text.slice(0, 300)}`);
  return to;
};
