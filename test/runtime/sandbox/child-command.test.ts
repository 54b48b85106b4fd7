import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { childCommand } from '../../../runtime/sandbox/child-command.ts';

const PROBE = `
const report = { uid: process.getuid?.(), env: Object.keys(process.env) };
const attempt = async (name, work) => { try { report[name] = String(await work()); } catch (error) { report[name] = error.code; } };
await attempt('read', async () => (await import('node:fs')).readFileSync('/etc/passwd').length);
await attempt('write', async () => (await import('node:fs')).writeFileSync('/tmp/escaped', 'x'));
await attempt('spawn', async () => (await import('node:child_process')).execSync('id'));
await attempt('worker', async () => new (await import('node:worker_threads')).Worker('1', { eval: true }));
await attempt('network', async () => {
  const { connect } = await import('node:net');
  return new Promise((resolve, reject) => { connect(9, '127.0.0.1').once('connect', resolve).once('error', reject); });
});
console.log(JSON.stringify(report));
`;

let folder: string;
let report: Record<string, unknown>;
let confinement: readonly string[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'regears-child-'));
  chmodSync(folder, 0o755);
  const entry = join(folder, 'probe.mjs');
  writeFileSync(entry, PROBE);
  const command = childCommand({ entry });
  confinement = command.confinement;
  const { uid, gid } = command;
  const result = spawnSync(command.command, command.args, {
    env: {},
    encoding: 'utf8',
    ...(uid === undefined ? {} : { uid, gid }),
  });
  report = JSON.parse(result.stdout);
});

afterAll(() => rmSync(folder, { recursive: true }));

test('a sandbox process may read nothing but its own code, and start nothing', () => {
  expect(report).toMatchObject({
    read: 'ERR_ACCESS_DENIED',
    write: 'ERR_ACCESS_DENIED',
    spawn: 'ERR_ACCESS_DENIED',
    worker: 'ERR_ACCESS_DENIED',
  });
});

test('it has an empty environment', () => {
  expect(report.env).toEqual([]);
});

test('started by root it is nobody, and has no network where the system lets us take it away', () => {
  const isRoot = process.getuid?.() === 0;
  expect(confinement.includes('user')).toBe(isRoot);
  if (isRoot) expect(report.uid).not.toBe(0);
  if (confinement.includes('no-network')) expect(report.network).toBe('ENETUNREACH');
});
