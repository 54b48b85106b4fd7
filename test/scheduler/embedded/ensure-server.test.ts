import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ensureServer } from '../../../scheduler/embedded/ensure-server.ts';
import { missingServerText, type ServerProgram } from '../../../scheduler/embedded/find-server.ts';

const REDIS = { command: 'redis-server', version: '7.0.15' };
const OLD = { command: 'redis-server', version: '6.0.16' };

/** A machine with these package managers; installing with one brings `installed`. */
function machine(managers: readonly string[], installed: readonly ServerProgram[]) {
  const lines: string[] = [];
  const ran: string[] = [];
  let present: readonly ServerProgram[] = [];
  return {
    lines,
    ran,
    find: async () => present,
    say: (line: string) => lines.push(line),
    async run(command: readonly string[]) {
      const [program = '', action = ''] = command;
      if (action === '--version') return managers.includes(program);
      ran.push(command.join(' '));
      if (action === 'install' || action === 'add') present = installed;
      return true;
    },
  };
}

test('with a server program there is nothing to do and nothing is said', async () => {
  const bare = machine(['apt-get'], []);
  expect(await ensureServer({ ...bare, isRoot: true, find: async () => [OLD, REDIS] })).toBe(true);
  expect([bare.lines, bare.ran]).toEqual([[], []]);
});

test('root has it installed by the package manager that is there', async () => {
  const debian = machine(['apt-get', 'brew'], [REDIS]);
  expect(await ensureServer({ ...debian, isRoot: true })).toBe(true);
  expect(debian.ran).toEqual(['apt-get update -q', 'apt-get install -y -q --no-install-recommends redis-server']);
  expect(debian.lines).toEqual(['There is no server program yet; installing one with apt-get, this takes a minute …']);
  const alpine = machine(['apk'], [REDIS]);
  expect(await ensureServer({ ...alpine, isRoot: true })).toBe(true);
  expect(alpine.ran).toEqual(['apk add --no-cache redis']);
});

test('others are told what to install', async () => {
  const debian = machine(['apt-get'], [REDIS]);
  expect(await ensureServer({ ...debian, isRoot: false })).toBe(false);
  expect(debian.ran).toEqual([]);
  expect(debian.lines).toEqual([expect.stringContaining('apt-get install redis-server')]);
});

test('a package that is too old is named', async () => {
  const debian = machine(['apt-get'], [OLD]);
  expect(await ensureServer({ ...debian, isRoot: true })).toBe(false);
  expect(debian.lines.at(-1)).toContain('redis-server 6.0.16 is too old');
  expect(missingServerText([])).toContain('There is no redis-server or valkey-server 7 or newer on the PATH');
});

test('the script ends with 0 on a machine that has a server', async () => {
  const script = fileURLToPath(new URL('../../../scheduler/embedded/ensure-server.ts', import.meta.url));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [script]);
  expect([stdout, stderr]).toEqual(['', '']);
});
