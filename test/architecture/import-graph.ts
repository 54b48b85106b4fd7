import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from '@babel/parser';

/** One import, re-export or dynamic import of a source file. */
export interface ImportEdge {
  /** Path from the root of the repository. */
  readonly from: string;
  readonly line: number;
  readonly specifier: string;
  /** Repository path of what is imported; null for packages and Node's own modules. */
  readonly target: string | null;
  /** Erased before running. */
  readonly typeOnly: boolean;
}

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const LAYERS = ['functions', 'runtime', 'scheduler'] as const;

/** What `#functions`, `#runtime` and `#scheduler` stand for. */
const ALIASES: Readonly<Record<string, string>> = {
  '#functions': 'functions/index.ts',
  '#runtime': 'runtime/index.ts',
  '#scheduler': 'scheduler/index.ts',
};

/** All TypeScript sources of the layers; declaration files and examples are not part of the program. */
export function sourceFiles(): readonly string[] {
  return LAYERS.flatMap((layer) =>
    readdirSync(join(ROOT, layer), { recursive: true, encoding: 'utf8' })
      .map((path) => `${layer}/${path.replaceAll('\\', '/')}`)
      .filter((path) => /\.tsx?$/.test(path) && !path.endsWith('.d.ts') && !path.startsWith('functions/examples/')),
  );
}

/** Every import of the given files. */
export function readImports(files: readonly string[]): readonly ImportEdge[] {
  return files.flatMap((file) => importsOf(file, readFileSync(join(ROOT, file), 'utf8')));
}

interface Node {
  readonly type: string;
  readonly loc?: { readonly start: { readonly line: number } } | null;
  readonly [key: string]: unknown;
}

export function importsOf(file: string, source: string): readonly ImportEdge[] {
  const tree = parse(source, {
    sourceType: 'module',
    plugins: ['typescript', 'explicitResourceManagement', ...(file.endsWith('.tsx') ? (['jsx'] as const) : [])],
  });
  const edges: ImportEdge[] = [];
  visit(tree.program as unknown as Node, (node) => {
    const specifier = specifierOf(node);
    if (specifier === null) return;
    const typeOnly = node.importKind === 'type' || node.exportKind === 'type' || node.type === 'TSImportType';
    const line = node.loc?.start.line ?? 0;
    edges.push({ from: file, line, specifier, target: targetOf(file, specifier), typeOnly });
  });
  return edges;
}

const IMPORTING = new Set([
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
  'TSImportType',
]);

function specifierOf(node: Node): string | null {
  if (node.type === 'CallExpression' && (node.callee as Node).type === 'Import') {
    return textOf((node.arguments as Node[])[0]);
  }
  return IMPORTING.has(node.type) ? textOf((node.source ?? node.argument) as Node | undefined) : null;
}

function textOf(node: Node | null | undefined): string | null {
  if (node?.type === 'TSLiteralType') return textOf(node.literal as Node);
  return node?.type === 'StringLiteral' ? (node.value as string) : null;
}

function visit(node: Node, see: (node: Node) => void): void {
  see(node);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child === 'object' && child !== null && typeof (child as Node).type === 'string') {
        visit(child as Node, see);
      }
    }
  }
}

function targetOf(file: string, specifier: string): string | null {
  if (specifier.startsWith('.')) return relative(ROOT, join(ROOT, dirname(file), specifier)).replaceAll('\\', '/');
  return ALIASES[specifier] ?? null;
}

/** Name of the package a specifier belongs to; null for files and Node's own modules. */
export function packageOf(specifier: string): string | null {
  if (/^(\.|#|node:)/.test(specifier)) return null;
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

/** Groups of files that import each other in a circle at run time. */
export function findCycles(edges: readonly ImportEdge[]): readonly (readonly string[])[] {
  const next = new Map<string, string[]>();
  for (const { from, target, typeOnly } of edges) {
    if (target !== null && !typeOnly) next.set(from, [...(next.get(from) ?? []), target]);
  }
  const state = new Map<string, 'open' | 'done'>();
  const path: string[] = [];
  const cycles: string[][] = [];
  const walk = (file: string): void => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      cycles.push([...path.slice(path.indexOf(file)), file]);
      return;
    }
    state.set(file, 'open');
    path.push(file);
    for (const target of next.get(file) ?? []) walk(target);
    path.pop();
    state.set(file, 'done');
  };
  for (const file of next.keys()) walk(file);
  return cycles;
}
