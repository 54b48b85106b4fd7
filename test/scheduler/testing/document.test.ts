import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectRetrySafe, loadFunction, streamEntries } from '../../../scheduler/testing/index.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const EXAMPLES = join(ROOT, 'functions', 'examples');
const document = readFileSync(join(ROOT, 'docs', 'testing.md'), 'utf8');

function blocks(mark: string): readonly string[] {
  const pattern = new RegExp(`<!-- test: ${mark} -->\\n\`\`\`\\w*\\n(.*?)\`\`\``, 'gs');
  return [...document.matchAll(pattern)].map(([, text = '']) => text);
}

// Inside the repository, where packages are found.
const folder = mkdtempSync(join(ROOT, 'test', 'scheduler', 'testing', '.document-'));
const files = [
  ...blocks('node').map((text, at) => ['node', `program-${at + 1}.test.ts`, text] as const),
  ...blocks('vitest').map((text, at) => ['vitest', `vitest-${at + 1}.test.ts`, text] as const),
];

beforeAll(() => {
  cpSync(join(EXAMPLES, 'points.ts'), join(folder, 'points.ts'));
  for (const [, name, text] of files) {
    writeFileSync(join(folder, name), text.replaceAll("'regears/testing'", "'../../../../scheduler/testing/index.ts'"));
  }
  writeFileSync(join(folder, 'tsconfig.json'), '{ "extends": "../../../../tsconfig.json", "include": ["*.test.ts"] }');
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('docs/testing.md has tests, and the first is the one beside its example', () => {
  expect(files.length).toBe(5);
  expect(blocks('node')[0]).toBe(readFileSync(join(EXAMPLES, 'points.test.ts'), 'utf8'));
});

test('its tests are of the right types', async () => {
  await run(join(ROOT, 'node_modules', '.bin', 'tsc'), ['-p', folder]).catch(({ stdout }: { stdout: string }) => {
    expect(stdout).toBe('');
  });
});

test.each(files)('its test passes in %s: %s', async (runner, name) => {
  const args =
    runner === 'node'
      ? ['--disable-warning=ExperimentalWarning', '--test', name]
      : [join(ROOT, 'node_modules', 'vitest', 'vitest.mjs'), 'run', '--root', folder, name];
  const { stdout } = await run(process.execPath, args, { cwd: folder, env: withoutRunner() });
  expect(stdout).toMatch(runner === 'node' ? /# fail 0|fail 0/ : /passed/);
  expect(stdout).not.toMatch(/tests 0\b/);
});

/** A runner must not take itself for a part of the one it runs in. */
function withoutRunner(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_TEST|TEST$|NODE_ENV$)/.test(name)),
  );
}

test('the function that is not safe to retry is complained about as it says', async () => {
  const [source = ''] = blocks('unsafe');
  const [complaint = ''] = blocks('complaint');
  await using visits = await loadFunction({ source: source.replace('// visits.ts\n', '\n'), name: 'visits' });
  const check = expectRetrySafe(visits, streamEntries('events:web', { user: 'ann' }));
  await expect(check).rejects.toThrow(complaint.trimEnd());
});
