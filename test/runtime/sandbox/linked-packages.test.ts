import { chmodSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ChildCommand } from '../../../runtime/sandbox/child-command.ts';
import { guestBundle } from '../../../runtime/sandbox/guest-bundle.ts';
import { startSandboxProcess } from '../../../runtime/sandbox/process.ts';
import { createWatchdog } from '../../../runtime/sandbox/watchdog.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const packages = realpathSync(join(root, 'node_modules'));
const log = { debug() {}, info() {}, warn() {}, error() {} };

let folder: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'regears-linked-')));
  chmodSync(folder, 0o755);
});

afterEach(() => rmSync(folder, { recursive: true }));

/** The layers that a sandbox process runs, installed in a folder of their own. */
function install(): string {
  const installed = join(folder, 'installed');
  for (const part of ['runtime', 'functions', 'package.json']) {
    cpSync(join(root, part), join(installed, part), { recursive: true });
  }
  return installed;
}

/** Puts a package where pnpm would: its files in a store, with links to it and to what it needs beside it. */
function store(name: string): string {
  const stored = join(folder, 'store', `${name}@1`, 'node_modules', name);
  mkdirSync(dirname(stored), { recursive: true });
  const isNeeded = (path: string): boolean => !/isolated-vm\/(src|vendor|.*\.tgz)/.test(path);
  cpSync(join(packages, name), stored, { recursive: true, filter: isNeeded });
  return stored;
}

async function commandOf(installed: string): Promise<ChildCommand> {
  const { href } = pathToFileURL(join(installed, 'runtime', 'sandbox', 'child-command.ts'));
  const module = (await import(href)) as { childCommand(): ChildCommand };
  return module.childCommand();
}

async function boots(command: ChildCommand): Promise<void> {
  using watchdog = createWatchdog({ graceMs: 5_000, residentBytes: 1e9 });
  await using sandbox = startSandboxProcess({ command, guest: await guestBundle(), watchdog, log, suspectBytes: 1e9 });
  await sandbox.ready;
}

function readable(command: ChildCommand): readonly string[] {
  const flag = '--allow-fs-read=';
  return command.args.filter((arg) => arg.startsWith(flag)).map((arg) => arg.slice(flag.length));
}

function ownFiles(installed: string): readonly string[] {
  const own = ['runtime', 'functions', 'package.json', 'runtime/sandbox/child'];
  return [...own.map((path) => join(installed, path)), '/etc/alpine-release'];
}

test('a sandbox process starts where node_modules is a link, and may read no more of it than its two packages', async () => {
  const installed = install();
  symlinkSync(packages, join(installed, 'node_modules'));
  const command = await commandOf(installed);
  const own = ['isolated-vm', 'node-gyp-build'].map((name) => join(packages, name));
  expect([...readable(command)].sort()).toEqual([...ownFiles(installed), ...own].sort());
  await boots(command);
});

test('it starts where each package is a link into a store, with its needs beside it there', async () => {
  const installed = install();
  const isolatedVm = store('isolated-vm');
  const gypBuild = store('node-gyp-build');
  symlinkSync(gypBuild, join(dirname(isolatedVm), 'node-gyp-build'));
  mkdirSync(join(installed, 'node_modules'));
  symlinkSync(isolatedVm, join(installed, 'node_modules', 'isolated-vm'));
  const command = await commandOf(installed);
  expect([...readable(command)].sort()).toEqual([...ownFiles(installed), isolatedVm, gypBuild].sort());
  await boots(command);
});
