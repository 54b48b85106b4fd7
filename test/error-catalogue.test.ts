import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from '@babel/parser';
import { describe, expect, test } from 'vitest';
import { ERROR_STATUS, statusOf } from '../scheduler/gateway/http/error-status.ts';
import { LAYERS, ROOT } from './architecture/import-graph.ts';

interface TypeNode {
  readonly type: string;
  readonly types?: readonly TypeNode[];
  readonly literal?: { readonly value: string };
}

interface Statement {
  readonly type: string;
  readonly declaration?: {
    readonly type: string;
    readonly id: { readonly name: string };
    readonly typeAnnotation: TypeNode;
  };
}

/** The members of the exported union of string literals whose name ends in `ErrorCode`. */
function codesIn(file: string): readonly string[] {
  const tree = parse(readFileSync(file, 'utf8'), { sourceType: 'module', plugins: ['typescript'] });
  const union = (tree.program.body as unknown as readonly Statement[]).find(
    ({ declaration }) => declaration?.type === 'TSTypeAliasDeclaration' && declaration.id.name.endsWith('ErrorCode'),
  );
  return (union?.declaration?.typeAnnotation.types ?? []).map((member) => member.literal?.value ?? '');
}

/** Codes in the first column of the table whose heading begins with `| CODE |`. */
function codesInReadme(text: string): readonly string[] {
  const lines = text.split('\n');
  const heading = lines.findIndex((line) => /^\|\s*CODE\s*\|/i.test(line));
  if (heading === -1) return [];
  const rows = lines.slice(heading + 2);
  const end = rows.findIndex((line) => !line.startsWith('|'));
  return rows
    .slice(0, end === -1 ? rows.length : end)
    .map((line) => line.split('|')[1]?.replaceAll('`', '').trim() ?? '');
}

function sourcesOf(layer: string): string {
  return readdirSync(join(ROOT, layer), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(ts|lua)$/.test(path) && !path.endsWith('errors.ts') && !path.endsWith('exit-code.ts'))
    .map((path) => readFileSync(join(ROOT, layer, path), 'utf8'))
    .join('\n');
}

const allSources = LAYERS.map(sourcesOf).join('\n');

/** The client stands outside of the layers, and so do its codes. */
const CATALOGUES = [...LAYERS, 'scheduler/client'];

describe.each(CATALOGUES)('error codes of %s', (layer) => {
  const codes = codesIn(join(ROOT, layer, 'errors.ts'));

  test('are a closed list without repetitions', () => {
    expect(codes.length).toBeGreaterThan(0);
    expect(new Set(codes).size).toBe(codes.length);
    for (const code of codes) expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
  });

  test("stand in the layer's README, each with its meaning and what to do, and no others do", () => {
    const readme = readFileSync(join(ROOT, layer, 'README.md'), 'utf8');
    expect([...codesInReadme(readme)].sort()).toEqual([...codes].sort());
  });

  test('are all used by the code', () => {
    expect(codes.filter((code) => !new RegExp(`['"\`]${code}\\b`).test(allSources))).toEqual([]);
  });
});

describe('the HTTP door', () => {
  const codes = LAYERS.flatMap((layer) => codesIn(join(ROOT, layer, 'errors.ts')));

  test('has one status for each code of the layers, and for no others', () => {
    expect(Object.keys(ERROR_STATUS).sort()).toEqual([...codes].sort());
    for (const status of Object.values(ERROR_STATUS))
      expect(status).toSatisfy((one: number) => one >= 400 && one < 600);
  });

  test('answers a code that is in no table as its own fault', () => {
    expect([statusOf('NEVER_HEARD_OF'), statusOf('toString')]).toEqual([500, 500]);
  });
});
