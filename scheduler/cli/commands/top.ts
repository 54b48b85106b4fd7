import { PlatformError, parseDuration } from '#functions';
import type { Command, CommandInput } from '../command.ts';
import { listenForInterruption } from '../interrupted.ts';
import { readFigures } from '../top/figures.ts';
import { frameLines } from '../top/frame.ts';
import { SORTS, type Sort } from '../top/sorting.ts';
import { type WatchWish, watchFigures } from '../top/watch.ts';

const LEAST_INTERVAL_MS = 200;
const DEFAULT_INTERVAL = '2s';

/** `regears top`. */
export const top: Command = {
  kind: 'remote',
  description:
    'Shows what the fleet does now: nodes, registrations with their rates, failures, lag and run times, sandboxes with their ' +
    'memory; the figures are those of the dashboard. Rates are of the last five seconds. Keys: q ends, s sorts by the next figure, r ' +
    'reverses, p pauses, arrows scroll. Where nobody sits at a terminal, and with --json (one object a line), it prints a picture a ' +
    'period.',
  options: [
    { flags: '--interval <time>', description: 'period, such as 1s', defaultText: DEFAULT_INTERVAL },
    {
      flags: '--sort <figure>',
      description: 'what registrations are sorted by',
      choices: SORTS,
      defaultText: 'entries',
    },
    { flags: '--once', description: 'print one picture and end' },
  ],
  examples: ['top', 'top --interval 1s --sort lag', 'top --once --json'],
  run: async (input) => {
    const { options, output } = input;
    const intervalText = options.text('interval') ?? DEFAULT_INTERVAL;
    const sort = (options.text('sort') ?? 'entries') as Sort;
    const wish: WatchWish = { intervalMs: parseInterval(intervalText), intervalText, sort };
    if (options.flag('once')) await printOnce(input, wish);
    else if (output.live) await watchFigures(input, wish);
    else await printEach(input, wish);
    return undefined;
  },
};

function parseInterval(text: string): number {
  const intervalMs = parseDuration(text);
  if (intervalMs >= LEAST_INTERVAL_MS) return intervalMs;
  throw new PlatformError('ARGUMENT_INVALID', `--interval is "${text}"; allowed is a time from 200ms on, such as 1s`);
}

async function printOnce({ output, door }: CommandInput, { intervalText, sort }: WatchWish): Promise<void> {
  const client = await door();
  const figures = await readFigures(client);
  const view = { sort, isReversed: false, isPaused: false, scroll: 0, trouble: null };
  const look = { address: client.address, intervalText, columns: output.columns, style: output.style };
  output.record(figures, () => {
    for (const line of frameLines({ figures, view, ...look })) output.line(line);
  });
}

async function printEach(input: CommandInput, wish: WatchWish): Promise<void> {
  using stop = listenForInterruption();
  for (;;) {
    await printOnce(input, wish);
    if (await stop.within(wish.intervalMs)) return;
    input.output.line();
  }
}
