import process from 'node:process';
import { CommanderError } from 'commander';
import { PlatformError } from '#functions';
import { packageVersion } from '../package-root.ts';
import { COMMANDS, HIDDEN_COMMANDS } from './commands/index.ts';
import { ExitCode, exitCodeOf } from './exit-code.ts';
import { createLeaving } from './leaving.ts';
import { createProgram, type ProgramStreams } from './program.ts';
import { createOutput } from './render.ts';

/** Runs one command line (without `node` and the script's name) and resolves with the exit code. Never rejects. */
export function main(argv: readonly string[]): Promise<ExitCode> {
  // The reader of a pipe has gone, as `| head` does: nothing is left to say to anybody.
  const leaving = createLeaving();
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    const code = error.code === 'EPIPE' ? ExitCode.ok : ExitCode.failed;
    void leaving.leave().then(() => process.exit(code));
  });
  const { stdout, stderr } = process;
  return runCommandLine(argv, { stdout, stderr, leaving });
}

/** The same with other streams. */
export async function runCommandLine(argv: readonly string[], streams: ProgramStreams): Promise<ExitCode> {
  let exitCode: ExitCode = ExitCode.ok;
  const onExit = (code: ExitCode): void => {
    exitCode = code;
  };
  try {
    const entries = [...COMMANDS, ...HIDDEN_COMMANDS];
    const program = await createProgram({ ...streams, version: packageVersion(), entries, onExit }, argv);
    if (argv.length === 0) {
      program.outputHelp();
      return ExitCode.ok;
    }
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (reason) {
    return report(reason, argv, streams);
  }
}

function report(reason: unknown, argv: readonly string[], { stdout, stderr }: ProgramStreams): ExitCode {
  const output = createOutput({ json: argv.includes('--json'), stdout, stderr });
  if (reason instanceof CommanderError) {
    if (reason.exitCode === 0) return ExitCode.ok;
    output.error('ARGUMENT_INVALID', usageMessage(reason, argv));
    return ExitCode.usage;
  }
  const error = PlatformError.from(reason, 'FAILED');
  output.error(error.code, error.message);
  return exitCodeOf(error.code);
}

/** Commander has already printed help when a command group was called without a sub-command. */
function usageMessage(error: CommanderError, argv: readonly string[]): string {
  const [first = '', second = ''] = argv.filter((argument) => !argument.startsWith('-'));
  const known =
    COMMANDS.find(({ name }) => name === `${first} ${second}`) ?? COMMANDS.find(({ name }) => name === first);
  const group = COMMANDS.some(({ name }) => name.startsWith(`${first} `)) ? `${first} ` : '';
  const see = `See: regears ${known === undefined ? group : `${known.name} `}--help`;
  if (error.code === 'commander.help') {
    const isUnknown = first === 'help' && second !== '' && !COMMANDS.some(({ name }) => name.split(' ')[0] === second);
    return `${isUnknown ? `unknown command '${second}'` : 'a sub-command is needed'}. ${see}`;
  }
  const [what = '', hint] = error.message.replace(/^error: /, '').split('\n');
  const meant = hint === undefined ? '' : ` ${hint.replace(/^\((.*)\)$/, '$1')}`;
  return `${what.replace(/\.$/, '')}.${meant} ${see}`;
}
