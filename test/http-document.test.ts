import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from './architecture/import-graph.ts';
import { type PlatformProcess, startPlatformProcess } from './support/platform.ts';

let node: PlatformProcess;
beforeAll(async () => {
  node = await startPlatformProcess({ flags: ['--sandboxes', '1'] });
});
afterAll(() => node?.[Symbol.asyncDispose]());

const document = readFileSync(`${ROOT}docs/http.md`, 'utf8');
const blocks = [...document.matchAll(/```sh\n(.*?)```/gs)].map(([, block = '']) => block);

/** Runs a block as a reader would, with this node's addresses. */
function run(block: string): Promise<string> {
  const regears = `regears() { "${process.execPath}" scheduler/cli/regears.js "$@"; }`;
  const script = `set -e\n${regears}\n${block.replaceAll('http://127.0.0.1:8380', `http://127.0.0.1:${node.httpPort}`)}`;
  const env = { ...process.env, REGEARS_URL: `redis://127.0.0.1:${node.respPort}` };
  const child = spawn('sh', ['-c', script], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(Buffer.concat(chunks).toString());
      else reject(new Error(`${code}: ${Buffer.concat(errors)}`));
    });
  });
}

test('the commands of docs/http.md do what they say', async () => {
  expect(blocks).toHaveLength(2);
  const [upload = '', token = ''] = blocks;
  const [loaded, called] = jsonTexts(await run(upload));
  expect(loaded).toMatchObject({ name: 'greet', created: true });
  expect(called?.results).toEqual(['Hello ann, nice to meet you.']);
  expect(jsonTexts(await run(token))).toEqual([
    expect.objectContaining({ authentication: 'token', role: 'admin', name: 'ann' }),
  ]);
});

/** Answers that follow one another without a break. */
function jsonTexts(text: string): readonly Record<string, unknown>[] {
  return text
    .replaceAll('}{', '}\n{')
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
