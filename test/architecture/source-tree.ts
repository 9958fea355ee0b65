// Reads source files and every way in which one of them can name another, with a real parser of TypeScript.

import { globSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'oxc-parser';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Texts by path from the root of the repository, such as `src/domain/events.ts`. */
export type Sources = ReadonlyMap<string, string>;

/** Every TypeScript file under src. */
export const readSources = (): Sources =>
  new Map(
    globSync('src/**/*.{ts,tsx,mts,cts}', { cwd: root })
      .map((path) => path.replaceAll('\\', '/'))
      .toSorted()
      .map((path) => [path, readFileSync(join(root, path), 'utf8')]),
  );

export interface Import {
  readonly from: string;
  /** As written. */
  readonly specifier: string;
  /**
   * A path in the tree (`src/domain/events.ts`), `node:…` for a part of Node, a package by its name, or `unreadable` for
   * what only a run could tell.
   */
  readonly to: string;
  /** `type`: gone before the program runs. `import { type A }` is not: the file it names is still loaded. */
  readonly kind: 'value' | 'type';
}

interface Node {
  readonly type: string;
  readonly [property: string]: unknown;
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && 'type' in value;

const parsed = (path: string, text: string): Node => {
  const { program, errors } = parseSync(path, text);
  const [error] = errors;
  if (error) throw new Error(`${path} cannot be parsed: ${error.message}`);
  return program as unknown as Node;
};

/** Every node of the tree, the outer before the inner. */
const everyNode = function* (node: Node): Generator<Node> {
  yield node;
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) yield* everyNode(child);
  }
};

const identifierNamed = (value: unknown, ...names: readonly string[]): boolean =>
  isNode(value) && value.type === 'Identifier' && names.includes(String(value['name']));

/** The node that holds the specifier, when this node names another file; `type` when it leaves no trace at run time. */
const naming = (node: Node): { readonly source: unknown; readonly kind: Import['kind'] } | undefined => {
  switch (node.type) {
    case 'ImportDeclaration':
      return { source: node['source'], kind: node['importKind'] === 'type' ? 'type' : 'value' };
    case 'ExportAllDeclaration':
    case 'ExportNamedDeclaration':
      return isNode(node['source'])
        ? { source: node['source'], kind: node['exportKind'] === 'type' ? 'type' : 'value' }
        : undefined;
    case 'ImportExpression':
      return { source: node['source'], kind: 'value' };
    case 'TSImportType':
      return { source: node['source'], kind: 'type' };
    case 'TSExternalModuleReference':
      return { source: node['expression'], kind: 'value' };
    case 'CallExpression': {
      const [argument] = node['arguments'] as readonly unknown[];
      return identifierNamed(node['callee'], 'require') ? { source: argument, kind: 'value' } : undefined;
    }
    default:
      return undefined;
  }
};

const target = (from: string, specifier: string): string => {
  const alias = /^#(domain|application|adapters|bootstrap)\//.exec(specifier);
  if (alias) return `src/${specifier.slice(1)}`;
  if (specifier.startsWith('.')) return posix.normalize(posix.join(posix.dirname(from), specifier));
  const [first = '', second = ''] = specifier.split('/');
  if (specifier.startsWith('node:')) return specifier;
  if (builtinModules.includes(first)) return `node:${specifier}`;
  return specifier.startsWith('@') ? `${first}/${second}` : first;
};

const readImports = (path: string, text: string): Import[] =>
  [...everyNode(parsed(path, text))].flatMap((node) => {
    const named = naming(node);
    if (!named) return [];
    const { source, kind } = named;
    const specifier = isNode(source) && source.type === 'Literal' ? String(source['value']) : undefined;
    const to = specifier === undefined ? 'unreadable' : target(path, specifier);
    return [{ from: path, specifier: specifier ?? 'unreadable', to, kind }];
  });

/** Read once for all the rules. */
const alreadyRead = new Map<string, Import[]>();

export const importsOf = (path: string, text: string): readonly Import[] => {
  const key = `${path}\n${text}`;
  const imports = alreadyRead.get(key) ?? readImports(path, text);
  alreadyRead.set(key, imports);
  return imports;
};

export const importsIn = (sources: Sources): Import[] => [...sources].flatMap(([path, text]) => importsOf(path, text));

/** What the inner layers must be given instead: the time, chance, timers, and the world. */
const outside = [
  ...['process', 'Buffer', 'console', 'performance', 'crypto', 'globalThis', 'global'],
  ...['fetch', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'],
];

/** Where a file helps itself to the time, to chance or to the machine: `new Date()`, `Date.now()`, `process.env`… */
export const reachesOutside = (path: string, text: string): string[] =>
  [...everyNode(parsed(path, text))].flatMap((node) => {
    const object = node['object'];
    const property = node['property'];
    if (node.type === 'NewExpression' && identifierNamed(node['callee'], 'Date')) {
      return (node['arguments'] as readonly unknown[]).length === 0 ? ['new Date()'] : [];
    }
    if (node.type === 'CallExpression' && identifierNamed(node['callee'], 'Date')) return ['Date()'];
    if (node.type === 'CallExpression' && identifierNamed(node['callee'], ...outside)) {
      return [String((node['callee'] as Node)['name'])];
    }
    if (node.type !== 'MemberExpression') return [];
    if (identifierNamed(object, ...outside)) return [String((object as Node)['name'])];
    if (identifierNamed(object, 'Date') && identifierNamed(property, 'now')) return ['Date.now'];
    return identifierNamed(object, 'Math') && identifierNamed(property, 'random') ? ['Math.random'] : [];
  });
