import process from 'node:process';
import type { Command, CommandEntry } from '../command.ts';
import { complete, type Proposal } from '../completion/complete.ts';
import { liveNames } from '../completion/live-names.ts';
import { SCRIPTS, SHELLS, type Shell } from '../completion/scripts.ts';
import { splitLine } from '../completion/split-line.ts';

/** `regears completion`. */
export const completion: Command = {
  kind: 'local',
  description:
    'Prints what makes a shell complete commands, options, their values, and names of functions, registrations and streams as ' +
    'they are on the server now. It works for the name regears: install the package globally (npm install -g), or make an alias.',
  arguments: [{ syntax: '<shell>', description: 'bash, zsh or fish', choices: SHELLS }],
  examples: [
    'completion bash > ~/.local/share/bash-completion/completions/regears',
    'completion zsh > ~/.zsh/completions/_regears',
    'completion fish > ~/.config/fish/completions/regears.fish',
  ],
  run: async ({ args, output }) => {
    const shell = args[0] as Shell;
    output.answer({ shell, script: SCRIPTS[shell] }, () => void process.stdout.write(SCRIPTS[shell]));
    return undefined;
  },
};

/** What the scripts ask; not for people. @param entries every command that people may type. */
export function createComplete(entries: readonly CommandEntry[]): Command {
  return {
    kind: 'local',
    description: 'Prints what may be typed next, one word a line, with a tab before its description. Shells call it.',
    arguments: [{ syntax: '[word...]', description: 'words so far, the program first, the unfinished one last' }],
    options: [{ flags: '--line <text>', description: 'the same as one line, quoted as in a shell' }],
    examples: ['complete --line "regears dep"', 'complete -- regears deploy --na'],
    run: async ({ args, options, output }) => {
      const line = options.text('line');
      const [, ...words] = line === undefined ? args : splitLine(line);
      const offer = await complete(words, { entries, names: liveNames });
      output.answer(offer, () => {
        if (typeof offer === 'string') output.line(`:${offer}`);
        else for (const proposal of offer) output.line(proposalLine(proposal));
      });
      return undefined;
    },
  };
}

/** In one line, whatever is in it. */
function proposalLine({ value, description }: Proposal): string {
  return `${value}\t${description.replace(/\s+/g, ' ').slice(0, 80)}`;
}
