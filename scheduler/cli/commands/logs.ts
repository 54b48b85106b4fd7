import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { PlatformError } from '#functions';
import { type DoorClient, type Reply, recordsOf } from '../client.ts';
import type { Command } from '../command.ts';
import type { Output, Style } from '../render.ts';
import { printable } from '../render.ts';
import { timeOf } from '../time.ts';

const POLL_MS = 250;
const DEFAULT_COUNT = 100;
const STYLES: Readonly<Record<string, Style>> = { warning: 'warn', debug: 'faint', verbose: 'faint' };

/** `regears logs`. */
export const logs: Command = {
  kind: 'remote',
  description: 'Prints what functions wrote with log() and console, oldest first. With --json one object a line.',
  arguments: [{ syntax: '[function]', description: 'only lines of this function', completes: 'function' }],
  options: [
    { flags: '-f, --follow', description: 'go on printing until Ctrl-C' },
    { flags: '--function <name>', description: 'the same as the argument', completes: 'function' },
    {
      flags: '--count <n>',
      description: 'how many lines at most',
      defaultText: String(DEFAULT_COUNT),
      range: { min: 1, max: 100_000 },
    },
  ],
  examples: ['logs', 'logs clicks --follow', 'logs --count 1000 --json'],
  run: async ({ args, options, output, door }) => {
    const filter = functionOf(args[0], options.text('function'));
    const client = await door();
    const read = (after: string | null, count: number) => readLines(client, { filter, after, count });
    let lines = await read(null, options.number('count') ?? DEFAULT_COUNT);
    if (lines.length === 0) await checkFunction(client, filter);
    for (const line of lines) print(output, line);
    const whose = filter === undefined ? '' : ` of ${filter}`;
    if (!options.flag('follow')) {
      if (lines.length === 0) output.note(`There are no log lines${whose}.`);
      return undefined;
    }
    if (lines.length === 0) output.note(`There are no log lines${whose} yet; waiting. Ctrl-C ends it.`);
    const stopped = new AbortController();
    void once(process, 'SIGINT').then(() => stopped.abort());
    let last = String(lines.at(-1)?.id ?? '0-0');
    while (!stopped.signal.aborted) {
      lines = await read(last, 1000);
      for (const line of lines) print(output, line);
      last = String(lines.at(-1)?.id ?? last);
      if (lines.length === 0) await sleep(POLL_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
    return undefined;
  },
};

function functionOf(argument: string | undefined, option: string | undefined): string | undefined {
  if (argument === undefined || option === undefined || argument === option) return argument ?? option;
  throw new PlatformError(
    'ARGUMENT_INVALID',
    `the function is ${argument} and --function is ${option}; give one of them`,
  );
}

/** Lines outlive their function, so it is asked for only where there are none. Errors: FUNCTION_NOT_FOUND. */
async function checkFunction(client: DoorClient, name: string | undefined): Promise<void> {
  if (name !== undefined) await client.call('RG.FUNCTION', 'VERSIONS', name);
}

interface LogQuery {
  readonly filter: string | undefined;
  readonly after: string | null;
  readonly count: number;
}

async function readLines(client: DoorClient, query: LogQuery): Promise<readonly Record<string, Reply>[]> {
  const filter = query.filter === undefined ? [] : ['FUNCTION', query.filter];
  const after = query.after === null ? [] : ['AFTER', query.after];
  return recordsOf(await client.call('RG.LOGS', ...filter, ...after, 'COUNT', query.count));
}

function print(output: Output, line: Record<string, Reply>): void {
  output.record(line, () => {
    const level = String(line.level);
    const time = timeOf(String(line.id).split('-')[0]) ?? '';
    const who = `${line.function}@${line.version}`;
    const text = printable(String(line.message));
    output.line(
      `${output.style('faint', time)} ${output.style(STYLES[level] ?? 'good', level)} ${output.style('name', who)} ${text}`,
    );
  });
}
