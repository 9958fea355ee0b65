// The frame of every page that the server renders itself: one stylesheet, no script, nothing from elsewhere.

import { createHash } from 'node:crypto';
import { Html, html } from './html.ts';

const style = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --line: #d5dae0; --paper: #ffffff; --tint: #f4f6f8; --link: #0b57b7; --bad: #a4262c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --soft: #9aa5b1; --line: #333b45; --paper: #14181d; --tint: #1c2229; --link: #7cb4ff; --bad: #ff9a9a; } }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
main { max-width: 46rem; margin: 0 auto; padding: 2.5rem 1.25rem 5rem; }
main.wide { max-width: 60rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; margin: 2.75rem 0 .75rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.25rem 0 .4rem; }
p, ul, dl { margin: .5rem 0; }
a { color: var(--link); }
a:focus-visible, button:focus-visible, summary:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.soft { color: var(--soft); }
.bad { color: var(--bad); }
code, pre { font: .875em/1.5 ui-monospace, monospace; background: var(--tint); border-radius: 4px; overflow-wrap: anywhere; }
code { padding: .1em .3em; }
pre { padding: .75rem; overflow-x: auto; white-space: pre-wrap; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); }
@media (min-width: 48rem) { td:first-child > code { white-space: nowrap; } }
@media (max-width: 47.99rem) { table { table-layout: fixed; } th, td, summary { overflow-wrap: anywhere; } }
dt { color: var(--soft); font-size: .875rem; } dd { margin: 0 0 .6rem; }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; }
summary { cursor: pointer; padding: .6rem .8rem; } details > div { padding: 0 .8rem .8rem; }
.method { display: inline-block; min-width: 4.2em; font-weight: 600; }
.actions { display: flex; flex-wrap: wrap; gap: .6rem; margin: 1.25rem 0; align-items: center; }
.button, button { font: inherit; display: inline-block; padding: .45rem 1rem; border-radius: 6px; border: 1px solid var(--link); background: var(--link); color: var(--paper); text-decoration: none; cursor: pointer; }
.button.quiet, button.quiet { background: transparent; color: var(--link); }
`;

const styleHash = createHash('sha256').update(style).digest('base64');

/**
 * What a page of ours may load and do: our one stylesheet by its hash, and forms. A form may lead on to https, because signing
 * out continues at the identity provider and browsers hold redirects of a form to `form-action` too (CSP 3 §6.3.1).
 */
export const pagePolicy = [
  "default-src 'none'",
  `style-src 'sha256-${styleHash}'`,
  'img-src data:',
  "form-action 'self' https:",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** What an answer that is no page may do in a browser: nothing. */
export const dataPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export const page = (title: string, content: Html, width: 'narrow' | 'wide' = 'narrow'): Html => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${new Html(style)}</style>
</head>
<body><main class="${width}">
${content}
</main></body>
</html>
`;
