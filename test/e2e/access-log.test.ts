import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PlatformProcess, startPlatformProcess } from '../support/platform.ts';
import { type Ran, runRegears } from '../support/regears.ts';
import { waitFor } from '../support/wait.ts';

const EXAMPLE = fileURLToPath(new URL('../../functions/examples/access-log.ts', import.meta.url));
/** A real log that may lie beside the checkout. */
const REAL_LOG = fileURLToPath(new URL('../../../shared/data/access.log', import.meta.url));

/** Columns as awk numbers them: fields between blanks. */
const COUNTERS = [
  ['log:status', 9],
  ['log:path', 7],
  ['log:client', 1],
] as const;

const directory = mkdtempSync(join(tmpdir(), 'regears-access-log-'));
let platform: PlatformProcess;
beforeAll(async () => {
  platform = await startPlatformProcess();
});
afterAll(async () => {
  await platform?.stop();
  await platform?.[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

/** The log to count: the real one where there is one, else lines of the same format with its awkward cases. */
function logFile(): string {
  if (existsSync(REAL_LOG)) return REAL_LOG;
  const lines = Array.from({ length: 10_000 }, (_, n) => {
    const client = n % 97 === 0 ? '2001:db8::1' : `10.0.${n % 7}.${n % 251}`;
    const path = n % 13 === 0 ? `/search?q="quoted"${n % 5}` : `/page/${(n * n) % 307}?ref=é`;
    const quoted = path.replaceAll('"', '\\"');
    const bytes = n % 11 === 0 ? '-' : String(n * 3);
    const status = [200, 200, 304, 404, 500][n % 5];
    return `${client} - - [17/May/2015:10:05:${String(n % 60).padStart(2, '0')} +0000] "GET ${quoted} HTTP/1.1" ${status} ${bytes} "-" "agent ${n % 3}"`;
  });
  const file = join(directory, 'access.log');
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

function countColumn(lines: readonly string[], column: number): Record<string, string> {
  const counts = new Map<string, number>();
  for (const line of lines) {
    const field = line.trim().split(/[ \t]+/)[column - 1] ?? '';
    counts.set(field, (counts.get(field) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].map(([field, count]) => [field, String(count)]));
}

function regears(...args: string[]): Promise<Ran> {
  const env = { REGEARS_URL: `redis://127.0.0.1:${platform.respPort}` };
  return runRegears([...args, '--json'], { cwd: directory, env });
}

test('the counters of a fed access log are those that its columns say', async () => {
  const file = logFile();
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  await regears('deploy', EXAMPLE);
  const { stdout } = await regears('feed', '--stream', 'logs:web', file);
  expect(JSON.parse(stdout)).toMatchObject({ appended: lines.length, interrupted: false });
  const total = async (): Promise<number> =>
    (await platform.door.hvals('log:client')).reduce((sum, count) => sum + Number(count), 0);
  await waitFor(async () => (await total()) === lines.length, { what: 'every line is counted' });
  for (const [key, column] of COUNTERS) expect(await platform.door.hgetall(key)).toEqual(countColumn(lines, column));
  expect(await platform.door.get('log:unparsed')).toBeNull();
});
