import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { bundleFile } from '#functions';
import { type DoorClient, listOf, type Reply } from '../client.ts';
import type { Command } from '../command.ts';
import { ExitCode } from '../exit-code.ts';
import { type Output, printable } from '../render.ts';
import { readProgress } from './execution-progress.ts';
import { createReadProgress } from './read-progress.ts';

const POLL_MS = 200;

/** `regears run`. */
export const run: Command = {
  kind: 'remote',
  description:
    'Bundles a file with its imports and runs its run(...): prints the results, one a line, and shows meanwhile how many ' +
    'records were read. The script finds what stands behind the file in scriptArguments. Ctrl-C aborts the execution. Exit code 1 ' +
    'when there were errors.',
  arguments: [
    { syntax: '<file>', description: 'file that calls run(...) once', completes: 'file' },
    { syntax: '[arguments...]', description: 'for the script; put -- before those that begin with a dash' },
  ],
  options: [
    { flags: '--detach', description: 'print the id of the execution and leave it running' },
    { flags: '--unblocking', description: 'the same as --detach, as RedisGears calls it' },
  ],
  examples: ['run count.js', 'run --detach report.ts', 'run --json count.ts', 'run top-users.ts 10 eu --unblocking'],
  run: async ({ args, options, output, door }) => {
    const { source } = await bundleFile(args[0] ?? '');
    const client = await door();
    const id = await start(client, withArguments(source, args.slice(1)));
    if (options.flag('detach') || options.flag('unblocking')) {
      output.answer({ id }, () => output.line(id));
      return undefined;
    }
    await follow(client, id, output);
    const errors = await printResults(client, id, output);
    await client.call('RG.DROPEXECUTION', id);
    for (const error of errors) output.error('GUEST_ERROR', printableLines(error));
    return errors.length > 0 ? ExitCode.failed : undefined;
  },
};

/** In the first line, which holds nothing of the author's, so that errors name the right places. */
function withArguments(source: string, scriptArguments: readonly string[]): string {
  return `const scriptArguments = Object.freeze(${JSON.stringify(scriptArguments)}); ${source}`;
}

async function start(client: DoorClient, source: string): Promise<string> {
  return String(await client.call('RG.JSEXECUTE', source, 'UNBLOCKING', 'RUNONLY'));
}

/** Shows the progress until the execution has ended; Ctrl-C aborts it. */
async function follow(client: DoorClient, id: string, output: Output): Promise<void> {
  const progress = createReadProgress(output);
  const stop = new AbortController();
  const listening = new AbortController();
  const interrupted = once(process, 'SIGINT', { signal: listening.signal }).then(
    () => stop.abort(),
    () => undefined,
  );
  let isAborting = false;
  try {
    for (;;) {
      const now = await readProgress(client, id);
      progress.update(now);
      if (now.isOver) return;
      if (stop.signal.aborted && !isAborting) {
        isAborting = true;
        await client.call('RG.ABORTEXECUTION', id);
      }
      await sleep(POLL_MS, undefined, isAborting ? {} : { signal: stop.signal }).catch(() => undefined);
    }
  } finally {
    listening.abort();
    await interrupted;
    progress.stop();
  }
}

/** Prints results page by page, so that many of them need little memory; returns the errors. */
async function printResults(client: DoorClient, id: string, output: Output): Promise<readonly string[]> {
  let cursor = '0';
  for (;;) {
    const [next, results, errors] = listOf(await client.call('RG.GETRESULTS', id, 'CURSOR', cursor));
    for (const result of listOf(results)) output.record(result, () => output.line(resultLine(result)));
    cursor = String(next);
    if (cursor === '0') return listOf(errors).map(String);
  }
}

function resultLine(result: Reply): string {
  return typeof result === 'string' ? printable(result) : JSON.stringify(result);
}

function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}
