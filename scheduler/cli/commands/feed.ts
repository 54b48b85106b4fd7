import { PlatformError } from '#functions';
import type { Command, OptionValues } from '../command.ts';
import { ExitCode } from '../exit-code.ts';
import { FORMATS, type FormatName } from '../feed/entry-format.ts';
import { type FeedReport, feedSource, openSource } from '../feed/feed-source.ts';

/** `regears feed`. */
export const feed: Command = {
  kind: 'remote',
  description:
    'Appends each line of a file to a stream: plain text as the field `line`, NDJSON with each field of the object as a ' +
    'field (nested values as JSON text). Reads standard input when the file is - or not given. Ends with what was appended.',
  arguments: [{ syntax: '[file]', description: 'file to read, - for standard input (default: -)', completes: 'file' }],
  options: [
    { flags: '--stream <key>', description: 'stream to append to; must be given', completes: 'stream' },
    {
      flags: '--format <format>',
      description: 'what a line is',
      choices: ['text', 'ndjson'],
      defaultText: 'ndjson for files that end in .ndjson or .jsonl, else text',
    },
    { flags: '--rate <n>', description: 'entries per second at most', range: { min: 1, max: 100_000_000 } },
    { flags: '--limit <n>', description: 'lines to read at most', range: { min: 1, max: 1e15 } },
    { flags: '--maxlen <n>', description: 'trim the stream to about this length', range: { min: 1, max: 1e15 } },
  ],
  examples: [
    'feed --stream logs:web access.log',
    'feed --stream nginx status.ndjson --rate 1000',
    'feed --stream logs:web --maxlen 1000000 - < access.log',
  ],
  run: async ({ args, options, output, door }) => {
    const file = args[0] ?? '-';
    const stream = options.text('stream');
    if (stream === undefined || stream === '') {
      const what = stream === undefined ? 'missing' : 'empty';
      throw new PlatformError('ARGUMENT_INVALID', `--stream is ${what}; give the key of the stream`);
    }
    const source = await openSource(file);
    const report = await feedSource(source, {
      door: await door(),
      output,
      stream,
      format: FORMATS[formatOf(file, options)],
      ratePerSecond: options.number('rate') ?? null,
      limit: options.number('limit') ?? null,
      maxLength: options.number('maxlen') ?? null,
    });
    const { error, ...shown } = report;
    output.answer(shown, () => {
      const rate = `${report.seconds.toFixed(1)} s (${report.entriesPerSecond} entries/s)`;
      output.line(`${entries(report.appended)} appended to ${stream} in ${rate}`);
    });
    if (error !== undefined) throw feedError(error, file, report);
    return report.interrupted ? ExitCode.failed : undefined;
  },
};

/** A feed that began has tried something: what was wrong with its data is no mistake of the command line. */
function feedError(error: unknown, file: string, { stream, appended }: FeedReport): unknown {
  if (!(error instanceof PlatformError)) return error;
  const cause = error;
  if (error.code === 'WRONGTYPE') {
    return new PlatformError('WRONGTYPE', `the key ${stream} holds no stream; give another one with --stream`, {
      cause,
    });
  }
  if (error.code !== 'ARGUMENT_INVALID') return error;
  const where = file === '-' ? 'standard input' : file;
  return new PlatformError('FAILED', `${where}: ${error.message}; appended before it: ${entries(appended)}`, { cause });
}

function entries(count: number): string {
  return count === 1 ? '1 entry' : `${count} entries`;
}

function formatOf(file: string, options: OptionValues): FormatName {
  const named = options.text('format');
  if (named !== undefined) return named as FormatName;
  return /\.(ndjson|jsonl)$/i.test(file) ? 'ndjson' : 'text';
}
