import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { CommandEntry } from '../../../scheduler/cli/command.ts';
import { COMMANDS, HIDDEN_COMMANDS } from '../../../scheduler/cli/commands/index.ts';
import { FIRST_STEPS, GROUP_EXAMPLES } from '../../../scheduler/cli/program.ts';
import { runRegears } from '../../support/regears.ts';
import { parseExample } from './parse-example.ts';

const all: readonly CommandEntry[] = [...COMMANDS, ...HIDDEN_COMMANDS];

describe('examples', () => {
  test.each(all.map((entry) => [entry.name, entry] as const))(
    'of %s parse, and there are some',
    async (name, entry) => {
      const { examples } = await entry.load();
      expect(examples.length).toBeGreaterThan(0);
      for (const example of examples) expect([example, await parseExample(example)]).toEqual([example, name]);
    },
  );

  test('of groups and of the first steps parse', async () => {
    for (const example of [...FIRST_STEPS, ...Object.values(GROUP_EXAMPLES).flat()]) {
      const name = await parseExample(example);
      expect(example.startsWith(name)).toBe(true);
    }
    const groups = new Set(COMMANDS.flatMap(({ name }) => (name.includes(' ') ? [name.split(' ')[0]] : [])));
    expect(Object.keys(GROUP_EXAMPLES).sort()).toEqual([...groups].sort());
  });

  test('with a wrong option or choice do not', async () => {
    await expect(parseExample('top --colour red')).rejects.toThrow('unknown option');
    await expect(parseExample('top --sort size')).rejects.toThrow('Allowed choices are');
    await expect(parseExample('tail')).rejects.toThrow('missing required argument');
  });
});

test('help has colours with FORCE_COLOR only, when nobody looks at a terminal, and says the same without', async () => {
  const environments = [{}, { NO_COLOR: '1' }, { FORCE_COLOR: '1' }];
  const [plain, without, coloured] = await Promise.all(
    environments.map(async (env) => (await runRegears(['tail', '--help'], { env })).stdout),
  );
  expect(plain).toBe(stripVTControlCharacters(plain ?? ''));
  expect(without).toBe(plain);
  expect(stripVTControlCharacters(coloured ?? '')).toBe(plain);
  for (const text of ['\x1b[1mExamples:', '\x1b[36mregears\x1b[39m', '\x1b[33m--last'])
    expect(coloured).toContain(text);
});
