import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PlatformProcess, startPlatformProcess } from '../../support/platform.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const document = readFileSync(join(ROOT, 'docs', 'client.md'), 'utf8');
const programs = [...document.matchAll(/<!-- test: run -->\n```ts\n(.*?)```/gs)].map(([, program = '']) => program);

let platform: PlatformProcess;
// Inside the repository, where packages are found.
const folder = mkdtempSync(join(ROOT, 'test', 'scheduler', 'client', '.document-'));
beforeAll(async () => {
  platform = await startPlatformProcess();
});
afterAll(async () => {
  await platform?.stop();
  await platform?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

test('docs/client.md has programs', () => {
  expect(programs.length).toBeGreaterThan(4);
});

test.each(programs.map((program, at) => [at + 1, program] as const))(
  'program %i of docs/client.md prints what it says',
  async (at, program) => {
    const file = join(folder, `program-${at}.ts`);
    const client = new URL('../../../scheduler/client/index.ts', import.meta.url).href;
    writeFileSync(
      file,
      program.replaceAll("'regears/client'", `'${client}'`).replaceAll('6380', `${platform.respPort}`),
    );
    const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', file]);
    const said = [...program.matchAll(/console\.log\(.*\/\/ (.*)/g)].map(([, text = '']) => text);
    expect(said.length).toBeGreaterThan(0);
    expect(stdout.split(/\s+/).filter(Boolean)).toEqual(said.join(' ').split(/\s+/));
  },
);
