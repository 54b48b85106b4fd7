import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CommanderError } from 'commander';
import { SCREENS } from '../scheduler/gateway/http/dashboard/page/state/screen-list.ts';
import { harness } from './scheduler/gateway/operations/harness.ts';
import { parseExample } from './scheduler/cli/parse-example.ts';

const read = (name: string): string => readFileSync(new URL(`../docs/${name}`, import.meta.url), 'utf8');
const text = read('counterparts.md');
const [, gearsCli = '', monitor = ''] = text.split(/^## .*$/m);

/** Cells of a table, without its heading. */
function rowsOf(section: string): readonly (readonly [there: string, here: string])[] {
  const lines = section.split('\n').filter((line) => line.startsWith('| '));
  return lines.slice(2).map((line) => {
    const [, there = '', here = ''] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    return [there, here];
  });
}

function codeOf(cells: readonly string[]): readonly string[] {
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code));
}

const here = codeOf([...rowsOf(gearsCli), ...rowsOf(monitor)].map(([, cell]) => cell));

/** Everything that gears-cli 1.2 took: commands, their options, and arguments that it passed on. */
const GEARS_CLI = [
  ...['run', 'install-requirements', 'export-requirements', 'import-requirements'],
  ...['--host', '--port', '--user', '--password', '--help'],
  ...['--ssl', '--ssl-password', '--ssl-keyfile', '--ssl-certfile', '--ssl-ca-certs', '--ssl-verify-ca'],
  ...['--requirements', '--requirements-file', '--requirements-path', '--requirement', '--registration-id', '--all'],
  ...['--save-directory', '--output-prefix', '--bulk-size'],
  ...['UNBLOCKING', 'ID', 'DESCRIPTION', 'UPGRADE', 'REPLACE_WITH', 'FORCE_REINSTALL_REQUIREMENTS', 'REQUIREMENTS'],
];
/** What RedisGearsMonitor took and showed. */
const MONITOR = [
  ...['GET /', 'GET /dumpregistrations', 'GET /unregister?id=', '--host', '--port', '--password', '--bind_port'],
  ...['id, desc, reader, mode, args', 'PD', 'NumShards', 'numTriggered, numSuccess, numFailures, numAborted'],
  ...['status', 'lastError', 'refresh'],
];

test('no option of gears-cli and nothing on the page of the monitor is left out', () => {
  const words = new Set(codeOf(rowsOf(gearsCli).map(([there]) => there)).flatMap((code) => code.split(' ')));
  expect(GEARS_CLI.filter((name) => !words.has(name))).toEqual([]);
  const cells = rowsOf(monitor).map(([there]) => there);
  expect(MONITOR.filter((name) => !cells.some((cell) => cell.includes(name)))).toEqual([]);
});

describe('what stands there for it', () => {
  test('as a command line is one that the program understands', async () => {
    const lines = here.filter((code) => code.startsWith('regears ')).map((code) => code.slice('regears '.length));
    expect(lines.length).toBeGreaterThan(25);
    for (const line of lines) {
      const outcome = await parseExample(line).catch((error: unknown) =>
        error instanceof CommanderError && error.code === 'commander.helpDisplayed' ? 'help' : String(error),
      );
      expect([line, outcome]).toEqual([line, expect.stringMatching(/^(help|[a-z]+( [a-z]+)?)$/)]);
    }
  });

  test('as an option of a line is one that its command has', async () => {
    const { COMMANDS } = await import('../scheduler/cli/commands/index.ts');
    const flags = (await Promise.all(COMMANDS.map(({ load }) => load()))).flatMap(({ options = [] }) => options);
    const known = new Set(['--url', '--json', ...flags.flatMap(({ flags: each }) => each.match(/--[a-z-]+/g) ?? [])]);
    const alone = here.filter((code) => code.startsWith('--'));
    expect(alone.length).toBeGreaterThan(2);
    expect(alone.filter((code) => !known.has(code))).toEqual([]);
  });

  test('as a command of the door is one of its operations', () => {
    const { table } = harness();
    const names = here.filter((code) => code.startsWith('RG.'));
    expect(names.length).toBeGreaterThan(2);
    expect(names.filter((name) => table.find(name) === undefined)).toEqual([]);
  });

  test('as a route is one of the HTTP door, and as an address one of the page', () => {
    const routes = new Set([...read('http.md').matchAll(/^#### (.+)$/gm)].map(([, route]) => route));
    const named = here.filter((code) => /^(GET|DELETE) \/v1/.test(code));
    expect(named.length).toBe(2);
    expect(named.filter((route) => !routes.has(route))).toEqual([]);
    const addresses: readonly string[] = SCREENS.map(({ href }) => href);
    const screens = here.filter((code) => code.startsWith('#/'));
    expect(screens.length).toBeGreaterThan(5);
    expect(screens.filter((screen) => !addresses.includes(screen))).toEqual([]);
  });
});
