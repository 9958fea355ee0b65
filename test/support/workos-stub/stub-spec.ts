// Holds what goes over the stub's wire against WorkOS' own OpenAPI document: what our adapter asks, and what the stub answers.

import { readFileSync } from 'node:fs';
import { Ajv2020, type AnySchemaObject, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';
import type { StubAnswer, StubRequest } from './stub-answers.ts';

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: AnySchemaObject }>>;
}

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: AnySchemaObject;
}

interface Place {
  readonly template: string;
  readonly pattern: RegExp;
  readonly operations: Readonly<Record<string, Operation>>;
}

interface Spec {
  readonly document: Document;
  readonly places: readonly Place[];
  readonly ajv: Ajv2020;
  readonly validators: Map<AnySchemaObject, ValidateFunction>;
}

let read: Spec | undefined;

/** Read once, when first needed: the document has 1.1 MB. */
const spec = (): Spec => {
  if (read) return read;
  const document: Document = parse(readFileSync(new URL(import.meta.resolve('@workos/openapi-spec/spec')), 'utf8'));
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  // The package is CommonJS: its default export stands one deeper for the type checker than when it runs.
  (addFormats as unknown as (target: Ajv2020) => void)(ajv);
  ajv.addSchema({ $id: 'workos', components: document.components });
  const places = Object.entries(document.paths).map(([template, operations]) => ({
    template,
    // A literal segment is meant before a named one: /organizations/external_id/{id} is not /organizations/{id}.
    pattern: new RegExp(`^${template.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`),
    operations,
  }));
  places.sort((one, other) => Number(one.template.includes('{')) - Number(other.template.includes('{')));
  read = { document, places, ajv, validators: new Map() };
  return read;
};

/** Takes seconds on a busy machine: read before the first request, or that one runs into its time limit. */
export const readSpec = (): void => void spec();

/** References of the document point at itself; here it is known by a name. */
const named = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(named);
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [
      key,
      key === '$ref' && typeof value === 'string' ? value.replace(/^#/, 'workos#') : named(value),
    ]),
  );
};

const faultsOf = (schema: AnySchemaObject, value: unknown): readonly string[] => {
  const { ajv, validators } = spec();
  let validate = validators.get(schema);
  if (!validate) {
    validate = ajv.compile(named(schema) as AnySchemaObject);
    validators.set(schema, validate);
  }
  return validate(value) ? [] : (validate.errors ?? []).map(sentence);
};

const sentence = ({ instancePath, message, params }: ErrorObject): string =>
  `${instancePath || 'the whole'} ${message} ${JSON.stringify(params)}`;

const jsonOf = (content: Content | undefined): AnySchemaObject | undefined =>
  content?.content?.['application/json']?.schema;

/** An event of a kind that the document does not know is left alone: it is older than what WorkOS sends. */
const eventFaults = (data: unknown): readonly string[] => {
  const { allOf } = spec().document.components['schemas'].EventSchema;
  const schemas: readonly AnySchemaObject[] = allOf.flatMap((part: AnySchemaObject) => part['oneOf'] ?? []);
  return (data as readonly { readonly event: string }[]).flatMap((event, index) => {
    const branch = schemas.find((schema) => schema['properties']?.event?.const === event.event);
    return branch ? faultsOf(branch, event).map((fault) => `data/${index} (${event.event}): ${fault}`) : [];
  });
};

const answerFaults = (template: string, schema: AnySchemaObject | undefined, body: unknown): readonly string[] => {
  // An event is one of 93 kinds: held against its own only, so that a fault can be read.
  if (template === '/events') return eventFaults((body as { readonly data: unknown }).data);
  return schema ? faultsOf(schema, body) : [];
};

/**
 * Where a request and its answer are not as WorkOS' document says; empty when they are, when the document does not know the
 * place, or when the answer is an error.
 */
export const deviationsOf = (request: StubRequest, answer: StubAnswer): readonly string[] => {
  if (answer.status >= 300) return [];
  const place = spec().places.find(({ pattern }) => pattern.test(request.path));
  const operation = place?.operations[request.method.toLowerCase()];
  const where = `${request.method} ${place?.template ?? request.path}`;
  if (!place || !operation) return [];
  const known = new Set((operation.parameters ?? []).map(({ name }) => name));
  const strange = [...new Set(request.query.keys())].filter((name) => !known.has(name.replace('[]', '')));
  const missing = (operation.parameters ?? []).filter(
    ({ in: place, required, name }) => place === 'query' && required === true && !request.query.has(name),
  );
  const asked = jsonOf(operation.requestBody);
  const told = jsonOf(operation.responses[String(answer.status)]);
  const statuses = Object.keys(operation.responses).join(', ');
  return [
    ...strange.map((name) => `asks with ${name}, which is unknown`),
    ...missing.map(({ name }) => `asks without ${name}`),
    ...(asked ? faultsOf(asked, request.body).map((fault) => `asks: ${fault}`) : []),
    ...(operation.responses[String(answer.status)] ? [] : [`answers ${answer.status}, not one of ${statuses}`]),
    ...answerFaults(place.template, told, JSON.parse(JSON.stringify(answer.body ?? null))).map(
      (fault) => `answers: ${fault}`,
    ),
  ].map((fault) => `${where} ${fault}`);
};
