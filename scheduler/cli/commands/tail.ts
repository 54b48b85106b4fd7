import { idFromTime, isEntryId, PlatformError, parseEntryId, previousEntryId, ZERO_ENTRY_ID } from '#functions';
import type { SchedulerErrorCode } from '../../errors.ts';
import type { Command, CommandInput, OptionValues } from '../command.ts';
import { listenForInterruption } from '../interrupted.ts';
import { splitNames } from '../tail/find-streams.ts';
import { type FollowWish, followStreams } from '../tail/follow.ts';
import { showEntry } from '../tail/show-entry.ts';
import { parseMoment } from '../time.ts';

const MOST = 1_000_000;

/** `regears tail`. */
export const tail: Command = {
  kind: 'remote',
  description:
    'Prints the entries of streams as they come, until Ctrl-C; it reads beside all consumer groups and takes nothing from them. A ' +
    'pattern (in quotes) stands for every stream that matches, also later ones. A lost connection is made again, and nothing that ' +
    'is still in the stream is missed. With --json one object a line; values that are no UTF-8 are {"base64":…}, and fields are ' +
    'pairs where a name comes twice or is no UTF-8.',
  arguments: [{ syntax: '<stream...>', description: 'names or patterns of streams', completes: 'stream' }],
  options: [
    {
      flags: '--last <n>',
      description: 'entries before now to begin with',
      defaultText: '0',
      range: { min: 0, max: MOST },
    },
    {
      flags: '--from <id>',
      description: 'begin with this entry, or with a time: 15m, 2h, 3d ago, an ISO time; 0 is the first',
    },
    { flags: '--count <n>', description: 'end after so many entries', range: { min: 1, max: MOST } },
    { flags: '--no-follow', description: 'print what is there now, and end' },
    { flags: '--fields <names>', description: 'only these fields, with commas between them' },
    { flags: '--long', description: 'each field on a line of its own' },
  ],
  examples: [
    'tail events:web',
    'tail events:web --last 10 --no-follow --json',
    'tail "orders:*" --from 15m --fields user,total',
    'tail events:web --from 1716890000000-0 --count 5 --long',
  ],
  run: async (input) => {
    const { args, options } = input;
    const from = options.text('from');
    if (from !== undefined && options.number('last') !== undefined) {
      throw new PlatformError('ARGUMENT_INVALID', `--from is ${from} and there is --last; give one of them`);
    }
    using stop = listenForInterruption();
    const streams = splitNames(args);
    const follows = options.flag('follow');
    const last = options.number('last') ?? 0;
    const start = { after: from === undefined ? defaultStart(options) : idBefore(from), last };
    if (streams.names.some((name) => name === '')) throw new PlatformError('ARGUMENT_INVALID', 'a stream has no name');
    if (!follows) await refuseMissing(input, streams.names);
    await followStreams(input, { streams, start, follows, stop, onEntry: createPrinter(input, streams) });
    return undefined;
  },
};

/** What is there now begins with the first entry, unless only the last ones are asked for. */
function defaultStart(options: OptionValues): string | null {
  return !options.flag('follow') && options.number('last') === undefined ? ZERO_ENTRY_ID : null;
}

/** The id behind which the wanted entry stands. */
function idBefore(from: string): string {
  const first = isEntryId(from) ? parseEntryId(from) : idFromTime(parseMoment('from', from, Date.now()));
  return previousEntryId(first) ?? ZERO_ENTRY_ID;
}

/** Returns true when there have been enough. */
function createPrinter({ options, output }: CommandInput, { names, patterns }: FollowWish['streams']) {
  const most = options.number('count') ?? Number.POSITIVE_INFINITY;
  const look = {
    isLong: options.flag('long'),
    namesStream: names.length > 1 || patterns.length > 0,
    fields: options.text('fields')?.split(',') ?? null,
  };
  let printed = 0;
  return (entry: Parameters<FollowWish['onEntry']>[0]): boolean => {
    if (printed >= most) return true;
    showEntry(output, entry, look);
    printed += 1;
    return printed >= most;
  };
}

/** Whoever does not wait wants to know of a misspelled name. */
async function refuseMissing({ door }: CommandInput, names: readonly string[]): Promise<void> {
  const client = await door();
  for (const name of names) {
    if ((await client.call('TYPE', name)) !== 'none') continue;
    throw new PlatformError<SchedulerErrorCode>(
      'STREAM_NOT_FOUND',
      `there is no stream "${name}"; see: regears streams`,
    );
  }
}
