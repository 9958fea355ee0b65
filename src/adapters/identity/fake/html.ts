// Markup for the fake's pages: a template whose every value is escaped unless it is markup itself.

/** Markup that needs no escaping. Only `html` makes it. */
export class Markup {
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }
  toString(): string {
    return this.#text;
  }
}

/** What may stand in a template. Nothing at all is an empty text; a list is its parts, one after the other. */
export type Piece = Markup | string | number | false | null | undefined | readonly Piece[];

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const write = (piece: Piece): string => {
  if (piece instanceof Markup) return piece.toString();
  if (piece === false || piece === null || piece === undefined) return '';
  if (typeof piece === 'string' || typeof piece === 'number') return escaped(String(piece));
  return piece.map(write).join('');
};

/** For element content and double-quoted attributes; nowhere else. */
export const html = (strings: TemplateStringsArray, ...pieces: readonly Piece[]): Markup =>
  new Markup(strings.map((text, at) => text + write(pieces[at])).join(''));
