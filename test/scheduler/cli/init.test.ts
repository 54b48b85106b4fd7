import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runRegears } from '../../support/regears.ts';

// That the project's types are right and its test passes is proven on the packed package: test/packaging.test.ts.
const directory = mkdtempSync(join(tmpdir(), 'regears-init-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('init writes a project named after its folder, and says what comes next', async () => {
  mkdirSync(join(directory, 'My Views', '.git'), { recursive: true });
  const { code, stdout, stderr } = await runRegears(['init', 'My Views'], { cwd: directory });
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('src/my-views.ts') });
  expect(stderr).toContain("Next: cd 'My Views' && npm install && npm test");
  const project = join(directory, 'My Views');
  expect(readdirSync(project).sort()).toEqual([
    '.git',
    '.gitignore',
    'README.md',
    'package.json',
    'samples',
    'src',
    'test',
    'tsconfig.json',
  ]);
  const { scripts, devDependencies } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
  expect(scripts).toMatchObject({
    dev: 'regears dev src/my-views.ts',
    test: 'vitest run',
    deploy: 'regears deploy src/my-views.ts',
  });
  // This is a checkout, which no registry has.
  expect(devDependencies).toMatchObject({
    regears: expect.stringMatching(/^file:/),
    vitest: expect.stringMatching(/^\^\d/),
  });
});

test('init refuses what is not empty, unless it is told to, and what makes no name', async () => {
  mkdirSync(join(directory, 'full'));
  writeFileSync(join(directory, 'full', 'README.md'), 'mine');
  const [full, name, file] = await Promise.all([
    runRegears(['init', 'full'], { cwd: directory }),
    runRegears(['init', 'x', '--name', 'a b'], { cwd: directory }),
    runRegears(['init', 'full/README.md', '--json'], { cwd: directory }),
  ]);
  expect([full.code, full.stderr]).toEqual([2, expect.stringContaining('is not empty (README.md is in it)')]);
  expect([name.code, name.stderr]).toEqual([2, expect.stringContaining('"a b" is no function name')]);
  expect([file.code, JSON.parse(file.stderr)]).toMatchObject([2, { error: { code: 'ARGUMENT_INVALID' } }]);
  expect(readFileSync(join(directory, 'full', 'README.md'), 'utf8')).toBe('mine');
  expect((await runRegears(['init', 'full', '--force'], { cwd: directory })).code).toBe(0);
  expect(readFileSync(join(directory, 'full', 'README.md'), 'utf8')).toContain('# full');
});
