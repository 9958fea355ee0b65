// The OpenAPI document as a page for people: no script, no asset from elsewhere.

import { errorCatalogue } from './error-catalogue.ts';
import { type Html, html } from './kit/html.ts';
import type { OpenApi, Operation, Parameter, ResponseObject } from './kit/openapi.ts';
import { page } from './kit/page.ts';

type Schema = { readonly [name: string]: unknown };

const asSchema = (value: unknown): Schema => (typeof value === 'object' && value !== null ? (value as Schema) : {});

const nameOf = (reference: string): string => reference.replace(/^.*\//, '');

/** A type in a few words: `string`, `Role or null`, `list of Member`. */
const typeOf = (value: unknown): Html => {
  const schema = asSchema(value);
  if (typeof schema['$ref'] === 'string') {
    const name = nameOf(schema['$ref']);
    return html`<a href="#shape-${name}">${name}</a>`;
  }
  const choices = schema['anyOf'];
  if (Array.isArray(choices)) return joined(choices.map(typeOf), ' or ');
  if ('const' in schema) return html`<code>${JSON.stringify(schema['const'])}</code>`;
  if (Array.isArray(schema['enum'])) {
    return joined(
      schema['enum'].map((one) => html`<code>${String(one)}</code>`),
      ', ',
    );
  }
  if (schema['type'] === 'array') return html`list of ${typeOf(schema['items'])}`;
  if (schema['type'] === 'object' && schema['properties']) return html`{ ${fieldList(schema)} }`;
  const format = typeof schema['format'] === 'string' ? ` (${schema['format']})` : '';
  const [example] = Array.isArray(schema['examples']) ? schema['examples'] : [];
  const such = typeof example === 'string' && format === '' ? html`, such as <code>${example}</code>` : undefined;
  return html`${String(schema['type'] ?? 'anything')}${format}${such}`;
};

const joined = (parts: readonly Html[], by: string): Html =>
  html`${parts.map((part, index) => html`${index > 0 ? by : ''}${part}`)}`;

const fieldList = (schema: Schema): Html =>
  joined(
    Object.entries(asSchema(schema['properties'])).map(([name, field]) => html`<code>${name}</code>: ${typeOf(field)}`),
    '; ',
  );

const limitsOf = (schema: Schema): string =>
  [
    ['default', 'by default '],
    ['minimum', 'at least '],
    ['maximum', 'at most '],
    ['maxLength', 'up to this many characters: '],
    ['maxItems', 'up to this many: '],
  ]
    .flatMap(([key = '', words = '']) => (key in schema ? [`${words}${JSON.stringify(schema[key])}`] : []))
    .join('; ');

const fieldTable = (schema: Schema): Html => {
  const required = new Set(Array.isArray(schema['required']) ? schema['required'] : []);
  const rows = Object.entries(asSchema(schema['properties'])).map(([name, value]) => {
    const field = asSchema(value);
    const notes = [field['description'], limitsOf(field)].filter((note) => typeof note === 'string' && note !== '');
    return html`<tr><td><code>${name}</code>${required.has(name) ? '' : html` <span class="soft">optional</span>`}</td><td>${typeOf(field)}</td><td class="soft">${inline(notes.join(' '))}</td></tr>
`;
  });
  return html`<table><thead><tr><th>Field</th><th>Type</th><th>Notes</th></tr></thead><tbody>
${rows}</tbody></table>`;
};

const shaped = (value: unknown): Html => {
  const schema = asSchema(value);
  return schema['properties'] ? fieldTable(schema) : html`<p>${typeOf(schema)}</p>`;
};

const contentOf = (content: unknown): { readonly mediaType: string; readonly schema: unknown } | undefined => {
  const [mediaType, media] = Object.entries(asSchema(content))[0] ?? [];
  return mediaType === undefined ? undefined : { mediaType, schema: asSchema(media)['schema'] };
};

/** Our descriptions use code marks and blank lines, and nothing else of Markdown. */
const inline = (text: string): Html =>
  html`${text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`;

const prose = (text: string): Html => html`${text.split('\n\n').map((paragraph) => html`<p>${inline(paragraph)}</p>`)}`;

const parameterTable = (parameters: readonly Parameter[]): Html =>
  html`<h3>Parameters</h3><table><thead><tr><th>Name</th><th>In</th><th>Type</th><th>Notes</th></tr></thead><tbody>
${parameters.map(
  (parameter) =>
    html`<tr><td><code>${parameter.name}</code>${parameter.required ? '' : html` <span class="soft">optional</span>`}</td><td>${parameter.in}</td><td>${typeOf(parameter.schema)}</td><td class="soft">${inline([parameter.description, limitsOf(parameter.schema)].filter(Boolean).join(' '))}</td></tr>
`,
)}</tbody></table>`;

const isRefused = (response: ResponseObject): boolean => 'x-reasons' in response;

const answers = (responses: Operation['responses']): Html => {
  const entries = Object.entries(responses).filter(([status]) => status !== '500');
  const good = entries.filter(([, response]) => !isRefused(response));
  const refused = entries.filter(([, response]) => isRefused(response));
  return html`<h3>Answers</h3>
${good.map(([status, response]) => {
  const content = contentOf(response.content);
  return html`<p><strong>${status}</strong> ${response.description}</p>
${content && content.mediaType === 'application/json' ? shaped(content.schema) : undefined}`;
})}
${
  refused.length > 0
    ? html`<h3>Refusals</h3><table><tbody>
${refused.map(
  ([status, response]) =>
    html`<tr><td><strong>${status}</strong></td><td>${joined(
      (response['x-reasons'] ?? []).map((reason) => html`<a href="#reason-${reason}"><code>${reason}</code></a>`),
      ' ',
    )}</td></tr>
`,
)}</tbody></table>`
    : undefined
}`;
};

const operationBlock = (method: string, path: string, operation: Operation): Html => {
  const body = contentOf(operation.requestBody?.content);
  return html`<details id="${operation.operationId}"><summary><span class="method">${method.toUpperCase()}</span> <code>${path}</code> <span class="soft">${operation.summary}</span></summary><div>
${operation.description ? prose(operation.description) : undefined}
${operation.parameters.length > 0 ? parameterTable(operation.parameters) : undefined}
${body ? html`<h3>Body <span class="soft">${body.mediaType}</span></h3>${shaped(body.schema)}` : undefined}
${answers(operation.responses)}
</div></details>
`;
};

export const docsPage = (document: OpenApi): Html => {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
  const groups = document.tags.map((tag) => {
    const name = String(tag['name']);
    return {
      name,
      description: String(tag['description']),
      members: operations.filter((one) => one.operation.tags.includes(name)),
    };
  });
  return page(
    'HatiData Identity: the API',
    html`<h1>HatiData Identity: the API</h1>
${prose(String(document.info['description']))}
<p>For tools: <a href="/openapi.json">openapi.json</a> (OpenAPI ${document.openapi}). <a href="/">Home</a></p>
<h2 id="calling">How to call</h2>
<table><tbody>
<tr><td>A person’s API client</td><td><code>Authorization: Bearer &lt;session token&gt;</code></td></tr>
<tr><td>A person in the browser</td><td>the session cookie that signing in sets; writes must come from our own pages</td></tr>
<tr><td>An agent</td><td><code>Authorization: ApiKey hd_live_…</code>, <code>Authorization: Bearer hd_live_…</code> or <code>X-API-Key: hd_live_…</code></td></tr>
</tbody></table>
<p>Send exactly one. <code>GET /v1/whoami</code> tells who you are.</p>
<nav><h2>Contents</h2><ul>
${groups.map(
  ({ name, members }) => html`<li><a href="#tag-${name}">${name}</a> <span class="soft">${members.length}</span></li>
`,
)}<li><a href="#shapes">Shapes</a></li>
<li><a href="#errors">Errors</a></li>
</ul></nav>
${groups.map(
  ({ name, description, members }) => html`<section><h2 id="tag-${name}">${name}</h2><p class="soft">${description}</p>
${members.map(({ method, path, operation }) => operationBlock(method, path, operation))}</section>
`,
)}
<section><h2 id="shapes">Shapes</h2>
${Object.entries(document.components.schemas).map(
  ([name, schema]) => html`<h3 id="shape-${name}">${name}</h3>
${typeof schema['description'] === 'string' ? html`<p class="soft">${schema['description']}</p>` : undefined}
${shaped(schema)}
`,
)}</section>
<section><h2 id="errors">Errors</h2>
<p>Every refusal has the shape <a href="#shape-Error">Error</a>. Program against <code>reason</code>; the message is for people.</p>
<table><thead><tr><th>Reason</th><th>Status</th><th>Message</th></tr></thead><tbody>
${errorCatalogue().map(
  ({ status, code, reason, message }) =>
    html`<tr id="reason-${reason}"><td><code>${reason}</code></td><td>${status} <span class="soft">${code}</span></td><td>${message}</td></tr>
`,
)}</tbody></table></section>`,
    'wide',
  );
};
