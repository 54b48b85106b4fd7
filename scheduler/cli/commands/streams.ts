import { cellOf, type Reply, recordsOf } from '../client.ts';
import type { Command } from '../command.ts';

/** `regears streams`. */
export const streams: Command = {
  kind: 'remote',
  description:
    'Lists the streams that registrations read. LAG counts entries not read yet (≤ where Redis knows no more than that there ' +
    'are not more), PENDING those read and not settled, on all nodes; IN WORK and WAITING (for a retry) are those of the ' +
    'node that answers. A dash: the stream has gone. STATE is that of the stream, or of a registration that stands still.',
  options: [{ flags: '--registration <id>', description: 'only those of one registration', completes: 'registration' }],
  examples: ['streams', 'streams --registration "clicks/stream/events:*" --json'],
  run: async ({ options, output, door }) => {
    const id = options.text('registration');
    const all = recordsOf(await (await door()).call('RG.STREAMS', ...(id === undefined ? [] : [id])));
    output.answer(all, () => {
      if (all.length === 0) {
        return output.line(id === undefined ? 'No registration reads a stream yet.' : `${id} reads no stream yet.`);
      }
      const row = (each: Record<string, Reply>) => [
        ...['registration', 'stream'].map((name) => cellOf(each[name])),
        `${each.lagIsExact === 0 && each.lag !== null ? '≤ ' : ''}${cellOf(each.lag)}`,
        ...['pending', 'inWork', 'waiting', 'state'].map((name) => cellOf(each[name])),
      ];
      output.table(['REGISTRATION', 'STREAM', 'LAG', 'PENDING', 'IN WORK', 'WAITING', 'STATE'], all.map(row));
    });
    return undefined;
  },
};
