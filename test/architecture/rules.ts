// The rules of the tree, as questions put to any set of sources. Each answers with one sentence per violation; no sentence, no violation.

import { type Import, importsIn, reachesOutside, type Sources } from './source-tree.ts';

export const layers = ['domain', 'application', 'adapters', 'bootstrap'] as const;
export const families = ['delivery', 'identity', 'persistence', 'cache', 'jobs', 'system'] as const;

const layerOf = (path: string): string => path.split('/')[1] ?? '';
const familyOf = (path: string): string => path.split('/')[2] ?? '';
const inLayer = (path: string, layer: string): boolean => path.startsWith(`src/${layer}/`);
const isOurs = ({ to }: Import): boolean => to.startsWith('src/');
const sentence = ({ from, specifier }: Import, rule: string): string => `${from} imports ${specifier}: ${rule}`;

/** A rule that no file comes under protects nothing, and would go on saying yes after a folder was renamed. */
const orEmpty = (matches: readonly unknown[], rule: string, found: readonly string[]): string[] =>
  matches.length === 0 ? [`Nothing comes under the rule: ${rule}`] : [...found];

/** Every file belongs to one layer, and every adapter to one family. */
export const placeViolations = (sources: Sources): string[] => {
  const paths = [...sources.keys()];
  const missing = layers.filter((layer) => !paths.some((path) => inLayer(path, layer)));
  const homeless = paths.filter((path) => !layers.some((layer) => inLayer(path, layer)));
  const stray = paths.filter(
    (path) => inLayer(path, 'adapters') && !families.some((family) => family === familyOf(path)),
  );
  return [
    ...missing.map((layer) => `Nothing comes under the rule: src/${layer} is a layer`),
    ...homeless.map((path) => `${path} belongs to no layer`),
    ...stray.map((path) => `${path} belongs to no family of adapters`),
  ];
};

const allowedLayers: Readonly<Record<string, readonly string[]>> = {
  domain: ['domain'],
  application: ['application', 'domain'],
  adapters: ['adapters', 'application', 'domain'],
};

/** domain → domain; application → application, domain; adapters → application, domain, own family; bootstrap → anything. */
export const directionViolations = (sources: Sources): string[] =>
  Object.entries(allowedLayers).flatMap(([layer, allowed]) => {
    const rule = `${layer} may import ${allowed.join(', ')}`;
    const imports = importsIn(sources).filter(({ from }) => inLayer(from, layer));
    const strays = imports.filter((one) => isOurs(one) && !allowed.includes(layerOf(one.to)));
    const cousins = imports.filter(
      ({ from, to }) => layer === 'adapters' && inLayer(to, 'adapters') && familyOf(from) !== familyOf(to),
    );
    return orEmpty(imports, rule, [
      ...strays.map((one) => sentence(one, rule)),
      ...cousins.map((one) => sentence(one, 'a family of adapters may not import another')),
    ]);
  });

/** Adapters that can be exchanged for each other: what two of them share stands beside them, in neither. */
const exchangeable = [
  ['src/adapters/identity/fake/', 'src/adapters/identity/workos/'],
  ['src/adapters/persistence/memory/', 'src/adapters/persistence/postgres/'],
] as const;

export const exchangeViolations = (sources: Sources): string[] =>
  exchangeable.flatMap(([one, other]) => {
    const rule = `${one} and ${other} do not know each other`;
    const crosses = ({ from, to }: Import): boolean =>
      (from.startsWith(one) && to.startsWith(other)) || (from.startsWith(other) && to.startsWith(one));
    const missing = [one, other].filter((folder) => ![...sources.keys()].some((path) => path.startsWith(folder)));
    return [
      ...missing.map((folder) => `Nothing comes under the rule: ${rule} (${folder} is empty)`),
      ...importsIn(sources)
        .filter(crosses)
        .map((stray) => sentence(stray, rule)),
    ];
  });

/** Domain and application live on the language alone: no package, nothing of Node, nothing that only a run could name. */
export const purityViolations = (sources: Sources): string[] =>
  ['domain', 'application'].flatMap((layer) => {
    const rule = `${layer} imports no package and nothing of Node`;
    const imports = importsIn(sources).filter(({ from }) => inLayer(from, layer));
    return orEmpty(
      imports,
      rule,
      imports.filter((one) => !isOurs(one)).map((one) => sentence(one, rule)),
    );
  });

/** No import anywhere that can only be read by running it: the other rules would not see where it leads. */
export const unreadableViolations = (sources: Sources): string[] =>
  importsIn(sources)
    .filter(({ to }) => to === 'unreadable')
    .map((one) => sentence(one, 'an import must name its file'));

/** Inner layers are told the time and given chance; they do not help themselves. */
export const reachViolations = (sources: Sources): string[] => {
  const inner = [...sources].filter(([path]) => inLayer(path, 'domain') || inLayer(path, 'application'));
  const rule = 'time, chance and the machine come in through ports';
  const found = inner.flatMap(([path, text]) =>
    reachesOutside(path, text).map((what) => `${path} uses ${what}: ${rule}`),
  );
  return orEmpty(inner, rule, found);
};

