import { bundleFile, PlatformError } from '#functions';
import type { DoorClient } from '../client.ts';
import type { Command, CommandInput } from '../command.ts';
import { ExitCode } from '../exit-code.ts';
import { printable } from '../render.ts';
import { createReadProgress } from './read-progress.ts';
import { readResults } from './read-results.ts';

/** `regears run`. */
export const run: Command = {
  kind: 'remote',
  description:
    'Bundles a file with its imports and runs its run(...): prints the results as they come, one a line and each once, and shows ' +
    'how many records were read. The script finds what stands behind the file in scriptArguments. Ctrl-C aborts the execution, and ' +
    'so does the end of the reader of a pipe. Exit code 1 when there were errors, also when a part broke off of which results were ' +
    'printed already (EXECUTION_PART_LOST): it does not begin again, as it does with --at-end.',
  arguments: [
    { syntax: '<file>', description: 'file that calls run(...) once', completes: 'file' },
    { syntax: '[arguments...]', description: 'for the script; put -- before those that begin with a dash' },
  ],
  options: [
    {
      flags: '--at-end',
      description: 'print results when the run has ended; a part whose node dies then begins again on another',
    },
    { flags: '--detach', description: 'print the id of the execution and leave it running' },
    { flags: '--unblocking', description: 'the same as --detach, as RedisGears calls it' },
  ],
  examples: [
    'run count.js',
    'run --detach report.ts',
    'run --json count.ts',
    'run --at-end nightly.ts',
    'run top-users.ts 10 eu --unblocking',
  ],
  run: async (input) => {
    const { args, options, output, door } = input;
    const isLeft = options.flag('detach') || options.flag('unblocking');
    if (isLeft && options.flag('at-end')) throw contradiction();
    const { source } = await bundleFile(args[0] ?? '');
    const client = await door();
    const how = isLeft || options.flag('at-end') ? [] : ['FOLLOW'];
    const script = withArguments(source, args.slice(1));
    const id = String(await client.call('RG.JSEXECUTE', script, 'UNBLOCKING', 'RUNONLY', ...how));
    if (!isLeft) return await printRun(input, client, id);
    output.answer({ id }, () => output.line(id));
    return undefined;
  },
};

async function printRun(input: CommandInput, client: DoorClient, id: string): Promise<ExitCode | undefined> {
  const { options, output, beforeLeaving } = input;
  using abort = listenForAbort(beforeLeaving);
  const progress = createReadProgress(output);
  try {
    const errors = await readResults({
      client,
      id,
      output,
      progress,
      atEnd: options.flag('at-end'),
      abort: abort.signal,
    });
    progress.stop();
    await client.call('RG.DROPEXECUTION', id);
    // Whoever has closed the pipe has seen what they wanted to see.
    if (abort.isUnread) return undefined;
    for (const error of errors) output.error(codeOf(error), printableLines(error));
    return errors.length > 0 ? ExitCode.failed : undefined;
  } finally {
    progress.stop();
    abort.over();
  }
}

interface Abort extends Disposable {
  readonly signal: AbortSignal;
  /** Nobody reads what is printed. */
  readonly isUnread: boolean;
  /** The run has ended, and nothing of it is left. */
  over(): void;
}

/** Ctrl-C, or a closed pipe, whose process ends when the run has. */
function listenForAbort(beforeLeaving: CommandInput['beforeLeaving']): Abort {
  const controller = new AbortController();
  const over = Promise.withResolvers<void>();
  let isUnread = false;
  const stop = (): void => controller.abort();
  process.once('SIGINT', stop);
  const leaving = beforeLeaving(() => {
    isUnread = true;
    stop();
    return over.promise;
  });
  return {
    signal: controller.signal,
    over: () => over.resolve(),
    get isUnread() {
      return isUnread;
    },
    [Symbol.dispose]() {
      process.off('SIGINT', stop);
      leaving[Symbol.dispose]();
    },
  };
}

function contradiction(): PlatformError {
  return new PlatformError('ARGUMENT_INVALID', '--at-end waits for results, --detach does not; leave one of them out');
}

/** In the first line, which holds nothing of the author's, so that errors name the right places. */
function withArguments(source: string, scriptArguments: readonly string[]): string {
  return `const scriptArguments = Object.freeze(${JSON.stringify(scriptArguments)}); ${source}`;
}

/** Scripts have to know this one: running again helps. */
function codeOf(error: string): string {
  return /^EXECUTION_PART_LOST(?=: )/.exec(error)?.[0] ?? 'GUEST_ERROR';
}

function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}
