// The frame of the fake's pages, and their one stylesheet. No script: everything is a form.

import { html, type Markup } from '#adapters/identity/fake/html.ts';

export const stylesheet = `
:root {
  color-scheme: light dark;
  --text: #1a1d21; --quiet: #5a636e; --edge: #d3d8de; --ground: #f5f6f8; --sheet: #fff; --act: #1f5fbf; --on-act: #fff;
  --warn: #7a4a00; --warn-ground: #fff3d6; --stop: #9b1c1c; --stop-ground: #fdeaea; --good: #176639; --good-ground: #e5f5eb;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e8eaed; --quiet: #a3acb7; --edge: #3a424c; --ground: #15181c; --sheet: #1e2329; --act: #8ab4f8; --on-act: #10151c;
    --warn: #ffd58a; --warn-ground: #3a2c0d; --stop: #ffb4b4; --stop-ground: #401a1a; --good: #9be0b5; --good-ground: #143521;
  }
}
*, *::before, *::after { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
.mark { background: var(--warn-ground); color: var(--warn); padding: .5rem 1rem; text-align: center; font-size: .875rem; }
main { width: min(100% - 2rem, 30rem); margin: 2rem auto 4rem; }
main.wide { width: min(100% - 2rem, 70rem); }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.125rem; margin: 2rem 0 .75rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .5rem; }
p { margin: .5rem 0; }
.quiet { color: var(--quiet); font-size: .875rem; overflow-wrap: anywhere; }
li { overflow-wrap: anywhere; }
.sheet { background: var(--sheet); border: 1px solid var(--edge); border-radius: .75rem; padding: 1.25rem; margin: 1rem 0; }
.sheet > :first-child, .sheet > form:first-child > label:first-of-type { margin-top: 0; }
.note { border-radius: .5rem; padding: .75rem 1rem; margin: 1rem 0; background: var(--good-ground); color: var(--good); }
.note.stop { background: var(--stop-ground); color: var(--stop); }
.note ul { margin: .25rem 0 0; padding-left: 1.25rem; }
label { display: block; font-weight: 600; margin: .75rem 0 .25rem; }
label.beside { display: inline-flex; align-items: center; gap: .4rem; font-weight: 400; margin: .25rem 1rem .25rem 0; }
fieldset { border: 0; padding: 0; margin: .75rem 0; }
legend { font-weight: 600; padding: 0; }
input[type=text], input[type=email], input[type=number], select {
  width: 100%; min-height: 2.5rem; padding: .4rem .6rem; font: inherit; color: inherit; background: var(--ground);
  border: 1px solid var(--quiet); border-radius: .4rem;
}
button {
  min-height: 2.5rem; padding: .4rem 1rem; font: inherit; font-weight: 600; border-radius: .4rem; cursor: pointer;
  border: 1px solid var(--act); background: var(--act); color: var(--on-act);
}
button.plain { background: transparent; color: var(--act); }
button.stop { background: transparent; border-color: var(--stop); color: var(--stop); }
:focus-visible { outline: 3px solid var(--act); outline-offset: 2px; }
.row { display: flex; flex-wrap: wrap; gap: .5rem; align-items: end; margin-top: 1rem; }
.row > div { flex: 1 1 11rem; }
.people { list-style: none; margin: 0; padding: 0; }
.people button { width: 100%; text-align: left; margin-top: .5rem; background: transparent; color: inherit; border-color: var(--edge); font-weight: 400; }
.people button strong { display: block; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; }
caption { text-align: left; font-weight: 600; padding-bottom: .5rem; }
th, td { text-align: left; vertical-align: top; padding: .5rem .75rem .5rem 0; border-top: 1px solid var(--edge); }
th .quiet { font-weight: 400; }
td > form { display: inline-block; margin: .25rem .25rem 0 0; }
@media (max-width: 40rem) {
  .scroll thead { display: none; }
  .scroll tr { display: block; border-top: 1px solid var(--edge); padding: .25rem 0; }
  .scroll th, .scroll td { display: block; border: 0; padding: .2rem 0; overflow-wrap: anywhere; }
}
details > summary { cursor: pointer; color: var(--act); padding: .4rem 0; }
.state { border-radius: 1rem; padding: .1rem .6rem; font-size: .8125rem; background: var(--good-ground); color: var(--good); }
.state.off { background: var(--stop-ground); color: var(--stop); }
code { font: .875em ui-monospace, monospace; overflow-wrap: anywhere; }
@media (prefers-reduced-motion: no-preference) { button { transition: opacity .15s; } button:hover { opacity: .85; } }
`;

/** Strict: our one stylesheet, forms to ourselves, and nobody's frame. */
export const pagePolicy = (publicUrl: string): string =>
  `default-src 'none'; style-src 'self'; form-action 'self' ${publicUrl}; base-uri 'none'; frame-ancestors 'none'; img-src data:`;

export const page = (
  title: string,
  content: Markup,
  width: 'narrow' | 'wide' = 'narrow',
): Markup => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>${title} (development)</title>
<link rel="stylesheet" href="/fake-idp/style.css">
</head>
<body>
<div class="mark" role="note"><strong>Development only.</strong> This is the fake identity provider. Nobody here is real, and no password is asked for.</div>
<main class="${width}">
${content}
</main>
</body>
</html>
`;

export const hidden = (fields: Readonly<Record<string, string>>): Markup =>
  html`${Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}`;
