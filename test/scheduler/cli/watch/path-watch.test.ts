import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createPathWatch, type PathWatch } from '../../../../scheduler/cli/watch/path-watch.ts';
import { waitFor } from '../../../support/wait.ts';

let root: string;
let watch: PathWatch;
let saves: number[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'regears-watch-'));
  saves = [];
  watch = createPathWatch({ onChange: (savedAtMs) => saves.push(savedAtMs) });
});
afterEach(() => {
  watch[Symbol.dispose]();
  rmSync(root, { recursive: true, force: true });
});

const write = (path: string, text: string): string => {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
};
/** Nothing that was written before counts as changed. */
const now = (): number => Date.now() + 1_000;
const saved = (count: number): Promise<unknown> =>
  waitFor(() => saves.length >= count, { what: `${count} changes are told, ${saves.length} are` });

test('a file that is written in place is a change, with the time of the save', async () => {
  const file = write('a.ts', 'one');
  watch.follow([file], now());
  writeFileSync(file, 'two');
  await saved(1);
  expect(saves[0]).toBeCloseTo(statSync(file).ctimeMs, 0);
});

test('a file that is renamed over another is a change each time, as editors save', async () => {
  const file = write('a.ts', 'one');
  watch.follow([file], now());
  for (const [at, text] of ['two', 'three'].entries()) {
    renameSync(file, join(root, 'a.ts~'));
    renameSync(write('a.ts.tmp', text), file);
    await saved(at + 1);
  }
  expect(saves).toHaveLength(2);
});

test('a file that is deleted is a change, and made again another one', async () => {
  const file = write('a.ts', 'one');
  watch.follow([file], now());
  rmSync(file);
  await saved(1);
  write('a.ts', 'one');
  await saved(2);
});

test('a folder that is deleted and made again is followed on', async () => {
  const file = write('lib/deep/a.ts', 'one');
  watch.follow([file], now());
  rmSync(join(root, 'lib'), { recursive: true });
  await saved(1);
  write('lib/deep/a.ts', 'two');
  await saved(2);
  write('lib/deep/a.ts', 'three');
  await saved(3);
});

test('a path that never was is a change when it comes, with folders that were not there', async () => {
  watch.follow([join(root, 'soon/new.ts')], now());
  write('soon/new.ts', 'here');
  await saved(1);
});

test('saves that follow upon each other are one change', async () => {
  const files = ['a.ts', 'b.ts', 'c.ts'].map((name) => write(name, 'one'));
  watch.follow(files, now());
  for (const file of files) writeFileSync(file, 'two');
  await saved(1);
  // Another change comes behind all that the first ones could still cause.
  writeFileSync(write('a.ts', 'x'), 'three');
  await saved(2);
  expect(saves).toHaveLength(2);
});

test('a file that is emptied and then written is one change', async () => {
  const file = write('a.ts', 'one');
  watch.follow([file], now());
  writeFileSync(file, '');
  await sleep(60);
  writeFileSync(file, 'two');
  await saved(1);
  writeFileSync(file, 'three');
  await saved(2);
  expect(saves).toHaveLength(2);
});

test('other files of the folder are none of its business, nor are paths that are not followed any more', async () => {
  const [a, b] = [write('a.ts', 'one'), write('b.ts', 'one')];
  watch.follow([a, b], now());
  watch.follow([b], now());
  write('a.ts', 'two');
  write('other.ts', 'x');
  write('b.ts', 'two');
  await saved(1);
  expect(saves).toHaveLength(1);
});

test('a new path that was changed after it had been read is a change at once', async () => {
  const readAtMs = Date.now() - 1_000;
  const file = write('a.ts', 'one');
  watch.follow([file], readAtMs);
  await saved(1);
});

test('a change that no event tells of is found', async () => {
  const file = write('a.ts', 'one');
  watch.follow([file], now());
  const { atime, mtime } = statSync(file);
  utimesSync(file, atime, new Date(mtime.getTime() + 5_000));
  await saved(1);
});
