import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LAYERS, ROOT } from './architecture/import-graph.ts';
import { type PlatformProcess, startPlatformProcess } from './support/platform.ts';

const run = promisify(execFile);
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

/** Code blocks that stand right behind a comment `<!-- test: <mark> -->`. */
function blocks(mark: string): readonly string[] {
  const pattern = new RegExp(`<!-- test: ${mark} -->\\n\`\`\`\\w+\\n(.*?)\`\`\``, 'gs');
  return [...readme.matchAll(pattern)].map((match) => match[1] ?? '');
}

test('the README opens with the two commands that do all the set-up', () => {
  const [, firstBlock = ''] = /```sh\n(.*?)```/s.exec(readme) ?? [];
  expect(firstBlock.split('\n').map((line) => line.replace(/\s+#.*/, '').trim())).toEqual([
    'npm ci && npm run demo',
    'npm ci && npm test',
    '',
  ]);
});

test('commands that the README names exist as scripts', () => {
  const { scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const named = [...readme.matchAll(/npm (?:run )?([a-z:]+)/g)].map((match) => match[1] ?? '');
  expect(named.filter((name) => !['ci', 'and'].includes(name) && scripts[name] === undefined)).toEqual([]);
});

test('files and folders that the README names exist', () => {
  const named = [...readme.matchAll(/\b((?:functions|runtime|scheduler|docs)\/[\w./-]*\w)/g)].map(
    (match) => match[1] ?? '',
  );
  for (const path of new Set(named)) {
    expect(existsSync(join(ROOT, path)), path).toBe(true);
  }
});

test('files that the READMEs of the layers name exist', () => {
  for (const layer of LAYERS) {
    const text = readFileSync(join(ROOT, layer, 'README.md'), 'utf8');
    const named = [...text.matchAll(/`((?:[\w-]+\/)+[\w-]+\.(?:d\.ts|ts|lua|md))`/g)].map((match) => match[1] ?? '');
    expect(named.filter((path) => !existsSync(join(ROOT, layer, path)) && !existsSync(join(ROOT, path)))).toEqual([]);
  }
});

test('the function it shows is the example', () => {
  const [shown = ''] = blocks('same as functions/examples/clicks.ts');
  expect(shown).not.toBe('');
  expect(readFileSync(new URL('../functions/examples/clicks.ts', import.meta.url), 'utf8')).toContain(shown);
});

describe('the quick start', () => {
  let platform: PlatformProcess;
  beforeAll(async () => {
    platform = await startPlatformProcess();
  });
  afterAll(async () => {
    // Gracefully, so that the embedded Redis ends too.
    await platform?.stop();
    await platform?.[Symbol.asyncDispose]();
  });

  test('begins with one line that installs and starts', () => {
    expect(blocks('start')).toEqual(['npm ci && npm start\n']);
  });

  test('every command does what it says, in order', async () => {
    const outputs = new Map<string, string>();
    for (const line of blocks('run').join('').trim().split('\n')) {
      outputs.set(line, await outputOf(line, platform.respPort));
    }
    const output = (command: string): string => outputs.get(command) ?? `not in the README: ${command}`;
    expect(output('redis-cli -p 6380 HGETALL clicks:ann').split('\n')).toEqual(['/home', '1', '']);
    expect(output('redis-cli -p 6380 RG.TRIGGER greet ann')).toContain('Hello ann');
    expect(output('npx regears deploy functions/examples/clicks.ts')).toContain('clicks version 1');
    expect(output('npx regears versions clicks')).toMatch(/^ *1 +active/m);
    expect(output('npx regears list')).toContain('greet');
    expect(output('npx regears registrations')).toContain('clicks/stream/events:*');
    expect(output('npx regears dlq list')).toContain('There are no dead letters.');
    expect(output('npx regears doctor')).toContain('ok');
  });
});

/** A line of the README on the port of this test; a reading line is asked again until the platform has caught up. */
async function outputOf(line: string, port: number): Promise<string> {
  const command = line.replaceAll('-p 6380', `-p ${port}`);
  const env = { ...process.env, REGEARS_URL: `redis://127.0.0.1:${port}` };
  const deadlineMs = performance.now() + 10_000;
  let stdout = '';
  do {
    ({ stdout } = await run('bash', ['-c', command], { cwd: ROOT, env }));
  } while (stdout.trim() === '' && performance.now() < deadlineMs);
  return stdout;
}
