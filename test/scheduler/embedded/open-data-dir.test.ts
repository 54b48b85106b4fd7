import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDataDir } from '../../../scheduler/embedded/open-data-dir.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rg-data-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function refusal(dataDir: string): unknown {
  try {
    return openDataDir(dataDir);
  } catch (error) {
    return error;
  }
}

function refused(dataDir: string, why: string): unknown {
  const message = `data-dir is ${dataDir}, which cannot be used: ${why}; choose another directory with --data-dir (REGEARS_DATA_DIR)`;
  return expect.objectContaining({ code: 'CONFIG_INVALID', message });
}

test('a data directory and what is above it is made for this user alone', () => {
  const dir = openDataDir(join(folder, 'a', 'b'));
  expect(dir).toBe(join(folder, 'a', 'b', 'redis'));
  for (const made of [join(folder, 'a'), join(folder, 'a', 'b'), dir]) expect(statSync(made).mode & 0o777).toBe(0o700);
  expect(openDataDir(join(folder, 'a', 'b'))).toBe(dir);
});

test('one that is a link to a directory is that directory', () => {
  mkdirSync(join(folder, 'real'));
  symlinkSync(join(folder, 'real'), join(folder, 'link'));
  expect(openDataDir(join(folder, 'link'))).toBe(join(folder, 'real', 'redis'));
});

test('one that is a file, lies below a file, or is a link to nothing is refused with what is in the way', () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  symlinkSync(join(folder, 'nowhere'), join(folder, 'link'));
  expect(refusal(file)).toEqual(refused(file, `${file} is a file, not a directory`));
  expect(refusal(join(file, 'a', 'b'))).toEqual(refused(join(file, 'a', 'b'), `${file} is a file, not a directory`));
  expect(refusal(join(folder, 'link'))).toEqual(refused(join(folder, 'link'), `${folder}/link is a link to nothing`));
});

test('a name that is too long is refused', () => {
  const dataDir = join(folder, 'n'.repeat(300));
  expect(refusal(dataDir)).toEqual(refused(dataDir, 'the name is too long'));
});

test.runIf(process.platform === 'linux')('one where the system makes no directories is refused at once', () => {
  const startedMs = performance.now();
  expect(refusal('/proc/nope')).toEqual(refused('/proc/nope', 'no directory can be made in /proc'));
  expect(refusal('/proc/nope/deeper')).toEqual(refused('/proc/nope/deeper', 'no directory can be made in /proc'));
  expect(performance.now() - startedMs).toBeLessThan(1_000);
});

test('one this user may not write is refused, whether it is there or would have to be made', () => {
  const locked = join(folder, 'locked');
  mkdirSync(join(locked, 'redis'), { recursive: true });
  chmodSync(folder, 0o755);
  chmodSync(join(locked, 'redis'), 0o555);
  chmodSync(locked, 0o555);
  for (const [dataDir, path] of [
    [locked, join(locked, 'redis')],
    [join(locked, 'below'), join(locked, 'below')],
  ] as const) {
    expect(openAsOrdinaryUser(dataDir)).toContain(
      `data-dir is ${dataDir}, which cannot be used: this user has no right to ${path};`,
    );
  }
});

/** Root may write everywhere, so what root cannot be refused is tried as another user. Returns what it printed. */
function openAsOrdinaryUser(dataDir: string): string {
  const module = fileURLToPath(new URL('../../../scheduler/embedded/open-data-dir.ts', import.meta.url));
  const script = `import { openDataDir } from ${JSON.stringify(module)};
    try { console.log(openDataDir(${JSON.stringify(dataDir)})); } catch (error) { console.log(error.message); }`;
  const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', ...user });
  return child.stdout + child.stderr;
}
