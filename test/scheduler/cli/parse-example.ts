import type { CommandEntry } from '../../../scheduler/cli/command.ts';
import { COMMANDS, HIDDEN_COMMANDS } from '../../../scheduler/cli/commands/index.ts';
import { splitLine } from '../../../scheduler/cli/completion/split-line.ts';
import { createProgram } from '../../../scheduler/cli/program.ts';

const SILENT = { write: () => true };

/** Parses a command line (without `regears`) as the program does, and resolves with the command it is of; nothing is run. */
export async function parseExample(example: string): Promise<string> {
  // What stands behind a redirection is the shell's.
  const words = splitLine(example.replace(/ [<>|].*$/, ''));
  let called = '';
  const entries = [...COMMANDS, ...HIDDEN_COMMANDS].map((entry): CommandEntry => {
    const run = async (): Promise<undefined> => {
      called = entry.name;
    };
    return { ...entry, load: async () => ({ ...(await entry.load()), run }) };
  });
  const options = { stdout: SILENT, stderr: SILENT, version: '0', entries, onExit: () => undefined };
  const program = await createProgram(options, words);
  await program.parseAsync(words, { from: 'user' });
  return called;
}