/** Where each of these packages may be imported, as prefixes of paths. */
export const packageHomes: Readonly<Record<string, readonly string[]>> = {
  inversify: ['src/bootstrap/'],
  'reflect-metadata': ['src/bootstrap/'],
  '@workos-inc/node': ['src/adapters/identity/workos/'],
  // The fake provider serves pages of its own; the composition root starts the server.
  koa: ['src/adapters/delivery/', 'src/adapters/identity/fake/', 'src/bootstrap/'],
  '@koa/router': ['src/adapters/delivery/', 'src/adapters/identity/fake/'],
  '@mikro-orm/core': ['src/adapters/persistence/postgres/'],
  '@mikro-orm/postgresql': ['src/adapters/persistence/postgres/'],
  '@mikro-orm/pglite': ['src/adapters/persistence/postgres/'],
  pg: ['src/adapters/persistence/postgres/'],
  redis: ['src/adapters/cache/redis/'],
  'pg-boss': ['src/adapters/jobs/pg-boss/'],
};

/** Each of these packages is known in one place, so that swapping it touches one place. */
export const homeViolations = (sources: Sources, homes: typeof packageHomes = packageHomes): string[] =>
  Object.entries(homes).flatMap(([name, places]) => {
    const rule = `${name} is imported in ${places.join(', ')} only`;
    const imports = importsIn(sources).filter(({ to }) => to === name);
    const atHome = ({ from }: Import): boolean => places.some((place) => from.startsWith(place));
    const strays = imports.filter((one) => !atHome(one));
    return orEmpty(
      imports.filter(atHome),
      rule,
      strays.map((one) => sentence(one, rule)),
    );
  });

/** The domain and the use cases do not know what they run on. */
export const foreignWords = ['workos', 'koa', 'mikro'] as const;

export const wordViolations = (sources: Sources): string[] => {
  const inner = [...sources].filter(([path]) => inLayer(path, 'domain') || inLayer(path, 'application'));
  const found = inner.flatMap(([path, text]) =>
    foreignWords.filter((word) => text.toLowerCase().includes(word)).map((word) => `${path} says "${word}"`),
  );
  return orEmpty(inner, 'inner layers do not name what they run on', found);
};

/** Sets of files that lead to each other, each sorted; files that stand alone are left out (Tarjan's algorithm). */
export const circles = (edges: readonly { readonly from: string; readonly to: string }[]): string[][] => {
  const targets = new Map<string, Set<string>>();
  for (const { from, to } of edges) {
    targets.set(from, (targets.get(from) ?? new Set()).add(to));
    if (!targets.has(to)) targets.set(to, new Set());
  }
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (path: string): number => {
    let low = order.size;
    order.set(path, low);
    stack.push(path);
    for (const next of targets.get(path) ?? []) {
      if (!order.has(next)) low = Math.min(low, visit(next));
      else if (stack.includes(next)) low = Math.min(low, order.get(next) ?? low);
    }
    lowest.set(path, low);
    if (low === order.get(path)) {
      const circle = stack.splice(stack.indexOf(path));
      if (circle.length > 1 || targets.get(path)?.has(path)) found.push(circle.toSorted());
    }
    return low;
  };
  for (const path of targets.keys()) if (!order.has(path)) visit(path);
  return found.toSorted();
};

const inside = (sources: Sources): Import[] => importsIn(sources).filter((one) => isOurs(one) && sources.has(one.to));

/** No files need each other, neither in values nor in types: where two would, a third is missing. */
export const circleViolations = (sources: Sources): string[] => {
  const imports = inside(sources);
  const rule = 'files import each other in a circle';
  return orEmpty(
    imports,
    rule,
    circles(imports).map((circle) => `${rule}: ${circle.join(', ')}`),
  );
};

/** Features of a layer (its folders) point one way, as far as anything of them runs. */
export const featureCircleViolations = (sources: Sources): string[] =>
  ['domain', 'application'].flatMap((layer) => {
    const rule = `features of ${layer} point one way`;
    const imports = inside(sources).filter(
      ({ from, to, kind }) => kind === 'value' && inLayer(from, layer) && inLayer(to, layer),
    );
    const feature = (path: string): string => path.split('/').slice(0, 3).join('/');
    const edges = imports
      .map(({ from, to }) => ({ from: feature(from), to: feature(to) }))
      .filter(({ from, to }) => from !== to);
    return orEmpty(
      imports,
      rule,
      circles(edges).map((circle) => `${rule}, but not ${circle.join(', ')}`),
    );
  });

/** A file of this many lines or fewer can be read in one sitting; a longer one hides a word that is missing. */
export const longestFile = 400;

export const lengthViolations = (sources: Sources): string[] =>
  [...sources].flatMap(([path, text]) => {
    const lines = text.trimEnd().split('\n').length;
    return lines > longestFile ? [`${path} has ${lines} lines; ${longestFile} are enough`] : [];
  });

/** What the comment at the top of a file says; a line for the shell may come first. */
const openingOf = (text: string): string => {
  const lines = text.split('\n');
  if (lines[0]?.startsWith('#!')) lines.shift();
  const end = lines.findIndex((line) => !line.startsWith('//'));
  return lines
    .slice(0, end === -1 ? undefined : end)
    .map((line) => line.replace(/^\/\/ ?/, ''))
    .join(' ');
};

/** Every file opens with a sentence that a newcomer could read aloud. */
export const openingViolations = (sources: Sources): string[] =>
  [...sources].flatMap(([path, text]) =>
    /^[A-Z`'"].{15,}[.?!]/.test(openingOf(text)) ? [] : [`${path} does not open with a sentence in a comment`],
  );
