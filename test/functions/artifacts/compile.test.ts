import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createContext, Script } from 'node:vm';
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Artifact } from '../../../functions/artifacts/artifact.ts';
import { createArtifactStore, encodeArtifact } from '../../../functions/artifacts/artifact-store.ts';
import { bundleFile } from '../../../functions/artifacts/bundle.ts';
import { type CompileRequest, compileArtifact, hashSource } from '../../../functions/artifacts/compile.ts';
import { attachSourceMap, separateSourceMap } from '../../../functions/artifacts/source-map-comment.ts';
import type { PlatformError } from '../../../functions/errors.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'regears-bundle-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

function compile(source: string, more: Partial<CompileRequest> = {}): Promise<Artifact> {
  const language = more.language ?? 'js';
  return compileArtifact({ source, language, sourceMap: null, fileName: `f.${language}`, maxBytes: 10_000, ...more });
}

const refusal = (promise: Promise<unknown>): Promise<PlatformError> =>
  promise.then(
    () => expect.unreachable('nothing was refused'),
    (error: PlatformError) => error,
  );

/** Runs code as an isolate would: one classic script. */
function evaluate(code: string, globals: object = {}): unknown {
  return new Script(code).runInContext(createContext(globals));
}

test('a classic script stays as it is', async () => {
  const source = 'const a = 1;\nglobalThis.result = a;\n';
  const artifact = await compile(source);
  expect(artifact).toEqual({ sha256: hashSource(source, 'js'), language: 'js', source, code: source, sourceMap: null });
  expect(artifact.sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(hashSource(source, 'ts')).not.toBe(artifact.sha256);
});

test('an ES module and TypeScript become one classic script with a map to the source', async () => {
  const module = await compile('export const a = 2;\nresult(a);\n');
  const typescript = await compile('enum E { A = 3 }\nconst e: E = E.A;\nresult(e);\n', { language: 'ts' });
  const results: unknown[] = [];
  for (const { code } of [module, typescript]) evaluate(code, { result: (value: unknown) => results.push(value) });
  expect(results).toEqual([2, 3]);
  const line = typescript.code.split('\n').findIndex((text) => text.includes('result(')) + 1;
  const position = originalPositionFor(new TraceMap(typescript.sourceMap ?? ''), { line, column: 4 });
  expect(position).toMatchObject({ source: 'f.ts', line: 3 });
});

test('packages that ask for Node, or for its kind of environment, are bundled as in production without it', async () => {
  await mkdir(join(dir, 'node_modules/asks'), { recursive: true });
  const asks =
    "export const kind = process.env.NODE_ENV === 'production' ? 'fast' : 'slow', node = typeof process !== 'undefined' && process.pid;";
  await writeFile(join(dir, 'node_modules/asks/index.js'), asks);
  await writeFile(join(dir, 'asking.ts'), "import { kind, node } from 'asks';\nresult(kind, node);\n");
  const results: unknown[] = [];
  const { source } = await bundleFile(join(dir, 'asking.ts'));
  evaluate(source, { result: (...values: unknown[]) => results.push(...values) });
  expect(results).toEqual(['fast', false]);
});

test('syntax errors name file, line and column', async () => {
  const error = await refusal(compile('let a = 1;\nlet b = ;'));
  expect(error).toMatchObject({ code: 'ARTIFACT_INVALID' });
  expect(error.message).toContain('f.js:2:9: Unexpected ";"');
});

test('imports, also hidden ones, are refused with what to do', async () => {
  for (const source of ["import a from 'lodash'", "export * from './x.js'", "require('fs')", "import('node:fs')"]) {
    const error = await refusal(compile(source));
    expect(error).toMatchObject({ code: 'ARTIFACT_INVALID' });
    expect(error.message).toContain('regears deploy');
  }
});

test('await outside of functions is refused in words', async () => {
  for (const language of ['js', 'ts'] as const) {
    const error = await refusal(compile('const a = 1;\nawait a;', { language }));
    expect(error).toMatchObject({ code: 'ARTIFACT_INVALID' });
    expect(error.message).toMatch(/^f\.[jt]s:2:1: await outside of a function/);
  }
});

test('the size limit counts bytes and names limit, value and setting', async () => {
  const error = await refusal(compile(`// ${'é'.repeat(10)}`, { maxBytes: 22 }));
  expect(error).toMatchObject({ code: 'ARTIFACT_TOO_LARGE', details: { bytes: 23, maxBytes: 22 } });
  expect(error.message).toContain('cap-artifact');
});

test('an inline source map is taken off and comes back on', async () => {
  const map = JSON.stringify({ version: 3, sources: ['a.ts'], names: [], mappings: 'AAAA' });
  const source = attachSourceMap('foo();\n', map);
  expect(separateSourceMap(source)).toEqual({ code: 'foo();', sourceMap: map });
  expect(await compile(source)).toMatchObject({ source, code: 'foo();', sourceMap: map });
  expect(separateSourceMap('foo()\n//# sourceMappingURL=foo.js.map')).toMatchObject({ sourceMap: null });
  const inText = `foo("//# sourceMappingURL=data:application/json;base64,AAAA");`;
  expect(separateSourceMap(inText)).toEqual({ code: inText, sourceMap: null });
});

test('what is no source map is refused', async () => {
  const notVersion3 = JSON.stringify({ version: 2, mappings: '' });
  for (const sourceMap of ['nonsense', 'null', notVersion3]) {
    expect(await refusal(compile('foo()', { sourceMap }))).toMatchObject({ code: 'ARTIFACT_INVALID' });
    expect(await refusal(compile(attachSourceMap('foo()', sourceMap)))).toMatchObject({ code: 'ARTIFACT_INVALID' });
  }
});

test('a bundle carries its imports and maps to the files it was made of', async () => {
  await mkdir(join(dir, 'lib'));
  await writeFile(
    join(dir, 'lib/greet.ts'),
    'export function greet(name: string): string {\n  return "hé " + name;\n}\n',
  );
  await writeFile(join(dir, 'data.json'), '{"name":"ann"}');
  await writeFile(
    join(dir, 'main.ts'),
    "import { greet } from './lib/greet.ts';\nimport data from './data.json';\nresult(greet(data.name), greet.name);\n",
  );
  const bundle = await bundleFile(join(dir, 'main.ts'));
  expect(await bundleFile(join(dir, 'main.ts'))).toEqual(bundle);
  const artifact = await compile(bundle.source);
  expect(artifact).toMatchObject({ language: 'js', source: bundle.source, sourceMap: bundle.sourceMap });
  const results: unknown[] = [];
  evaluate(artifact.code, { result: (...values: unknown[]) => results.push(...values) });
  expect(results).toEqual(['hé ann', 'greet']);
  const line = artifact.code.split('\n').findIndex((text) => text.includes('return')) + 1;
  const { source, line: originalLine } = originalPositionFor(new TraceMap(bundle.sourceMap), { line, column: 6 });
  expect(source).toMatch(/lib\/greet\.ts$/);
  expect(originalLine).toBe(2);
});

test('a bundle is the same from every working directory, and mistakes are shown from where one stands', async () => {
  await writeFile(join(dir, 'here.ts'), 'export const answer: number = 42;\nresult(answer);\n');
  await writeFile(join(dir, 'slip.ts'), 'const a = ;\n');
  const { sourceMap, source } = await bundleFile(join(dir, 'here.ts'));
  expect((JSON.parse(sourceMap) as { sources: string[] }).sources).toEqual(['here.ts']);
  const before = process.cwd;
  process.cwd = () => dir;
  try {
    expect(await bundleFile(join(dir, 'here.ts'))).toMatchObject({ source });
    expect((await refusal(bundleFile(join(dir, 'slip.ts')))).message).toMatch(/^slip\.ts:1:11/);
    process.cwd = () => dirname(dir);
    expect((await refusal(bundleFile(join(dir, 'slip.ts')))).message).toContain(`${basename(dir)}/slip.ts:1:11`);
  } finally {
    process.cwd = before;
  }
});

test('a file that does not bundle is refused with its place, one that is no script by its name', async () => {
  await writeFile(join(dir, 'broken.ts'), "import x from './nowhere.ts';\nx();\n");
  const error = await refusal(bundleFile(join(dir, 'broken.ts')));
  expect(error).toMatchObject({ code: 'ARTIFACT_INVALID' });
  expect(error.message).toMatch(/broken\.ts:1:15: Could not resolve/);
  expect(await refusal(bundleFile(join(dir, 'missing.ts')))).toMatchObject({ code: 'ARGUMENT_INVALID' });
  expect(await refusal(bundleFile('notes.txt'))).toMatchObject({ code: 'ARGUMENT_INVALID' });
});

test('a stored artifact is read back whole, unreadable ones are named', async () => {
  const artifact = await compile('export const a = 1;');
  const classic = await compile('a()');
  const kept: Record<string, string> = {
    [artifact.sha256]: encodeArtifact(artifact),
    [classic.sha256]: encodeArtifact(classic),
    bad: '{',
  };
  const store = createArtifactStore({ hget: async (_key, field) => kept[field] ?? null }, 'key');
  expect(await store.get(artifact.sha256)).toEqual(artifact);
  expect(await store.get(classic.sha256)).toEqual(classic);
  expect(await store.get('none')).toBeNull();
  expect((await refusal(store.get('bad'))).message).toContain('bad');
});
