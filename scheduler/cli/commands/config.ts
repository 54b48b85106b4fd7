import { loadSettings, type ResolvedSettings, showSettings } from '../../config.ts';
import type { Command } from '../command.ts';

/** One line of the answer; `value` as it is written in flags, passwords masked. */
interface ShownLine {
  readonly name: string;
  readonly value: string;
  readonly source: string;
  readonly from: string;
  readonly description: string;
}

/** `regears config`: settings in force and their origins. */
export const config: Command = {
  kind: 'settings',
  description: 'Prints the settings that `regears start` would use here, and where each value came from.',
  examples: ['config', 'config --resp-port 7000 --json', 'config --config production.json'],
  run: async ({ options, settingFlags, output }) => {
    const shown = linesOf(loadSettings(settingFlags, options.text('config')));
    output.answer(shown, () => {
      output.table(
        ['SETTING', 'VALUE', 'FROM'],
        shown.map(({ name, value, from }) => [name, value, from]),
      );
    });
    return undefined;
  },
};

function linesOf({ settings, origins }: ResolvedSettings): readonly ShownLine[] {
  return showSettings(settings, origins).map(({ name, shown, origin, from, description }) => {
    return { name, value: shown, source: origin, from, description };
  });
}
