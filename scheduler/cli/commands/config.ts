import { loadSettings, type ResolvedSettings, settingRows } from '../../config.ts';
import type { Command } from '../command.ts';

/** One line of the answer; `value` as it is written in flags, passwords masked. */
interface ShownSetting {
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
    const shown = showSettings(loadSettings(settingFlags, options.text('config')));
    output.answer(shown, () => {
      output.table(
        ['SETTING', 'VALUE', 'FROM'],
        shown.map(({ name, value, from }) => [name, value, from]),
      );
    });
    return undefined;
  },
};

function showSettings({ settings, origins }: ResolvedSettings): readonly ShownSetting[] {
  return settingRows().map(([path, row]) => {
    const [head = '', field] = path.split('.');
    const group = (settings as unknown as Record<string, unknown>)[head];
    const value = field === undefined ? group : (group as Record<string, unknown>)[field];
    const { source, name } = origins[path];
    const from = source === 'default' ? 'default' : `${source} ${name}`;
    return { name: row.name, value: row.kind.show(value), source, from, description: row.description };
  });
}
