import { builtinModules } from 'node:module';
import { describe, expect, test } from 'vitest';
import {
  findCycles,
  type ImportEdge,
  importsOf,
  packageOf,
  readImports,
  sourceFiles,
} from './architecture/import-graph.ts';
import { BROWSER, CONTRACTS, isWithin, PACKAGES, PARTS, type Part, partOf } from './architecture/rules.ts';

const files = sourceFiles();
const edges = readImports(files);

const layerOf = (path: string): string => path.split('/', 1)[0] ?? '';
const show = (edge: ImportEdge): string => `${edge.from}:${edge.line} imports ${edge.specifier}`;

function allows(part: Part, target: string, typeOnly: boolean): boolean {
  const places = typeOnly ? [...part.values, ...(part.types ?? [])] : part.values;
  return places.some((place) => isWithin(target, place));
}

/** The guest is bundled into one script: it takes the pure model file by file, not the whole layer. */
function isGuestModel(from: string, target: string): boolean {
  return isWithin(from, 'runtime/guest') && isWithin(target, 'functions/model');
}

/** Why an import inside the project is against the table; undefined when it is allowed. */
function against(edge: ImportEdge): string | undefined {
  const { from, target, typeOnly } = edge;
  if (target === null) return undefined;
  const part = partOf(from);
  if (part === undefined) return `${from} has no place in the table`;
  const targetPart = partOf(target);
  if (targetPart === part) return undefined;
  if (typeOnly && layerOf(from) === layerOf(target) && CONTRACTS.includes(target)) return undefined;
  if (allows(PARTS[part] ?? { values: [] }, target, typeOnly)) return undefined;
  return `${show(edge)}${typeOnly ? ' (type)' : ''}: ${part} may not import ${targetPart ?? target}`;
}

describe('allowed imports', () => {
  test('every source file has a place in the table', () => {
    expect(files.filter((file) => partOf(file) === undefined)).toEqual([]);
  });

  test('no import goes against the order of the layers and their parts', () => {
    expect(edges.map(against).filter((reason) => reason !== undefined)).toEqual([]);
  });

  test('a relative import never leaves its layer, and a layer is entered through its index', () => {
    const crossing = edges.filter(
      ({ from, target, specifier }) =>
        target !== null &&
        specifier.startsWith('.') &&
        layerOf(from) !== layerOf(target) &&
        !isGuestModel(from, target),
    );
    expect(crossing.map(show)).toEqual([]);
    const inside = edges.filter(({ from, specifier }) => specifier === `#${layerOf(from)}`);
    expect(inside.map(show)).toEqual([]);
  });

  test('the page of the dashboard is imported by nobody', () => {
    const into = edges.filter(
      ({ from, target }) => target !== null && isWithin(target, BROWSER) && !isWithin(from, BROWSER),
    );
    expect(into.map(show)).toEqual([]);
  });

  test('no files import each other in a circle at run time', () => {
    expect(findCycles(edges)).toEqual([]);
  });
});

describe('packages', () => {
  const outside = edges.flatMap((edge) => {
    const name = packageOf(edge.specifier);
    return name === null ? [] : [{ edge, name }];
  });

  test('are imported by their owner only', () => {
    const wrong = outside.filter(({ edge, name }) => {
      const owner = PACKAGES[name];
      return owner === undefined || !allows(owner, edge.from, edge.typeOnly);
    });
    expect(wrong.map(({ edge }) => show(edge))).toEqual([]);
  });

  test("Node's own modules are imported with node:", () => {
    expect(outside.filter(({ name }) => builtinModules.includes(name)).map(({ edge }) => show(edge))).toEqual([]);
  });

  test('what runs in the browser imports no Node module', () => {
    const node = edges.filter(({ from, specifier }) => isWithin(from, BROWSER) && specifier.startsWith('node:'));
    expect(node.map(show)).toEqual([]);
  });

  test('what runs inside the isolate imports no Node module and no package', () => {
    const guest = edges.filter(
      ({ from, target, typeOnly }) => from.startsWith('runtime/guest/') && target === null && !typeOnly,
    );
    expect(guest.map(show)).toEqual([]);
  });
});

describe('the reader of imports', () => {
  test('tells types from values and sees re-exports and dynamic imports', () => {
    const source = `import type { A } from './a.ts'; import { type B } from './b.ts'; export type { C } from './c.ts';
      export { d } from './d.ts'; const e = await import('./e.ts'); type F = import('./f.ts').F; import 'node:fs';`;
    const found = importsOf('functions/x/y.ts', source).map(({ target, typeOnly }) => [target, typeOnly]);
    expect(found).toEqual([
      ['functions/x/a.ts', true],
      ['functions/x/b.ts', false],
      ['functions/x/c.ts', true],
      ['functions/x/d.ts', false],
      ['functions/x/e.ts', false],
      ['functions/x/f.ts', true],
      [null, false],
    ]);
  });

  test('finds circles of run-time imports only', () => {
    const edge = (from: string, target: string, typeOnly = false): ImportEdge => ({
      from,
      target,
      typeOnly,
      line: 1,
      specifier: target,
    });
    expect(findCycles([edge('a', 'b'), edge('b', 'c'), edge('c', 'a')])).toHaveLength(1);
    expect(findCycles([edge('a', 'b'), edge('b', 'a', true)])).toEqual([]);
  });
});
