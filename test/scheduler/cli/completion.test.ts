import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { Completes } from '../../../scheduler/cli/command.ts';
import { COMMANDS } from '../../../scheduler/cli/commands/index.ts';
import { complete, type Offer } from '../../../scheduler/cli/completion/complete.ts';
import { liveNames } from '../../../scheduler/cli/completion/live-names.ts';
import { SCRIPTS } from '../../../scheduler/cli/completion/scripts.ts';
import { splitLine } from '../../../scheduler/cli/completion/split-line.ts';

const run = promisify(execFile);
const NAMES: Readonly<Partial<Record<Completes, readonly string[]>>> = {
  function: ['clicks', 'orders'],
  version: ['1', '2'],
  registration: ['clicks/stream/events:*', 'orders/stream/orders:*'],
};

async function offered(line: string): Promise<Offer | readonly string[]> {
  const [, ...words] = splitLine(line);
  const offer = await complete(words, {
    entries: COMMANDS,
    names: async (kind, { args }) =>
      (NAMES[kind] ?? []).map((value) => ({ value, description: kind === 'version' ? (args[0] ?? '') : '' })),
  });
  return typeof offer === 'string' ? offer : offer.map(({ value }) => value);
}

describe('what is offered', () => {
  test.each([
    ['regears dep', ['deploy']],
    ['regears dlq ', ['list', 'show', 'redrive', 'discard']],
    ['regears token re', ['revoke']],
    ['regears nosuch ', []],
    ['regears --j', ['--json']],
    ['regears show ', ['clicks', 'orders']],
    ['regears --json show o', ['orders']],
    ['regears rollback clicks ', ['1', '2']],
    ['regears pause clicks/stream/events:\\* ', ['orders/stream/orders:*']],
    ['regears pause "clicks/', ['clicks/stream/events:*']],
    ['regears import --on-conflict ', ['fail', 'skip', 'replace']],
    ['regears import --on-conflict=s', ['--on-conflict=skip']],
    ['regears import --on-conflict skip --on', []],
    ['regears logs --function c', ['clicks']],
    ['regears completion z', ['zsh']],
    ['regears nodes ', []],
  ])('behind %j are the words that fit', async (line, words) => {
    expect(await offered(line)).toEqual(words);
  });

  test('are files and folders where those are wanted, and settings of a node', async () => {
    expect(await offered('regears deploy ')).toBe('files');
    expect(await offered('regears init ')).toBe('folders');
    expect(await offered('regears start --config ')).toBe('files');
    expect(await offered('regears start --resp-p')).toEqual(['--resp-port']);
  });

  test('is something for every command, whatever is typed', async () => {
    const words = fc.array(fc.oneof(fc.constantFrom(...COMMANDS.flatMap(({ name }) => name.split(' '))), fc.string()), {
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(words, async (typed) => {
        const offer = await complete(typed, { entries: COMMANDS, names: async () => [] });
        expect(Array.isArray(offer) || typeof offer === 'string').toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test('is nothing, soon, when no node answers', async () => {
    expect(await liveNames('function', { args: [], url: 'redis://127.0.0.1:1' })).toEqual([]);
    expect(await liveNames('function', { args: [], url: 'nonsense' })).toEqual([]);
  });
});

describe('lines', () => {
  test.each([
    ['a b', ['a', 'b']],
    ['a ', ['a', '']],
    ['', ['']],
    ['a "b c', ['a', 'b c']],
    [`a 'it''s' "x\\"y" z\\ w`, ['a', 'its', 'x"y', 'z w']],
    ['a b\\', ['a', 'b']],
  ])('%j is split as by a shell', (line, words) => {
    expect(splitLine(line)).toEqual(words);
  });
});

describe('bash', () => {
  const folder = mkdtempSync(join(tmpdir(), 'regears-completion-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('completes with the script, also behind colons and open quotes', async () => {
    const bin = fileURLToPath(new URL('../../../scheduler/cli/regears.js', import.meta.url));
    const name = join(folder, 'regears');
    // Names of things stand for those of a node; everything else is the program.
    writeFileSync(
      name,
      `#!/bin/sh\ncase "$3" in *pause*) printf 'a/stream/b:*\\trunning\\n';; *) exec ${process.execPath} ${bin} "$@";; esac\n`,
    );
    chmodSync(name, 0o755);
    writeFileSync(join(folder, 'completion.bash'), SCRIPTS.bash);
    const program = `source ${folder}/completion.bash
      try() { COMP_LINE="$1"; COMP_POINT=\${#1}; COMPREPLY=(); _regears 2>/dev/null; printf '%s|' "\${COMPREPLY[@]}"; echo; }
      try 'regears dlq dis'; try 'regears import --on-conflict=s'; try 'regears pause a/stream/b:'; try 'regears pause "a/str'; try 'regears deploy '`;
    const env = { PATH: [folder, process.env.PATH].join(delimiter) };
    const { stdout } = await run('bash', ['--norc', '-c', program], { env });
    expect(stdout.split('\n')).toEqual(['discard|', 'skip|', '\\*|', 'a/stream/b:*|', '|', '']);
  });
});
